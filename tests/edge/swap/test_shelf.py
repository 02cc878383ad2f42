import shutil
import signal
import subprocess
import sys
import time

import pytest

from edge.swap.shelf import Chosen, Shelf
from edge.swap.standing import DIED, digest_at, standing, taken_back
from export.bundle import open_bundle
from export.errors import BundleError, StoreError
from export.manifest import MANIFEST
from export.signature import load_or_make
from tests.export.small_bundle import small_bundle

CAMERA = "top"


@pytest.fixture
def key(tmp_path):
    """The plant's."""
    return load_or_make(tmp_path / "signing.key")[0]


@pytest.fixture
def shelf(tmp_path, key):
    """An empty shelf."""
    return Shelf(tmp_path / "shelf", [key.public])


def made(tmp_path, key, version):
    """A bundle of that version."""
    return small_bundle(tmp_path / f"v{version}", key, version=version)


def chosen(old, new, **more):
    """`new` is active, `old`, which the settings name, was before."""
    fields = {
        "configured": str(old.path),
        "configured_digest": old.digest,
        "active": new.ref,
        "before": old.ref,
    }
    return Chosen(**(fields | more))


def test_a_copy_holds_what_the_manifest_lists(tmp_path, shelf, key):
    """And nothing else: what lies beside it in the original is refused before."""
    bundle = made(tmp_path, key, 1)
    copy = shelf.admit(bundle)
    assert copy.path != bundle.path
    assert (copy.digest, copy.manifest) == (bundle.digest, bundle.manifest)
    assert shelf.admit(bundle).path == copy.path
    assert {one.name for one in copy.path.iterdir()} == {one.name for one in bundle.path.iterdir()}


def test_an_original_that_changes_while_it_is_copied_is_refused(tmp_path, shelf, key):
    """Between the look at it and the copy; nothing of it stays on the shelf."""
    bundle = made(tmp_path, key, 1)
    (bundle.path / "model.onnx").write_bytes(b"another")
    with pytest.raises(BundleError, match=r"model\.onnx"):
        shelf.admit(bundle)
    (bundle.path / MANIFEST).write_bytes(b"{}")
    with pytest.raises(BundleError, match="exchanged"):
        shelf.admit(bundle)
    assert not any((tmp_path / "shelf" / "slots").iterdir())


def test_a_copy_that_was_tampered_with_is_refused(tmp_path, shelf, key):
    """The shelf believes its own disk no more than anybody's."""
    bundle = made(tmp_path, key, 1)
    copy = shelf.admit(bundle)
    (copy.path / "model.onnx").write_bytes(b"another")
    with pytest.raises(BundleError):
        shelf.take(bundle.digest)


def test_a_copy_that_was_exchanged_for_another_is_refused(tmp_path, shelf, key):
    """Signed as well, but not the one that was chosen: an older one, say."""
    old, new = shelf.admit(made(tmp_path, key, 1)), shelf.admit(made(tmp_path, key, 2))
    shutil.rmtree(new.path)
    old.path.rename(new.path)
    with pytest.raises(BundleError, match="another bundle"):
        shelf.take(new.digest)


def test_the_settings_bundle_judges_until_another_is_chosen(tmp_path, shelf, key):
    """Then that one, after every restart; other settings, or other content there, end it."""
    old, new = made(tmp_path, key, 1), made(tmp_path, key, 2)
    assert standing(shelf, CAMERA, old.path).path == old.path
    copy = shelf.admit(new)
    shelf.choose(CAMERA, chosen(old, new))
    assert standing(shelf, CAMERA, old.path).path == copy.path
    assert standing(shelf, CAMERA, new.path).path == new.path
    assert shelf.chosen(CAMERA) is None


def test_a_box_that_died_over_a_bundle_begins_with_the_one_before(tmp_path, shelf, key):
    """Found running at the start; a clean stop leaves it paused until it is watched again."""
    old, new = made(tmp_path, key, 1), made(tmp_path, key, 2)
    before, _ = shelf.admit(old), shelf.admit(new)
    shelf.choose(CAMERA, chosen(old, new, probation="running"))
    begun = standing(shelf, CAMERA, old.path)
    assert (begun.path, begun.news) == (before.path, DIED)
    assert shelf.chosen(CAMERA).refused == (new.digest,)
    shelf.choose(CAMERA, chosen(old, new, probation="paused"))
    begun = standing(shelf, CAMERA, old.path)
    assert begun.path == shelf.slot(new.digest)
    assert begun.chosen.probation == "paused"


def test_a_record_that_is_damaged_is_told(shelf, tmp_path):
    """With what to do; never guessed at."""
    (tmp_path / "shelf").mkdir()
    (tmp_path / "shelf" / "top.json").write_text('{"configured": 1}')
    with pytest.raises(StoreError, match=r"top\.json"):
        shelf.chosen(CAMERA)


def test_only_what_a_camera_has_is_kept(tmp_path, shelf, key):
    """Active and before; the rest, and what a kill left half done, is swept."""
    bundles = [made(tmp_path, key, version) for version in (1, 2, 3)]
    for one in bundles:
        shelf.admit(one)
    (tmp_path / "shelf" / "slots" / "half.partial").mkdir()
    shelf.choose(CAMERA, chosen(bundles[1], bundles[2]))
    assert shelf.sweep([CAMERA]) == 2
    assert not shelf.slot(bundles[0].digest).exists()
    assert shelf.take(bundles[2].digest).digest == bundles[2].digest


def test_nothing_was_before_the_first():
    """A rollback leads nowhere then."""
    bare = Chosen(
        configured="x", configured_digest="", active={"name": "a", "version": 1, "digest": "d"}
    )
    with pytest.raises(ValueError, match="nothing"):
        taken_back(bare)


CHANGER = """
import sys
from pathlib import Path
from edge.swap.shelf import Chosen, Shelf
from export.bundle import open_bundle
from export.signature import load_public
root = Path(sys.argv[1])
keys = [load_public(root / "signing.pub")]
shelf = Shelf(root / "shelf", keys)
bundles = [open_bundle(root / f"v{n}", keys) for n in (1, 2)]
print("go", flush=True)
turn = 0
while True:
    turn += 1
    new, old = bundles[turn % 2], bundles[(turn + 1) % 2]
    shelf.admit(new)
    told = {"configured": "x", "configured_digest": "", "active": new.ref, "before": old.ref}
    shelf.choose("top", Chosen(**told))
    shelf.sweep(["top"])
"""


@pytest.mark.parametrize("kills", [3, pytest.param(200, marks=pytest.mark.slow)])
def test_a_kill_at_any_moment_leaves_a_whole_choice(tmp_path, shelf, key, kills):
    """Kill -9 in the middle of copying, choosing and sweeping: what is active is there, whole."""
    for version in (1, 2):
        made(tmp_path, key, version)
    for kill in range(kills):
        child = subprocess.Popen(
            [sys.executable, "-c", CHANGER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout.readline() == "go\n"
        time.sleep(0.005 + 0.01 * (kill % 7))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        if found := shelf.chosen(CAMERA):
            assert open_bundle(shelf.slot(found.active.digest), [key.public]).ref == found.active
    assert digest_at(tmp_path / "none") == ""
