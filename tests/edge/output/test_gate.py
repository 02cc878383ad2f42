import threading
import time

import pytest
import structlog

from edge.alarm import Alarms
from edge.clock import monotonic_ns
from edge.health import Health
from edge.output.gate import LOST, WAITING, GateSettings, RejectGate, Shown
from export.errors import OutputError
from export.verdict import Outcome

SECOND = 1_000_000_000


class Wire:
    """Notes what it is told; refuses while `broken`, is slow by `seconds`."""

    def __init__(self):
        self.accepting, self.told, self.beats, self.opened = None, [], [], 0
        self.broken, self.seconds, self.tried, self.at_s = False, 0.0, 0, []

    def open(self):
        self.tried += 1
        self._say()
        self.opened += 1
        self.accepting = False

    def show(self, *, accept, shown):
        self._say()
        self.accepting = accept
        self.at_s.append(time.monotonic())
        self.told.append((accept, shown.seq if shown else None))

    def beat(self, count):
        self._say()
        self.beats.append(count)

    def close(self):
        self.accepting = False

    def _say(self):
        time.sleep(self.seconds)
        if self.broken:
            raise OutputError("no wire")


@pytest.fixture(autouse=True)
def quiet():
    """Planted failures are not printed."""
    with structlog.testing.capture_logs():
        yield


@pytest.fixture
def rig():
    """A gate at work: (gate, wire, health, alive)."""
    wire, health, alive = Wire(), Health(("eye",)), threading.Event()
    alive.set()
    gate = RejectGate("eye", wire, GateSettings(0.05, 0.02), health, alarms=Alarms(),
                      alive=alive.is_set)  # fmt: skip
    gate.start()
    assert until(lambda: wire.opened)
    yield gate, wire, health, alive
    gate.stop(2)


def until(holds, timeout_s=3.0):
    """Wait until `holds()`; whether it did in time."""
    limit_s = time.monotonic() + timeout_s
    while not holds() and time.monotonic() < limit_s:
        time.sleep(0.001)
    return bool(holds())


def shown(outcome=Outcome.PASS, seq=1, left_s=1.0):
    """A decision whose part can be let through for `left_s` more."""
    return Shown(outcome, seq, monotonic_ns() + round(left_s * SECOND))


def test_a_pass_is_shown_for_a_moment(rig):
    """Accept, and reject again when its time is over."""
    gate, wire, _, _ = rig
    gate.decide(shown(seq=5))
    assert until(lambda: wire.told == [(True, 5), (False, None)])
    assert wire.at_s[1] - wire.at_s[0] > 0.045  # hold_s is 0.05


@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.REVIEW])
def test_only_a_pass_is_accepted_and_anything_else_ends_one(rig, outcome):
    """A part that isn't passed doesn't slip through behind one that is."""
    gate, wire, _, _ = rig
    gate.decide(shown(seq=1))
    gate.decide(shown(outcome, 2))
    assert until(lambda: len(wire.told) == 2)
    assert wire.told == [(True, 1), (False, 2)]


def test_a_stale_pass_is_never_shown(rig):
    """Another part may stand before the gate by now."""
    gate, wire, health, _ = rig
    gate.decide(shown(seq=1, left_s=-0.001))
    assert until(lambda: wire.told)
    assert wire.told == [(False, 1)]
    assert gate.stale == 1
    assert health.counts("eye").faults == {"output_missed": 1}


def test_a_pass_that_a_slow_wire_shows_too_late_is_taken_back(rig):
    """It began in time; when the wire has answered another part may stand there."""
    gate, wire, health, _ = rig
    wire.seconds = 0.03
    gate.decide(shown(seq=1, left_s=0.08))
    assert until(lambda: wire.told)
    wire.seconds = 0.1
    gate.decide(shown(seq=2, left_s=0.05))
    assert until(lambda: (True, 2) in wire.told)
    assert until(lambda: not wire.accepting, 0.15)  # hold_s has not passed since it was shown
    assert gate.stale == 1
    assert health.counts("eye").faults == {"output_missed": 1}
    wire.seconds = 0.0


def test_a_pass_never_follows_the_decision_about_a_later_part(rig):
    """Two threads decide; a pass that one was slow to hand over lets no later part through."""
    gate, wire, _, _ = rig
    gate.decide(shown(Outcome.FAIL, seq=6))
    gate.decide(shown(seq=5))
    gate.decide(shown(seq=7))
    assert until(lambda: (True, 7) in wire.told)
    assert wire.told == [(False, 6), (True, 7)]
    assert gate.stale == 1


def test_the_heartbeat_stands_still_when_nobody_decides(rig):
    """It beats for as long as every part gets its verdict, and no longer."""
    _, wire, _, alive = rig
    assert until(lambda: len(wire.beats) > 3)
    assert wire.beats[:4] == [1, 2, 3, 4]  # each another: a wire shows whether it is odd
    alive.clear()
    time.sleep(0.05)
    before = len(wire.beats)
    time.sleep(0.1)
    assert len(wire.beats) == before
    alive.set()
    assert until(lambda: len(wire.beats) > before)


def test_a_broken_wire_is_a_fault_and_is_mended(rig):
    """What was passed meanwhile is not accepted afterwards; then it works again."""
    gate, wire, health, _ = rig
    wire.broken = True
    assert until(health.standing)
    assert "no wire" in health.standing()[0]
    for seq in range(3):
        gate.decide(shown(seq=seq, left_s=0.05))
    time.sleep(0.1)
    wire.broken = False
    assert until(lambda: not health.standing())
    assert not any(accept for accept, _ in wire.told)
    assert gate.stale == 3
    gate.decide(shown(seq=9))
    assert until(lambda: (True, 9) in wire.told)


def test_it_beats_and_tries_again_at_its_pace(rig):
    """Neither the wire nor the processor is worn by it: every beat_s, and later and later."""
    _, wire, _, _ = rig
    before = len(wire.beats)
    time.sleep(0.2)
    assert len(wire.beats) - before <= 11  # beat_s is 0.02
    wire.broken, wire.tried = True, 0
    time.sleep(0.3)
    assert 1 <= wire.tried <= 4  # after 0.05, 0.1, 0.2 s
    wire.broken = False


def test_a_slow_wire_holds_nobody_up(rig):
    """Deciding takes no time however slow the wire; what finds no room is rejected."""
    gate, wire, _, _ = rig
    wire.seconds = 0.05
    started_s = time.monotonic()
    for seq in range(WAITING + 20):
        gate.decide(shown(seq=seq, left_s=0.01))
    assert time.monotonic() - started_s < 0.05
    assert gate.stale >= 10
    wire.seconds = 0.0


def test_a_gate_that_stops_rejects(rig):
    """The last thing that the wire hears."""
    gate, wire, _, _ = rig
    gate.decide(shown())
    assert until(lambda: wire.accepting)
    gate.stop(2)
    assert wire.accepting is False


def test_a_lost_gate_is_an_alarm_until_it_is_back(rig):
    """Critical, since good parts are rejected: the box is not ready meanwhile."""
    gate, wire, _, _ = rig
    wire.broken = True
    assert until(gate._alarms.standing)
    (alarm,) = gate._alarms.standing()
    assert (alarm.source, alarm.name, alarm.severity) == ("eye", LOST, "critical")
    assert "no wire" in alarm.detail
    wire.broken = False
    assert until(lambda: not gate._alarms.standing())
