import json
import re
import threading

import cv2
import pytest
from typer.testing import CliRunner

from edge.cli.why import find
from edge.daemon import Daemon, armed
from edge.inspection.again import judge_again
from edge.inspection.computer import computer
from export.command import application
from export.errors import SampleError
from export.sample import Label, sample_id
from export.sample_folder import SampleFolder
from export.signature import load_or_make
from export.verdict import Reason, Thresholds
from tests.edge.box import BRIGHT, MIDDLE, Box, folder_camera
from tests.edge.verdicts import verdict
from tests.export.small_bundle import small_bundle
from tests.export.test_sample_folder import AT, PICTURE
from tests.export.test_sample_folder import sample as made

LINE = """
[cameras.line]
bundle = "bundle"
deadline_ms = 60000.0
source = { kind = "virtual", parts = 24, width = 320, height = 256, pace = "lossless" }
trigger = { kind = "gate" }
region = { x = 0.2, y = 0.1, width = 0.6, height = 0.8 }
"""
AUDITED = "\n[samples]\naudit_rate = 1.0\nleave_free_gb = 0.0\nqueue = 1000\n"


def run(box):
    """Run the box until its sources end, and keep every sample."""
    appliance = box.appliance()
    daemon = Daemon(appliance, armed(appliance))
    summary = daemon.run(
        threading.Event(), forever=False, tick=lambda: daemon.keeper.flush(60) and None
    )
    assert daemon.keeper.flush(60)
    return summary


def why(box, *words):
    """The command's result; errors as `main` would print them."""
    words = ["why", *map(str, words), "--config", str(box.settings)]
    return CliRunner().invoke(application(), words, prog_name="linewarden")


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    """A virtual line of 24 parts, every one of them kept."""
    box = Box(tmp_path_factory.mktemp("line"))
    box.write(LINE + AUDITED)
    run(box)
    return box


def test_a_part_is_judged_again_to_the_same_bytes(line, tmp_path):
    """The same verdict in every field, and a picture that shows where the evidence is."""
    name = SampleFolder(line.folder / "samples").ids()[0]
    done = why(line, name, "--json", "--save", tmp_path / "why.png")
    told = json.loads(done.stdout.splitlines()[0])
    assert (done.exit_code, told["same"], told["changed"]) == (0, True, [])
    assert told["then"] == told["now"]
    assert told["now"]["score"] is not None
    assert cv2.imread(str(tmp_path / "why.png")).shape[0] > 256


def test_twenty_parts_are_judged_again_to_the_same_bytes(line):
    """Every kept part of the virtual line, with a bundle that is loaded anew."""
    folder, inspector = SampleFolder(line.folder / "samples"), armed(line.appliance())["line"]
    parts = [judge_again(one, folder.picture(one), inspector, computer("cpu", 1)) for one in folder]
    assert len(parts) >= 20
    assert [one.sample.id for one in parts if not one.same or one.changed or one.gone] == []
    assert len({one.now for one in parts}) == len(parts)


def test_a_part_is_found_by_its_name(tmp_path):
    """The name that the plant knows will do, and people are told in words."""
    box = Box(tmp_path)
    box.pictures([MIDDLE, BRIGHT])
    box.write(folder_camera() + AUDITED)
    run(box)
    done = why(box, "p001.png", "--save", tmp_path / "why.png")
    assert done.exit_code == 0
    assert "the same verdict, byte for byte" in done.output
    assert re.search(r"kept +fail", done.output)
    absent = why(box, "p007.png")
    assert isinstance(absent.exception, SampleError)
    assert "no picture of part 'p007.png'" in str(absent.exception)


def test_of_a_name_that_was_given_again_the_newest_part_is_shown(tmp_path, capsys):
    """By the order of seq, though an older one was labelled since and the clock went back."""
    folder = SampleFolder(tmp_path)
    folder.make()
    for seq, at in ((9, "2026-01-02T05:00:00Z"), (10, "2026-01-02T04:00:00Z")):
        one = verdict(7, seq, part="bolt-1", captured_at=at)
        folder.add(made(seq, verdict=one), PICTURE)
    folder.label(sample_id("cam", 7, 9), Label(label="good", by="ann", at=AT))
    assert find(folder, "bolt-1").verdict.seq == 10
    assert "1 more of that name, the newest: cam-7-9" in capsys.readouterr().err
    assert find(folder, "cam-7-9").verdict.seq == 9
    assert capsys.readouterr().err == ""


def test_a_part_of_several_frames_is_reproduced_by_the_one_that_decided(tmp_path):
    """One verdict each, its frame the worst of those that it names, and the same bytes again."""
    box = Box(tmp_path)
    several = LINE.replace("parts = 24", "parts = 9")
    several = several.replace('"gate"', '"gate", frames = 3').replace("x = 0.2", "x = 0.0")
    box.write(several + AUDITED)
    counts = run(box).cameras["line"]
    assert counts.triggers == counts.verdicts == 9
    folder, inspector = SampleFolder(tmp_path / "samples"), armed(box.appliance())["line"]
    kept = [sample for sample in folder if sample.verdict.score is not None]
    assert len(kept) >= 8
    decided = set()
    for sample in kept:
        verdict, views = sample.verdict, sample.verdict.fused.views
        scores = [view.score for view in views]
        assert len(scores) == 3
        assert (verdict.frame, verdict.score) == (
            views[scores.index(max(scores))].frame,
            max(scores),
        )
        assert judge_again(sample, folder.picture(sample), inspector, computer("cpu", 1)).same
        decided.add(scores.index(max(scores)))
    assert 2 in decided  # seen behind the line, where the window has gone with it
    assert any(sample.region.x > 0 for sample in kept)
    done = why(box, kept[0].id, "--save", tmp_path / "why.png")
    assert done.exit_code == 0
    assert f"{kept[0].verdict.frame} decided, and its picture is what was kept" in done.output


def test_another_bundle_is_told(line, tmp_path):
    """With another bundle the answer says so, and doesn't claim to be the same verdict."""
    key, _ = load_or_make(line.folder / "signing.key")
    small_bundle(tmp_path / "other", key, version=2)
    name = SampleFolder(line.folder / "samples").ids()[0]
    done = why(line, name, "--bundle", tmp_path / "other", "--save", tmp_path / "w.png", "--json")
    told = json.loads(done.stdout.splitlines()[0])
    assert done.exit_code == 0
    assert (told["same"], told["holds"], told["difference"]) == (False, True, 0)
    assert "the bundle was replaced: small 1" in told["changed"][0]


def test_another_outcome_is_no_reproduction(line, tmp_path):
    """Where the new bundle decides otherwise the exit code is 1."""
    key, _ = load_or_make(line.folder / "signing.key")
    limits = Thresholds(pass_below=0.25, fail_above=0.26)
    small_bundle(tmp_path / "strict", key, thresholds=limits)
    folder = SampleFolder(line.folder / "samples")
    name = next(one.id for one in folder if one.verdict.outcome == "review")
    done = why(line, name, "--bundle", tmp_path / "strict", "--save", tmp_path / "w.png")
    assert done.exit_code == 1
    assert "ANOTHER verdict" in done.output


def test_what_is_gone_or_changed_is_said(line, tmp_path):
    """A picture that is missing or changed, a box that computes otherwise, a fail-safe verdict."""
    folder, inspector = SampleFolder(line.folder / "samples"), armed(line.appliance())["line"]
    sample, here = next(iter(folder)), computer("cpu", 1)
    gone = judge_again(sample, tmp_path / "no.png", inspector, here)
    assert not gone.holds
    assert "is gone" in gone.gone
    touched = tmp_path / "touched.png"
    touched.write_bytes(folder.picture(sample).read_bytes() + b"?")
    assert "SHA-256" in judge_again(sample, touched, inspector, here).gone
    elsewhere = here.model_copy(update={"provider": "cuda", "runtime": "onnxruntime 9"})
    told = judge_again(sample, folder.picture(sample), inspector, elsewhere)
    assert told.holds
    assert [one.split(":")[0] for one in told.changed] == ["another provider", "another runtime"]
    late = sample.verdict.model_copy(update={"reason": Reason.LATE})
    never = judge_again(
        sample.model_copy(update={"verdict": late}), folder.picture(sample), inspector, here
    )
    assert "fail-safe" in never.gone
    assert not never.holds
