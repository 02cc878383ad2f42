"""trainer/sweep: recipes tried by workers that may come, go and die."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import FixedTrial, TrialState, create_trial

from export.errors import RunError
from export.preprocess import Input
from tests.trainer.tiny_run import draw
from trainer.material import Choices
from trainer.parts import PartRule
from trainer.progress import Progress
from trainer.recipe import Recipe, named
from trainer.sweep.leaderboard import leaderboard, write
from trainer.sweep.space import STANDARD, read
from trainer.sweep.trials import Plan, Sweep, open_storage

BASE = named("tune").model_copy(update={"bf16": False, "views": 1})
QUIET = Progress(None)


@pytest.fixture(autouse=True)
def _silent():
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def plan(data, **changed):
    """A sweep of 32-pixel pictures."""
    whole = {
        "data": data, "arch": "resnet18", "weights": "starter", "seed": 0, "rounds": 2,
        "to": Input(32, 32), "recipe": BASE.model_copy(update={"epochs": 1}),
        "choices": Choices(rule=PartRule(None, None, None, False)),
    }  # fmt: skip
    return Plan(**(whole | changed))


@pytest.fixture
def space(tmp_path):
    """Two numbers to change."""
    path = tmp_path / "space.toml"
    path.write_text("rate = { low = 1e-4, high = 1e-3, log = true }\nepochs = [1, 2]\n")
    return read(path, BASE)


def finished(number, auroc, rate=1e-3, state=TrialState.COMPLETE, *, standard=False):
    """A trial that has ended."""
    trial = create_trial(
        state=state, value=sum(auroc) / len(auroc), params={"rate": rate},
        distributions={"rate": FloatDistribution(1e-5, 1)},
        user_attrs={"auroc": auroc} | ({"standard": True} if standard else {}),
    )  # fmt: skip
    trial.number = number
    return trial


def test_the_standard_space_holds_the_standard_recipe():
    """So that what `train` would take by itself is tried, and everything drawn is a recipe."""
    space = read(STANDARD, BASE)
    told = space.of(BASE)
    assert told is not None
    assert space.draw(BASE, FixedTrial(told)) == BASE


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rat = [1, 2]", "rat: Extra inputs"),
        ("epochs = []", "epochs"),
        ("rate = { low = 1, high = 0.1 }", "is no range"),
        ("rate = { low = 0.0, high = 0.1, log = true }", "is no range"),
        ("thawed = [1, 9]", "thawed"),
        ("thawed = 3", "thawed"),
        ("rate = [", "is not TOML"),
        ("", "at least 1 item"),
    ],
)
def test_a_space_that_is_none_is_refused(tmp_path, text, problem):
    """A typo, an empty list, a range upside down, what no recipe allows: named, with the file."""
    path = tmp_path / "s.toml"
    path.write_text(text)
    with pytest.raises(RunError, match=problem) as caught:
        read(path, BASE)
    assert "s.toml" in caught.value.problem


def test_a_missing_space_is_refused(tmp_path):
    """By its name."""
    with pytest.raises(RunError, match="can't be read"):
        read(tmp_path / "none.toml", BASE)


@pytest.mark.parametrize("url", ["nonsense", "nosuch://x", "sqlite:////nowhere/at/all.db"])
def test_a_storage_that_can_not_be_opened_is_refused(url):
    """With the address and what an address looks like."""
    with pytest.raises(RunError, match=r"can't be opened") as caught:
        open_storage(url)
    assert url in caught.value.problem


def test_workers_share_a_sweep(tmp_path, space):
    """The second worker goes on where the first stopped, never sees the test, and knows others."""
    draw(tmp_path / "data", per_class=12)
    url = f"sqlite:///{tmp_path / 'sweep.db'}"
    first = Sweep(plan(tmp_path / "data"), space, open_storage(url), QUIET)
    first.run(1)
    second = Sweep(plan(tmp_path / "data"), space, open_storage(url), QUIET)
    second.run(2)
    trials = second.study.get_trials()
    assert [trial.state.is_finished() for trial in trials] == [True, True]
    assert [bool(trial.user_attrs.get("standard")) for trial in trials] == [True, False]
    write(leaderboard(trials), BASE, tmp_path)
    rows = list(csv.DictReader((tmp_path / "leaderboard.csv").read_text().splitlines()))
    assert [row["standard"] for row in rows].count("1") == 1
    best = named(str(tmp_path / "best.toml"))
    assert best.rate == pytest.approx(float(rows[0]["rate"]))
    assert (tmp_path / "leaderboard.png").stat().st_size > 1000
    with pytest.raises(RunError, match="another plan"):
        Sweep(plan(tmp_path / "data", seed=1), space, open_storage(url), QUIET)


def test_a_lead_within_its_interval_is_called_luck():
    """And one far outside it is called a lead; the standard recipe in front is kept."""
    near = leaderboard([finished(0, [0.9, 0.8, 0.7, 0.8], standard=True),
                        finished(1, [0.8, 0.9, 0.8, 0.75])])  # fmt: skip
    assert "may be luck" in near.verdict()
    far = leaderboard([finished(0, [0.7, 0.71, 0.7, 0.71], standard=True),
                       finished(1, [0.9, 0.91, 0.9, 0.92])])  # fmt: skip
    assert "examine it" in far.verdict()
    none = leaderboard([finished(0, [0.9, 0.9], standard=True), finished(1, [0.8, 0.8])])
    assert "keep it" in none.verdict()
    lost = leaderboard([finished(1, [0.8, 0.8])])
    assert "nothing says" in lost.verdict()
    assert leaderboard([]).words() == ["no recipe has been tried to the end yet"]


def test_a_recipe_that_was_stopped_early_never_leads():
    """However well its few rounds went."""
    board = leaderboard([finished(0, [0.7, 0.7]), finished(1, [0.99], state=TrialState.PRUNED)])
    assert [row.number for row in board.rows] == [0, 1]
    assert "stopped early" in board.words()[2]


def test_best_toml_is_a_recipe(tmp_path):
    """Every number of a recipe comes back from what is written."""
    write(leaderboard([finished(0, [0.7, 0.7], rate=2e-4)]), BASE, tmp_path)
    assert named(str(tmp_path / "best.toml")) == Recipe.model_validate(
        BASE.model_dump() | {"rate": 2e-4}
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_workers_that_are_killed_lose_nothing(tmp_path):
    """One worker is killed in the midst; two others finish the sweep on its storage."""
    draw(tmp_path / "data", per_class=24)
    linewarden = Path(sys.executable).with_name("linewarden")
    command = [
        str(linewarden), "sweep", str(tmp_path / "data"), "--weights",
        "starter", "--size", "64", "--rounds", "2", "--trials", "20", "--threads", "1",
        "--no-near-duplicates", "--out", str(tmp_path / "sweep"),
    ]  # fmt: skip

    def study():
        return optuna.load_study(
            study_name="recipe", storage=f"sqlite:///{tmp_path / 'sweep' / 'sweep.db'}"
        )

    def done():
        board = tmp_path / "sweep" / "leaderboard.csv"
        return len(board.read_text().splitlines()) - 1 if board.exists() else 0

    first = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=os.environ)
    while done() < 3:
        assert first.poll() is None
        time.sleep(0.2)
    first.send_signal(signal.SIGKILL)
    first.wait()
    before = {t.number: t.value for t in study().get_trials() if t.state == TrialState.COMPLETE}
    workers = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [worker.wait(600) for worker in workers] == [0, 0]
    trials = study().get_trials()
    after = {t.number: t.value for t in trials if t.state == TrialState.COMPLETE}
    assert before.items() <= after.items()
    ended = [t for t in trials if t.state in {TrialState.COMPLETE, TrialState.PRUNED}]
    assert len(ended) in {20, 21}, "the last two may end together"
    assert done() == len(ended)
