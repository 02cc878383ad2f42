"""trainer/box/collect.py: samples come home once, whole, with their history, whatever happens."""

import contextlib
import csv
import gzip
import hashlib
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.console.accounts.roles import Role
from export.doorway import BUNDLES, Listed, Listing, Seats
from export.errors import BoxError, DatasetError
from export.sample import Image, Label, Sample, Why, sample_id
from export.sample_folder import SampleFolder
from tests.edge.console.plant import DOUBTED, FAILED, Plant
from tests.edge.console.served import certificate, served
from trainer.box import wire as wire_module
from trainer.box.collect import collect
from trainer.box.wire import Wire
from trainer.parts import PartRule, rule_for
from trainer.progress import Progress

QUIET = Progress(None)


class Box(Plant):
    """A plant whose kept pictures are real: each with its own SHA-256."""

    def keep(self, told, *why, label=None, grey=90):
        """Keep a picture of a verdict's part, perhaps labelled."""
        pixels = np.random.default_rng(told.seq).integers(0, 255, (60, 80, 3), dtype=np.uint8)
        pixels[:8, :8] = grey
        body = cv2.imencode(".png", pixels)[1].tobytes()
        sample = Sample(
            id=sample_id(*told.key), kept_at="2026-11-24T06:00:00.000000Z",
            why=why or (Why.FAIL,), verdict=told,
            image=Image(suffix="png", sha256=hashlib.sha256(body).hexdigest(), bytes=len(body),
                        width=80, height=60),
        )  # fmt: skip
        self.samples.add(sample, body)
        if label:
            self.label(sample.id, label)
        return sample.id

    def label(self, name, what, by="Bo"):
        """A person speaks."""
        return self.samples.label(name, Label(label=what, by=by, at="2026-11-24T07:00:00Z"))


@pytest.fixture
def box(tmp_path):
    """Five kept pictures, four of them labelled; two of one named part."""
    made = Box(tmp_path / "box")
    told = made.record(
        ("top", FAILED), ("top", {**DOUBTED, "part": "serial 7"}),
        ("side", {**FAILED, "part": "serial 7"}), ("top", FAILED), ("side", FAILED),
    )  # fmt: skip
    made.names = [made.keep(one, label=label)
                  for one, label in zip(told, ("dent", "good", "dent", None, "dent"),
                                        strict=True)]  # fmt: skip
    return made


def brought(console, out, role=Role.OPERATOR, **more):
    """Collect; what it says."""
    with Wire(console.url, console.token(role)) as wire:
        return collect(wire, out, QUIET, **more)


def test_each_sample_comes_once_with_its_history(box, tmp_path):
    """Pictures byte for byte in their classes' folders, records with every label, parts told."""
    out = tmp_path / "home"
    with served(box) as console:
        haul = brought(console, out)
        assert (haul.fetched, haul.known) == (4, 0)
        again = brought(console, out)
        assert (again.fetched, again.known, again.grown) == (0, 4, 0)
    for sample in SampleFolder(out):
        there = box.samples.read(sample.id)
        assert sample == there
        assert SampleFolder(out).picture(sample).read_bytes() == (
            box.samples.picture(there).read_bytes()
        )
    assert sorted(p.name for p in out.iterdir() if not p.name.startswith(".")) == [
        "dent", "good", "parts.csv",
    ]  # fmt: skip
    assert rule_for(PartRule(), out).table == out / "parts.csv"
    assert sorted(parts_of(out).values()).count("serial 7") == 2
    assert len(parts_of(out)) == 4


def parts_of(out):
    """{path: part} of parts.csv."""
    with (out / "parts.csv").open(newline="") as file:
        return {row["path"]: row["part"] for row in csv.DictReader(file)}


def test_a_name_that_the_box_made_up_is_that_boxs(box):
    """A serial number is the part's own wherever it is seen; camera-epoch-seq is not."""
    told = box.record(("top", {"part": "serial 7"}))[0]
    named = box.samples.read(box.keep(told))
    made_up = named.model_copy(
        update={"verdict": told.model_copy(update={"part": f"top-{told.epoch}-{told.seq}"})}
    )
    assert named.physical_part("acme/plant2") == "serial 7"
    assert made_up.physical_part("acme/plant2") == f"acme/plant2/top-{told.epoch}-{told.seq}"


def test_a_label_that_was_added_grows_the_history(box, tmp_path):
    """The picture follows its new class; one whose label was taken back is no class's."""
    out = tmp_path / "home"
    with served(box) as console:
        brought(console, out)
        box.label(box.names[0], "scratch", by="Cy")
        box.label(box.names[4], None)
        console.desk.shelf.look()
        haul = brought(console, out)
    assert haul.grown == 2
    assert (out / "scratch" / f"{box.names[0]}.png").exists()
    assert [one.by for one in SampleFolder(out).read(box.names[0]).labels] == ["Bo", "Cy"]
    assert (
        not list(out.glob(f"*/{box.names[4]}.png"))
        or (out / ".unlabelled" / f"{box.names[4]}.png").exists()
    )
    assert len(parts_of(out)) == 3


def test_all_brings_the_unlabelled_too(box, tmp_path):
    """They lie where no trainer reads them."""
    with served(box) as console:
        assert brought(console, tmp_path / "home", everything=True).fetched == 5
    assert (tmp_path / "home" / ".unlabelled" / f"{box.names[3]}.png").exists()


def test_two_boxes_do_not_share_a_folder(box, tmp_path):
    """Nor does a folder that holds something else."""
    other = Box(tmp_path / "other")
    station = other.appliance.station.model_copy(update={"prefix": "acme/plant2"})
    other.appliance = other.appliance.model_copy(update={"station": station})
    with served(box) as console:
        brought(console, tmp_path / "home")
    with served(other) as console, pytest.raises(DatasetError, match="holds samples of acme"):
        brought(console, tmp_path / "home")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with served(box) as console, pytest.raises(DatasetError, match="not collected"):
        brought(console, tmp_path / "mine")


def test_a_picture_that_is_not_the_one_kept_is_refused(box, tmp_path):
    """A flipped bit on the box's disk is found by its SHA-256, and nothing of it stays here."""
    path = box.samples.picture(box.samples.read(box.names[1]))
    body = bytearray(path.read_bytes())
    body[-20] ^= 1
    path.write_bytes(body)
    with served(box) as console, pytest.raises(BoxError, match="SHA-256 differs") as told:
        brought(console, tmp_path / "home")
    assert console.url in told.value.problem
    assert not list((tmp_path / "home").rglob(f"{box.names[1]}*"))


def test_a_rewritten_history_is_told(box, tmp_path):
    """Labels are only ever added; anything else is not taken silently."""
    with served(box) as console:
        brought(console, tmp_path / "home")
        sample = box.samples.read(box.names[0])
        forged = sample.labels[0].model_copy(update={"by": "nobody"})
        box.samples.update(sample.model_copy(update={"labels": (forged,)}))
        console.desk.shelf.look()
        with pytest.raises(BoxError, match="rewritten"):
            brought(console, tmp_path / "home")


@pytest.mark.parametrize(
    ("token", "status", "remedy"),
    [("wrong", 401, "People"), (Role.VIEWER, 403, "operator")],
)
def test_who_may_not_is_told_so(box, tmp_path, token, status, remedy):
    """The error names the address, the status and what to do."""
    with served(box) as console:
        secret = token if isinstance(token, str) else console.token(token)
        with Wire(console.url, secret) as wire, pytest.raises(BoxError) as told:
            collect(wire, tmp_path / "home", QUIET)
    assert console.url in told.value.problem
    assert str(status) in told.value.problem
    assert remedy in told.value.remedy


def test_a_certificate_is_always_checked(box, tmp_path):
    """Signed by itself: refused, unless its certificate is given."""
    tls = certificate(tmp_path)
    with served(box, tls) as console:
        with Wire(console.url, console.token()) as wire, pytest.raises(BoxError) as told:
            collect(wire, tmp_path / "home", QUIET)
        assert "--ca" in told.value.remedy
        with Wire(console.url, console.token(), ca=tls[0]) as wire:
            assert collect(wire, tmp_path / "home", QUIET).fetched == 4


def test_a_console_without_tls_a_wrong_token_and_a_box_that_rests_are_three_things(
    box, monkeypatch
):
    """Each is told by its name, with what to do about it."""
    monkeypatch.setattr(wire_module, "FIRST_WAIT_S", 0.01)
    with served(box) as console:
        told = []
        for url, token in (
            (console.url.replace("http://", "https://"), "token"),
            (console.url, f"{console.token()}x"),
            (console.url, console.token()),
        ):
            with Wire(url, token) as wire, pytest.raises(BoxError) as error:
                wire.document(Seats, BUNDLES)
            told.append(str(error.value))
    plain, token, resting = told
    assert "speaks plain HTTP" in plain
    assert "this token is unknown" in token.lower()
    assert "503: no box answers" in resting
    assert "linewarden run" in resting


@pytest.mark.parametrize(
    "url", ["http://box.plant:8480", "ftp://box", "box", "https://a:b@box", "https://box/?x=1"]
)
def test_an_address_that_would_betray_the_token_is_refused(url):
    """In clear over a network, with a password in it, or no address at all."""
    with pytest.raises(BoxError):
        Wire(url, "a token")


def test_nobody_answers(tmp_path):
    """The error names the address and what to look at."""
    with Wire("http://127.0.0.1:1", "token") as wire, pytest.raises(BoxError) as told:
        collect(wire, tmp_path / "home", QUIET)
    assert "http://127.0.0.1:1/api/samples" in told.value.problem
    assert "linewarden console" in told.value.remedy


@contextmanager
def lying(answers):
    """A server that answers each GET with the next of `answers` (status, headers, body)."""
    asked = []

    class Liar(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            status, headers, body = answers[min(len(asked), len(answers)) - 1]
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Liar) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        with Wire(f"http://127.0.0.1:{server.server_port}", "token", timeout_s=5.0) as wire:
            yield wire, asked
        server.shutdown()
        thread.join()


def listing(*names, more=False):
    """A page of samples."""
    listed = tuple(Listed(id=n, mark="-", label="dent", sha256="0" * 64, bytes=9) for n in names)
    told = Listing(station="acme", total=9, samples=listed, more=more)
    return 200, {}, told.model_dump_json().encode()


@pytest.mark.parametrize(
    "pages", [[listing("a", "b", more=True)], [listing("b", "a")], [listing("a", "a")]]
)
def test_a_listing_without_an_end_is_refused(pages, tmp_path, monkeypatch):
    """The same page again and again, or ids that don't rise."""
    monkeypatch.setattr("trainer.box.collect._bring", lambda *_: None)
    with lying(pages) as (wire, asked), pytest.raises(BoxError, match="out of order"):
        collect(wire, tmp_path / "home", QUIET)
    assert len(asked) <= 2


@pytest.mark.parametrize("headers", [{}, {"content-encoding": "gzip"}])
def test_an_answer_without_an_end_is_refused(headers, tmp_path, monkeypatch):
    """However long it is, and packed or not, it fills no memory and leaves no trace."""
    monkeypatch.setattr("trainer.box.wire.MOST_BYTES", 1000)
    body = (200, headers, bytes(5000) if not headers else gzip.compress(bytes(10**6))[:5000])
    with lying([body]) as (wire, asked), pytest.raises(BoxError):
        wire.bytes("/x", 100)
    assert len(asked) == 1
    with lying([body]) as (wire, _), pytest.raises(BoxError):
        collect(wire, tmp_path / "home", QUIET)


@pytest.mark.parametrize("told", ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", "nan", "", "soon"])
def test_whatever_a_server_asks_to_wait_it_is_asked_again(told, tmp_path, monkeypatch):
    """A date, or nonsense, is no reason to end."""
    slept = []
    monkeypatch.setattr("time.sleep", slept.append)
    with lying([(503, {"retry-after": told}, b"busy"), listing()]) as (wire, asked):
        assert collect(wire, tmp_path / "home", QUIET).fetched == 0
    assert len(asked) == 2
    assert slept[0] == 0.5


def test_an_answer_that_is_cut_off_is_asked_for_again(tmp_path, monkeypatch):
    """Less than the server said: the next whole one counts."""
    monkeypatch.setattr("trainer.box.wire.FIRST_WAIT_S", 0.0)
    status, _, body = listing()
    short = (status, {"content-length": str(len(body) + 5), "connection": "close"}, body)
    with lying([short, listing()]) as (wire, asked):
        assert collect(wire, tmp_path / "home", QUIET).fetched == 0
    assert len(asked) == 2


def test_a_picture_that_was_taken_away_here_is_fetched_again(box, tmp_path):
    """Or cut short; what is whole is not."""
    out = tmp_path / "home"
    with served(box) as console:
        brought(console, out)
        folder = SampleFolder(out)
        gone, short = (folder.picture(folder.read(box.names[at])) for at in (0, 1))
        gone.unlink()
        short.write_bytes(short.read_bytes()[:-1])
        haul = brought(console, out)
    assert (haul.fetched, haul.known) == (2, 2)
    for sample in folder:
        body = folder.picture(sample).read_bytes()
        assert hashlib.sha256(body).hexdigest() == sample.image.sha256


SCRIPT = (
    "import sys; from pathlib import Path; from trainer.box import collect as c\n"
    "from trainer.box.wire import Wire; from trainer.progress import Progress\n"
    "with Wire(sys.argv[1], sys.argv[2]) as wire:\n"
    "    c.collect(wire, Path(sys.argv[3]), Progress(None))\n"
)


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on(tmp_path):
    """Kill -9, again and again: in the end each sample is there once, whole, and fetched once."""
    box = Box(tmp_path / "box")
    told = box.record(*[("top", FAILED)] * 60)
    names = [box.keep(one, label="dent") for one in told]
    out, asked, kills, dice = tmp_path / "home", [], 0, random.Random(1)
    with served(box) as console:
        token = console.token(Role.OPERATOR)
        read = console.desk.shelf.folder.picture
        console.desk.shelf.folder.picture = lambda s: (asked.append(s.id), time.sleep(0.01),
                                                       read(s))[2]  # fmt: skip
        ended = None
        while ended != 0:
            before = len(asked)
            words = [sys.executable, "-c", SCRIPT, console.url, token, str(out)]
            with subprocess.Popen(words, cwd=Path(__file__).parents[3]) as child:
                while child.poll() is None:
                    time.sleep(0.005)
                    if len(asked) > before + 14:
                        time.sleep(dice.random() * 0.05)
                        child.send_signal(signal.SIGKILL)
                        break
            ended = child.returncode
            kills += ended == -signal.SIGKILL
    folder = SampleFolder(out)
    assert folder.mend() == []
    assert sorted(folder.ids()) == sorted(names)
    for sample in folder:
        body = folder.picture(sample).read_bytes()
        assert hashlib.sha256(body).hexdigest() == sample.image.sha256
    assert kills >= 2
    assert len(asked) <= len(names) + 2 * kills  # what was in flight again, for each kill
