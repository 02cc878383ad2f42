"""The manifest keeps its published schema and survives writing and reading."""

import json
from pathlib import Path

import jsonschema
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from export.card import card
from export.manifest import Manifest, TypeBasis
from export.signature import PrivateKey
from export.verdict import Thresholds
from tests.export.small_bundle import description, small_bundle

KEY = PrivateKey(Ed25519PrivateKey.generate())


def test_keeps_the_published_schema(tmp_path: Path):
    """What is written is valid under the JSON Schema, and reads back the same."""
    bundle = small_bundle(tmp_path / "b", KEY)
    body = (bundle.path / "manifest.json").read_bytes()
    schema = Manifest.model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(json.loads(body))
    assert Manifest.model_validate_json(body) == bundle.manifest


def test_the_card_tells_the_bound_in_words(tmp_path: Path):
    """The card says what was proved, and says so when the budget was not."""
    told = card(small_bundle(tmp_path / "b", KEY))
    assert "calibration: 0 of 59 defective parts missed" in told
    limits = Thresholds(pass_below=0.5, fail_above=0.5, novel_above=9.0)
    rare = TypeBasis(parts=27, escapes=0, bound=0.105, proven=False, more_parts=32)
    basis = description().basis.model_copy(update={"types": {"crack": rare}, "plan": ("32 more",)})
    told = card(small_bundle(tmp_path / "d", KEY, basis=basis, thresholds=limits))
    assert "crack: 0 of 27 parts missed, at most 10.5% escape; NOT PROVEN" in told
    assert "\n               32 more" in told
    assert "score from 0.5000 to" not in told
    assert "novelty from 9.0000" in told
