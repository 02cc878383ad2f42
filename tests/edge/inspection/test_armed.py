"""Only a bundle that proves itself on this box may judge."""

from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.inspection.armed import arm, prove
from edge.inspection.inspector import Scores
from edge.inspection.session import OnnxScorer
from export.errors import BundleError, ProviderError, SignatureError
from export.preprocess import Pixels
from export.signature import PrivateKey
from export.verdict import Outcome
from tests.export.small_bundle import small_bundle, small_graph

KEY = PrivateKey(Ed25519PrivateKey.generate())


def test_an_armed_inspector_judges(tmp_path: Path):
    """From a folder to verdicts: dark parts pass, bright ones fail, under the bundle's name."""
    bundle = small_bundle(tmp_path / "b", KEY)
    inspector = arm(bundle.path, [KEY.public])
    dark, bright = (np.full((100, 150, 3), level, np.uint8) for level in (10, 250))
    assert inspector.judge(dark).outcome is Outcome.PASS
    found = inspector.judge(bright)
    assert (found.outcome, found.bundle) == (Outcome.FAIL, bundle.ref)
    assert set(found.probabilities) == {"good", "bright"}


def test_failed_golden_samples_disarm(tmp_path: Path):
    """A bundle whose golden samples are judged otherwise here never gets to judge."""
    bundle = small_bundle(tmp_path / "b", KEY, small_graph(gain=0.9))
    with pytest.raises(BundleError, match="computes otherwise"):
        arm(bundle.path, [KEY.public])


def test_an_untrusted_bundle_is_never_loaded(tmp_path: Path):
    """Without a trusted signature nothing of the bundle is opened."""
    bundle = small_bundle(tmp_path / "b", KEY)
    with pytest.raises(SignatureError):
        arm(bundle.path, [])


def test_a_missing_device_disarms(tmp_path: Path):
    """A device that can't be had is an error, not a slower box."""
    if Path("/dev/nvidia0").exists():
        pytest.skip("this machine has a GPU")
    bundle = small_bundle(tmp_path / "b", KEY)
    with pytest.raises(ProviderError):
        arm(bundle.path, [KEY.public], ["cuda"])


def test_a_device_that_answers_nan_disarms(tmp_path: Path):
    """Golden samples catch a device that computes nonsense."""
    bundle = small_bundle(tmp_path / "b", KEY)
    scorer = OnnxScorer(bundle.model_path)

    class Broken:
        def score(self, batch: Pixels) -> Scores:
            found = scorer.score(batch)
            return Scores(found.probabilities * np.nan, found.score, found.heatmap)

    prove(bundle, scorer)
    with pytest.raises(BundleError, match="golden sample"):
        prove(bundle, Broken())
