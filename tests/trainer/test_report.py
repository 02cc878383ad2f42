"""trainer/report: the page that an engineer hands to a customer."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from export.errors import DatasetError, RunError
from export.manifest import Metric
from tests.trainer.tiny_run import BASIS, record, tiny_run
from trainer.rates import Rate
from trainer.report import agreement
from trainer.report.evidence import Evidence, evidence
from trainer.report.fitness import Grade, fitness
from trainer.report.mistakes import worst
from trainer.report.write import write
from trainer.run import InputRecord, Run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A tiny run with an escape and an overkill among its test pictures."""
    made = tiny_run(tmp_path_factory.mktemp("run"))
    given = {"good": [0.05, 0.9], "spot": [0.95, 0.2]}
    rows = [
        row.model_copy(update={"score": given[row.label].pop()}) if row.split == "test" else row
        for row in made.scores()
    ]
    made.save(made.network(), made.split(), rows)
    return made


def graded(*, bound=0.5, budget=0.01, **tested):
    """A record with these figures on the test: name = (k, n)."""
    plain = record("data", "resnet18", InputRecord(width=64, height=64))
    metrics = []
    for name, (k, n) in tested.items():
        low, high = Rate(k, n).interval()
        metrics.append(
            Metric(
                name=name, value=k / n, low=low, high=high, confidence=0.95, k=k, n=n, split="test"
            )
        )
    basis = BASIS.model_copy(
        update={
            "escape_bound": bound,
            "escape_budget": budget,
            "overkill_budget": budget,
            "proven": bound <= budget,
        }
    )
    return plain.model_copy(update={"basis": basis, "metrics": tuple(metrics)})


def test_fitness_is_proven_only_by_the_bound():
    """A test without an escape proves nothing that the calibration pictures can't."""
    assert fitness(graded(escape=(0, 40), overkill=(0, 40))).grade is Grade.UNPROVEN
    told = fitness(graded(bound=0.009, escape=(0, 40), overkill=(0, 40)))
    assert told.grade is Grade.PROVEN
    assert "0.9%" in told.answer


def test_a_test_that_speaks_against_it_outweighs_the_bound():
    """More escapes on the test than chance explains make a proven run unfit, and say so."""
    told = fitness(graded(bound=0.009, escape=(20, 40), overkill=(0, 40)))
    assert told.grade is Grade.UNFIT
    assert "20 of 40" in told.answer


def test_one_escape_that_chance_explains_does_not_condemn():
    """An interval that still reaches down to the budget speaks neither for nor against."""
    assert fitness(graded(escape=(1, 40), overkill=(1, 40))).grade is Grade.UNPROVEN


def test_agreement_counts_as_msa_does():
    """Effectiveness, misses of the defective, false alarms of the good, and kappa."""
    defect = np.array([True] * 10 + [False] * 10)
    stopped = np.array([True] * 9 + [False] + [True] * 2 + [False] * 8)
    one = agreement.appraise("x", stopped, defect, [str(i) for i in range(20)])
    assert (one.effective.k, one.missed.k, one.alarmed.k) == (17, 1, 2)
    assert one.missed.n == one.alarmed.n == 10
    assert one.kappa.value == pytest.approx(0.7)
    assert one.kappa.low < 0.7 < one.kappa.high
    assert one.grade == "unacceptable"


def test_perfect_agreement_is_acceptable_and_its_kappa_is_one():
    """Also where only one kind of part was seen."""
    defect = np.array([True, False, True, False])
    one = agreement.appraise("x", defect, defect, list("abcd"))
    assert (one.kappa.value, one.grade) == (1.0, "acceptable")
    good = np.zeros(4, bool)
    assert agreement.appraise("x", good, good, list("abcd")).kappa.value == 1.0


def appraisers(path: Path, rows: list[tuple[str, ...]], columns=agreement.COLUMNS) -> Path:
    """Write an appraisers' file."""
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


def test_people_are_compared_with_the_labels_and_with_themselves(tmp_path: Path):
    """An appraiser who changes their mind between trials repeats 1 of 2."""
    rows = [
        ("a.png", "Kim", "1", "good"), ("a.png", "Kim", "2", "good"),
        ("b.png", "Kim", "1", "spot"), ("b.png", "Kim", "2", "good"),
        ("elsewhere.png", "Kim", "1", "good"),
    ]  # fmt: skip
    path = appraisers(tmp_path / "people.csv", rows)
    (kim,) = agreement.people(path, ["a.png", "b.png"], np.array([False, True]), ["1", "2"])
    assert kim.repeated == Rate(1, 2)
    assert (kim.missed.k, kim.missed.n) == (1, 2)


@pytest.mark.parametrize(
    ("columns", "rows", "says"),
    [
        (("path", "appraiser", "label"), [("a.png", "Kim", "good")], "no column trial"),
        (agreement.COLUMNS, [("z.png", "Kim", "1", "good")], "none of the 1 test pictures"),
    ],
)
def test_an_appraisers_file_that_cannot_be_used_is_refused(tmp_path, columns, rows, says):
    """It lacks a column, or speaks of other pictures."""
    path = appraisers(tmp_path / "people.csv", rows, columns)
    with pytest.raises(DatasetError, match=says):
        agreement.people(path, ["a.png"], np.array([True]), ["1"])


def test_the_worst_mistakes_are_the_surest_ones(run: Run):
    """Escapes by rising score, then overkills by falling score; right decisions never."""
    test = evidence(run, "test")
    chosen = worst(test, 100)
    defect, scores = test.judged.defect, test.judged.scores
    assert chosen
    assert all((test.outcomes[at] == "pass") == defect[at] for at in chosen)
    escapes = [scores[at] for at in chosen if defect[at]]
    overkills = [scores[at] for at in chosen if not defect[at]]
    assert escapes == sorted(escapes)
    assert overkills == sorted(overkills, reverse=True)
    assert [bool(defect[at]) for at in chosen] == [True, False]
    assert worst(test, 1) == chosen[:1]


def test_the_page_needs_nothing_but_itself(run: Run):
    """One file: no script, nothing fetched; the answer stands before the first figure."""
    path = write(run, None, data=None, appraisers=None, mistakes=12)
    page = path.read_text(encoding="utf-8")
    assert path == run.folder / "report.html"
    assert "<script" not in page
    assert not re.findall(r"(?:src|href)=[\"'](?!data:|#)", page)
    assert page.index("Not proven") < page.index("The figures")
    assert "data:image/jpeg;base64," in page


def test_pictures_that_are_gone_are_said_to_be_gone(run: Run, tmp_path: Path):
    """The report is still written."""
    path = write(run, tmp_path / "r.html", data=tmp_path, appraisers=None, mistakes=12)
    assert "no longer where it was" in path.read_text(encoding="utf-8")


def test_names_from_files_cannot_write_into_the_page(run: Run, tmp_path: Path):
    """A path that looks like HTML is shown, not obeyed."""
    rows = (run.folder / "scores.csv").read_text()
    splits = (run.folder / "split.csv").read_text()
    hostile = "spot/<img src=x onerror=alert(1)>.png"
    changed = Run(tmp_path, run.record)
    first = next(row.path for row in run.scores() if row.split == "test")
    (tmp_path / "scores.csv").write_text(rows.replace(first, hostile))
    (tmp_path / "split.csv").write_text(splits.replace(first, hostile))
    for name in ("run.json", "model.safetensors"):
        (tmp_path / name).write_bytes((run.folder / name).read_bytes())
    page = write(changed, None, data=None, appraisers=None, mistakes=12).read_text()
    assert "<img src=x" not in page


def test_a_run_without_test_pictures_is_refused(run: Run, tmp_path: Path):
    """There is nothing to report."""
    (tmp_path / "split.csv").write_text("path,class,part,split,sha256\n")
    (tmp_path / "scores.csv").write_text("path,class,split,score,good,spot\n")
    with pytest.raises(RunError, match="no test pictures"):
        evidence(Run(tmp_path, run.record), "test")


def test_evidence_keeps_one_order(run: Run):
    """Paths, labels, parts, scores and outcomes speak of the same picture."""
    test: Evidence = evidence(run, "test")
    assert len(test.paths) == len(test.judged.labels) == len(test.outcomes) == len(test.chances)
    for path, label in zip(test.paths, test.judged.labels, strict=True):
        assert path.startswith(f"{label}/")
