"""trainer/storage: what lies on a store becomes the same folder, each object fetched once."""

import json
import logging
import shutil
from unittest.mock import patch

import fsspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from export.command import application
from export.errors import DatasetError, LinewardenError
from tests.trainer.tiny_run import draw
from trainer.history import scan
from trainer.progress import Progress
from trainer.storage import store as stores
from trainer.storage.address import Address
from trainer.storage.mirror import INDEX, Mirror, folder_of, source_of
from trainer.storage.store import Store

QUIET = Progress(None)
URL = "memory://bucket/photos"


@pytest.fixture
def files():
    """Fsspec's store in memory, empty before and after."""
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]
    yield memory
    memory.store.clear()


def put(files, folder):
    """Copy a folder onto the store."""
    for path in folder.rglob("*"):
        if path.is_file():
            files.pipe(f"/bucket/photos/{path.relative_to(folder).as_posix()}", path.read_bytes())


class Counting(Store):
    """A store that notes what is fetched, and may do something before."""

    def __init__(self, address, before=lambda _path: None):
        super().__init__(address)
        self.fetched, self.before = [], before

    def fetch(self, path, to):
        self.before(path)
        self.fetched.append(path)
        super().fetch(path, to)


def mirror(cache, before=lambda _path: None):
    """A mirror of URL, and its store."""
    address = Address.of(URL)
    store = Counting(address, before)
    return Mirror(address, store, cache), store


def held(root):
    """Every file's bytes by its path."""
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


NAMES = st.text("abü .-_1", min_size=1, max_size=6).filter(lambda name: name.strip(".") == name)
TREES = st.dictionaries(
    st.tuples(
        st.sampled_from(["good", "spot", ".history"]), NAMES, st.sampled_from([".png", ".csv"])
    ),
    st.binary(max_size=40),
    min_size=1,
    max_size=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(first=TREES, second=TREES)
def test_the_copy_is_what_lies_there(files, tmp_path, first, second):
    """Whatever came, went or changed between two looks, both are the same after each."""
    shutil.rmtree(tmp_path, ignore_errors=True)
    for tree in (first, second):
        files.store.clear()
        wanted = {"/".join(name[:2]) + name[2]: body for name, body in tree.items()}
        for path, body in wanted.items():
            files.pipe(f"/bucket/photos/{path}", body)
        assert held(folder_of(URL, QUIET, tmp_path)) == wanted


def test_a_url_is_the_data_set_of_the_folder(files, tmp_path):
    """Version, history and notes but for the source are those of the folder with the same bytes."""
    from trainer.dataset import open_dataset
    from trainer.history import named_version, record

    draw(tmp_path / "photos", per_class=3)
    seen = scan(tmp_path / "photos")
    record(tmp_path / "photos", seen, note="as it was")
    put(files, tmp_path / "photos")
    copy = folder_of(URL, QUIET, tmp_path / "cache")
    assert scan(copy) == seen
    assert named_version(copy, seen.version) == named_version(tmp_path / "photos", seen.version)
    plain, mirrored = open_dataset(tmp_path / "photos"), open_dataset(copy)
    assert mirrored.pictures == plain.pictures
    assert mirrored.notes == (*plain.notes, f"a copy of {URL}")
    assert copy.name == "photos"
    assert not source_of(tmp_path / "photos")


def test_each_object_is_fetched_once(files, tmp_path):
    """The second look fetches nothing; then what changed, and what lost its file here."""
    draw(tmp_path / "photos", per_class=2)
    put(files, tmp_path / "photos")
    files.pipe("/bucket/photos/film.mp4", b"long")
    first, store = mirror(tmp_path / "cache")
    first.follow(QUIET)
    assert len(store.fetched) == 4, "of what is never read, the name is enough"
    again, store = mirror(tmp_path / "cache")
    again.follow(QUIET)
    assert store.fetched == []
    files.pipe("/bucket/photos/good/good_0.png", b"other")
    (again.root / "spot" / "spot_1.png").write_bytes(b"cut off")
    again.follow(QUIET)
    assert sorted(store.fetched) == ["good/good_0.png", "spot/spot_1.png"]


def test_what_was_fetched_stays(files, tmp_path):
    """A look that broke off in the midst goes on where it was, also after a torn line."""
    draw(tmp_path / "photos", per_class=12)
    put(files, tmp_path / "photos")

    def fail(path):
        if path == "spot/spot_9.png":
            raise DatasetError("gone")

    broken, store = mirror(tmp_path / "cache", fail)
    with pytest.raises(DatasetError, match="gone"):
        broken.follow(QUIET)
    before = len(store.fetched)
    index = broken.root.parent / INDEX
    index.write_text(index.read_text() + '{"path": "good/go')
    whole, store = mirror(tmp_path / "cache")
    assert held(whole.follow(QUIET)) == held(tmp_path / "photos")
    assert len(store.fetched) == 24 - before


def test_what_changes_meanwhile_is_refused(files, tmp_path):
    """So that no run learns from a mixture; what vanishes or comes cut off is named, too."""
    draw(tmp_path / "photos", per_class=2)
    put(files, tmp_path / "photos")
    new, name = b"another picture", "/bucket/photos/spot/spot_0.png"

    def change(path):
        if path == "spot/spot_1.png":
            files.pipe("/bucket/photos/spot/later.png", new)

    with pytest.raises(DatasetError, match=r"changed while it was fetched: 'spot/later\.png'"):
        mirror(tmp_path / "a", change)[0].follow(QUIET)
    with pytest.raises(DatasetError, match=r"spot_0.png is not there \(any more\)"):
        mirror(tmp_path / "b", lambda _path: files.store.pop(name, None))[0].follow(QUIET)
    put(files, tmp_path / "photos")
    size = (tmp_path / "photos" / "spot" / "spot_0.png").stat().st_size
    with pytest.raises(DatasetError, match=f"came with 15 bytes of {size}"):
        mirror(tmp_path / "c", lambda _path: files.pipe(name, new))[0].follow(QUIET)


class RefusedError(Exception):
    status = 403


@pytest.mark.parametrize(
    ("raised", "problem", "remedy"),
    [
        (PermissionError("Forbidden"), "may not be read with these credentials", "allow listing"),
        (RefusedError("no"), "may not be read: 403", "credentials"),
        (ConnectionError("no route"), "can't be read: no route", "check the network"),
        (TimeoutError(), "can't be read: TimeoutError", "check the network"),
    ],
)
def test_a_store_that_says_no_is_named(files, tmp_path, raised, problem, remedy):
    """Whatever a back end raises is one sentence with the address and what to do."""

    def refuse(*_args, **_more):
        raise raised

    with (
        patch.object(type(files), "find", refuse),
        pytest.raises(DatasetError, match=problem) as caught,
    ):
        folder_of(URL, QUIET, tmp_path)
    assert URL in caught.value.problem
    assert remedy in caught.value.remedy


def test_a_broken_transfer_is_tried_again(files, tmp_path, monkeypatch):
    """Twice, before it is an error."""
    files.pipe("/bucket/photos/good/a.png", b"a")
    tries, real = [], type(files).get_file

    def shaky(self, name, to):
        tries.append(name)
        if len(tries) < stores.ATTEMPTS:
            raise ConnectionResetError
        real(self, name, to)

    monkeypatch.setattr(type(files), "get_file", shaky)
    monkeypatch.setattr(stores.time, "sleep", lambda _s: None)
    assert held(folder_of(URL, QUIET, tmp_path)) == {"good/a.png": b"a"}
    assert len(tries) == stores.ATTEMPTS


@pytest.mark.parametrize(
    "key", ["../escape.png", "good/../../escape.png", "good//a.png", "a\\b.png"]
)
def test_no_name_leads_out_of_the_copy(files, tmp_path, key):
    """A key that is no plain path is refused before anything is written."""
    files.store[f"/bucket/photos/{key}"] = files.open("/bucket/photos/x", "wb")
    files.pipe("/bucket/photos/x", b"")
    with pytest.raises(DatasetError, match="no name for a file"):
        folder_of(URL, QUIET, tmp_path / "cache")
    assert not list(tmp_path.rglob("*.png"))


@pytest.mark.parametrize(
    ("text", "problem", "remedy"),
    [
        ("memory://nothing", "holds nothing", "folder"),
        ("nosuch://x/y", "nosuch:// is unknown", "s3://bucket/photos"),
        ("simplecache::s3://x/y", "is a chain", "plain address"),
        ("https://host/x?sig=SECRET", "query", "environment"),
        ("gs://me:SECRET@bucket/x", "does not take", "environment"),
        ("s3://bucket/..", "names no folder", "own name"),
    ],
)
def test_an_address_that_can_not_be_is_explained(files, tmp_path, text, problem, remedy):
    """With what to do, and without what was secret in it."""
    with pytest.raises(DatasetError, match=problem) as caught:
        folder_of(text, QUIET, tmp_path)
    assert remedy in caught.value.remedy
    assert "SECRET" not in str(caught.value)


def test_a_missing_package_is_named_with_its_role(tmp_path, monkeypatch):
    """No trace: which role to install."""

    def lacking(*_args, **_more):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(stores.fsspec.core, "url_to_fs", lacking)
    for scheme, role in (("s3", "s3"), ("gs", "gcs"), ("https", "https")):
        with pytest.raises(DatasetError, match="isn't installed") as caught:
            folder_of(f"{scheme}://bucket/photos", QUIET, tmp_path)
        assert caught.value.remedy == f"pip install 'linewarden[{role}]'"


def test_a_full_disk_is_told_before(files, tmp_path, monkeypatch):
    """How much is needed where, before anything is fetched."""
    files.pipe("/bucket/photos/good/a.png", b"a")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(9, 9, 0))
    with pytest.raises(DatasetError, match=r"0\.0 GB are free") as caught:
        folder_of(URL, QUIET, tmp_path)
    assert "--cache" in caught.value.remedy


def test_credentials_go_to_the_store_alone(tmp_path):
    """Neither the address that is shown, nor its text, nor a library's words keep them."""
    address = Address.of("s3://AKIA1:s%2Fcret@bucket/photos")
    assert address.options() == {"key": "AKIA1", "secret": "s/cret"}
    assert "cret" not in f"{address!r} {address.url} {address.scrubbed('wrong s/cret')}"
    assert address.url == Address.of("s3://bucket/photos/").url
    web = Address.of("https://me:pass@host:8443/photos")
    assert web.url == "https://host:8443/photos"
    assert web.options()["client_kwargs"]["headers"]["Authorization"].startswith("Basic ")


@pytest.fixture
def photos(tmp_path):
    """A folder of pictures."""
    draw(tmp_path / "photos", per_class=8)
    return tmp_path / "photos"


def test_a_run_from_a_url_is_the_run_from_the_folder(files, photos, tmp_path, caplog, capfd):
    """Same split, same fingerprint, same network; the record names the source."""
    put(files, photos)
    options = ["--weights", "starter", "--size", "32", "--epochs", "0", "--no-near-duplicates",
               "--novelty-false-alarms", "0", "--threads", "1"]  # fmt: skip
    caplog.set_level(logging.DEBUG)
    for data, out in ((str(photos), "plain"), (URL, "remote")):
        cache = ["--cache", str(tmp_path / "cache")]
        done = CliRunner().invoke(
            application(), ["train", data, "--out", str(tmp_path / out), *cache, *options]
        )
        assert done.exception is None, done.exception
    for name in ("split.csv", "scores.csv", "model.safetensors"):
        plain, remote = ((tmp_path / out / name).read_bytes() for out in ("plain", "remote"))
        assert plain == remote
    records = [json.loads((tmp_path / out / "run.json").read_text())["data"]
               for out in ("plain", "remote")]  # fmt: skip
    assert records[0]["fingerprint"] == records[1]["fingerprint"]
    assert records[1]["notes"] == [*records[0]["notes"], f"a copy of {URL}"]


@pytest.mark.parametrize(
    "command", [["data", "record"], ["data", "undo"], ["data", "check", "--apply"]]
)
def test_a_store_is_never_written(files, photos, command):
    """What would write into DATA says so."""
    put(files, photos)
    done = CliRunner().invoke(application(), [*command, URL])
    assert isinstance(done.exception, LinewardenError)
    assert "never written" in done.exception.problem
