"""Laws of a study: the same parts for every way, nothing judged by who learnt it, no work lost."""

import json

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from export.command import application
from export.errors import RunError
from export.preprocess import Input
from tests.trainer.tiny_run import draw
from trainer.advise import figures
from trainer.advise import study as studies
from trainer.advise.answer import advise
from trainer.advise.arms import ARMS
from trainer.advise.page import page
from trainer.advise.rounds import deal_rounds, some
from trainer.advise.study import SHARES, Plan, study
from trainer.advise.words import headline
from trainer.material import Choices
from trainer.progress import Progress
from trainer.recipe import named
from trainer.split import Sample

SAMPLES = [
    Sample(f"part{n // 2}", ("good", "crack", "good", "fray")[(n // 2) % 4]) for n in range(96)
]
QUIET = Progress(None)


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Tiny networks lose more by a second thread than they gain; few draws do for laws."""
    before, draws = torch.get_num_threads(), figures.DRAWS
    torch.set_num_threads(1)
    figures.DRAWS = 50
    yield
    torch.set_num_threads(before)
    figures.DRAWS = draws


def plan(data, **other):
    """A study that takes a second or two."""
    recipe = named("tune").model_copy(
        update={"epochs": 1, "batch": 16, "views": 1, "head_grid": (1e-3, 1e-2)}
    )
    given = {
        "data": data, "arch": "resnet18", "weights": "none", "seed": 0, "rounds": 2,
        "to": Input(32, 32), "recipe": recipe, "choices": Choices(),
    }  # fmt: skip
    return Plan(**(given | other))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished tiny study and its folder."""
    folder = tmp_path_factory.mktemp("advice")
    draw(folder / "data", per_class=12)
    return study(plan(folder / "data"), folder / "study", QUIET), folder


def test_every_part_judges_once_in_four_rounds_and_never_what_it_taught():
    """Quarters partition the parts; within a round no part plays two roles."""
    rounds = deal_rounds(SAMPLES, 4, seed=3)
    judged = np.concatenate([one.judge for one in rounds])
    assert sorted(judged) == list(range(len(SAMPLES)))
    for one in rounds:
        roles = [{SAMPLES[at].part for at in role} for role in (one.learn, one.choose, one.judge)]
        assert len(set.union(*roles)) == sum(map(len, roles))


def test_further_rounds_shuffle_anew():
    """The fifth round's quarters are not the first one's."""
    rounds = deal_rounds(SAMPLES, 5, seed=3)
    assert set(rounds[0].judge) != set(rounds[4].judge)


def test_a_smaller_share_lies_within_a_larger_one_and_keeps_every_class():
    """25 % of the parts are among the 50 %; whole parts, each class with one at least."""
    learn = deal_rounds(SAMPLES, 1, seed=0)[0].learn
    quarter, half, whole = (set(some(learn, SAMPLES, share, 0)) for share in (0.25, 0.5, 1.0))
    assert quarter < half < whole == set(learn)
    assert {SAMPLES[at].label for at in quarter} == {"good", "crack", "fray"}
    assert all((at ^ 1) in quarter for at in quarter)


def test_all_ways_judge_the_same_parts(finished):
    """Every arm, share and round has a cell with one score per judged picture."""
    found, _ = finished
    assert len(found.cells) == len(ARMS) * len(SHARES) * 2
    assert all(len(c.scores) == len(found.rounds[c.round].judge) for c in found.cells)


def test_a_cut_short_study_goes_on_where_it_was(finished, monkeypatch):
    """Only the missing cell is made again, and it comes out the same."""
    _, folder = finished
    path = folder / "study" / "cells" / "tuned-100-1.json"
    before = json.loads(path.read_text())
    path.unlink()
    made = []
    real = studies.run
    monkeypatch.setattr(studies, "run", lambda *a: made.append(a[0]) or real(*a))
    study(plan(folder / "data"), folder / "study", QUIET)
    assert made == ["tuned"]
    assert json.loads(path.read_text())["scores"] == before["scores"]


def test_a_study_of_another_plan_is_refused(finished):
    """A folder holds one study."""
    _, folder = finished
    with pytest.raises(RunError, match="another plan"):
        study(plan(folder / "data", seed=1), folder / "study", QUIET)


def test_no_time_means_no_fine_tuning_and_the_answer_says_so(finished, tmp_path):
    """With no minutes left only the quick ways are measured; nothing is claimed."""
    _, folder = finished
    found = study(plan(folder / "data"), tmp_path / "s", QUIET, minutes=0)
    assert {cell.arm for cell in found.cells} == {"nearest", "head"}
    assert len(found.missing) == 2 * len(SHARES)
    assert headline(advise(found)).startswith("Not measured yet")


def test_the_page_fetches_nothing_and_begins_with_the_answer(finished):
    """One file, no address of anything outside it, the headline before any table."""
    found, _ = finished
    advice = advise(found)
    text = page(advice, found, 0.01, 12.0)
    assert "http" not in text
    assert 'src="data:' in text
    assert text.index("<h1>") < text.index("<img") < text.index("<table")


def test_the_command_writes_the_answer(finished, monkeypatch):
    """`linewarden advise` on a finished folder prints advice.json, whose answer is the headline."""
    monkeypatch.setattr("trainer.advise.publish.latency_ms", lambda *_: 12.0)
    _, folder = finished
    done = CliRunner().invoke(
        application(),
        ["advise", str(folder / "data"), "--out", str(folder / "other"), "--weights", "none",
         "--size", "32", "--rounds", "2", "--epochs", "0", "--json", "--threads", "1"],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["answer"].startswith("Not measured")
    assert (folder / "other" / "advice.html").exists()
