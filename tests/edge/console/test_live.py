import asyncio
import json
import math
import os
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.clock import monotonic_ns
from edge.console import control_chart, figures
from edge.console.bulletins import Bulletins
from edge.console.hub import Hub
from edge.console.web import stream
from edge.console.web.language import words
from edge.console.web.live import short, snapshot
from edge.console.web.stream import Stream
from edge.messages import Alarm, AlarmList, Health, OutboxReport, Severity, State
from edge.mqtt.address import BrokerSettings, BrokerUrl
from edge.store.tally import Group
from edge.topics import Topics
from export.sample import Why
from tests.broker import Mosquitto, needs_mosquitto
from tests.edge.console.plant import DOUBTED, FAILED, NOVEL, Plant
from tests.edge.verdicts import verdict


def drawn(now, code):
    """A snapshot that tells the newest verdict only."""
    return f"{code}{now.ticker[0].seq if now.ticker else 0}".encode()


class Watcher:
    """Takes what a stream sends; `slow`: never takes more than the first message."""

    def __init__(self, *, slow=False):
        self.got, self.slow = [], slow
        self.leave, self.more = asyncio.Event(), asyncio.Event()

    async def send(self, message):
        if message["type"] == "http.response.body":
            self.got.append(message["body"])
            self.more.set()
            if self.slow and len(self.got) > 1:
                await asyncio.sleep(3600)

    async def receive(self):
        await self.leave.wait()
        return {"type": "http.disconnect"}

    async def last(self, body):
        while not any(body in one for one in self.got):
            self.more.clear()
            await self.more.wait()


async def watching(hub, *watchers, may=lambda: True):
    """Tasks that stream the hub to the watchers."""
    scope = {"type": "http"}
    return [
        asyncio.create_task(Stream(hub, "en", may)(scope, one.receive, one.send))
        for one in watchers
    ]


@pytest.fixture
def quick(monkeypatch):
    """Snapshots as fast as they come."""
    monkeypatch.setattr("edge.console.hub.TICK_S", 0.0)


def test_a_slow_watcher_delays_nobody_and_is_let_go(quick, monkeypatch):
    """It takes nothing; the others get every newest snapshot; it is dropped, its place is free."""
    monkeypatch.setattr(stream, "SLOW_S", 0.05)

    async def story():
        hub = Hub(drawn)
        hub.start()
        slow, fast = Watcher(slow=True), Watcher()
        tasks = await watching(hub, slow, fast)
        for seq in range(1, 6):
            hub.hear([verdict(1, seq)])
            await fast.last(b"data: en%d\n" % seq)
        await tasks[0]
        assert hub.watchers == 1
        fast.leave.set()
        await tasks[1]
        assert hub.watchers == 0
        assert len(slow.got) <= 3
        hub.stop()

    asyncio.run(asyncio.wait_for(story(), 20))


def test_a_watcher_that_was_away_finds_the_newest_and_no_queue(quick):
    """However much happened meanwhile, what comes next is what is true now."""

    async def story():
        hub = Hub(drawn)
        hub.start()
        first = Watcher()
        (task,) = await watching(hub, first)
        await first.last(b"data: en0\n")
        hub.hear([verdict(1, seq) for seq in range(1, 1000)])
        await first.last(b"data: en999\n")
        assert sum(b"data" in one for one in first.got) <= 4
        first.leave.set()
        await task
        hub.stop()

    asyncio.run(asyncio.wait_for(story(), 20))


def test_nobody_watching_costs_nothing(quick):
    """No snapshot is made for nobody, and one language only is made for its readers."""
    made = []

    async def story():
        hub = Hub(lambda now, code: made.append(code) or drawn(now, code))
        hub.start()
        hub.hear([verdict(1, 1)])
        await asyncio.sleep(0.05)
        assert made == []
        one = Watcher()
        (task,) = await watching(hub, one)
        await one.last(b"data: en1\n")
        assert set(made) == {"en"}
        one.leave.set()
        await task
        hub.stop()

    asyncio.run(asyncio.wait_for(story(), 20))


def test_who_may_no_longer_watch_is_let_go(quick, monkeypatch):
    """Logged out, or the account closed: the stream ends, though the connection would go on."""
    monkeypatch.setattr(stream, "ASK_S", 0.0)

    async def story():
        hub = Hub(drawn)
        hub.start()
        one = Watcher()
        (task,) = await watching(hub, one, may=lambda: len(one.got) < 3)
        while not task.done():
            hub.touch()
            await asyncio.sleep(0.005)
        assert one.got[-1] == b""
        assert hub.watchers == 0
        hub.stop()

    asyncio.run(asyncio.wait_for(story(), 20))


def test_a_snapshot_that_fails_is_not_the_last(quick):
    """The hub lives: when it can be made again, it is."""
    broken = threading.Event()
    broken.set()

    def draw(now, code):
        if broken.is_set():
            raise RuntimeError("no")
        return drawn(now, code)

    async def story():
        hub = Hub(draw)
        hub.start()
        one = Watcher()
        (task,) = await watching(hub, one)
        await asyncio.sleep(0.02)
        broken.clear()
        hub.touch()
        await one.last(b"data: en0\n")
        one.leave.set()
        await task
        hub.stop()

    asyncio.run(asyncio.wait_for(story(), 20))


@pytest.fixture
def plant(tmp_path):
    """A box with verdicts of both cameras and one picture."""
    made = Plant(tmp_path)
    told = made.record(("top", {}), ("top", FAILED), ("side", DOUBTED), ("top", {}))
    made.keep(told[1], Why.FAIL)
    made.told = told
    return made


def test_a_snapshot_tells_the_last_part_and_whose_picture_it_shows(plant):
    """The verdict is the newest; an older part's picture is not passed off as its own."""
    with plant.open() as console:
        shot = snapshot(console.desk, console.desk.hub.now(), words("en"))
        json.dumps(shot)
        top, side = shot["cameras"]
        assert (top["outcome"], top["part"]) == ("pass", "part-3")
        assert (top["picture"]["part"], top["picture"]["same"]) == ("part-2", False)
        assert (side["outcome"], side["picture"]) == ("review", None)
        assert [one["outcome"] for one in shot["ticker"]] == ["pass", "review", "fail", "pass"]
        assert shot["waiting"] == 1
        assert shot["trouble"] == ""
        assert "name no broker" in shot["box"]["why"]
        page = console.get("/").text
        assert 'data-same="no"' in page
        assert "No picture kept yet" in page
        german = snapshot(console.desk, console.desk.hub.now(), words("de"))
        assert german["cameras"][0]["word"] == "Gut"


def test_pictures_come_with_and_without_their_heatmap(plant):
    """As JPEG, no wider than asked for, drawn over what the judge looked at only."""
    import cv2
    import numpy as np

    with plant.open() as console:
        name = console.desk.shelf.all()[0].id
        plain, hot = (
            console.get(f"/picture/{name}", params={"heat": on, "width": 320}) for on in (0, 1)
        )
        assert plain.headers["content-type"] == "image/jpeg"
        one, other = (
            cv2.imdecode(np.frombuffer(a.content, np.uint8), cv2.IMREAD_COLOR).astype(int)
            for a in (plain, hot)
        )
        changed = np.abs(one - other).max(axis=2) > 12
        assert changed[15:45, 20:60].any()
        assert not changed[:, :12].any()
        record = plant.samples.root / ".records" / f"{name}.json"
        record.unlink()
        console.desk.shelf.look()
        assert console.get(f"/picture/{name}").status_code == 404


def test_the_shelf_follows_the_folder(plant):
    """Added, labelled, removed by the daemon or by hand, half written: known as it is."""
    from edge.console.shelf import Shelf

    shelf = Shelf(plant.samples.root)
    assert shelf.look()
    assert not shelf.look()
    told = plant.record(("top", NOVEL))
    name = plant.keep(told[0], Why.NOVEL)
    (plant.samples.root / ".records" / ".half.json.part").write_text("{")
    (plant.samples.root / ".records" / "odd.json").write_text("{")
    assert shelf.look()
    assert [one.id for one in shelf.all()][-1] == name
    assert shelf.get("odd") is None
    assert shelf.newest("top", 1)[0].id == name
    plant.samples.remove(name)
    assert shelf.look()
    assert shelf.get(name) is None
    assert Shelf(plant.folder / "nowhere").look() is False


@given(
    st.lists(
        st.integers(1, 400).flatmap(lambda n: st.integers(0, n).map(lambda k: Group(0, n, k))),
        min_size=1,
    )
)
@settings(max_examples=30, deadline=None)
def test_control_limits_are_the_textbooks(groups):
    """p̄ ± 3 √(p̄(1-p̄)/n) within 0 and 1; a point is outside exactly when it lies beyond them."""
    made = control_chart.chart(groups, [])
    p = sum(one.rejects for one in groups) / sum(one.parts for one in groups)
    assert made.centre == pytest.approx(p)
    for point in made.points:
        reach = 3 * math.sqrt(p * (1 - p) / point.parts)
        assert point.low == pytest.approx(max(0, p - reach))
        assert point.high == pytest.approx(min(1, p + reach))
        assert point.outside is not (point.low <= point.share <= point.high)


def test_what_is_usual_is_learnt_from_before_where_that_is_enough():
    """20 groups before tell the centre; fewer don't, and the chart says so."""
    shown, before = [Group(0, 100, 50)], [Group(0, 100, 2)] * 20
    assert control_chart.chart(shown, before).centre == pytest.approx(0.02)
    assert control_chart.chart(shown, before).points[0].outside
    assert not control_chart.chart(shown, before[:-1]).from_reference
    assert control_chart.chart(shown, before[:-1]).centre == pytest.approx(0.5)
    assert control_chart.chart([], before[:-1]).centre is None


@pytest.mark.parametrize(
    ("zone", "at", "hours"),
    [
        ("Europe/Berlin", 1_774_785_600_000, 23),  # 29 March 2026: the clock goes forward
        ("Europe/Berlin", 1_792_929_600_000, 25),  # 25 October 2026: and back
        ("Asia/Kathmandu", 1_790_000_000_000, 24),  # a quarter of an hour off
    ],
)
def test_a_day_is_from_midnight_to_midnight_of_the_plant(monkeypatch, zone, at, hours):
    """Also where the clock is changed, and where the zone is no whole hour off."""
    import time

    monkeypatch.setitem(os.environ, "TZ", zone)
    time.tzset()
    try:
        span = figures.day(at)
        assert (span.until_ms - span.since_ms) / 3_600_000 == hours
        assert span.since_ms <= at < span.until_ms
        assert span.since_ms % 900_000 == 0
        assert figures.day(at, 1).until_ms == span.since_ms
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_end_of_a_long_name_tells_parts_apart():
    """A tile has room for nine characters."""
    assert short("part-1") == "part-1"
    assert short("belt-1795381200-118") == "…1200-118"


@needs_mosquitto
def test_the_box_is_believed_as_long_as_it_is_heard(tmp_path):
    """State, health and alarms come over MQTT; what isn't the box's changes nothing."""
    topics = Topics("acme/line1")
    with Mosquitto(tmp_path) as broker:
        from edge.mqtt.pipe import Pipe, Publication

        settings = BrokerSettings(BrokerUrl.parse(broker.url))
        heard = threading.Event()
        listener = Bulletins(settings, topics, heard.set)
        assert listener.now().online is None
        listener.start()
        pipe = Pipe(settings, "box")
        pipe.open()
        state = State(state="online", boots=1, session=1, epoch=1, version="1", at="")
        alarm = Alarm(source="top", name="camera_dark", severity=Severity.WARNING,
                      state="raised", since="2026-01-01T00:00:00Z")  # fmt: skip
        outbox = OutboxReport(depth=3, waiting_in_memory=0, quarantined=0, bytes=1)
        for name, message in (
            ("state", state),
            ("alarms", AlarmList(epoch=1, boots=1, number=1, alarms=(alarm,))),
            ("health", Health(at="", boots=1, epoch=1, outbox=outbox)),
        ):
            body = message.model_dump_json().encode()
            pipe.publish(Publication(topics(name), body, retain=True))
        pipe.publish(Publication(topics("alarms"), b"nonsense", retain=False))
        while not (listener.now().alarms and listener.now().health):
            pipe.step(0.05)
        now = listener.now()
        assert now.online is True
        assert now.fresh(monotonic_ns())
        assert not now.fresh(monotonic_ns() + 10**10)
        assert now.alarms.alarms == (alarm,)
        assert now.health.outbox.depth == 3
        broker.kill()
        while not listener.now().trouble:
            heard.wait(0.05)
        assert listener.now().online is None
        pipe.close()
        listener.stop()
