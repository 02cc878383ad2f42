"""trainer/taxonomy/: types of defect are told apart, and nothing more is promised."""

import json

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from export.command import application
from export.errors import DatasetError, RunError
from trainer.album import alike, load
from trainer.dataset import open_dataset
from trainer.recipe import FOLDER
from trainer.run import Run
from trainer.taxonomy.figures import Told, confusion, measure
from trainer.taxonomy.record import TypesRun

app = application()
KINDS = ("bar", "ring", "spot")


def draw(folder, per_type=12, suffixes=(".png",) * 3):
    """Plates with a bar, a ring or a spot, each type in its own file format."""
    rng = np.random.default_rng(5)
    for kind, suffix in zip(KINDS, suffixes, strict=True):
        (folder / kind).mkdir(parents=True)
        for number in range(per_type):
            picture = rng.integers(120, 220, (80, 80, 3), dtype=np.uint8)
            x, y = (int(at) for at in rng.integers(25, 55, 2))
            if kind == "bar":
                cv2.rectangle(picture, (x - 18, y - 4), (x + 18, y + 4), (20, 20, 20), -1)
            else:
                cv2.circle(picture, (x, y), 14, (20, 20, 20), -1 if kind == "spot" else 3)
            cv2.imwrite(str(folder / kind / f"{number}{suffix}"), picture)


@pytest.fixture(scope="module")
def sorted_run(tmp_path_factory):
    """A run over 36 plates of three types, and its folder of pictures."""
    root = tmp_path_factory.mktemp("types")
    draw(root / "data")
    recipe = (FOLDER / "tune.toml").read_text().replace("views = 8", "views = 1")
    (root / "quick.toml").write_text(recipe)
    command = ["train", str(root / "data"), "--task", "types", "--out", str(root / "run"), "--size",
               "64", "--weights", "starter", "--recipe", str(root / "quick.toml"), "--epochs", "1",
               "--threads", "1"]  # fmt: skip
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return root, done.output


def test_a_run_tells_types_and_says_what_it_is_for(sorted_run):
    """Top-1 and each type with k of n, every picture in one cell of the confusion, no threshold."""
    root, told = sorted_run
    record = TypesRun.load(root / "run").record
    by_name = {metric.name: metric for metric in record.metrics}
    tested = sum(record.data.counts["test"].values())
    assert by_name["accuracy"].n == tested == sum(map(sum, _cells(record.confusion)))
    assert {f"accuracy:{kind}" for kind in KINDS} < by_name.keys()
    assert by_name["accuracy"].k == sum(record.confusion[kind][kind] for kind in KINDS)
    assert "promises no escape rate" in told
    assert "threshold" not in (root / "run" / "types.json").read_text()


def _cells(confusion):
    return [row.values() for row in confusion.values()]


@pytest.mark.parametrize("command", ["export", "report", "threshold", "unseen"])
def test_what_needs_a_good_class_refuses_such_a_run(sorted_run, command):
    """No bundle, report or threshold can come of it: one sentence says why and what to do."""
    root, _ = sorted_run
    found = CliRunner().invoke(app, [command, str(root / "run")])
    assert found.exit_code != 0
    assert not list(root.glob("**/manifest.json"))
    with pytest.raises(RunError, match="knows no good part"):
        Run.load(root / "run")


def test_evaluating_leaves_out_what_taught(sorted_run):
    """On its own pictures only the test's are judged, and as they were in training."""
    root, _ = sorted_run
    command = ["evaluate", str(root / "run"), str(root / "data"), "--json"]
    found = json.loads(CliRunner().invoke(app, command, catch_exceptions=False).stdout)
    record = TypesRun.load(root / "run").record
    assert found["pictures"] == sum(record.data.counts["test"].values())
    assert found["pictures"] + found["seen_and_left_out"] == 36
    assert found["confusion"] == record.confusion


def test_a_good_class_is_no_type(tmp_path):
    """A folder of good parts is refused, and so is a single type; none at all names this task."""
    draw(tmp_path)
    assert open_dataset(tmp_path, types=True).classes == KINDS
    with pytest.raises(DatasetError) as refusal:
        open_dataset(tmp_path)
    assert "--task types" in refusal.value.remedy
    (tmp_path / "spot").rename(tmp_path / "OK")
    with pytest.raises(DatasetError, match="called good"):
        open_dataset(tmp_path, types=True)


def test_a_format_that_gives_the_type_away_is_refused(tmp_path):
    """One type alone has PNG files: training asks to see all through the same JPEG."""
    draw(tmp_path / "data", suffixes=(".jpg", ".png", ".jpg"))
    command = ["train", str(tmp_path / "data"), "--task", "types", "--out", str(tmp_path / "run"),
               "--size", "64", "--weights", "starter", "--epochs", "0", "--json"]  # fmt: skip
    refused = CliRunner().invoke(app, command)
    assert isinstance(refused.exception, DatasetError)
    assert "all 12 pictures of format png are in 'ring'" in refused.exception.problem
    done = CliRunner().invoke(app, [*command, "--reencode", "70"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert TypesRun.load(tmp_path / "run").record.data.reencoded == 70


def test_reencoding_leaves_the_same_traces_in_all(tmp_path):
    """A picture saved as PNG is seen just as it is after a JPEG of the asked quality."""
    from export.preprocess import Input

    picture = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    seen = load(tmp_path, ["a.png"], Input(64, 64), reencode=60).frames[0]
    assert (seen == alike(picture, 60)).all()
    assert (seen != picture).any()


def test_figures_count_parts_and_top_label_calibration():
    """Intervals are as wide as parts warrant; sure and always right is calibrated to nothing."""
    labels = np.array([0, 0, 1, 1])
    chances = np.eye(2)[labels]
    many = measure(Told(labels, ("a", "b", "c", "d"), chances), ("x", "y"), "test")
    few = measure(Told(labels, ("a", "a", "b", "b"), chances), ("x", "y"), "test")
    assert few[0].low < many[0].low
    assert many[-1].name == "calibration_error"
    assert many[-1].value == 0
    wrong = Told(labels, ("a", "b", "c", "d"), 1 - chances)
    assert confusion(wrong, ("x", "y")) == {"x": {"x": 0, "y": 2}, "y": {"x": 2, "y": 0}}
    assert measure(wrong, ("x", "y"), "test")[-1].value == 1
