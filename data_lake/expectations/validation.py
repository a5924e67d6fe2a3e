"""The Great Expectations side: frames validated, results kept in the lake, data docs built from them.

Great Expectations takes seconds to import, so it is imported where it is used.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import yaml

from data_lake.expectations.expectation import Expectation
from data_lake.files import replace_file
from data_lake.layout import Layout

# Where Great Expectations keeps things below quality/gx, and the pages beside it.
CONFIG, SUITES, DEFINITIONS, RESULTS, DOCS = "great_expectations.yml", "suites", "definitions", "results", "data_docs"


class Validator:
    """Great Expectations over one lake; nothing is imported or created before the first frame.

    The store keeps one result per frame of a subject and source: the newest.
    """

    def __init__(self, layout: Layout, as_of: date) -> None:
        self._layout = layout
        self._as_of = as_of
        self._context: Any = None

    def failed(self, name: str, frame: Any, expectations: Sequence[Expectation]) -> set[str]:
        """Validate a pandas frame with one column per expectation; the names of the expectations it does not meet.

        Raises RuntimeError when an expectation could not be evaluated at all.
        """
        if self._context is None:
            self._context = open_context(self._layout)
        from great_expectations import ExpectationSuite, RunIdentifier, ValidationDefinition

        context = self._context
        _forget(self._layout, name)
        suite = context.suites.add(ExpectationSuite(name=name, expectations=[_written(e) for e in expectations]))
        rows = context.data_sources.get("lake").get_asset("frame").get_batch_definition("whole")
        definition = context.validation_definitions.add(ValidationDefinition(name=name, data=rows, suite=suite))
        moment = datetime.combine(self._as_of, time(), UTC)
        done = definition.run(
            batch_parameters={"dataframe": frame},
            result_format="SUMMARY",
            run_id=RunIdentifier(run_name=f"as of {self._as_of}", run_time=moment),
        )
        for result in done.results:
            # One flat mapping when all went well, else one mapping per figure that failed.
            about = result.exception_info
            parts = [about] if "raised_exception" in about else list(about.values())
            for part in parts:
                if part["raised_exception"]:
                    raise RuntimeError(f"{name}: {part['exception_message']}")
        return {r.expectation_config.meta["name"] for r in done.results if not r.success}


def _written(expectation: Expectation) -> Any:
    """The expectation as Great Expectations has it; data docs show its sentence in place of their own words."""
    from great_expectations import expectations as gxe

    common = {
        "column": expectation.column,
        "description": expectation.sentence,
        "meta": {"name": expectation.name},
        "severity": "critical" if expectation.blocking else "warning",
    }
    if expectation.one_of is not None:
        return gxe.ExpectColumnValuesToBeInSet(value_set=list(expectation.one_of), **common)
    return gxe.ExpectColumnValuesToBeBetween(min_value=expectation.minimum, max_value=expectation.maximum, **common)


def open_context(layout: Layout) -> Any:
    """The file context in the lake's quality zone, made when it is not there; silent and without telemetry.

    Its configuration is written here, in one step, and what a killed run left half written is dropped: a later run
    finds nothing broken.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    root = layout.quality / "gx"
    replace_file(root / CONFIG, yaml.safe_dump(_config(), sort_keys=False).encode())
    for path in root.rglob("*.json"):
        try:
            json.loads(path.read_bytes())
        except ValueError:
            path.unlink()
    return great_expectations.get_context(mode="file", context_root_dir=root)


def _config() -> dict[str, Any]:
    """The context's configuration. Ids are names hashed: two lakes, and two runs, have the same."""

    def store(folder: str) -> dict[str, Any]:
        backend = {"class_name": "TupleFilesystemStoreBackend", "base_directory": folder}
        return {**backend, "suppress_store_backend_id": True}

    def named(name: str) -> str:
        return str(uuid5(NAMESPACE_OID, f"full-house/{name}"))

    # The name of the store of definitions is fixed in Great Expectations; the others follow it.
    stores = {
        "expectations_store": ("ExpectationsStore", SUITES),
        "validation_definition_store": ("ValidationDefinitionStore", DEFINITIONS),
        "validation_results_store": ("ValidationResultsStore", RESULTS),
        "checkpoint_store": ("CheckpointStore", "checkpoints"),
    }
    return {
        "config_version": 4.0,
        "stores": {
            name: {"class_name": class_name, "store_backend": store(folder)}
            for name, (class_name, folder) in stores.items()
        },
        **{f"{name}_name": name for name in stores if name != "validation_definition_store"},
        "data_docs_sites": {
            "lake": {
                "class_name": "SiteBuilder",
                "show_how_to_buttons": False,
                "store_backend": store(f"../{DOCS}"),
                "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            }
        },
        "analytics_enabled": False,
        "data_context_id": named("context"),
        "progress_bars": {"globally": False, "metric_calculations": False},
        "fluent_datasources": {
            "lake": {
                "type": "pandas",
                "id": named("lake"),
                "assets": {
                    "frame": {
                        "type": "dataframe",
                        "id": named("frame"),
                        "batch_definitions": {"whole": {"id": named("whole"), "partitioner": None}},
                    }
                },
            }
        },
    }


def forget(layout: Layout, prefix: str) -> None:
    """Drop all kept results whose name starts so: what a full run does not write again no longer exists."""
    for path in (layout.quality / "gx" / SUITES).glob(f"{prefix}*.json"):
        _forget(layout, path.stem)


def _forget(layout: Layout, name: str) -> None:
    root = layout.quality / "gx"
    shutil.rmtree(root / RESULTS / name, ignore_errors=True)
    for folder in (DEFINITIONS, SUITES):
        (root / folder / f"{name}.json").unlink(missing_ok=True)


def write_data_docs(layout: Layout) -> Path:
    """Build the pages of all kept results; returns quality/data_docs/index.html."""
    pages = layout.quality / DOCS
    shutil.rmtree(pages, ignore_errors=True)
    open_context(layout).build_data_docs()
    return pages / "index.html"
