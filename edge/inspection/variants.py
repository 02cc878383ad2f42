"""Which variant of a bundle judges on this box: the one asked for, or the fastest that holds.

Decided by measurement, not by what a processor is said to have: without VNNI or on a GPU a
smaller number can be the slower one. Knows no runtime and no process.
"""

from collections.abc import Mapping, Sequence
from statistics import median

from edge.clock import monotonic_ns
from edge.inspection.inspector import Scorer
from export.bundle import Bundle
from export.errors import BundleError
from export.manifest import FP32
from export.preprocess import Pixels

AUTO = "auto"
# FP16 is slower on a processor; TensorRT takes no asymmetric INT8; bf16 rounds FP32's graph.
SUITED: Mapping[str, tuple[str, ...]] = {
    "cpu": (FP32, "int8"),
    "openvino": (FP32, "int8"),
    "openvino-bf16": (FP32,),
    "cuda": (FP32, "fp16"),
    "tensorrt": (FP32, "fp16"),
}
GAIN = 0.9  # of FP32's time: what gains less isn't worth another scorer than was trained
ROUNDS, LEAST_ROUNDS, RACE_NS = 15, 3, 1_500_000_000


def candidates(bundle: Bundle, provider: str, wanted: str) -> tuple[Bundle, ...]:
    """The bundle as each variant that may judge, FP32 first.

    Args:
        bundle: verified.
        provider: what runs it.
        wanted: a variant's name, or AUTO for those that suit the provider and whose escape bound
            is proven if FP32's is.

    Raises:
        BundleError: it doesn't carry the variant, or that is not for this provider.
    """
    suited = SUITED.get(provider, (FP32,))
    if wanted != AUTO:
        asked = bundle.as_variant(wanted)
        if wanted not in suited:
            raise BundleError(
                f"variant {wanted!r} is not for provider {provider!r}, which runs "
                f"{', '.join(suited)}",
                "set [engine] variant to 'auto', or another provider",
            )
        return (asked,)
    every = (bundle.as_variant(name) for name in bundle.variants if name in suited)
    return tuple(one for one in every if one.basis.proven or not bundle.basis.proven)


def race(scorers: Mapping[str, Scorer], batch: Pixels) -> dict[str, float]:
    """Median milliseconds of each on one picture (1,H,W,3); by turns, so that all share the load.

    One round goes before, unmeasured: first runs allocate. One alone has nobody to beat, and runs
    no longer than it takes to tell its time.
    """
    rounds = ROUNDS if len(scorers) > 1 else LEAST_ROUNDS
    spent: dict[str, list[float]] = {name: [] for name in scorers}
    began_ns = monotonic_ns()
    for number in range(-1, rounds):
        if number >= LEAST_ROUNDS and monotonic_ns() - began_ns > RACE_NS:
            break
        for name, scorer in scorers.items():
            started_ns = monotonic_ns()
            scorer.score(batch)
            if number >= 0:
                spent[name].append((monotonic_ns() - started_ns) / 1e6)
    return {name: median(each) for name, each in spent.items()}


def fastest(medians_ms: Mapping[str, float]) -> str:
    """The fastest variant; FP32 where nothing gains enough on it."""
    name = min(medians_ms, key=medians_ms.__getitem__)
    if FP32 in medians_ms and medians_ms[name] > GAIN * medians_ms[FP32]:
        return FP32
    return name


def in_words(chosen: str, medians_ms: Mapping[str, float], left_out: Sequence[str]) -> str:
    """Why that one, for the log."""
    told = ", ".join(f"{name} {spent:.1f} ms" for name, spent in medians_ms.items())
    return "; ".join([f"{chosen}: {told}", *left_out])
