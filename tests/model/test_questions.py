"""Questions: declared once, found by being there, trained by one sequence, and none that fails stops another."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.linear_model import Ridge

import ml.questions
from data_lake.contracts import load_contracts
from data_lake.layout import Layout
from ml import predictions, serving
from ml.cards import Score
from ml.gates import Condition
from ml.published import Published
from ml.question import Question
from ml.questions import QUESTIONS, SCORECARD
from ml.scoring import Answers, Comparison, Scorer, score_all
from ml.serving import Served
from ml.splits import SplitError
from ml.training import Evaluation, Trainer, train
from orchestration.project import insight_tables, load_manifest
from tests.model.conftest import ROWS, Store, released

DAY = date(2026, 3, 2)
PUBLISHED = re.compile(r"\b(?:from|join) ((?:fct|dim|feat|agg)_\w+)")


@dataclass(frozen=True)
class Toy(Question):
    """A question whose parts are given."""

    training: Trainer[Any, Any] | None = None
    scoring: Scorer | None = None

    def trainer(self) -> Any:
        return self.training

    def scorer(self) -> Any:
        return self.scoring


def toy(name: str, **parts: Any) -> Toy:
    return Toy(name, "How many?", ("dim_dates",), ("model_drift",), horizon_days=7, **parts)


class Counting(Scorer):
    """One row of drift as the answer; past answers are compared with nothing but themselves."""

    trusted: Sequence[str] = ()
    happened = 1.0

    def score(self, published: Published, as_of: date, served: Served | None) -> Answers:
        days = len(published.frame("select * from dim_dates"))
        row = {"feature": "days", "stability_index": 0.0, "drift_level": "ok", "row_count": days}
        return Answers({"model_drift": pd.DataFrame([row])}, {"ok": 1})

    def evaluate_live(self, published: Published, answers: Mapping[date, pd.DataFrame]) -> Iterator[Comparison]:
        for day, rows in answers.items():
            happened = pd.DataFrame({"days": [self.happened]})
            score = Score("days", self.happened, len(rows), (day, day + timedelta(7)))
            yield Comparison(day, rows, partial(list, [score]), [happened])


class Broken(Counting):
    def score(self, published: Published, as_of: date, served: Served | None) -> Answers:
        raise ZeroDivisionError("nobody came")


class Doubling(Trainer[pd.DataFrame, Ridge]):
    """Learns to double; `is_good` says whether the gate finds it so."""

    purpose, limits, trusted = "Doubles.", ("Knows nothing else.",), ()

    def __init__(self, *, is_good: bool = True) -> None:
        self.is_good = is_good
        self.champions: list[Served | None] = []

    def split(self, published: Published, as_of: date) -> pd.DataFrame:
        if as_of < DAY:
            raise SplitError("no day is early enough")
        return ROWS.assign(y=ROWS["x"] * 2)

    def fit(self, data: pd.DataFrame, champion: Served | None) -> Ridge:
        self.champions.append(champion)
        return Ridge().fit(data[["x"]], data["y"])

    def evaluate(self, data: pd.DataFrame, fitted: Ridge, champion: Served | None) -> Evaluation:
        return Evaluation(
            kind="ridge",
            title="ridge",
            model=fitted,
            example=data[["x"]].head(2),
            conditions=[Condition("good", self.is_good, "as good as it says")],
            scores=[Score("error", 0.5, len(data), (DAY, DAY))],
            numbers=pd.DataFrame([{"model": "ridge", "error": 0.5}]),
            facts={"rows": len(data)},
            inputs={"train": ("numbers", data)},
            rows=len(data),
            data_from=DAY,
            data_end=DAY + timedelta(1),
            baseline="nothing",
            metadata={"k": 1},
            metrics={"error": 0.5},
        )


LAST = DAY + timedelta(7)


@pytest.fixture
def lake(tmp_path: Path) -> Layout:
    """A lake with nine days published."""
    return released(Layout(tmp_path / "lake"), LAST, as_of=LAST)


def test_a_question_that_fails_leaves_the_others_scored_and_is_named_with_its_reason(lake: Layout) -> None:
    questions = [toy("bad", scoring=Broken()), toy("good", scoring=Counting())]
    bad, good = score_all(questions, lake, [DAY])
    assert bad.error == "ZeroDivisionError: nobody came"
    assert bad.sentence == "failed: ZeroDivisionError: nobody came"
    assert (good.error, good.counts, good.evaluated_days) == (None, {"ok": 1}, 1)
    assert predictions.read(lake, "model_drift", DAY, "good")["row_count"].tolist() == [9]
    assert predictions.read(lake, "model_drift", DAY, "bad").empty
    assert predictions.read(lake, "model_scores", DAY, "good-live")["metric"].tolist() == ["days"]


class Silent(Counting):
    """Past answers that nothing can be said of: `asked` are the days it was asked about."""

    def __init__(self, *, compares: bool) -> None:
        self.compares = compares
        self.asked: list[date] = []

    def evaluate_live(self, published: Published, answers: Mapping[date, pd.DataFrame]) -> Iterator[Comparison]:
        self.asked += answers
        for day, rows in answers.items():
            if self.compares:
                yield Comparison(day, rows, list)


@pytest.mark.parametrize("compares", [True, False])
def test_a_day_of_which_nothing_can_be_said_is_asked_about_for_four_weeks_and_not_for_ever(
    tmp_path: Path, compares: bool
) -> None:
    question = toy("q", scoring=(scorer := Silent(compares=compares)))
    lake = released(Layout(tmp_path / "lake"), LAST, as_of=LAST)
    assert [score_all([question], lake, [DAY])[0].evaluated_days for _ in range(2)] == [0, 0]
    assert scorer.asked == [DAY, DAY]
    released(lake, LAST, as_of=LAST + timedelta(29))
    score_all([question], lake, [DAY])
    assert scorer.asked == [DAY, DAY]
    assert predictions.read(lake, "model_scores", DAY, "q-live").empty


def test_answers_made_again_are_asked_about_once_more_where_nobody_came(tmp_path: Path) -> None:
    question = toy("q", scoring=(scorer := Silent(compares=False)))
    lake = released(Layout(tmp_path / "lake"), LAST, as_of=LAST + timedelta(29))
    for last in (LAST, LAST, LAST - timedelta(1)):
        released(lake, last, as_of=LAST + timedelta(29))
        score_all([question], lake, [DAY])
    assert scorer.asked == [DAY, DAY]


def test_a_question_that_fails_keeps_the_answers_it_gave_before(lake: Layout) -> None:
    score_all([toy("q", scoring=Counting())], lake, [DAY])
    score_all([toy("q", scoring=Broken())], lake, [DAY])
    assert len(predictions.read(lake, "model_drift", DAY, "q")) == 1


def test_a_day_is_evaluated_again_only_when_its_answers_or_what_happened_changed(lake: Layout) -> None:
    scorer = Counting()
    question = toy("q", scoring=scorer)
    assert [score_all([question], lake, [DAY])[0].evaluated_days for _ in range(2)] == [1, 0]
    scorer.happened = 2.0
    assert [score_all([question], lake, [DAY])[0].evaluated_days for _ in range(2)] == [1, 0]
    assert predictions.read(lake, "model_scores", DAY, "q-live")["value"].tolist() == [2.0]


def test_scoring_days_at_once_and_one_by_one_ends_in_the_same_files(lake: Layout) -> None:
    days = [DAY + timedelta(n) for n in range(3)]
    at_once, one_by_one = (toy(name, scoring=Counting()) for name in ("at_once", "one_by_one"))
    score_all([at_once], lake, days)
    for day in days:
        score_all([one_by_one], lake, [day])
    files = [
        [lake.prediction_file(table, day, q + part) for day in days for table, part in TABLES]
        for q in ("at_once", "one_by_one")
    ]
    assert [f.exists() for f in files[0]] == [f.exists() for f in files[1]]
    frames = [[pd.read_parquet(f).assign(model_name="", run_id="") for f in of_one if f.exists()] for of_one in files]
    for one, other in zip(*frames, strict=True):
        pd.testing.assert_frame_equal(one, other)


TABLES = (("model_drift", ""), ("model_scores", "-live"))


def test_one_sequence_logs_gates_releases_and_promotes(store: Store) -> None:
    layout = released(store.layout, LAST, as_of=LAST)
    question = toy("doubling", training=Doubling(), scoring=Counting())
    result = train(question, layout, DAY)
    assert (result.status, result.promoted, result.sentence) == ("ok", True, "version 1 champion")
    assert result.version is not None
    run = store.registry.client.get_run(result.version.run_id)
    assert run.data.tags["gate"] == "passed"
    assert run.data.metrics["error"] == 0.5
    assert "# doubling: ridge" in run.data.tags["mlflow.note.content"]
    assert serving.version_for(layout, "doubling", DAY) == result.version
    versions = predictions.read(layout, "model_versions", DAY, "doubling")
    assert versions[["model_version", "is_gate_passed", "baseline_name"]].values.tolist() == [["1", True, "nothing"]]
    assert predictions.read(layout, "model_scores", DAY, "doubling-backtest")["value"].tolist() == [0.5]
    later = Doubling(is_good=False)
    refused = train(toy("doubling", training=later), layout, DAY + timedelta(7))
    assert refused.sentence == "version 2 refused: as good as it says"
    assert later.champions[0] is not None
    assert later.champions[0].metadata == {"k": 1}
    served = serving.version_for(layout, "doubling", DAY + timedelta(30))
    assert served is not None
    assert served.version == "1"


def test_too_little_data_is_a_status_with_a_sentence_and_no_version(store: Store) -> None:
    result = train(toy("early", training=Doubling()), released(store.layout, LAST, as_of=LAST), DAY - timedelta(1))
    assert (result.status, result.version, result.message) == ("insufficient_data", None, "no day is early enough")
    assert store.registry.versions("early") == []


def test_every_question_declares_the_tables_its_queries_name() -> None:
    named = {}
    for name in QUESTIONS:
        folder = Path(ml.questions.__file__).parent / name
        sources = "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py")))
        named[name] = set(PUBLISHED.findall(sources))
    assert named == {name: set(question.reads) for name, question in QUESTIONS.items()}


def test_questions_read_measured_tables_and_every_prediction_table_is_written_by_one() -> None:
    manifest = load_manifest()
    models = {node["name"] for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    inferred = {table.name for table in insight_tables(manifest)}
    assert {table for question in QUESTIONS.values() for table in question.reads} <= models - inferred
    written = [table for question in QUESTIONS.values() for table in question.writes] + list(SCORECARD)
    assert sorted(written) == sorted(load_contracts(predictions.CONTRACTS))


def test_a_question_is_found_by_its_folder_and_must_bear_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "laughs"
    folder.mkdir()
    declared = 'from ml.question import Question\nQUESTION = Question("NAME", "Who laughs?", (), ("laughs",))\n'
    code = f"""
import importlib.util, sys
spec = importlib.util.find_spec("ml.questions")
spec.submodule_search_locations.append({str(tmp_path)!r})
module = importlib.util.module_from_spec(spec)
sys.modules["ml.questions"] = module
spec.loader.exec_module(module)
print(list(module.QUESTIONS), sorted({{"pandas", "mlflow", "sklearn", "polars"}} & set(sys.modules)))
"""
    (folder / "__init__.py").write_text(declared.replace("NAME", "laughs"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{sorted([*QUESTIONS, 'laughs'])} []"
    (folder / "__init__.py").write_text(declared.replace("NAME", "smiles"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ml/questions/laughs declares the question 'smiles'" in done.stderr
