"""Challenge parts: known defects must be stopped, and in time; else there is an alarm."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
import structlog

from edge import challenge
from edge.alarm import Alarms
from edge.challenge import Challenges
from edge.cli.challenge import challenge as command
from edge.clock import rfc3339
from edge.daemon import Daemon, armed
from edge.doctor.challenges import proofs
from edge.doctor.finding import State
from edge.messages import Severity
from edge.sections import Challenge
from edge.swap.control import ask
from export.errors import ConfigError
from export.verdict import Outcome, Reason
from tests.edge.box import BRIGHT, DARK, Box, folder_camera
from tests.edge.verdicts import verdict

HOURLY = {"top": Challenge(every_minutes=60)}
PLAN = "[cameras.top.challenge]\nevery_minutes = 60.0\n"


class Clock:
    """The wall clock, which a test may move."""

    def __init__(self):
        self.now = datetime(2026, 11, 24, 12, tzinfo=UTC)

    def ns(self):
        return round(self.now.timestamp() * 1e9)

    def pass_(self, minutes):
        self.now += timedelta(minutes=minutes)


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still."""
    made = Clock()
    monkeypatch.setattr(challenge, "wall_ns", made.ns)
    with structlog.testing.capture_logs():
        yield made


@pytest.fixture
def rig(tmp_path, clock):
    """(challenges of one camera, every hour; their alarms; how a part is judged)."""
    alarms = Alarms()
    made = Challenges(HOURLY, alarms, tmp_path)

    def judged(part, outcome=Outcome.FAIL, reason=Reason.ABOVE_FAIL, camera="top"):
        at = rfc3339(clock.ns())
        told = {"part": part, "outcome": outcome, "reason": reason, "score": 0.5}
        made.judged(verdict(1, 7, camera, captured_at=at, decided_at=at, **told))
        made.turn()
        return {one.name: one.severity for one in alarms.standing()}

    return made, alarms, judged


def test_a_challenge_that_passes_is_critical_until_one_is_stopped(rig):
    """Other parts may pass as they will; a second one that passes changes nothing."""
    _, _, judged = rig
    assert judged("bolt-1", Outcome.PASS, Reason.BELOW_PASS) == {}
    passed = {challenge.PASSED: Severity.CRITICAL}
    assert judged("challenge-scratch", Outcome.PASS, Reason.BELOW_PASS) == passed
    assert judged("bolt-2") == passed
    assert judged("challenge-scratch", Outcome.PASS, Reason.BELOW_PASS) == passed
    assert judged("challenge-scratch") == {}


@pytest.mark.parametrize("reason", [Reason.LATE, Reason.BAD_FRAME, Reason.INSPECTION_ERROR])
def test_a_fail_safe_verdict_proves_nothing(rig, clock, reason):
    """It was stopped, but not because anybody saw its defect: it is due all the same."""
    made, _, judged = rig
    clock.pass_(61)
    assert judged("challenge-1", reason=reason) == {challenge.OVERDUE: Severity.WARNING}
    assert made.last()["top"].stopped == 0


def test_one_that_does_not_come_in_time_is_a_warning(rig, clock):
    """An hour after the last one was stopped; the next one ends it, review counts as stopped."""
    made, alarms, judged = rig
    clock.pass_(59)
    assert judged("challenge-1") == {}
    clock.pass_(59)
    made.turn()
    assert alarms.standing() == ()
    clock.pass_(2)
    made.turn()
    assert [one.name for one in alarms.standing()] == [challenge.OVERDUE]
    assert judged("challenge-2", Outcome.REVIEW, Reason.IN_REVIEW_BAND) == {}


def test_what_was_passed_is_known_after_a_restart(rig, clock, tmp_path):
    """The alarm stands again, and the hours went on while the box was off."""
    _, _, judged = rig
    judged("challenge-1", Outcome.PASS, Reason.BELOW_PASS)
    clock.pass_(120)
    alarms = Alarms()
    again = Challenges(HOURLY, alarms, tmp_path)
    again.turn()
    assert {one.name for one in alarms.standing()} == {challenge.PASSED, challenge.OVERDUE}
    (tmp_path / challenge.FILE).write_text("{")
    assert challenge.read(tmp_path) == {}


def test_an_announced_part_needs_no_name(rig, clock):
    """So many parts that are captured from then on; those on their way are none."""
    made, _, judged = rig
    early = verdict(
        1, 3, "top", captured_at=rfc3339(clock.ns()), outcome=Outcome.PASS,
        reason=Reason.BELOW_PASS, score=0.1,
    )  # fmt: skip
    clock.pass_(1)
    made.announce("top", 2)
    made.judged(early)
    assert judged("n1") == {}
    assert judged("n2", Outcome.PASS, Reason.BELOW_PASS) == {challenge.PASSED: Severity.CRITICAL}
    assert judged("n3") == {challenge.PASSED: Severity.CRITICAL}
    assert made.last()["top"].stopped == 1


def test_a_camera_without_a_schedule_has_none(rig):
    """Its parts may be called what they will, and nothing can be announced for it."""
    made, _, judged = rig
    assert judged("challenge-1", Outcome.PASS, Reason.BELOW_PASS, camera="side") == {}
    made.schedule({})
    assert made.last() == {}


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ({}, State.DOUBTFUL),
        ({"since": "2026-11-24T11:30:00Z", "stopped": 3}, State.WELL),
        ({"since": "2026-11-24T09:30:00Z", "stopped": 3}, State.DOUBTFUL),
        ({"since": "2026-11-24T11:30:00Z", "stopped": 3, "passed": "challenge-9"}, State.ILL),
    ],
)
def test_the_doctor_says_how_the_last_one_went(tmp_path, monkeypatch, clock, told, state):
    """None yet, in time, overdue, passed: the last keeps the box from being armed."""
    monkeypatch.setattr("edge.doctor.challenges.wall_ns", clock.ns)
    box = Box(tmp_path)
    box.write(folder_camera() + PLAN)
    (tmp_path / "store").mkdir()
    if told:
        (tmp_path / "store" / challenge.FILE).write_text(json.dumps({"top": told}))
    (found,) = proofs(box.appliance())
    assert (found.state, bool(found.remedy)) == (state, state is not State.WELL)


def test_the_box_takes_challenges_through_its_line(tmp_path, capsys):
    """A bright part is announced and stopped, a dark one of that name passes: the alarm stands."""
    box = Box(tmp_path)
    for name, grey in (("a-good", DARK), ("b-bad", BRIGHT), ("challenge-dark", DARK)):
        box.pictures([grey], name)
    (tmp_path / "pictures").mkdir()
    for name in ("a-good", "b-bad", "challenge-dark"):
        (tmp_path / name / "p000.png").rename(tmp_path / "pictures" / f"{name}.png")
    settings = box.write(folder_camera() + PLAN)
    daemon = Daemon(box.appliance(), armed(box.appliance()))
    stop = threading.Event()
    thread = threading.Thread(
        target=daemon.run, args=(stop,), kwargs={"forever": True, "tick": lambda: None}
    )
    thread.start()
    try:
        deadline = threading.Event()
        for _ in range(200):
            if daemon.alarms.standing():
                break
            deadline.wait(0.05)
        (alarm,) = daemon.alarms.standing()
        assert (alarm.source, alarm.name) == ("top", challenge.PASSED)
        command(config=settings, camera=None)
        assert "challenge-dark" in capsys.readouterr().out
        with pytest.raises(ConfigError, match="no challenge parts are planned"):
            ask(tmp_path / "store", "challenge", camera="side", count=1)
        command(config=settings, camera="top", count=2)
        assert "the next 2 parts" in capsys.readouterr().out
    finally:
        stop.set()
        thread.join(10)


def test_a_schedule_may_come_while_the_box_looks(tmp_path, clock, monkeypatch):
    """Settings are taken over beside the main thread, which must not end over it."""
    made = Challenges({}, Alarms(), tmp_path)
    look = threading.Event()

    def meanwhile(ns):
        made.turn()
        look.set()
        return rfc3339(ns)

    monkeypatch.setattr(challenge, "rfc3339", meanwhile)
    made.schedule(HOURLY)
    assert look.is_set()


def test_a_schedule_that_is_left_out_and_put_back_forgets_no_alarm(tmp_path, clock):
    """A part that was passed stays passed until another is stopped."""
    alarms = Alarms()
    made = Challenges(HOURLY, alarms, tmp_path)
    made.judged(verdict(1, 1, "top", part="challenge-1", outcome=Outcome.PASS))
    assert [one.name for one in alarms.standing()] == [challenge.PASSED]
    made.schedule({})
    assert alarms.standing() == ()
    made.schedule(HOURLY)
    assert [one.name for one in alarms.standing()] == [challenge.PASSED]
