"""trainer/history.py: versions are told apart, named by runs, and a changed picture is noticed."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from export.errors import RunError
from tests.trainer.tiny_run import draw, tiny_run
from trainer import album
from trainer.cli.data import data
from trainer.dataset import open_dataset
from trainer.exam import examine
from trainer.history import changed_since, compare, named_version, record, scan, versions
from trainer.progress import Progress
from trainer.publish import Edition, publish
from trainer.run import Run
from trainer.teaching import PICTURES, remember


def test_a_version_is_the_fingerprint_that_runs_record(tmp_path):
    """History and training call the same pictures by the same name, whatever else lies there."""
    draw(tmp_path)
    dataset = open_dataset(tmp_path)
    from export.preprocess import Input

    read = album.load(tmp_path, [p.path for p in dataset.pictures], Input(32, 32))
    seen = album.fingerprint(read, [p.label for p in dataset.pictures])
    assert scan(tmp_path).version == seen
    assert named_version(tmp_path, seen) == ""
    record(tmp_path, scan(tmp_path), note="first light")
    assert "first light" in named_version(tmp_path, seen)
    assert scan(tmp_path).version == seen
    (tmp_path / "good" / "good_0.png").unlink()
    assert "is not recorded" in named_version(tmp_path, scan(tmp_path).version)


def test_what_changed_is_told_apart():
    """Added, removed, changed and relabelled are four things; relabelled is not new."""
    before = {"good/a": ("good", "1"), "good/b": ("good", "2"), "good/c": ("good", "3")}
    after = {"spot/a": ("spot", "1"), "good/b": ("good", "9"), "good/d": ("good", "4")}
    found = compare(before, after)
    assert (found.relabelled, found.changed, found.added, found.removed) == (1, 1, 1, 1)
    assert found.first[0] == "good/b"
    assert compare(before, before).words() == "the same pictures"


def test_the_history_grows_and_says_what_came(tmp_path):
    """Recording twice writes once; a change is told before and after it is recorded."""
    draw(tmp_path)
    run = CliRunner()
    assert run.invoke(data, ["history", str(tmp_path)]).exit_code == 1
    done = run.invoke(data, ["record", str(tmp_path), "--note", "box 3", "--by", "anna"])
    assert "16 added" in done.output
    done = run.invoke(data, ["record", str(tmp_path)])
    assert "nothing has changed" in done.output
    assert run.invoke(data, ["history", str(tmp_path)]).exit_code == 0
    shutil.move(tmp_path / "spot" / "spot_1.png", tmp_path / "good" / "spot_1.png")
    done = run.invoke(data, ["history", str(tmp_path)])
    assert done.exit_code == 1
    assert "1 relabelled: 'good/spot_1.png'" in done.output
    run.invoke(data, ["record", str(tmp_path)])
    told = json.loads(run.invoke(data, ["history", str(tmp_path), "--json"]).output)
    assert [one["by"] for one in told["versions"]] == ["anna", ""]
    assert told["same"]
    assert len(versions(tmp_path)) == 2


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A tiny run that knows its pictures' bytes."""
    home = tmp_path_factory.mktemp("trained")
    run = tiny_run(home)
    seen = scan(home / "data").files
    rows = [row.model_copy(update={"sha256": seen[row.path][1]}) for row in run.split()]
    run.save(run.network(), rows, run.scores())
    return Run.load(run.folder)


@pytest.fixture
def moved(trained, tmp_path):
    """A copy of its pictures, to be changed."""
    shutil.copytree(trained.folder.parent / "data", tmp_path / "data")
    return tmp_path / "data"


def spoil(path):
    """Change a picture's bytes, not what it shows."""
    path.write_bytes(path.read_bytes() + b"\0")


def test_evaluation_names_a_changed_picture(trained, moved):
    """A picture that stands where the run's did but holds other bytes is named."""
    spoil(moved / "good" / "good_1.png")
    exam = examine(trained, moved, Progress(None), include_seen=True)
    assert any("'good/good_1.png'" in note and "has changed" in note for note in exam.notes)


def test_export_refuses_a_golden_sample_that_has_changed(trained, moved, tmp_path):
    """What a bundle must reproduce must be what the run was examined on."""
    from export.signature import load_or_make

    known = {row.path: row.sha256 for row in trained.split()}
    assert changed_since(known, moved) == []
    for row in trained.split():
        if row.split == "test":
            spoil(moved / row.path)
    key, _ = load_or_make(tmp_path / "key")
    with pytest.raises(RunError, match=r"changed since the run was trained.*good"):
        publish(trained, Edition("tiny", 1, tmp_path / "bundle"), key, moved)
    assert not (tmp_path / "bundle").exists()


def test_a_run_that_goes_on_names_what_has_changed(tmp_path):
    """Resuming on other pictures is refused with the picture's name; on the same ones it isn't."""
    from export.preprocess import Input
    from trainer.material import Choices, gather
    from trainer.parts import PartRule

    draw(tmp_path / "data")
    choices = Choices(rule=PartRule(near=False))

    def material():
        return gather(tmp_path / "data", choices, Input(32, 32), 0, Progress(None))

    (tmp_path / "run").mkdir()
    remember(tmp_path / "run", material())
    remember(tmp_path / "run", material())
    assert (tmp_path / "run" / PICTURES).exists()
    spoil(tmp_path / "data" / "spot" / "spot_2.png")
    with pytest.raises(RunError, match=r"1 picture has changed.*'spot/spot_2\.png'"):
        remember(tmp_path / "run", material())


def test_a_recorded_version_is_in_the_runs_notes(tmp_path):
    """The notes of the data say which recorded version a run saw."""
    from export.preprocess import Input
    from trainer.material import Choices, gather
    from trainer.parts import PartRule

    draw(tmp_path)
    record(tmp_path, scan(tmp_path), note="May")
    made = gather(tmp_path, Choices(rule=PartRule(near=False)), Input(32, 32), 0, Progress(None))
    assert any("version" in note and "May" in note for note in made.record().notes)
