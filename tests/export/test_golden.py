"""Golden samples are chosen where they tell most, and no wrong answer reproduces them."""

import math
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from export import golden
from export.bundle import write_bundle
from export.errors import BundleError
from export.golden import TOLERANCE, Candidate, Sample
from export.manifest import GOLDEN, MODEL
from export.signature import PrivateKey
from export.verdict import Thresholds
from tests.export.small_bundle import THRESHOLDS, description, golden_files, small_graph

KEY = PrivateKey(Ed25519PrivateKey.generate())
SAMPLE = Sample(
    file="golden/00.png", source="a.png", label="good", outcome="pass",
    probabilities=(0.9, 0.1), score=0.1,
)  # fmt: skip


@given(
    st.lists(st.builds(Candidate, st.text(max_size=5), st.sampled_from("abc"), st.floats(0, 1))),
    st.integers(1, 10),
)
def test_every_class_has_its_turn(candidates: list[Candidate], count: int):
    """No class has two more than another that had more to offer; none lies on a threshold."""
    chosen = golden.choose(candidates, THRESHOLDS, count)
    assert len(chosen) <= count
    for one in chosen:
        for limit in (THRESHOLDS.pass_below, THRESHOLDS.fail_above):
            assert abs(one.score - limit) > 2 * TOLERANCE
    taken = {label: sum(one.label == label for one in chosen) for label in "abc"}
    clear = golden.choose(candidates, THRESHOLDS, 10**6)
    offered = {label: sum(one.label == label for one in clear) for label in "abc"}
    for label in "abc":
        if taken[label] < offered[label]:
            assert all(taken[other] <= taken[label] + 1 for other in "abc")


def test_the_least_saturated_come_first():
    """Of one class, the score nearest to one half is taken first."""
    offered = [Candidate("a", "x", 0.999), Candidate("b", "x", 0.55), Candidate("c", "x", 0.01)]
    assert [one.source for one in golden.choose(offered, THRESHOLDS, 2)] == ["b", "c"]


def test_the_same_answer_passes():
    """The known answer, and one within the tolerance, pass and tell the difference."""
    for shift in (0.0, 0.004, -0.004):
        answer = np.array([0.9 - shift, 0.1 + shift], np.float32)
        found = golden.check(SAMPLE, answer, 0.1 + shift, THRESHOLDS)
        assert found == pytest.approx(abs(shift), abs=1e-6)


@pytest.mark.parametrize(
    ("probabilities", "score"),
    [
        ((0.89, 0.11), 0.1),
        ((0.9, 0.1), 0.11),
        ((math.nan, 0.1), 0.1),
        ((0.9, 0.1), math.nan),
        ((0.9, 0.1), math.inf),
    ],
)
def test_another_answer_is_refused(probabilities: tuple[float, float], score: float):
    """A probability or a score beyond the tolerance, or no number, is refused."""
    with pytest.raises(BundleError, match=r"golden/00\.png"):
        golden.check(SAMPLE, np.array(probabilities, np.float32), score, THRESHOLDS)


def test_another_outcome_is_refused():
    """Within the tolerance but across a threshold is refused too."""
    limits = Thresholds(pass_below=0.1005, fail_above=0.5)
    with pytest.raises(BundleError, match="must pass"):
        golden.check(SAMPLE, np.array([0.899, 0.101], np.float32), 0.101, limits)


def test_a_bundle_stays_small():
    """Pictures beyond the limit are left out, but never all."""
    noise = np.random.default_rng(0).integers(0, 256, (2400, 2400, 3), np.uint8)
    files = golden.encode([noise, noise, noise])
    assert 1 <= len(files) < 3
    assert sum(map(len, files)) <= golden.MAX_TOTAL_BYTES


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{}", "can't be used"),
        (b'{"samples":[]}', "can't be used"),
        (golden_files()[GOLDEN].replace(b"00.png", b"09.png"), "doesn't list"),
        (golden_files()[GOLDEN].replace(b'"probabilities":[', b'"probabilities":[0,'), "per class"),
    ],
)
def test_unusable_golden_samples_are_refused(tmp_path: Path, body: bytes, why: str):
    """A signed golden.json that makes no sense is a BundleError."""
    contents = {MODEL: small_graph().SerializeToString(), **golden_files(), GOLDEN: body}
    bundle = write_bundle(tmp_path / "b", description(), contents, KEY)
    with pytest.raises(BundleError, match=why):
        golden.read(bundle)


def test_a_novelty_is_reproduced_too():
    """A sample with a novelty needs one, in proportion to its size, and the outcome it gave."""
    novel = SAMPLE.model_copy(update={"novelty": 4.0})
    answer, limits = np.array([0.9, 0.1], np.float32), Thresholds(pass_below=0.3, fail_above=0.7)
    assert golden.check(novel, answer, 0.1, limits, novelty=4.016) == pytest.approx(0.004)
    for told in (None, 4.1, math.nan):
        with pytest.raises(BundleError, match="golden sample"):
            golden.check(novel, answer, 0.1, limits, novelty=told)
    close = limits.model_copy(update={"novel_above": 4.01})
    with pytest.raises(BundleError, match="must pass"):
        golden.check(novel, answer, 0.1, close, novelty=4.015)


def test_none_lies_on_the_threshold_of_novelty():
    """A candidate whose novelty lies where rounding decides is no golden sample."""
    limits = THRESHOLDS.model_copy(update={"novel_above": 2.0})
    offered = [Candidate("a", "x", 0.5, 2.01), Candidate("b", "x", 0.5, 1.5)]
    assert [one.source for one in golden.choose(offered, limits)] == ["b"]
