"""What a box will never send again doesn't hold up who reads its verdicts in order.

The box's own outbox and pump, a follower and an asker; the network and the time are made up.
"""

import sqlite3

import pytest

from edge.consumer.ask import Asker
from edge.consumer.follow import Follower, Gap
from edge.messages import CameraReport, Health
from edge.mqtt.pipe import Ack, Limits
from edge.mqtt.pump import Kind, Pump
from edge.outbox import Outbox
from edge.outbox.quarantine import Quarantine
from edge.topics import Topics
from export.verdict import Verdict
from tests.edge.verdicts import verdict

LIMIT = Limits(packet_bytes=2048)
STEP_S = 0.25


class Reader:
    """A consumer of one box from its first verdict on."""

    def __init__(self):
        self.follower, self.asker = Follower(from_start=True), Asker()
        self.got, self.lost, self.now = [], [], 0.0

    def read(self, outbox, seconds, *, heard=True):
        """So long beside a box that is online; `heard`: whether it hears what is asked."""
        pump, mid = Pump(outbox, Topics("acme/line")), 0
        pump.begin(LIMIT)
        for _ in range(round(seconds / STEP_S)):
            self.now += STEP_S
            now, acks = self.now, []
            for parcels in (pump.newest(), pump.parcels(now)):
                for parcel in parcels:
                    mid += 1
                    pump.sent(mid, parcel)
                    acks.append(Ack(mid, 0, ""))
                    if parcel.kind is not Kind.LAST:
                        self._hear(Verdict.from_json(parcel.publication.payload))
            pump.answered(acks, now)
            outbox.flush()
            aside = self._health(outbox)
            gaps = self.follower.gaps()
            for request in self.asker.due(gaps, now):
                if heard:
                    pump.ask(request)
            for gap in self.asker.hopeless(gaps, quarantine=aside > 0):
                self.got += self.follower.give_up(gap, "")
        self.lost += [lost.gap for lost in self.follower.take_lost()]
        return [one.seq for one in self.got]

    def _hear(self, one):
        if one.replay:
            self.asker.heard(one.camera, one.seq)
        self.got += self.follower.take(one)

    def _health(self, outbox):
        heads = {
            camera: CameraReport(oldest=oldest, newest=newest)
            for camera, (oldest, newest) in outbox.heads().items()
        }
        report = outbox.report()
        told = Health(at="", boots=outbox.boots, epoch=outbox.epoch, cameras=heads, outbox=report)
        self.got += self.follower.heads(told)
        return report.quarantined


@pytest.fixture
def outbox(tmp_path):
    """A record of verdicts 1 to 3."""
    opened = Outbox(tmp_path / "outbox.db")
    put(opened, range(1, 4))
    yield opened
    opened.close()


def put(outbox, numbers, **more):
    """Store verdicts."""
    for number in numbers:
        outbox.put(verdict(outbox.epoch, number, **more))
    assert outbox.flush()


def test_what_was_dropped_is_told_as_lost_and_the_rest_goes_on(tmp_path):
    """Too large for the broker, set aside, and then dropped by a person."""
    with_one = Outbox(tmp_path / "outbox.db")
    put(with_one, range(1, 4))
    large = {f"class {n} of a long name": 0.5 for n in range(60)}
    put(with_one, [4], detail="x" * 500, probabilities=large)
    put(with_one, range(5, 8))
    Reader().read(with_one, 5)
    with_one.close()
    with Quarantine(tmp_path / "outbox.db") as quarantine:
        assert quarantine.drop(None) == 1
    again, reader = Outbox(tmp_path / "outbox.db"), Reader()
    put(again, range(8, 11))
    assert reader.read(again, 60) == [1, 2, 3, 5, 6, 7, 8, 9, 10]
    assert reader.lost == [Gap("cam", again.epoch, 4, 4)]
    again.close()


def test_what_the_disk_has_spoilt_is_told_as_lost(tmp_path, outbox):
    """Acknowledged long ago, so that the box itself never looks at it again."""
    put(outbox, range(4, 11))
    outbox.mark_acked([row.n for row in outbox.unacked(50)])
    assert outbox.flush()
    spoil(tmp_path / "outbox.db", 3)
    reader = Reader()
    assert reader.read(outbox, 60) == [1, 2, *range(4, 11)]
    assert reader.lost == [Gap("cam", outbox.epoch, 3, 3)]


def test_nothing_is_given_up_while_the_box_may_not_have_heard(outbox):
    """No right to ask: the verdicts are there and wait."""
    outbox.mark_acked([row.n for row in outbox.unacked(50)])
    assert outbox.flush()
    reader = Reader()
    assert reader.read(outbox, 120, heard=False) == []
    assert reader.lost == []
    assert reader.read(outbox, 10) == [1, 2, 3]


def test_a_spoilt_last_one_waits_for_the_next(tmp_path, outbox):
    """Nothing stands behind it by which the box could show that it was passed over."""
    outbox.mark_acked([row.n for row in outbox.unacked(50)])
    assert outbox.flush()
    spoil(tmp_path / "outbox.db", 3)
    reader = Reader()
    assert reader.read(outbox, 60) == [1, 2]
    put(outbox, [4])
    assert reader.read(outbox, 60) == [1, 2, 4]
    assert reader.lost == [Gap("cam", outbox.epoch, 3, 3)]


def spoil(path, seq):
    """Overwrite a stored verdict, whatever guards it."""
    base = sqlite3.connect(path)
    for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type='trigger'").fetchall():
        base.execute(f"DROP TRIGGER {name}")
    base.execute("UPDATE verdict SET body=zeroblob(20) WHERE seq=?", (seq,))
    base.commit()
    base.close()
