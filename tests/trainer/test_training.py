"""trainer/training.py and what it joins: a folder of pictures becomes a run to believe."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from export.errors import DatasetError, LinewardenError, RunError
from export.preprocess import Input
from tests.trainer.tiny_run import draw, tiny_run
from trainer.calibrate import Budgets
from trainer.exam import examine
from trainer.material import Choices
from trainer.parts import PartRule
from trainer.progress import Progress
from trainer.recipe import named
from trainer.room import room
from trainer.run import SPLITS, Run
from trainer.training import Plan, train

QUIET = Progress(None)


@pytest.fixture(scope="module", autouse=True)
def _few_threads():
    torch.set_num_threads(2)


@pytest.fixture(autouse=True)
def _as_many_after():
    """A command's --threads does not outlive its test: sums by other threads differ at the end."""
    yield
    torch.set_num_threads(2)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """48 drawn plates, half of them with a spot."""
    folder = tmp_path_factory.mktemp("photos")
    draw(folder, per_class=24)
    return folder


def plan(data, weights="starter", epochs=1, recipe="tune", **choices):
    """A plan for 64 pixels in float32."""
    changed = {"epochs": epochs, "bf16": False}
    return Plan(
        data=data,
        arch="resnet18",
        weights=weights,
        seed=3,
        to=Input(64, 64),
        recipe=named(recipe).model_copy(update=changed),
        budgets=Budgets(),
        choices=Choices(**choices),
    )


def texture(seed):
    """A picture with structure of every size, which JPEG leaves alone."""
    rough = np.random.default_rng(seed).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    return cv2.resize(rough, (160, 160), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="module")
def run(photos, tmp_path_factory):
    """A run on the plates: a head, and one epoch of fine-tuning."""
    return train(plan(photos), tmp_path_factory.mktemp("runs") / "first", QUIET)


def test_a_run_is_complete(run):
    """Every file is there, every picture in one split and scored, the record loads."""
    names = {path.name for path in run.folder.iterdir()}
    assert names == {
        "run.json", "model.safetensors", "split.csv", "scores.csv", "epochs.jsonl", "curves.png",
        "augmentations.jpg",
        "tensorboard",
    }  # fmt: skip
    assert Run.load(run.folder) == run
    assert len(run.split()) == len(run.scores()) == 48
    assert {row.split for row in run.split()} == set(SPLITS)
    assert run.record.weights.source == "starter"
    epochs = [json.loads(line) for line in (run.folder / "epochs.jsonl").read_text().splitlines()]
    assert [epoch["epoch"] for epoch in epochs] == [0, 1, 1]
    assert [epoch["share"] is None for epoch in epochs] == [True, True, False]


def test_the_network_gives_the_scores(run, photos):
    """The saved network, temperature and shrinking reproduce scores.csv."""
    from export import picture
    from export.preprocess import shrink
    from trainer import calibrate
    from trainer.backbone import normalise

    rows = run.scores()[::7]
    frames = np.stack([shrink(picture.read(photos / r.path), Input(64, 64)) for r in rows])
    with torch.inference_mode():
        logits = run.network()(normalise(torch.from_numpy(frames)))[0].numpy()
    found = calibrate.score_of(calibrate.probabilities(logits, run.record.temperature))
    assert found == pytest.approx([row.score for row in rows], abs=1e-4)


def test_same_seed_same_run(run, photos, tmp_path, monkeypatch):
    """A second run has the same scores, to the last digit, with everything large in files."""
    monkeypatch.setattr(room(), "memory_bytes", 0)
    again = train(plan(photos), tmp_path / "again", QUIET)
    assert [row.score for row in again.scores()] == [row.score for row in run.scores()]
    assert again.record.thresholds == run.record.thresholds
    first, second = (one.folder / "model.safetensors" for one in (run, again))
    assert first.read_bytes() == second.read_bytes()


def test_it_learns(photos, tmp_path):
    """A dark spot of 18 pixels on a plate is learnt from 24 pictures by the head alone."""
    learnt = train(plan(photos, epochs=0), tmp_path / "head", QUIET)
    assert learnt.record.recipe["kept"] == "head"
    area = {m.split: m.value for m in learnt.record.metrics if m.name == "auroc"}
    assert area["test"] > 0.85


def test_validation_teaches_a_head_in_the_end_and_then_examines_nothing(photos, tmp_path):
    """A head that is kept is fitted again with the validation pictures; no figure is of them."""
    asked = plan(photos, epochs=0)
    plain = replace(asked, recipe=asked.recipe.model_copy(update={"refit": False}))
    again, once = (train(one, tmp_path / str(i), QUIET) for i, one in enumerate((asked, plain)))
    assert {m.split for m in again.record.metrics} == {"calibration", "test"}
    assert "validation" in {m.split for m in once.record.metrics}
    first, second = (run.network() for run in (again, once))
    assert not torch.equal(first.centre, second.centre)
    assert not torch.equal(first.head.weight, second.head.weight)


def test_from_scratch(photos, tmp_path):
    """Random weights train too, with BatchNorm learning its averages."""
    trained = train(plan(photos, "none", 2, "scratch"), tmp_path / "run", QUIET)
    assert trained.record.weights.name == "random"
    assert all(np.isfinite([row.score for row in trained.scores()]))


def test_a_full_folder_is_refused(run, photos, tmp_path):
    """A finished run isn't overwritten, nor a folder of other files; the same plan may restart."""
    with pytest.raises(RunError, match="already holds files"):
        train(plan(photos), run.folder, QUIET)
    (tmp_path / "started.json").write_text(plan(photos, epochs=7).words())
    with pytest.raises(RunError, match="unfinished run of another plan"):
        train(plan(photos), tmp_path, QUIET)
    (tmp_path / "started.json").write_text(plan(photos, epochs=0).words())
    assert train(plan(photos, epochs=0), tmp_path, QUIET).record.seed == 3


def test_weights_that_can_not_be_had_leave_the_folder_free(photos, tmp_path):
    """So that the remedy can be followed: the next plan takes the same folder."""
    with pytest.raises(LinewardenError, match="nowhere"):
        train(plan(photos, weights="nowhere.pth"), tmp_path / "r", QUIET)
    assert not (tmp_path / "r").exists()


def test_unreadable_pictures_are_listed(tmp_path):
    """All of them are named at once; --skip-unreadable leaves them out and says so."""
    draw(tmp_path / "data", per_class=10)
    for number in range(12):
        (tmp_path / "data" / "good" / f"bad{number}.png").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"12 pictures .*can't be used") as caught:
        train(plan(tmp_path / "data"), tmp_path / "run", QUIET)
    assert caught.value.problem.count("bad") == 10
    assert "and 2 more" in caught.value.problem
    skipping = plan(tmp_path / "data", epochs=0, skip_unreadable=True)
    done = train(skipping, tmp_path / "run2", QUIET)
    assert any("12 unreadable pictures left out" in note for note in done.record.data.notes)


def test_one_picture_in_two_classes(tmp_path):
    """Byte for byte the same picture as good and as spot: refused, or both left out."""
    draw(tmp_path / "data", per_class=10)
    twin = (tmp_path / "data" / "good" / "good_0.png").read_bytes()
    (tmp_path / "data" / "spot" / "twin.png").write_bytes(twin)
    with pytest.raises(DatasetError, match="stand under two classes") as caught:
        train(plan(tmp_path / "data"), tmp_path / "run", QUIET)
    assert "'good/good_0.png', 'spot/twin.png'" in caught.value.problem
    done = train(plan(tmp_path / "data", epochs=0, drop_conflicts=True), tmp_path / "run2", QUIET)
    assert len(done.split()) == 19


def test_twins_share_a_split(tmp_path):
    """Copies and re-saved copies of a picture are one part, in one split."""
    draw(tmp_path / "data", per_class=12)
    folder = tmp_path / "data" / "good"
    for number in range(12):
        cv2.imwrite(str(folder / f"good_{number}.png"), texture(number))
        data = (folder / f"good_{number}.png").read_bytes()
        (folder / f"copy_{number}.png").write_bytes(data)
        cv2.imwrite(str(folder / f"again_{number}.jpg"), texture(number))
    done = train(plan(tmp_path / "data", epochs=0), tmp_path / "run", QUIET)
    where = {row.path: (row.part, row.split) for row in done.split()}
    for number in range(12):
        assert where[f"good/copy_{number}.png"] == where[f"good/good_{number}.png"]
        assert where[f"good/again_{number}.jpg"] == where[f"good/good_{number}.png"]


def test_scenes_too_alike_ask_for_a_word(tmp_path):
    """Where most pictures look the same, they aren't taken for one part in silence."""
    draw(tmp_path / "data", per_class=8)
    for number in range(20):
        other = texture(0)
        other[number, number] = 0
        cv2.imwrite(str(tmp_path / "data" / "good" / f"alike_{number}.png"), other)
    with pytest.raises(DatasetError, match="look so alike") as caught:
        train(plan(tmp_path / "data", epochs=0), tmp_path / "run", QUIET)
    assert "--no-near-duplicates" in caught.value.remedy
    apart = plan(tmp_path / "data", epochs=0, rule=PartRule(near=False))
    assert train(apart, tmp_path / "run2", QUIET).record.data.parts == 36


def test_two_part_rules_are_refused(photos, tmp_path):
    """--part-regex and --part-runs both name the part."""
    both = plan(photos, rule=PartRule(regex=r"(\d+)", runs=1))
    with pytest.raises(DatasetError, match="both name the part"):
        train(both, tmp_path / "run", QUIET)


def test_examination_leaves_out_what_was_learnt(run, photos, tmp_path):
    """On its own pictures only the test is judged; the figures agree with the record."""
    exam = examine(run, photos, QUIET)
    tested = [row for row in run.split() if row.split == "test"]
    assert (len(exam.judged.labels), exam.seen) == (len(tested), 48 - len(tested))
    mine = {m.name: m.value for m in exam.report.metrics}
    recorded = {m.name: m.value for m in run.record.metrics if m.split == "test"}
    recorded.pop("calibration_error_before")  # an examination knows the calibrated scores only
    assert mine == pytest.approx(recorded, abs=1e-3)
    draw(tmp_path / "seen")
    everything = examine(run, photos, QUIET, include_seen=True)
    assert (len(everything.judged.labels), everything.seen) == (48, 0)


def test_examination_leaves_out_twins_and_counts_parts(run, photos, tmp_path):
    """A taught picture saved again is known, with all of its part; views of a part are one."""
    taught = next(r.path for r in run.split() if r.split == "train" and r.label == "spot")
    (tmp_path / "spot").mkdir()
    seen = cv2.imread(str(photos / taught))
    cv2.imwrite(str(tmp_path / "spot" / "a1.bmp"), seen)
    cv2.imwrite(str(tmp_path / "spot" / "a2.png"), texture(1))
    cv2.imwrite(str(tmp_path / "spot" / "b1.png"), texture(2))
    cv2.imwrite(str(tmp_path / "spot" / "b2.png"), texture(3))
    alone = examine(run, tmp_path, QUIET)
    assert (len(alone.judged.labels), len(set(alone.judged.parts)), alone.seen) == (3, 3, 1)
    assert "look like ones that the run has seen" in alone.notes[-1]
    by_letter = examine(run, tmp_path, QUIET, rule=PartRule(regex=r"([ab])\d"))
    assert (len(by_letter.judged.labels), len(set(by_letter.judged.parts))) == (2, 1)
    assert by_letter.seen == 2
    blind = examine(run, tmp_path, QUIET, rule=PartRule(near=False))
    assert (len(blind.judged.labels), blind.seen) == (4, 0)


def test_a_new_photo_of_a_part_that_taught_is_no_examination(run, tmp_path):
    """It looks like none that the run has seen, and is known by the name that its rule gives."""
    known = run.record.data.model_copy(update={"part_regex": r"(spot_\d+|good_\d+)\.png"})
    told = Run(tmp_path / "run", run.record.model_copy(update={"data": known}))
    told.save(run.network(), run.split(), run.scores())
    (tmp_path / "new" / "spot").mkdir(parents=True)
    for number, split in enumerate(("train", "test")):
        old = next(r.path for r in run.split() if r.split == split and r.label == "spot")
        late = tmp_path / "new" / "spot" / f"late_{Path(old).name}"
        cv2.imwrite(str(late), texture(50 + number))
    exam = examine(told, tmp_path / "new", QUIET)
    assert (len(exam.judged.labels), exam.seen) == (1, 1)


def test_examination_of_unknown_classes(run, tmp_path):
    """A class the run doesn't know is refused, or counted as another defect on request."""
    rng = np.random.default_rng(7)
    (tmp_path / "dent").mkdir()
    for number in range(3):
        plate = rng.integers(0, 255, (80, 80, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / "dent" / f"{number}.png"), plate)
    with pytest.raises(DatasetError, match="doesn't know 'dent'"):
        examine(run, tmp_path, QUIET)
    exam = examine(run, tmp_path, QUIET, as_defect=True)
    assert set(exam.judged.labels) == {"other defect"}
    assert {m.name for m in exam.report.metrics} >= {"escape", "escape:other defect", "review"}


def test_evaluate_on_the_command_line(tmp_path):
    """--json is JSON alone on stdout; without it, a table for people."""
    import typer

    from trainer.cli.evaluate import evaluate

    tiny = tiny_run(tmp_path)
    app = typer.Typer()
    app.command()(evaluate)
    args = [str(tiny.folder), str(tmp_path / "data"), "--include-seen", "--threads", "1"]
    result = CliRunner().invoke(app, [*args, "--json"])
    found = json.loads(result.stdout)
    assert found["pictures"] == 16
    assert sum(sum(row.values()) for row in found["outcomes"].values()) == 16
    told = CliRunner().invoke(app, args).stdout
    assert "escape rate (defective passed)" in told
    assert "review" in told


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        (["--arch", "alexnet"], "--arch 'alexnet' is unknown"),
        (["--size", "16"], "too small"),
        (["--size", "a"], "--size 'a'"),
        (["--region", "0.5,0,0.6,1"], "inside the frame"),
        (["--escape-budget", "1"], "escape budget is a fraction"),
        (["--recipe", "magic"], "no recipe 'magic'"),
    ],
)
def test_wrong_options_are_explained(photos, tmp_path, args, problem):
    """An option that can't work is named with its value, before anything is read."""
    import typer

    from trainer.cli.train import train as command

    app = typer.Typer()
    app.command()(command)
    result = CliRunner().invoke(app, [str(photos), "--out", str(tmp_path / "run"), *args])
    assert isinstance(result.exception, LinewardenError)
    assert problem in str(result.exception)
    assert not (tmp_path / "run").exists()
