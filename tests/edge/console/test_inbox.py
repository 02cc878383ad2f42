"""edge/console/inbox.py and the routes to it: nothing unsigned is taken, and nothing beyond it."""

import base64
import hashlib
import os
import random
import time

import pytest

from edge.console.accounts.roles import Role
from edge.console.inbox import AT_ONCE, Inbox
from edge.console.web import bundles
from edge.swap.control import Control
from export.bundle import open_bundle
from export.doorway import BUNDLES, SIGNATURE_HEADER
from export.errors import BundleError, BusyError, SignatureError, StoreError
from export.manifest import MANIFEST, SIGNATURE
from export.signature import load_or_make
from tests.edge.console.plant import Plant
from tests.export.small_bundle import small_bundle


class Way:
    """An inbox, and bundles to send."""

    def __init__(self, folder):
        self.folder = folder
        self.key = load_or_make(folder / "signing.key")[0]
        self.stranger = load_or_make(folder / "stranger.key")[0]
        self.inbox = Inbox(folder / "inbox", [folder / "signing.pub"], 0)

    def bundle(self, name="sent", key=None, **more):
        """A fresh one."""
        return small_bundle(self.folder / name, key or self.key, **more)

    def offer(self, bundle):
        """Its manifest."""
        body = (bundle.path / MANIFEST).read_bytes()
        return self.inbox.offer(bundle.digest, body, (bundle.path / SIGNATURE).read_bytes())[1]

    def send(self, bundle, digest, body=None):
        """One of its files, in pieces."""
        name = {entry.sha256: n for n, entry in bundle.manifest.files.items()}[digest]
        body = (bundle.path / name).read_bytes() if body is None else body
        with self.inbox.receive(bundle.digest, digest) as receipt:
            for at in range(0, max(1, len(body)), 100):
                receipt.write(body[at : at + 100])
            receipt.keep()

    def litter(self):
        """Files that are neither a listed file nor a manifest."""
        return [p for p in (self.folder / "inbox").glob("*") if p.is_file()]


@pytest.fixture
def way(tmp_path):
    """Nothing sent yet."""
    return Way(tmp_path)


def test_what_was_signed_arrives_whole(way):
    """File by file, in any order, twice or cut off: in the end it opens as any bundle."""
    bundle = way.bundle()
    missing = list(way.offer(bundle).missing)
    assert len(missing) == len({e.sha256 for e in bundle.manifest.files.values()})
    with way.inbox.receive(bundle.digest, missing[0]) as receipt:
        receipt.write(b"cut off here")
    assert way.litter() == []
    assert list(way.inbox.left(bundle.digest).missing) == missing
    for digest in reversed(missing):
        way.send(bundle, digest)
    way.send(bundle, missing[0])
    assert way.inbox.left(bundle.digest).missing == ()
    arrived = open_bundle(way.inbox.place(bundle.digest), [way.key.public])
    assert arrived.digest == bundle.digest


def test_no_strangers_bundle_takes_a_byte_of_the_disk(way):
    """Its manifest isn't kept, so no file of it is taken."""
    bundle = way.bundle(key=way.stranger)
    with pytest.raises(SignatureError):
        way.offer(bundle)
    digest = next(iter(bundle.manifest.files.values())).sha256
    with pytest.raises(BundleError, match="manifest first"):
        way.send(bundle, digest)
    assert not (way.folder / "inbox").exists()


def test_a_file_is_no_longer_and_no_other_than_was_signed(way):
    """Stopped at the first byte too many, not at the end; a changed one isn't kept."""
    bundle = way.bundle()
    digest = way.offer(bundle).missing[0]
    entry = next(e for e in bundle.manifest.files.values() if e.sha256 == digest)
    with way.inbox.receive(bundle.digest, digest) as receipt:
        for _ in range(entry.bytes // 64):
            receipt.write(b"x" * 64)
        with pytest.raises(BundleError, match="larger"):
            receipt.write(b"x" * 64)
    with pytest.raises(BundleError, match="SHA-256 differs"):
        way.send(bundle, digest, b"x" * entry.bytes)
    with pytest.raises(BundleError, match="SHA-256 differs"):
        way.send(bundle, digest, b"short")
    with pytest.raises(BundleError, match="lists no file"):
        way.inbox.receive(bundle.digest, hashlib.sha256(b"else").hexdigest())
    assert way.litter() == []


def test_another_manifest_of_that_digest_is_refused(way):
    """The digest is the manifest's own."""
    one, other = way.bundle("one"), way.bundle("other", version=2)
    body = (other.path / MANIFEST).read_bytes()
    with pytest.raises(BundleError, match="announced"):
        way.inbox.offer(one.digest, body, (other.path / SIGNATURE).read_bytes())


def test_there_is_an_end_to_what_is_half_here(way):
    """So many bundles at once and no more; one that nobody goes on with gives way."""
    for number in range(AT_ONCE):
        way.offer(way.bundle(f"b{number}", version=number + 1))
    further = way.bundle("further", version=9)
    with pytest.raises(BusyError, match="on their way"):
        way.offer(further)
    old = time.time() - 3 * 86_400
    first = next((way.folder / "inbox").iterdir())
    os.utime(first, (old, old))
    way.offer(further)
    assert not first.exists()


def test_a_key_that_comes_later_is_believed(way):
    """A box without a model has no key yet: bundles are refused, until it is armed with one."""
    key = way.folder / "signing.pub"
    away = key.rename(way.folder / "away.pub")
    bundle = way.bundle()
    with pytest.raises(SignatureError, match=r"signing\.pub can't be read"):
        way.offer(bundle)
    assert not (way.folder / "inbox").exists()
    away.rename(key)
    assert way.offer(bundle).missing


def test_a_full_disk_takes_none(way):
    """What the disk must have left stays."""
    full = Inbox(way.folder / "inbox", [way.folder / "signing.pub"], 1 << 60)
    bundle = way.bundle()
    with pytest.raises(StoreError, match="bytes left"):
        full.offer(bundle.digest, (bundle.path / MANIFEST).read_bytes(),
                   (bundle.path / SIGNATURE).read_bytes())  # fmt: skip


class Pushed:
    """A console with a stand-in for the box behind the control socket."""

    def __init__(self, plant, console):
        self.console, self.heard, self.plant = console, [], plant
        self.key = load_or_make(plant.folder / "signing.key")[0]

    def put(self, path, body, signed=b"", **more):
        """As a machine."""
        token = self.console.desk.book.make_token("x", f"m{time.monotonic_ns()}", Role.ENGINEER)
        headers = {"authorization": f"Bearer {token}"}
        if signed:
            headers[SIGNATURE_HEADER] = base64.b64encode(signed).decode()
        self.console.client.cookies.clear()
        return self.console.client.put(path, content=body, headers=headers, **more)


@pytest.fixture
def pushed(tmp_path):
    """The plant's console, and a control socket that accepts any bundle."""
    plant = Plant(tmp_path)
    heard = []
    acts = {word: lambda asked, _say, word=word: heard.append((word, asked)) or {}
            for word in ("consider", "shadow", "list")}  # fmt: skip
    folder = plant.appliance.store.folder
    folder.mkdir(parents=True, exist_ok=True)
    control = Control(folder, acts)
    control.start()
    with plant.open() as console:
        made = Pushed(plant, console)
        made.heard = heard
        yield made
    control.stop()


def test_a_push_over_http(pushed, tmp_path):
    """Manifest, files, shadow: the box is asked beforehand whether it would take that one."""
    bundle = small_bundle(tmp_path / "sent", pushed.key, version=3)
    at = f"{BUNDLES}/{bundle.digest}"
    signed = (bundle.path / SIGNATURE).read_bytes()
    body = (bundle.path / MANIFEST).read_bytes()
    assert pushed.put(f"{at}?camera=top", body, signed).status_code == 204
    assert pushed.heard[-1][0] == "consider"
    assert pushed.heard[-1][1]["bundle"]["version"] == 3
    for entry in bundle.manifest.files:
        digest = bundle.manifest.files[entry].sha256
        sent = pushed.put(f"{at}/{digest}", (bundle.path / entry).read_bytes())
        assert sent.status_code == 204, sent.text
    answer = pushed.console.post(f"{at}/shadow", {"camera": "top", "parts": "50"})
    assert answer.status_code == 200, answer.text
    _word, asked = next(one for one in pushed.heard if one[0] == "shadow")
    assert asked["camera"] == "top"
    assert asked["parts"] == 50
    log = pushed.console.get("/audit").text
    assert "bundle offered" in log


def test_hostile_uploads_are_refused(pushed, tmp_path):
    """200 of them: unsigned, by strangers, changed, too long, of strange names: none is kept."""
    dice = random.Random(5)
    stranger = load_or_make(tmp_path / "stranger.key")[0]
    good = small_bundle(tmp_path / "sent", pushed.key, version=3)
    body, signed = ((good.path / name).read_bytes() for name in (MANIFEST, SIGNATURE))
    for number in range(200):
        kind = number % 5
        at = f"{BUNDLES}/{good.digest}?camera=top"
        if kind == 0:
            answer = pushed.put(at, body)
        elif kind == 1:
            answer = pushed.put(at, body, stranger.sign(body))
        elif kind == 2:
            changed = bytearray(body)
            changed[dice.randrange(len(body))] ^= 1 << dice.randrange(8)
            digest = hashlib.sha256(changed).hexdigest()
            answer = pushed.put(f"{BUNDLES}/{digest}?camera=top", bytes(changed), signed)
        elif kind == 3:
            answer = pushed.put(at, b"{" * (1 << 21), signed)
        else:
            way = "/".join(dice.choices(["..", "%2e%2e", "..%2f", "a" * 64], k=3))
            answer = pushed.put(f"{BUNDLES}/{way}/{'0' * 64}", b"x", signed)
        assert answer.status_code in (400, 404, 405, 413, 422), (kind, answer.text)
    inbox = pushed.plant.appliance.console.folder / "inbox"
    assert not inbox.exists() or list(inbox.iterdir()) == []
    assert pushed.heard == []


def test_the_box_says_no_before_a_file_is_sent(pushed, tmp_path, monkeypatch):
    """An older version is refused at its manifest, which is forgotten."""

    def no(_folder, word, *_more, **_fields):
        raise BundleError(f"small 1 is older ({word})", "export it with a higher --version")

    monkeypatch.setattr(bundles, "ask", no)
    bundle = small_bundle(tmp_path / "sent", pushed.key)
    signed = (bundle.path / SIGNATURE).read_bytes()
    answer = pushed.put(
        f"{BUNDLES}/{bundle.digest}?camera=top", (bundle.path / MANIFEST).read_bytes(), signed
    )
    assert answer.status_code == 422
    assert answer.json() == {
        "error": "small 1 is older (consider)", "remedy": "export it with a higher --version",
    }  # fmt: skip
    assert pushed.console.get(f"{BUNDLES}/{bundle.digest}").status_code == 422
