"""Sparkplug B 3.0, decoded by code that was compiled from Eclipse Tahu's own protobuf."""

import json
import shutil
import signal
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from edge.gateway.mailbox import Mailbox
from edge.gateway.sparkplug import edge_node
from edge.gateway.sparkplug.birth import Node
from edge.gateway.sparkplug.edge_node import EdgeNode
from edge.gateway.sparkplug.payload import Codec, DataType, Metric
from edge.gateway_tables import Sparkplug
from edge.messages import CameraReport, Health, OutboxReport, State
from edge.mqtt.address import BrokerSettings, BrokerUrl
from tests.broker import needs_mosquitto
from tests.edge.gateway.official import decoded, order, payload_class
from tests.edge.gateway.plant import plant
from tests.edge.verdicts import verdict

ROOT = Path(__file__).parents[3]
TABLE = '[gateway.sparkplug]\ngroup = "plant1"\nnode = "cell1"\n'
HERE = "spBv1.0/plant1"
VALUES = [
    (DataType.STRING, "größer", "größer"),
    (DataType.DOUBLE, 0.1, 0.1),
    (DataType.UINT64, 2**53, 2**53),
    (DataType.INT64, 7, 7),
    (DataType.BOOLEAN, False, False),
    (DataType.DATE_TIME, datetime(2026, 11, 24, tzinfo=UTC), 1795478400000),
    (DataType.DOUBLE, None, None),
]


def said(ear):
    """[(kind, device, body)] of all Sparkplug messages so far, in order.

    Without orders, and without deaths of a node that isn't alive: with those it tries its rights.
    """
    found, alive = [], False
    for topic, body, retain, _ in list(ear.messages):
        if topic.startswith(f"{HERE}/"):
            assert not retain
            kind, node, *device = topic.removeprefix(f"{HERE}/").split("/")
            assert node == "cell1"
            if kind != "NCMD" and (alive or kind != "NDEATH"):
                found.append((kind, "".join(device), body))
            alive = (alive or kind == "NBIRTH") and kind != "NDEATH"
    return found


def of(ear, kind):
    """The messages of a kind, decoded."""
    return [decoded(body) for one, _, body in said(ear) if one == kind]


def in_turn(messages):
    """Whether seq runs 0, 1, 2 … 255, 0 from each NBIRTH on, and deaths have none."""
    due = None
    for kind, _, body in messages:
        seq, _ = decoded(body)
        if kind == "NDEATH":
            assert seq is None
            due = None
            continue
        due = 0 if kind == "NBIRTH" else due
        assert due is not None, f"{kind} before any birth"
        assert seq == due, (kind, seq, due)
        due = (due + 1) % 256
    return True


@needs_mosquitto
def test_a_node_is_born_tells_is_born_again_on_request_and_dies(tmp_path):
    """Births say every metric, data what is new; seq and bdSeq hold; the box's death is told."""
    payload_class()
    with plant(tmp_path, TABLE, f"{HERE}/#") as it:
        it.start("run", "gateway")
        ear = it.ear
        assert ear.wait_for(lambda ear: len(results(ear)) >= 5, 30), "no data"
        ear.publish(f"{HERE}/NCMD/cell1", b"\xff nonsense")
        ear.publish(f"{HERE}/NCMD/cell1", order("Node Control/Rebirth"))
        assert ear.wait_for(lambda ear: len(of(ear, "NBIRTH")) == 2)
        assert ear.wait_for(lambda ear: len(of(ear, "DBIRTH")) == 2)
        it.end("box", signal.SIGKILL)
        assert ear.wait_for(lambda ear: len(of(ear, "NDEATH")) == 1, 30), "no death"
        it.start("run")
        assert ear.wait_for(lambda ear: len(of(ear, "NBIRTH")) == 3, 30), "no new birth"
        count = len(results(ear))
        assert ear.wait_for(lambda ear: len(results(ear)) > count + 3, 30)
        it.end("gateway", signal.SIGKILL)
        assert ear.wait_for(lambda ear: len(of(ear, "NDEATH")) == 2, 30), "the will was not told"
        messages, verdicts = said(ear), dict(it.verdicts())
    assert in_turn(messages)
    births, deaths = of(ear, "NBIRTH"), of(ear, "NDEATH")
    assert [one["bdSeq"][1] for _, one in births] == [0, 0, 1]
    assert [one["bdSeq"][1] for _, one in deaths] == [0, 1]
    assert births[0][1]["Node Control/Rebirth"] == (11, False, False)
    known = {name: told[0] for name, told in of(ear, "DBIRTH")[0][1].items()}
    for _, metrics in of(ear, "DDATA"):
        assert {name: told[0] for name, told in metrics.items()}.items() <= known.items()
    for metrics in results(ear):
        assert verdicts[metrics["Result/Seq"][1]] == metrics["Result/Outcome"][1]
    seqs = [one["Result/Seq"][1] for one in results(ear)]
    assert seqs == sorted(set(seqs))


def results(ear):
    """The metrics of each verdict that was told."""
    return [metrics for _, metrics in of(ear, "DDATA") if "Result/Seq" in metrics]


@pytest.mark.slow
@needs_mosquitto
def test_what_happened_before_a_birth_is_historical(tmp_path):
    """A gateway that comes back tells the verdicts that it missed, marked as old, none twice."""
    with plant(tmp_path, TABLE, f"{HERE}/#") as it:
        it.start("run", "gateway")
        assert it.ear.wait_for(lambda ear: len(results(ear)) >= 3, 30)
        assert it.end("gateway") == 0
        told = {one["Result/Seq"][1] for one in results(it.ear)}
        assert it.ear.wait_for(lambda _: len(it.verdicts()) > len(told) + 10, 30)
        it.start("gateway")
        assert it.ear.wait_for(lambda ear: any(old(one) for one in results(ear)), 30)
        newest = it.verdicts()[-1][0]
        assert it.ear.wait_for(
            lambda ear: {one["Result/Seq"][1] for one in results(ear)} >= set(range(1, newest)), 30
        )
        of_them = results(it.ear)
        seqs = [one["Result/Seq"][1] for one in of_them]
        assert len(seqs) == len(set(seqs))
        assert not any(old(one) for one in of_them if one["Result/Seq"][1] in told)
        assert in_turn(said(it.ear))


def old(metrics):
    """Whether all of it is marked as historical."""
    return all(told[2] for told in metrics.values())


@pytest.mark.slow
@needs_mosquitto
def test_nothing_is_said_without_the_primary_host(tmp_path):
    """Born when the host is online, dead when it goes; an old STATE that comes late is ignored."""
    table = TABLE + 'primary_host = "scada"\n'
    with plant(tmp_path, table, f"{HERE}/#") as it:
        it.start("run", "gateway")
        assert it.ear.wait_for(lambda _: len(it.verdicts()) >= 3, 30)
        time.sleep(0.5)
        assert said(it.ear) == []
        host(it, online=True, at=2000)
        assert it.ear.wait_for(lambda ear: len(of(ear, "NBIRTH")) == 1, 15)
        host(it, online=False, at=1000)
        time.sleep(0.5)
        assert of(it.ear, "NDEATH") == []
        host(it, online=False, at=3000)
        assert it.ear.wait_for(lambda ear: len(of(ear, "NDEATH")) == 1, 15)


def host(it, *, online, at):
    """The host application says how it is."""
    body = json.dumps({"online": online, "timestamp": at})
    it.ear.publish("spBv1.0/STATE/scada", body, retain=True).wait_for_publish(5)


@pytest.mark.parametrize(("datatype", "value", "read"), VALUES)
def test_every_kind_of_value_is_read_as_it_was_said(datatype, value, read):
    """By the official classes, with its datatype, or as null."""
    body = Codec().encode([Metric("it", datatype, value, 5)], 1_700_000_000_000, 255)
    assert decoded(body) == (255, {"it": (int(datatype), read, False)})


@pytest.mark.parametrize("body", [b"\xff\xff", b"x" * 70_000])
def test_a_command_that_is_none_is_refused(body):
    """Not protobuf, or too long."""
    with pytest.raises(ValueError, match=r"payload|bytes"):
        Codec().orders(body)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_command_or_refused(body):
    """Nothing else is raised, and only booleans come out."""
    try:
        told = Codec().orders(body)
    except ValueError:
        return
    assert all(isinstance(value, bool) for value in told.values())


def test_a_value_bears_the_time_at_which_it_was_decided():
    """Told late or at a birth, a historian must not take a backlog for what happened now."""
    node = Node(Codec(), "plant1", "cell1", 0, "1.2.3")
    decided_ms, now_ms = 1767323045020, 1_800_000_000_000
    node.note(verdict(7, 1, "top"))
    health = Health(
        at="", boots=1, epoch=7, cameras={"top": CameraReport(oldest=1, newest=1)},
        outbox=OutboxReport(depth=0, waiting_in_memory=0, quarantined=0, bytes=0),
    )  # fmt: skip
    state = State(state="online", at="", epoch=7, boots=1, session=1, version="1")
    said = [*node.birth(state, health, now_ms),
            *node.result(verdict(7, 1, "top"), now_ms, historical=True)]  # fmt: skip
    for one in said[1:]:
        payload = payload_class().FromString(one.body)
        times = {it.timestamp for it in payload.metrics if it.name.startswith("Result/")}
        assert (payload.timestamp, times) == (now_ms, {decided_ms})


def test_tahus_own_javascript_reads_a_payload(tmp_path):
    """`sparkplug-payload` of Eclipse Tahu, which .ci/run installs where there is npm."""
    module = ROOT / "node_modules" / "sparkplug-payload"
    if not module.exists() or not shutil.which("node"):
        pytest.skip("needs node and `npm install --no-save sparkplug-payload`")
    metrics = [Metric(f"m{n}", kind, value, 5) for n, (kind, value, _) in enumerate(VALUES)]
    (tmp_path / "body").write_bytes(Codec().encode(metrics, 1_700_000_000_000, 3))
    script = (
        "const sp = require(process.argv[1]).get('spBv1.0');"
        "const it = sp.decodePayload(require('fs').readFileSync(process.argv[2]));"
        "console.log(JSON.stringify({seq: Number(it.seq),"
        " metrics: it.metrics.map(m => [m.name, m.type, String(m.value)])}));"
    )
    done = subprocess.run(
        ["node", "-e", script, str(module), str(tmp_path / "body")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    read = json.loads(done.stdout)
    assert read["seq"] == 3
    types = [kind for _, kind, _ in read["metrics"]]
    assert types == ["String", "Double", "UInt64", "Int64", "Boolean", "DateTime", "Double"]
    assert [value for *_, value in read["metrics"]][:5] == [
        "größer",
        "0.1",
        str(2**53),
        "7",
        "false",
    ]


def test_a_session_that_fails_leaves_its_will_to_be_told(tmp_path, monkeypatch):
    """A goodbye would take the will along, and the host would go on believing in the node."""
    goodbyes = []

    class Wire:
        def __init__(self, *_):
            pass

        open = subscribe = lambda *_, **__: None

        def close(self, *, goodbye=False):
            goodbyes.append(goodbye)

    monkeypatch.setattr(edge_node, "Pipe", Wire)
    settings = BrokerSettings(BrokerUrl("127.0.0.1", 1))
    made = EdgeNode(settings, Sparkplug(group="a", node="b"), Mailbox(1), tmp_path)
    monkeypatch.setattr(made, "_live", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        made._session()
    assert goodbyes == [False]


def test_a_host_is_believed_by_its_newest_word(tmp_path):
    """A STATE that comes late, as a will of a session that was given up, changes nothing."""
    settings = BrokerSettings(BrokerUrl("127.0.0.1", 1))
    made = EdgeNode(settings, Sparkplug(group="a", node="b"), Mailbox(1), tmp_path)
    topic = "spBv1.0/STATE/scada"
    with structlog.testing.capture_logs():
        for online, at in ((True, 20), (False, 10)):
            made._hear(topic, json.dumps({"online": online, "timestamp": at}).encode())
            assert made._host_online
    made._hear(topic, b'{"online": false, "timestamp": 20}')
    assert not made._host_online


def test_the_death_that_tries_a_right_is_of_the_session_before():
    """A host that heard of its own session's death would take the node for dead."""
    for bd_seq, before in ((7, 6), (0, 255)):
        node = Node(Codec(), "plant1", "cell1", bd_seq, "1.2.3")
        assert decoded(node.late_death(1_700_000_000_000).body)[1]["bdSeq"][1] == before


def test_a_box_that_goes_at_the_birth_ends_the_session_in_order(tmp_path):
    """Nothing is born then, and nothing fails."""
    settings = BrokerSettings(BrokerUrl("127.0.0.1", 1))
    made = EdgeNode(settings, Sparkplug(group="a", node="b"), Mailbox(1), tmp_path)
    made._be_born(None, Node(Codec(), "a", "b", 0, "1"), backlog=True)
    assert made.births == 0
