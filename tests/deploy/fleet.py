"""`make fleet`: 20 boxes, a site's broker bridged to a central one, an archive in PostgreSQL.

Each box is a real outbox and its broker's thread over TLS, with verdicts made up at a steady rate.
The judge is independent of the archive: it counts what each box's own record holds and asks
PostgreSQL. Afterwards the central broker is killed for a while in a second, shorter run: none may
be lost either.
"""

import argparse
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg

from deploy.box.accounts import Accounts
from deploy.box.authority import Authority
from deploy.box.bridge import Bridge
from deploy.box.layout import FILES, Layout
from deploy.box.rights import Account, Role
from deploy.dashboards import FLEET_PANELS
from export.figures import Figure, save, table
from tests.broker import Mosquitto, free_port

ROOT = Path(__file__).parents[2]
SCOPE = "acme/plant1/+/+/+"
PG = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]
LATENCY = """
SELECT percentile_cont(array[0.5, 0.99, 1.0]) WITHIN GROUP (ORDER BY
    1000 * extract(epoch FROM arrived_at - (body->>'decided_at')::timestamptz))
FROM verdict WHERE arrived_at < %s
"""


@dataclass
class House:
    """One broker with its authority and accounts."""

    layout: Layout
    authority: Authority
    accounts: Accounts
    broker: Mosquitto

    def own(self, name: str) -> dict[str, Path]:
        """What a client called `name` needs."""
        return {
            "ca": self.layout.tls / "ca.pem", "certificate": self.layout.tls / f"{name}.pem",
            "key": self.layout.secrets / f"{name}.key",
        }  # fmt: skip


def house(folder: Path, accounts: list[Account], more: str = "") -> House:
    """A broker as the installer sets it up, but for where things lie; not yet started."""
    layout = Layout(folder)
    for path in (layout.secrets, layout.tls, layout.acl.parent, folder / "broker"):
        path.mkdir(parents=True)
    authority = Authority(
        layout.etc / "authority", layout.tls / "ca.pem", layout.tls / "revoked.pem"
    )
    authority.found(f"authority of {folder.name}")
    authority.server(
        ["localhost", "127.0.0.1"], layout.secrets / "server.key", layout.tls / "server.pem"
    )
    book = Accounts(layout, authority)
    for account in accounts:
        book.add(account)
    port = free_port()
    conf = (FILES / "broker/mosquitto.conf").read_text()
    for here, there in {
        "{port}": str(port), "{listen}": "127.0.0.1", "/etc/linewarden": str(layout.etc),
        "/run/credentials/linewarden-broker.service": str(layout.secrets),
    }.items():  # fmt: skip
        conf = conf.replace(here, there)
    ours = (
        "include_dir",
        "log_",
        "persistence",
        "autosave",
        "allow_anonymous",
        "max_queued",
        "set_tcp",
    )
    conf = "\n".join(line for line in conf.splitlines() if not line.startswith(ours))
    broker = Mosquitto(
        folder / "broker", f"{conf}\n{more}", port=port, listener=False, anonymous=False,
        persistence=False, log=False,
    )  # fmt: skip
    return House(layout, authority, book, broker)


class Postgres:
    """A database of its own, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def __enter__(self) -> "Postgres":
        self.folder.mkdir(parents=True)
        shutil.chown(self.folder, "postgres")
        self._as("initdb", "--auth=trust", "--no-sync", "-D", str(self.folder / "data"))
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        self._as(
            "pg_ctl",
            "-w",
            "-D",
            str(self.folder / "data"),
            "-l",
            str(self.folder / "log"),
            "-o",
            options,
            "start",
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._as("pg_ctl", "-w", "-m", "fast", "-D", str(self.folder / "data"), "stop")

    def _as(self, program: str, *words: str) -> None:
        told = [
            "setpriv",
            "--reuid=postgres",
            "--regid=postgres",
            "--init-groups",
            str(PG[0] / program),
            *words,
        ]
        subprocess.run(told, check=True, stdout=subprocess.DEVNULL, cwd="/")

    def ask(self, question: str, *values: object) -> list[tuple]:
        """Rows of an answer."""
        with psycopg.connect(self.url) as db:
            return db.execute(question, values).fetchall()


class Fleet:
    """Everything, below `work`; boxes' records in `fast`."""

    def __init__(self, work: Path, fast: Path, boxes: int, rate: float) -> None:
        self.work, self.fast, self.rate = work, fast, rate
        self.prefixes = [
            f"acme/plant1/area1/line{1 + n // 5}/cell{1 + n % 5}" for n in range(boxes)
        ]
        self.names = [f"box{n}" for n in range(boxes)]
        self.above = house(work / "above", [
            Account("plant1", Role.SITE, SCOPE), Account("archive", Role.COLLECTOR, SCOPE),
        ])  # fmt: skip
        own = self.above.own("plant1")
        bridge = Bridge(
            "plant1", f"127.0.0.1:{self.above.broker.port}", SCOPE,
            str(own["ca"]), str(own["certificate"]), str(own["key"]),
        )  # fmt: skip
        boxes_of = [Account(n, Role.BOX, p) for n, p in zip(self.names, self.prefixes, strict=True)]
        self.site = house(work / "site", boxes_of, bridge.conf())
        self.running: list[subprocess.Popen] = []
        self.archive: subprocess.Popen | None = None

    def begin_archive(self, database: Postgres) -> None:
        """Start `linewarden archive` at the central broker."""
        own = self.above.own("archive")
        listed = self.work / "boxes.txt"
        listed.write_text("\n".join(self.prefixes))
        program = Path(sys.executable).with_name("linewarden")
        words = [
            program,
            "archive",
            "--broker",
            f"mqtts://127.0.0.1:{self.above.broker.port}",
            "--ca-file",
            own["ca"],
            "--certificate",
            own["certificate"],
            "--key",
            own["key"],
            "--boxes",
            listed,
            "--database",
            database.url,
            "--places",
            self.work / "places",
        ]
        with (self.work / "archive.log").open("w") as log:
            self.archive = subprocess.Popen([str(word) for word in words], stderr=log, cwd=ROOT)

    def begin_boxes(self) -> None:
        """Start every box."""
        for name, prefix in zip(self.names, self.prefixes, strict=True):
            own = self.site.own(name)
            files = [word for kind, path in own.items() for word in (f"--{kind}", str(path))]
            words = [
                sys.executable,
                "-m",
                "tests.chaos.minimal",
                str(self.fast / f"{name}.db"),
                f"mqtts://127.0.0.1:{self.site.broker.port}",
                prefix,
                "--rate",
                str(self.rate / 2),
                *files,
            ]
            with (self.work / f"{name}.log").open("w") as log:
                self.running.append(subprocess.Popen(words, stderr=log, stdout=log, cwd=ROOT))

    def end_boxes(self) -> None:
        """Stop every box as systemd would."""
        for one in self.running:
            one.send_signal(signal.SIGTERM)
        for one in self.running:
            assert one.wait(60) == 0
        self.running.clear()

    def recorded(self) -> dict[tuple[str, str, int], int]:
        """{(box, camera, epoch): verdicts} by the boxes' own records, seq 1 to N each."""
        found = {}
        for name, prefix in zip(self.names, self.prefixes, strict=True):
            with closing(sqlite3.connect(self.fast / f"{name}.db")) as db:
                epoch = int(db.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()[0])
                for camera, count, last in db.execute(
                    "SELECT camera, count(*), max(seq) FROM verdict GROUP BY camera"
                ):
                    assert count == last
                    found[prefix, camera, epoch] = count
        return found

    def stop(self) -> None:
        """Leave nothing running."""
        for one in [*self.running, *([self.archive] if self.archive else [])]:
            one.kill()
            one.wait()
        self.site.broker.kill()
        self.above.broker.kill()


def archived(database: Postgres) -> dict[tuple[str, str, int], int]:
    """{(box, camera, epoch): verdicts} in PostgreSQL; a gap or a double shows as another count."""
    rows = database.ask(
        "SELECT box, camera, epoch, count(*), min(seq), max(seq) FROM verdict GROUP BY 1, 2, 3"
    )
    return {
        (box, camera, epoch): count
        for box, camera, epoch, count, low, high in rows
        if (low, high) == (1, count)
    }


def caught_up(fleet: Fleet, database: Postgres, patience_s: float = 60.0) -> tuple[int, int]:
    """(verdicts recorded by the boxes, of them missing in the archive) once it has caught up."""
    end = time.monotonic() + patience_s
    while True:
        recorded, kept = fleet.recorded(), archived(database)
        missing = sum(max(0, count - kept.get(key, 0)) for key, count in recorded.items())
        if not missing or time.monotonic() > end:
            return sum(recorded.values()), missing
        time.sleep(1.0)


def dashboards_answer(database: Postgres) -> int:
    """Ask every question of the fleet's dashboard; returns how many gave rows."""
    given = 0
    for panel in FLEET_PANELS:
        ask = panel.ask.replace(
            "$__timeFilter(captured_at)", "captured_at > now() - interval '1 day'"
        ).replace("%", "%%")
        given += bool(database.ask(ask) or panel.title == "Why parts failed")
    return given


def main() -> None:
    """Run, judge, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boxes", type=int, default=20)
    parser.add_argument("--rate", type=float, default=10.0, help="verdicts of a box and second")
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument(
        "--outage", type=float, default=10.0, help="seconds without the central broker"
    )
    parser.add_argument("--work", type=Path, default=ROOT / "work/fleet")
    asked = parser.parse_args()
    shutil.rmtree(asked.work, ignore_errors=True)
    asked.work.mkdir(parents=True)
    fast = Path(f"/dev/shm/linewarden-fleet-{os.getpid()}")
    fast.mkdir()
    fleet = Fleet(asked.work, fast, asked.boxes, asked.rate)
    try:
        with fleet.above.broker, Postgres(Path(f"/tmp/linewarden-fleet-{os.getpid()}")) as database:
            fleet.site.broker.start()
            fleet.begin_archive(database)
            time.sleep(5)
            fleet.begin_boxes()
            print(f"{asked.boxes} boxes, {asked.rate:g}/s each, {asked.seconds:g} s", flush=True)
            while database.ask("SELECT count(DISTINCT box) FROM verdict")[0][0] < asked.boxes:
                time.sleep(0.2)
            end = time.monotonic() + asked.seconds
            while time.monotonic() < end:
                time.sleep(min(30.0, max(0.0, end - time.monotonic())))
                print(
                    f"  {database.ask('SELECT count(*) FROM verdict')[0][0]:,} archived", flush=True
                )
            now = database.ask("SELECT clock_timestamp()")[0][0]
            p50, p99, worst = database.ask(LATENCY, now)[0][0]
            before = database.ask("SELECT count(*) FROM verdict")[0][0]
            print(f"the central broker is gone for {asked.outage:g} s", flush=True)
            fleet.above.broker.kill()
            time.sleep(asked.outage)
            fleet.above.broker.start()
            time.sleep(10)
            fleet.end_boxes()
            recorded, missing = caught_up(fleet, database)
            size = database.ask("SELECT pg_total_relation_size('verdict')")[0][0]
            answered = dashboards_answer(database)
            fleet.archive.send_signal(signal.SIGTERM)
            code = fleet.archive.wait(30)
    finally:
        fleet.stop()
        shutil.rmtree(fast, ignore_errors=True)
        shutil.rmtree(f"/tmp/linewarden-fleet-{os.getpid()}", ignore_errors=True)
    wanted = asked.boxes * asked.rate * asked.seconds
    figures = [
        Figure("verdicts in the steady run", before, "", f">= {wanted:g}"),
        Figure("decided to inserted, median", float(p50), "ms"),
        Figure("decided to inserted, p99", float(p99), "ms", "< 1000"),
        Figure("decided to inserted, worst", float(worst), "ms"),
        Figure("verdicts, outage of the central broker included", recorded, ""),
        Figure("of them missing in PostgreSQL", missing, "", "== 0"),
        Figure("exit code of the archive", code, "", "== 0"),
        Figure("size in PostgreSQL", size / recorded, "bytes a verdict"),
        Figure(
            "questions of the dashboard that are answered", answered, "", f"== {len(FLEET_PANELS)}"
        ),
    ]
    print(table(figures))
    save("fleet", figures, seed=0)
    sys.exit(any(figure.holds is False for figure in figures))


if __name__ == "__main__":
    main()
