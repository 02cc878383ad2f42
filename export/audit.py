"""What the audit says: the share of outgoing parts that are defective, and how sure that is.

Some passes are drawn at random, kept, and looked at by a person. The estimate weighs each by one
over its chance of being drawn (Horvitz and Thompson, JASA 47, 1952), the interval is exact (Clopper
and Pearson, Biometrika 26, 1934). Needs no statistics library, so that the box can say it too.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from export.sample import Sample, Why
from export.verdict import Outcome

CONFIDENCE = 0.95
_STEPS = 60  # halvings: below what a float can hold of 0..1


@dataclass(frozen=True, slots=True)
class EscapeEstimate:
    """An estimated outgoing escape rate.

    Attributes:
        rate: share of passed parts that are defective, or None while none was reviewed.
        low, high: exact interval at `confidence`, 0 and 1 while none was reviewed.
        passed: passed parts that the reviewed ones stand for (the sum of 1/rate drawn).
        escapes: defective parts among them, estimated.
        drawn: passes that were drawn and are still kept.
        reviewed: of those, looked at.
        found: of those, defective.
        confidence: of the interval.
    """

    rate: float | None
    low: float
    high: float
    passed: float
    escapes: float
    drawn: int
    reviewed: int
    found: int
    confidence: float = CONFIDENCE

    def __str__(self) -> str:
        if self.rate is None:
            return f"no figure yet: {self.drawn} passes were drawn, none of them is reviewed"
        return (
            f"{self.rate:.2%} of passed parts are defective ({self.low:.2%} to {self.high:.2%} at "
            f"{self.confidence:.0%}): {self.found} of {self.reviewed} reviewed, {self.drawn} drawn"
        )


def escape_rate(
    samples: Iterable[Sample], *, good: str = "good", confidence: float = CONFIDENCE
) -> EscapeEstimate:
    """The outgoing escape rate, from the labels of audited passes.

    Only passes that were drawn count: one that a person picked tells nothing about the rest. Where
    the drawing rate was changed, each rate is a stratum with its exact interval at a confidence
    that makes all of them hold together (Bonferroni), and the strata are added by their weight.
    It assumes that what is not reviewed yet was left by chance, not by choice.

    Args:
        samples: any samples; the others are passed over.
        good: the label of a good part; any other is a defect.
        confidence: of the interval.
    """
    drawn: Counter[float] = Counter()
    reviewed: Counter[float] = Counter()
    found: Counter[float] = Counter()
    for sample in samples:
        audited = sample.audit and Why.AUDIT in sample.why and sample.audit.rate > 0
        if not audited or sample.verdict.outcome is not Outcome.PASS:
            continue
        rate = sample.audit.rate if sample.audit else 0.0
        drawn[rate] += 1
        if sample.label is not None:
            reviewed[rate] += 1
            found[rate] += sample.label.lower() != good.lower()
    return _estimate(drawn.total(), reviewed, found, confidence)


def _estimate(
    drawn: int, reviewed: Counter[float], found: Counter[float], confidence: float
) -> EscapeEstimate:
    if not reviewed:
        return EscapeEstimate(None, 0.0, 1.0, 0.0, 0.0, drawn, 0, 0, confidence)
    passed = sum(count / rate for rate, count in reviewed.items())
    escapes = sum(found[rate] / rate for rate in reviewed)
    each = 1 - (1 - confidence) / len(reviewed)
    low = high = 0.0
    for rate, count in reviewed.items():
        weight = count / rate / passed
        least, most = exact_interval(found[rate], count, each)
        low, high = low + weight * least, high + weight * most
    return EscapeEstimate(
        escapes / passed, low, high, passed, escapes,
        drawn, reviewed.total(), found.total(), confidence,
    )  # fmt: skip


def exact_interval(k: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Clopper and Pearson's two-sided interval for `k` of `n`; 0 of 0 says nothing: (0, 1)."""
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is no rate")
    tail = (1 - confidence) / 2
    low = 0.0 if k == 0 else _root(lambda p: 1 - _at_most(k - 1, n, p), tail)
    high = 1.0 if k == n else _root(lambda p: -_at_most(k, n, p), -tail)
    return low, high


def _root(rising: Callable[[float], float], value: float) -> float:
    """Where a function that rises over 0..1 takes `value`."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < value else (low, middle)
    return (low + high) / 2


def _at_most(k: int, n: int, p: float) -> float:
    """Chance of at most `k` hits in `n` trials of chance `p`."""
    if p <= 0.0 or p >= 1.0:
        return float(p <= 0.0 or k >= n)
    hit, miss = math.log(p), math.log1p(-p)
    ways = math.lgamma(n + 1)
    return math.fsum(
        math.exp(ways - math.lgamma(i + 1) - math.lgamma(n - i + 1) + i * hit + (n - i) * miss)
        for i in range(k + 1)
    )
