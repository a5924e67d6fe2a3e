"""What is left to do in a lake: which models a plan concerns, whether the tables are published and scored.

Imports no Dagster: a run with nothing to do answers from here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from data_lake.contracts import load_contracts
from data_lake.expectations.suites import table_suites
from data_lake.expectations.suites import worlds as judged_worlds
from data_lake.layout import Layout
from data_lake.planning import TESTS, Audit, Plan
from data_lake.publish import current_version, is_current
from orchestration.graph import below, insights, models_of_worlds, models_read, names, owners_of_tests, raw_sources
from orchestration.plans import make_plan, worlds_with_rows
from orchestration.project import AS_OF, Manifest, models
from orchestration.window import Window

# Names of the checks by expectations: of a table, and of an entity of raw/, before its name.
EXPECTATIONS, EXPECTATIONS_OF_RAW = "expectations", "expectations_of_raw_"


def models_to_build(manifest: Manifest, todo: Plan, worlds: Collection[str]) -> frozenset[str]:
    """Names of the models and seeds that a plan concerns, of worlds that have rows.

    Everything for a plan of every day and for a backfill. Else what lies below the entities that changed, what depends
    on the clock when it moved, what was never audited; and models that a test hangs on which reads one of these.
    """
    every = models_of_worlds(manifest, worlds) - insights(manifest)
    if todo.entities is None or todo.days is None:
        return names(manifest, every)
    on_the_clock = {node["unique_id"] for node in models(manifest) if AS_OF in node["config"].get("tags", [])}
    sources = raw_sources(manifest)
    roots = {sources[entity] for entity in todo.entities if entity in sources}
    # What lies below these changes with their rows alone, and then the planner asks for every day.
    on_time = on_the_clock if todo.as_of_moved else set()
    # Built again when anything of their world changed: the checks of raw/ hang on them.
    hooks = raw_hooks() if todo.entities else set()
    named = {audit.model for audit in todo.unaudited} | hooks
    chosen = {node["unique_id"] for node in models(manifest) if node["name"] in named}
    chosen = (chosen | on_time | below(manifest, roots)) & every
    owners = owners_of_tests(manifest)
    tested = {owner for test, owner in owners.items() if chosen & set(models_read(manifest["nodes"][test]))}
    return names(manifest, chosen | (tested & every))


def audits_of(models: Collection[str], entities: Collection[str] | None) -> frozenset[Audit]:
    """What a build of these models has to pass: dbt tests, what is expected of tables, and of the entities of raw/ that
    changed (None: of all), whose checks hang on a model of their world."""
    audits = {Audit(name, TESTS) for name in models}
    audits |= {Audit(name, EXPECTATIONS) for name in models if name in table_suites()}
    hooks = {entity: judged_worlds()[contract.world].raw_checks_on for entity, contract in load_contracts().items()}
    judged = {entity for entity, hook in hooks.items() if hook in models and (entities is None or entity in entities)}
    return frozenset(audits | {Audit(hooks[entity], EXPECTATIONS_OF_RAW + entity) for entity in judged})


def entities_to_judge(todo: Plan) -> frozenset[str] | None:
    """The entities of raw/ whose checks a run makes: those that changed and those that did not pass; None: all."""
    if todo.entities is None:
        return None
    checks = [audit.check for audit in todo.unaudited if audit.check.startswith(EXPECTATIONS_OF_RAW)]
    return todo.entities.union(check.removeprefix(EXPECTATIONS_OF_RAW) for check in checks)


def raw_hooks() -> set[str]:
    """Names of the models that checks of raw/ hang on."""
    return {suites.raw_checks_on for suites in judged_worlds().values()}


@dataclass(frozen=True)
class Work:
    """What is left to do in a lake whose landing files have all been read."""

    todo: Plan
    models: frozenset[str]
    is_published: bool
    is_scored: bool

    def is_done(self, *, with_scores: bool) -> bool:
        """Whether a run would end in the tables that are published."""
        return not self.models and self.is_published and (self.is_scored or not with_scores)


def find_work(layout: Layout, manifest: Manifest, window: Window) -> Work | None:
    """What a run over these days has to do once all is read; None when raw/ is empty."""
    todo = make_plan(layout, window)
    if todo is None:
        return None
    to_build = frozenset[str]() if todo.is_empty else models_to_build(manifest, todo, worlds_with_rows(layout))
    shown = current_version(layout)
    published = shown is not None and is_current(layout) and shown.as_of == todo.as_of
    return Work(todo, to_build, published, published and shown is not None and shown.is_scored)
