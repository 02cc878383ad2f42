"""From a run to a bundle with variants: each released with its files, or refused with a reason."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.inspection.armed import arm
from export import scores
from export.errors import BundleError, PictureError
from export.golden import Golden
from export.manifest import GOLDEN
from export.signature import PrivateKey
from tests.export.small_bundle import golden_files
from tests.trainer.tiny_run import tiny_run
from trainer.history import digest_of
from trainer.progress import Progress
from trainer.publish import Edition, publish
from trainer.variants.make import Workshop

KEY = PrivateKey(Ed25519PrivateKey.generate())


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_bundle_carries_what_holds_and_says_what_doesnt(tmp_path: Path):
    """What was asked for is in the bundle or named as refused, and what is in it can judge."""
    run = tiny_run(tmp_path)
    asked = ("int8", "fp16")
    bundle = publish(run, Edition("tiny", 1, tmp_path / "b"), KEY, variants=asked)
    told = bundle.manifest
    assert set(told.variants) | set(told.refused) == set(asked)
    assert "fp16" in told.variants
    for name, one in told.variants.items():
        speaking = bundle.as_variant(name)
        assert len(scores.read(speaking)) == one.agreement.pictures == 8
        assert one.noise <= 0.2
        assert told.metrics[name]
    if "int8" in told.variants:
        assert arm(bundle.path, [KEY.public], variant="int8").bundle.variant == "int8"


def test_an_unknown_variant_is_refused_before_anything_is_written(tmp_path: Path):
    """A name that isn't known makes no bundle."""
    run = tiny_run(tmp_path)
    with pytest.raises(BundleError, match="no variant is called int4"):
        publish(run, Edition("tiny", 1, tmp_path / "b"), KEY, variants=["int4"])
    assert not (tmp_path / "b").exists()


def test_lost_pictures_are_told(tmp_path: Path):
    """Variants need the run's pictures; where some are gone the error says what to do."""
    run = tiny_run(tmp_path)
    row = next(one for one in run.scores() if one.split == "validation")
    (tmp_path / "data" / row.path).unlink()
    known = Golden.model_validate_json(golden_files()[GOLDEN])
    shop = Workshop(run, tmp_path / "m", tmp_path / "data", known, tmp_path, Progress(None))
    with pytest.raises(PictureError, match="can't be read") as refused:
        shop.make(["fp16"])
    assert "--variants none" in refused.value.remedy


def test_exchanged_pictures_are_told(tmp_path: Path):
    """A bound that stands on other pictures than the run's is no bound."""
    run = tiny_run(tmp_path)
    rows = [
        row.model_copy(update={"sha256": digest_of(tmp_path / "data" / row.path)})
        for row in run.split()
    ]
    run.save(run.network(), rows, run.scores())
    row = next(one for one in rows if one.split == "calibration")
    other = next(one for one in rows if one.label != row.label)
    (tmp_path / "data" / row.path).write_bytes((tmp_path / "data" / other.path).read_bytes())
    known = Golden.model_validate_json(golden_files()[GOLDEN])
    shop = Workshop(run, tmp_path / "m", tmp_path / "data", known, tmp_path, Progress(None))
    assert len(shop._read([other.path])) == 1
    with pytest.raises(PictureError, match=f"changed since.*{row.path}") as refused:
        shop._read([one.path for one in rows])
    assert "--variants none" in refused.value.remedy
