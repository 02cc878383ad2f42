"""The warden turns findings into fail-safe frames, alarms with a cause, and pictures for people."""

import cv2
import numpy as np
import pytest

from edge.alarm import Alarms
from edge.camera_health import archive
from edge.camera_health.condition import Condition
from edge.camera_health.drift import Calibration
from edge.camera_health.evidence import KEPT, Album, Exhibit
from edge.camera_health.wardens import Wardens
from edge.frame import Frame, Unusable
from edge.messages import Severity
from edge.sections import CameraSection
from export.errors import StoreError
from export.verdict import BundleRef, Outcome, Reason
from tests.edge.camera_health.eye import GOOD, Eye, Fault
from tests.edge.verdicts import verdict

LIVE = {
    "source": {"kind": "stream", "url": "rtsp://eye/1"},
    "bundle": "b",
    "health": {"reference_frames": 20},
}


@pytest.fixture(scope="module")
def eye():
    """A camera over a virtual line."""
    return Eye(2, width=320, height=256, scenes=36)


class Room:
    """Wardens over one camera, in a folder."""

    def __init__(self, store, **more):
        self.alarms = Alarms()
        self.wardens = Wardens(self.alarms, store, **more)
        self.warden = self.wardens.add("eye", CameraSection.model_validate(LIVE))
        self.wardens.start()

    def commissioned(self, eye):
        while self.warden.reference is None:
            self.warden.see(eye.frame())
        return self

    def see(self, eye, fault, frames):
        return [self.warden.see(eye.frame(fault)) for _ in range(frames)]

    def standing(self):
        return {alarm.name: alarm for alarm in self.alarms.standing()}


@pytest.fixture
def room(tmp_path, eye):
    """A commissioned one."""
    made = Room(tmp_path).commissioned(eye)
    yield made
    made.wardens.stop()


def test_a_black_frame_is_no_frame_to_judge_by(room, eye):
    """From the first one on a part fails safe; the alarm is critical, and clears."""
    seen = room.see(eye, Fault(gain=(0.01,) * 3), 5)
    assert all(isinstance(one, Unusable) and one.why for one in seen)
    assert seen[-1].conditions == (Condition.DARK,)
    assert room.standing()[Condition.DARK].severity is Severity.CRITICAL
    seen = room.see(eye, GOOD, 30)
    assert isinstance(seen[-1], Frame)
    assert seen[-1].conditions == ()
    assert room.standing() == {}


def test_drift_goes_on_to_be_judged_and_is_told_with_its_cause_and_a_picture(room, eye, tmp_path):
    """A dimmed lamp spoils no frame, but stands in it; the alarm shows the last good one beside."""
    room.see(eye, GOOD, 40)
    seen = room.see(eye, Fault(gain=(0.7,) * 3), 20)
    assert isinstance(seen[-1], Frame)
    assert seen[-1].conditions == (Condition.LIGHT,)
    alarm = room.standing()[Condition.LIGHT]
    assert alarm.severity is Severity.WARNING
    assert "likely cause: light" in alarm.detail
    room.wardens.stop(5)
    path = alarm.detail.partition("picture: ")[2]
    assert path.startswith(str(tmp_path))
    both = cv2.imread(path)[40:60]  # below the title: the rail, which is always there
    left, right = both[:, : both.shape[1] // 2], both[:, both.shape[1] // 2 :]
    assert right.mean() < 0.8 * left.mean()


def test_the_reference_outlives_the_box(tmp_path, eye):
    """A second start compares with the first one's reference: what changed meanwhile is seen."""
    first = Room(tmp_path).commissioned(eye)
    first.wardens.stop()
    again = Room(tmp_path)
    assert again.warden.reference is not None
    again.see(eye, Fault(gain=(0.7,) * 3), 10)
    assert set(again.standing()) == {Condition.LIGHT}
    again.wardens.stop()


def test_bad_frames_are_no_reference(tmp_path, eye):
    """While the cap is on nothing is learnt; afterwards it is."""
    room = Room(tmp_path)
    room.see(eye, Fault(gain=(0.01,) * 3), 60)
    assert room.warden.reference is None
    assert room.warden.progress == 0
    room.commissioned(eye)
    room.wardens.stop()


@pytest.mark.parametrize("damage", [b"", b"no archive", None])
def test_a_damaged_reference_is_an_alarm_and_not_replaced(tmp_path, eye, damage):
    """Another is taken only when a person says so."""
    Room(tmp_path).commissioned(eye).wardens.stop()
    path = archive.folder(tmp_path, "eye") / archive.FILE
    path.write_bytes(path.read_bytes()[:-400] if damage is None else damage)
    with pytest.raises(StoreError, match="no commissioning reference"):
        archive.load(path.parent)
    room = Room(tmp_path)
    room.see(eye, GOOD, 60)
    assert set(room.standing()) == {Condition.REFERENCE}
    assert room.warden.reference is None
    room.wardens.stop()


def test_frames_of_another_size_are_told_and_not_compared(room):
    """Who sets the camera to another size must commission it; a part is judged all the same."""
    other = Eye(3, width=400, height=320, scenes=6)
    assert isinstance(room.see(other, GOOD, 5)[-1], Frame)
    assert set(room.standing()) == {Condition.REFERENCE}


@pytest.mark.parametrize("name", ["top", "..", "a b/c", "Ü" * 60, "x" * 64])
def test_a_cameras_folder_lies_in_the_store(tmp_path, name):
    """Whatever a camera is called, its files stay below the store."""
    at = archive.folder(tmp_path, name)
    assert at.parent == tmp_path / "cameras"
    at.mkdir(parents=True)


def test_files_are_not_watched_unless_told_to(tmp_path):
    """A folder may hold the same picture twice, and pictures on white paper."""
    wardens = Wardens(Alarms(), tmp_path)
    files = LIVE | {"source": {"kind": "folder", "path": "p"}}
    assert wardens.add("files", CameraSection.model_validate(files)) is None
    told = CameraSection.model_validate(files | {"health": {"watch": True}})
    assert wardens.add("files", told) is not None


def judged(seq, score, novelty, outcome=Outcome.PASS):
    """A verdict of the camera."""
    bundle = BundleRef(name="b", version=1, digest="d")
    return verdict(0, seq, "eye", score=score, novelty=novelty, outcome=outcome, bundle=bundle)


def test_a_batch_unlike_the_calibration_is_an_alarm_that_names_the_light(tmp_path, eye):
    """50 parts of higher novelty under light that has changed a little: named, and shown."""
    rng = np.random.default_rng(5)
    known = Calibration(tuple(rng.random(100) / 10), tuple(rng.gamma(9, 1, 100)))
    room = Room(tmp_path, calibrations={"d": known}).commissioned(eye)
    record = room.wardens.recording(lambda _camera, make: make(1))
    room.see(eye, Fault(gain=(0.88,) * 3), 20)
    for seq in range(1, 101):
        record("eye", lambda seq: judged(seq, float(rng.random()) / 10, float(rng.gamma(9, 1))))
    assert Condition.SCORES not in room.standing()
    for seq in range(101, 151):
        told = judged(seq, float(rng.random()) / 10, float(rng.gamma(9, 1)) + 8)
        record("eye", lambda _seq, told=told: told)
    assert "likely cause: light" in room.standing()[Condition.SCORES].detail
    room.wardens.stop()


def test_a_fail_safe_verdict_says_nothing_of_the_parts(tmp_path):
    """However many come, scores have not drifted; and a fault of the watch loses no verdict."""
    room = Room(tmp_path)
    record = room.wardens.recording(lambda _camera, make: make(1))
    late = verdict(0, 1, "eye", score=None, outcome=Outcome.FAIL, reason=Reason.LATE)
    for _ in range(100):
        assert record("eye", lambda _seq: late) is late
    assert room.standing() == {}
    room.wardens.judged = None
    assert record("eye", lambda _seq: late) is late
    room.wardens.stop()


def test_an_album_keeps_the_newest_and_counts_what_it_could_not_write(tmp_path):
    """Pictures are bounded in number, and a path that can't be written costs only the picture."""
    album = Album()
    album.start()
    pixels = np.zeros((16, 20, 3), np.uint8)
    (tmp_path / "file").write_text("")
    album._write(Exhibit(tmp_path / "alarm-a.jpg", "t", pixels, None))
    album.show(Exhibit(tmp_path / "file" / "alarm-x.jpg", "t", pixels, None))
    for number in range(KEPT + 3):
        album._write(Exhibit(tmp_path / f"alarm-{number:03}.jpg", "t", pixels, pixels))
    album.stop(5)
    assert album.lost == 1
    kept = sorted(path.name for path in tmp_path.glob("alarm-*"))
    assert len(kept) == KEPT
    assert kept[-1] == f"alarm-{KEPT + 2:03}.jpg"
