import json
import threading
import time

import pytest
import structlog

from edge.camera.slot import Slot
from edge.flagged.keeper import Keeper, KeeperSettings
from edge.flagged.pantry import Quota
from edge.health import Health
from edge.inspection.bench import Bench
from edge.inspection.command import Orders
from edge.inspection.lane import Lane
from edge.inspection.part import Terms
from edge.messages import Flag, read
from edge.trigger.trigger import EveryFrame, OnOrder
from export.verdict import Outcome, Reason
from tests.edge.inspection.test_bench import Judge, Record, frame, terms


@pytest.fixture(autouse=True)
def quiet():
    """What is planted is not printed."""
    with structlog.testing.capture_logs():
        yield


@pytest.fixture
def line():
    """A live camera `eye` whose parts are ordered: (orders, slot, record)."""
    health, record, slot = Health(("eye",)), Record(), Slot()
    bench = Bench(record, 7, health)
    lane = Lane(slot, OnOrder(), terms(Judge(), deadline_ms=300), bench, health)
    bench.start()
    lane.start()
    yield Orders({"eye": lane}, None), slot, record
    slot.close()
    lane.join(2)
    bench.stop(2)


class Attentive(OnOrder):
    """Remembers what it was shown."""

    def __init__(self):
        self.seen = []

    def see(self, seen):
        self.seen.append(seen.number)
        return []


def said(**fields):
    """A payload."""
    return json.dumps(fields).encode()


def verdicts(record, count, timeout_s=3.0):
    """Wait for that many verdicts."""
    limit_s = time.monotonic() + timeout_s
    while len(record.verdicts) < count and time.monotonic() < limit_s:
        time.sleep(0.002)
    return record.verdicts


def test_an_ordered_part_is_judged_in_the_next_frame_and_keeps_its_name(line):
    """Frames alone are no parts; the one after the order is, and only once."""
    orders, slot, record = line
    slot.put(frame(1))
    time.sleep(0.05)
    orders.trigger(said(camera="eye", part="bolt-0815"))
    slot.put(frame(2))
    assert len(verdicts(record, 1)) == 1
    slot.put(frame(3))
    time.sleep(0.05)
    (verdict,) = record.verdicts
    assert (verdict.part, verdict.frame, verdict.outcome) == ("bolt-0815", 2, Outcome.PASS)


def test_a_name_that_cannot_be_said_costs_no_verdict(line):
    """A PLC's padding, a newline: the part is judged, and its name says what can be said."""
    orders, slot, record = line
    orders.trigger(said(camera="eye", part="bolt\x00\n\x1b[2J"))
    slot.put(frame(2))
    (verdict,) = verdicts(record, 1)
    assert (verdict.part, verdict.outcome) == ("bolt\ufffd\ufffd\ufffd[2J", Outcome.PASS)
    assert read(Flag, said(camera="eye", part="bolt\x00\n\x1b[2J")).part == verdict.part


def test_a_part_that_no_frame_shows_is_answered_by_its_deadline(line):
    """A dead camera: fail-safe, in time, counted from the order."""
    orders, slot, record = line
    orders.trigger(said(camera="eye", part="lost"))
    (verdict,) = verdicts(record, 1)
    assert (verdict.part, verdict.reason) == ("lost", Reason.BAD_FRAME)
    assert verdict.detail == "no frame came within 300 ms of the trigger"
    assert verdict.latency_ms.total < 320
    slot.put(frame(9))
    time.sleep(0.05)
    assert len(record.verdicts) == 1


def test_a_message_that_comes_twice_is_one_order(line):
    """By its id; without one each message counts."""
    orders, slot, record = line
    for _ in range(2):
        orders.trigger(said(camera="eye", part="a", id="m-1"))
    for _ in range(2):
        orders.trigger(said(camera="eye", part="b"))
    slot.put(frame(1))
    assert [one.part for one in verdicts(record, 3)] == ["a", "b", "b"]
    time.sleep(0.05)
    assert len(record.verdicts) == 3


@pytest.mark.parametrize(
    "payload",
    [b"", b"[]", said(camera="other"), said(camera="eye", hurry=True), said(camera="eye", part=5)],
)
def test_a_wrong_order_changes_nothing(line, payload):
    """Unreadable, for a camera that takes none, with a field too many or of another type."""
    orders, slot, record = line
    with pytest.raises(ValueError, match=r"."):
        orders.trigger(payload)
    slot.put(frame(1))
    time.sleep(0.02)
    assert record.verdicts == []


def test_a_camera_that_finds_its_parts_takes_no_orders():
    """Two ways to find a part would give two verdicts."""
    health = Health(("eye",))
    lane = Lane(Slot(), EveryFrame(), terms(Judge()), Bench(Record(), 7, health), health)
    with pytest.raises(ValueError, match="trigger 'command'"):
        Orders({"eye": lane}, None).trigger(said(camera="eye"))


def test_a_flag_where_nothing_is_kept_is_refused(line):
    """Whoever pressed must not believe that it helped."""
    with pytest.raises(ValueError, match="keep_gb is 0"):
        line[0].flag(said(camera="eye"))


def test_an_ordered_part_of_several_frames_is_judged_in_the_next_ones():
    """Each order gets the frames after it, as many as were asked for, and one verdict."""
    health, record, slot = Health(("eye",)), Record(), Slot()
    bench = Bench(record, 7, health)
    several = Terms("eye", Judge(), 5_000.0, 10, frames=3)
    lane = Lane(slot, eye := Attentive(), several, bench, health)
    bench.start()
    lane.start()
    orders = Orders({"eye": lane}, None)
    orders.trigger(said(camera="eye", part="a"))
    for number in range(4):
        if number == 1:
            orders.trigger(said(camera="eye", part="b"))
        slot.put(frame(number))
        limit_s = time.monotonic() + 5
        while len(eye.seen) <= number and time.monotonic() < limit_s:
            time.sleep(0.001)
    told = {one.part: [view.frame for view in one.fused.views] for one in verdicts(record, 2)}
    slot.close()
    lane.join(2)
    bench.stop(2)
    assert told == {"a": [0, 1, 2], "b": [1, 2, 3]}


def test_a_flag_for_a_camera_that_is_not_there_is_refused(tmp_path):
    """It is no business of the keeper's, whose counts know the box's cameras only."""
    health = Health(("eye",))
    keeper = Keeper(KeeperSettings(tmp_path, Quota(10**6, 0)), health)
    keeper.start()
    lane = Lane(Slot(), EveryFrame(), terms(Judge()), Bench(Record(), 7, health), health)
    with pytest.raises(ValueError, match="no camera 'nobody'"):
        Orders({"eye": lane}, keeper).flag(said(camera="nobody", epoch=1, seq=1))
    Orders({"eye": lane}, keeper).flag(said(camera="eye", epoch=1, seq=1))
    assert keeper.flush(2)
    assert keeper._thread.is_alive()
    keeper.stop(1)


def test_orders_for_a_dead_camera_do_not_gather(line):
    """Without a frame nobody takes an order; once it has its verdict it is forgotten."""
    orders, _, record = line
    lane = orders._lanes["eye"]
    for number in range(30):
        orders.trigger(said(camera="eye", part=f"p{number}"))
    assert len(verdicts(record, 30)) == 30
    orders.trigger(said(camera="eye", part="last"))
    assert len(lane._orders) == 1


def test_an_ordered_part_whose_judge_hangs_is_late_and_names_its_frame():
    """It isn't the camera that is to blame: its frame came."""
    health, record, slot, hangs = Health(("eye",)), Record(), Slot(), threading.Event()
    bench = Bench(record, 7, health)
    lane = Lane(slot, OnOrder(), terms(Judge(gate=hangs), deadline_ms=80), bench, health)
    bench.start()
    lane.start()
    lane.order("a")
    slot.put(frame(3))
    (verdict,) = verdicts(record, 1)
    hangs.set()
    slot.close()
    lane.join(2)
    bench.stop(2)
    assert (verdict.part, verdict.frame, verdict.reason) == ("a", 3, Reason.LATE)
    assert health.counts("eye").triggers == health.counts("eye").verdicts == 1


def test_orders_beyond_the_room_do_not_gather():
    """They have their verdicts at once and need no frame, however long the deadline."""
    health, record = Health(("eye",)), Record()
    bench = Bench(record, 7, health)
    lane = Lane(Slot(), OnOrder(), terms(Judge(), room=4), bench, health)
    for number in range(50):
        lane.order(f"p{number}")
    assert [one.reason for one in record.verdicts] == [Reason.OVERLOAD] * 46
    assert len(lane._orders) == 4


def test_one_part_may_be_announced_to_several_cameras():
    """With the same id: each camera's message is one of its own."""
    health, record = Health(("eye", "side")), Record()
    bench = Bench(record, 7, health)
    lanes = {
        name: Lane(Slot(), OnOrder(), Terms(name, Judge(), 60_000, 4), bench, health)
        for name in ("eye", "side")
    }
    orders = Orders(lanes, None)
    for camera in ("eye", "side", "eye", "side"):
        orders.trigger(said(camera=camera, part="a", id="m-1"))
    assert [len(lane._orders) for lane in lanes.values()] == [1, 1]
