"""A variant speaks with its own files, thresholds and name; old bundles still load."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from export import golden, scores
from export.bundle import open_bundle
from export.card import card
from export.errors import BundleError
from export.manifest import FP32, Manifest, name_of
from export.parity import reproduce
from export.signature import PrivateKey
from tests.export.small_bundle import THRESHOLDS, description, small_bundle
from tests.export.variant_bundle import OWN, variant, variant_bundle

KEY = PrivateKey(Ed25519PrivateKey.generate())


def test_a_variant_speaks_for_itself(tmp_path: Path):
    """Model, thresholds, golden samples, scores and name are the variant's; the digest is one."""
    bundle = open_bundle(variant_bundle(tmp_path / "b", KEY).path, [KEY.public])
    other = bundle.as_variant("int8")
    assert (bundle.thresholds, other.thresholds) == (THRESHOLDS, OWN)
    assert (bundle.ref.variant, other.ref.variant) == (FP32, "int8")
    assert bundle.ref.digest == other.ref.digest
    assert other.model_path.name == "model.int8.onnx"
    assert golden.read(other).samples
    assert scores.read(other)[0].score == pytest.approx(scores.read(bundle)[0].score + 0.01)
    assert [reproduce(one)[0] for one in (bundle, other)] == [1, 1]
    assert "int8: made for tests" in card(bundle)
    assert "fp16: not released: it was not asked for" in card(bundle)


def test_what_it_doesnt_carry_is_refused_with_the_reason(tmp_path: Path):
    """Asked for a variant that wasn't released, it says why instead of giving another."""
    bundle = variant_bundle(tmp_path / "b", KEY)
    with pytest.raises(BundleError, match="no variant 'fp16', but fp32, int8: it was not asked"):
        bundle.as_variant("fp16")


def test_a_bundle_without_variants_is_as_old_boxes_know_it(tmp_path: Path):
    """It says version 1 and none of the new fields, and one written before they existed loads."""
    bundle = small_bundle(tmp_path / "b", KEY)
    body = json.loads((bundle.path / "manifest.json").read_bytes())
    assert body["schema_version"] == 1
    assert not {"variants", "refused"} & set(body)
    assert Manifest.model_validate(body).variants == {}
    assert bundle.variants == (FP32,)


@pytest.mark.parametrize(
    "changes",
    [
        {"variants": {"int8": variant()}},
        {"schema_version": 2, "variants": {"int8": variant()}},
        {"schema_version": 2, "variants": {"int4": variant()}, "metrics": {"int4": ()}},
    ],
    ids=["version 1", "no figures", "unknown"],
)
def test_a_senseless_variant_is_no_manifest(changes: dict[str, object]):
    """A variant in version 1, without figures, or of an unknown precision is refused."""
    with pytest.raises(ValidationError):
        description(**changes)


def test_names_of_files():
    """FP32's files keep their names, another variant's say whose they are."""
    assert name_of("model.onnx", FP32) == "model.onnx"
    assert name_of("golden/golden.json", "int8") == "golden/golden.int8.json"
