"""Laws of the pump, without a network: order, windows, refusals, poison, and fairness."""

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.messages import Replay
from edge.mqtt import pump
from edge.mqtt.pipe import Ack, Limits
from edge.mqtt.pump import PATIENCE, REPLAY_REQUESTS, Kind, Pump
from edge.outbox import Row
from edge.topics import Topics
from tests.edge.verdicts import verdict


class Shelf:
    """An outbox in memory."""

    epoch = 1

    def __init__(self, count, cameras=("cam",)):
        self.rows, self.acked, self.aside = [], [], {}
        for seq in range(1, count + 1):
            for camera in cameras:
                self.add(seq, camera)

    def add(self, seq, camera="cam", detail=""):
        body = verdict(1, seq, camera, detail=detail).to_json()
        self.rows.append(Row(len(self.rows) + 1, camera, seq, body))

    def unacked(self, limit, after=0):
        done = {*self.acked, *self.aside}
        return [r for r in self.rows if r.n > after and r.n not in done][:limit]

    def newest(self):
        return list({r.camera: r for r in self.rows if r.n not in self.aside}.values())

    def replay(self, camera, first, last, limit=50):
        kept = (r for r in self.rows if r.camera == camera and r.n not in self.aside)
        return [r for r in kept if first <= r.seq <= last][:limit]

    def mark_acked(self, rows):
        self.acked += rows

    def quarantine(self, n, reason):
        self.aside[n] = reason


class Wire:
    """Sends what the pump gives, and answers as `answer(parcel)` says: a failure, "" or None."""

    def __init__(self, shelf, answer=lambda _parcel: "", **more):
        self.shelf, self.answer, self.now, self.mid = shelf, answer, 0.0, 0
        self.pump = Pump(shelf, Topics("acme"), **more)
        self.sent, self.waiting, self.most = [], [], 0
        self.pump.begin(Limits())

    def turn(self, code=0x87):
        """One turn: send all that may go, then take all answers."""
        for parcel in chain(self.pump.newest(), self.pump.parcels(self.now)):
            self.mid += 1
            self.pump.sent(self.mid, parcel)
            self.sent.append(parcel)
            self.waiting.append((self.mid, parcel))
        self.most = max(self.most, len(self.waiting))
        answers = [(mid, self.answer(parcel)) for mid, parcel in self.waiting]
        self.waiting = [
            w for w, (_, said) in zip(self.waiting, answers, strict=True) if said is None
        ]
        acks = [Ack(mid, code if said else 0, said) for mid, said in answers if said is not None]
        self.pump.answered(acks, self.now)
        self.now += 0.1

    def seqs(self, kind=Kind.VERDICT, camera="cam"):
        return [p.row.seq for p in self.sent if p.kind is kind and p.row.camera == camera]


@given(st.integers(0, 120), st.integers(1, 60))
def test_rows_go_out_once_in_order_within_the_window(count, window):
    """Everything arrives, nothing twice, and never more in flight than allowed."""
    shelf = Shelf(count)
    wire = Wire(shelf, window=window)
    for _ in range(2 * count + 3):
        wire.turn()
    assert wire.seqs() == list(range(1, count + 1))
    assert sorted(shelf.acked) == [row.n for row in shelf.rows]
    assert wire.most <= window


def test_the_newest_does_not_wait_for_the_backlog():
    """The first parcels of a connection are each camera's newest verdict."""
    wire = Wire(Shelf(500, ("left", "right")))
    wire.turn()
    assert [(p.kind, p.row.seq) for p in wire.sent[:2]] == [(Kind.LAST, 500)] * 2
    assert all(p.publication.retain == (p.kind is Kind.LAST) for p in wire.sent)


def test_what_is_stored_meanwhile_does_not_wait_for_the_batch():
    """A verdict stored while a batch goes out ends the batch, and its `last` is sent next."""
    shelf = Shelf(500)
    wire = Wire(shelf)
    wire.turn()
    begun = wire.pump.parcels(wire.now)
    wire.pump.sent(1001, next(begun))
    shelf.add(501)
    wire.pump.stored()
    assert list(begun) == []
    assert [(p.kind, p.row.seq) for p in wire.pump.newest()] == [(Kind.LAST, 501)]
    assert wire.pump.behind


def test_a_refused_camera_waits_and_the_others_do_not():
    """Refusals hold one camera, one probe at a time; when it is let in, its order is kept."""
    shelf = Shelf(200, ("bad", "good"))
    refusing = ["Not authorized"]
    wire = Wire(shelf, lambda p: refusing[0] if p.row.camera == "bad" else "")
    for _ in range(20):
        wire.turn()
    assert wire.seqs(camera="good") == list(range(1, 201))
    assert len(wire.seqs(camera="bad")) < 60
    for _ in range(400):
        wire.turn()
    assert "verdicts of bad: Not authorized" in wire.pump.faults()[0]
    before, refusing[0] = len(wire.sent), ""
    for _ in range(200):
        wire.turn()
    late = [p.row.seq for p in wire.sent[before:] if p.kind is Kind.VERDICT]
    assert late == list(range(1, 201))
    assert wire.pump.faults() == ()


def break_on(wire, poison, code, connections):
    """Connections that end (with `code`) whenever row `poison` is on its way."""
    for _ in range(connections):
        wire.turn()
        if any(p.row.n == poison and p.kind is Kind.VERDICT for _, p in wire.waiting):
            wire.pump.broke(code)
            wire.waiting.clear()
            wire.pump.begin(Limits())


def test_poison_is_found_among_its_neighbours_and_set_aside():
    """Named by the broker it takes three connections, unnamed ten; no other row suffers."""
    for code, most in ((0x95, 12), (None, 3 * PATIENCE)):
        shelf = Shelf(120)
        wire = Wire(shelf, lambda p, shelf=shelf: None if p.row.n > 76 and not shelf.aside else "")
        break_on(wire, 77, code, most + 40)
        for _ in range(200):
            wire.turn()
        assert list(shelf.aside) == [77]
        assert sorted(set(shelf.acked)) == [n for n in range(1, 121) if n != 77]


def test_a_row_over_the_brokers_limit_is_not_even_sent():
    """What can't fit is set aside at once, with the limit in the reason."""
    shelf = Shelf(3)
    shelf.add(4, detail="x" * 400)
    shelf.add(5)
    wire = Wire(shelf)
    wire.pump.begin(Limits(packet_bytes=len(shelf.rows[0].body) + 60))
    wire.turn()
    assert list(shelf.aside) == [4]
    assert "bytes" in shelf.aside[4]
    assert wire.seqs() == [1, 2, 3, 5]


def test_flapping_connections_convict_nobody():
    """Connections that end while different rows are on their way set nothing aside."""
    shelf = Shelf(400)
    wire = Wire(shelf, window=10)
    for _ in range(60):
        wire.turn()
        for _mid, parcel in zip(range(3), wire.pump.parcels(wire.now), strict=False):
            wire.mid += 1
            wire.pump.sent(wire.mid, parcel)
        wire.pump.broke(None)
        wire.pump.begin(Limits())
    assert shelf.aside == {}


def test_what_is_asked_for_does_not_wait_for_a_backlog_nor_for_suspicion():
    """Replays get their share of the window during a long drain, and after broken connections."""
    shelf = Shelf(6000)
    wire = Wire(shelf)
    for _ in range(5):  # the newest and a replay fly along when the connection breaks
        wire.pump.ask(Replay(camera="cam", epoch=1, first=1, last=90))
        for parcel in wire.pump.parcels(wire.now):
            wire.mid += 1
            wire.pump.sent(wire.mid, parcel)
        wire.pump.broke(None)
        wire.pump.begin(Limits())
    wire.pump.ask(Replay(camera="cam", epoch=1, first=1, last=90))
    for _ in range(75):
        wire.turn()
    assert wire.seqs(Kind.REPLAY) == list(range(1, 91))
    assert len(shelf.acked) < 6000, "the backlog was still draining"
    assert all(
        b'"replay":true' in p.publication.payload for p in wire.sent if p.kind is Kind.REPLAY
    )


@pytest.mark.parametrize("score", [3.2e-7, 0.5, 1.0])
def test_what_is_sent_again_is_the_same_to_the_byte_but_for_replay(score):
    """A consumer may compare bytes."""
    body = verdict(1, 1, score=score).to_json()
    again = pump._replayed(body)
    assert again == body.replace(b'"replay":false', b'"replay":true')
    assert again != body


def test_requests_are_bounded_and_refusals_counted():
    """Another epoch and a flood are refused; the same request twice is one."""
    pump = Pump(Shelf(1), Topics("acme"))
    request = Replay(camera="cam", epoch=1, first=1, last=2**50)
    assert pump.ask(request)
    assert not pump.ask(request.model_copy(update={"epoch": 2}))
    for first in range(2, REPLAY_REQUESTS + 10):
        pump.ask(request.model_copy(update={"first": first}))
    assert pump.replay_refused == 10
