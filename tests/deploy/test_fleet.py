"""Upward: the bridge's configuration, a real bridge between two real brokers, and the archive."""

import json
import os
import shutil
import threading
import time
import tomllib
from pathlib import Path

import pytest

from deploy.box.bridge import Bridge
from deploy.box.program import InstallError
from deploy.box.rights import Account, Role
from edge.consumer.archive import Archive, Followers
from edge.consumer.follow import Position
from edge.messages import Health
from edge.mqtt.address import BrokerSettings, BrokerUrl
from edge.topics import TABLE, Direction, Topics
from export.errors import ConfigError, StoreError
from export.verdict import Verdict
from tests.broker import needs_mosquitto
from tests.deploy.fleet import PG, SCOPE, Postgres, house
from tests.deploy.matrix import Caller, until
from tests.edge.verdicts import verdict

TELEGRAF = tomllib.loads((Path(__file__).parents[2] / "deploy/fleet/telegraf.conf").read_text())
BOX = "acme/plant1/area1/line1/cell1"
needs_postgres = pytest.mark.skipif(
    not PG or os.geteuid() != 0,
    reason="needs postgresql (Debian: apt install postgresql) and root to become its user",
)


def test_the_bridge_carries_every_topic_the_right_way():
    """What boxes say goes out, commands come in, at the table's QoS, and no topic is left out."""
    lines = [
        line
        for line in Bridge("plant1", "central:8883", SCOPE).conf().splitlines()
        if line.startswith("topic ")
    ]
    said = {tuple(line.split()[1:]) for line in lines}
    wanted = set()
    for row in TABLE:
        way = "out" if row.direction is Direction.FROM_BOX else "in"
        wanted.add((f"{SCOPE}/{row.levels.replace('{camera}', '+')}", way, str(row.qos)))
    assert said == wanted


@pytest.mark.parametrize(
    ("name", "to", "scope"),
    [("a b/c", "h:1", SCOPE), ("p", "central", SCOPE), ("p", "central:0", SCOPE),
     ("p", "h:1", "#"), ("p\naddress x", "h:1", SCOPE)],
)  # fmt: skip
def test_a_bridge_that_would_say_something_else_is_refused(name, to, scope):
    """A name that adds lines, an address without a port, a scope of everything."""
    with pytest.raises(InstallError):
        Bridge(name, to, scope)


def test_telegraf_asks_for_what_boxes_say():
    """Its topics are the table's; what it reads of a message stands in the message's schema."""
    contracts = {"verdicts": Verdict, "health": Health}
    for source in TELEGRAF["inputs"]["mqtt_consumer"]:
        (topic,) = source["topics"]
        kind = topic.split("/")[-1]
        assert len(topic.split("/")) == 5 + (2 if kind == "verdicts" else 1)
        assert source["servers"][0].startswith("ssl://")
        assert {"tls_ca", "tls_cert", "tls_key"} <= set(source)
        schema = contracts[kind].model_json_schema()
        for field in source["json_v2"][0]["field"]:
            at = schema
            for part in field["path"].split("."):
                at = at["properties"][part]
                while "$ref" in at:
                    at = schema["$defs"][at["$ref"].rsplit("/", 1)[1]]


@needs_mosquitto
def test_a_real_bridge_brings_verdicts_up_and_commands_down(tmp_path):
    """Box → site → centre, and operator → centre → site → box, over mutual TLS."""
    accounts = [
        Account("plant1", Role.SITE, SCOPE),
        Account("boss", Role.OPERATOR, SCOPE),
        Account("thief", Role.VIEWER, SCOPE),
    ]
    above = house(tmp_path / "above", accounts)
    own = above.own("plant1")
    bridge = Bridge(
        "plant1",
        f"127.0.0.1:{above.broker.port}",
        SCOPE,
        str(own["ca"]),
        str(own["certificate"]),
        str(own["key"]),
    )
    site = house(
        tmp_path / "site",
        [Account("box", Role.BOX, BOX)],
        bridge.conf() + "\ntopic other/# out 1\n",
    )
    for one in (above, site):
        for path in one.layout.secrets.glob("*.key"):
            (one.layout.tls / path.name).write_bytes(path.read_bytes())
    with above.broker, site.broker:
        boss = Caller("boss", above.layout.tls, "127.0.0.1", above.broker.port)
        box = Caller("box", site.layout.tls, "127.0.0.1", site.broker.port)
        end = time.monotonic() + 20
        while not any(topic.endswith("/verdicts") for topic, _ in boss.heard):
            assert time.monotonic() < end, above.broker.log()[-1500:] + site.broker.log()[-1500:]
            assert box.may_write(f"{BOX}/top/verdicts", b"one")
            time.sleep(0.2)
        assert boss.may_write(f"{BOX}/cmd/replay", b"again")
        until(lambda: (f"{BOX}/cmd/replay", b"again") in box.heard, "no command came down")
        assert not boss.may_write(f"{BOX}/top/verdicts", b"forged")
        boss.close()
        box.close()


@needs_postgres
def test_the_archive_keeps_each_verdict_once_and_waits_for_its_database(tmp_path):
    """Twice the same is once; a database that was away is waited for."""
    folder = Path(f"/tmp/linewarden-archive-{os.getpid()}")
    database = Postgres(folder)
    try:
        with database:
            archive = Archive(database.url)
            for _ in range(2):
                archive.keep(BOX, verdict(7, 1, "top"))
            assert database.ask("SELECT box, camera, epoch, seq FROM verdict") == [
                (BOX, "top", 7, 1)
            ]
            database._as("pg_ctl", "-w", "-m", "immediate", "-D", str(folder / "data"), "stop")
            options = f"-p {database.port} -k {folder} -c listen_addresses=127.0.0.1"
            database._as(
                "pg_ctl",
                "-w",
                "-D",
                str(folder / "data"),
                "-l",
                str(folder / "log"),
                "-o",
                options,
                "start",
            )
            archive.keep(BOX, verdict(7, 2, "top"))
            assert database.ask("SELECT count(*) FROM verdict") == [(2,)]
            archive.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@needs_postgres
def test_a_verdict_that_the_database_cannot_hold_keeps_nobody_waiting():
    """It is set aside as it came, and counted; the others of its group are kept."""
    folder = Path(f"/tmp/linewarden-aside-{os.getpid()}")
    odd = verdict(7, 2, "top").model_copy(update={"captured_at": "soon"})
    faint = verdict(7, 3, "top", score=1e-300)
    try:
        with Postgres(folder) as database:
            archive = Archive(database.url)
            handed = [(BOX, verdict(7, 1, "top")), (BOX, odd), (BOX, faint), ("a/b", odd)]
            hands = [threading.Thread(target=archive.keep, args=one) for one in handed]
            for hand in hands:
                hand.start()
            for hand in hands:
                hand.join(10)
            assert not any(hand.is_alive() for hand in hands)
            assert database.ask("SELECT box, seq, score FROM verdict ORDER BY seq") == [
                (BOX, 1, 0.25), (BOX, 3, 0.0),
            ]  # fmt: skip
            aside = database.ask("SELECT box, seq, body FROM verdict_aside ORDER BY box")
            assert [one[:2] for one in aside] == [("a/b", 2), (BOX, 2)]
            assert b'"captured_at":"soon"' in aside[0][2]
            assert (archive.aside, archive.trouble) == (2, "")
            archive.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_the_archive_refuses_a_password_in_its_address(tmp_path):
    """And an address that is none, or a database that isn't there."""
    with pytest.raises(ConfigError, match="password"):
        Archive("postgresql://me:s3cret@localhost/line")
    with pytest.raises(ConfigError, match="none of PostgreSQL"):
        Archive("mysql://localhost/line")
    with pytest.raises(StoreError, match="can't be used"):
        Archive("postgresql://nobody@127.0.0.1:1/line")


def test_a_followers_place_is_its_own(tmp_path):
    """Each box has a file of its own for its place, named by its prefix."""
    followers = Followers(
        BrokerSettings(BrokerUrl("127.0.0.1", 1)), [BOX, "a/b"], None, tmp_path / "places"
    )
    assert set(followers.reports()) == {BOX, "a/b"}
    assert Topics(BOX).prefix == BOX
    assert (tmp_path / "places").is_dir()


def test_boxes_that_look_alike_have_places_of_their_own(tmp_path):
    """And one that was noted under the name that two could share is gone on from."""
    places, boxes = tmp_path / "places", ["acme/line_1/cell", "acme/line/1/cell"]
    places.mkdir()
    at = {"prefix": boxes[0], "cameras": {"top": [7, 42]}}
    (places / "acme_line_1_cell.json").write_text(json.dumps(at))
    for _ in range(2):
        followers = Followers(BrokerSettings(BrokerUrl("127.0.0.1", 1)), boxes, None, places)
        one, other = (followers._all[box] for box in boxes)
        assert one._follower.positions() == {"top": Position(7, 42)}
        assert other._follower.positions() == {}
        assert one._position != other._position
    assert not (places / "acme_line_1_cell.json").exists()
