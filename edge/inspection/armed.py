"""Arming: from a bundle on disk to an inspector that has proved itself on this box.

Verifies the signature and every file, lets a child process try the model under limits
(qualification.py), then opens it on the configured device, and judges the golden samples there.
Whoever gets an `Inspector` from here may let it decide about parts.
"""

from collections.abc import Sequence
from pathlib import Path

import structlog

from edge.inspection.engine import scorer_of
from edge.inspection.inspector import Inspector, Scorer, Scores, check_scores
from edge.inspection.qualification import Trial
from edge.inspection.session import blank
from edge.inspection.variants import AUTO
from export import golden
from export.bundle import Bundle, open_bundle
from export.errors import BundleError
from export.manifest import FP32
from export.preprocess import Pixels, shrink
from export.signature import PublicKey

WARM_UP_RUNS = 3


def arm(
    bundle_path: Path,
    trusted_keys: Sequence[PublicKey],
    providers: Sequence[str] = ("cpu",),
    threads: int = 1,
    *,
    trial: Trial | None = None,
    variant: str = FP32,
) -> Inspector:
    """Make an inspector of a bundle.

    Args:
        bundle_path: the bundle's folder.
        trusted_keys: keys whose signature is believed.
        providers: as `edge.inspection.engine.open_scorer` takes them.
        threads: threads within one operator.
        trial: of this bundle, on that device, begun before; None begins one now.
        variant: of the bundle, or "auto" for the fastest that holds on this box.

    Raises:
        SignatureError: not signed by a trusted key.
        BundleError: a file is missing, changed or not allowed, the model met a limit when it was
            tried, or a golden sample is judged otherwise on this box than on the workstation.
        ProviderError: the device can't be had.
    """
    trial = trial or Trial(bundle_path, trusted_keys, providers, threads, variant=variant)
    bundle, why = _qualified(bundle_path, trusted_keys, trial)
    if variant == AUTO:
        log = structlog.get_logger("armed")
        log.info("variant", bundle=bundle.ref.name, variant=bundle.variant, why=why)
    scorer = scorer_of(bundle, providers, threads)
    prove(bundle, scorer)
    for _ in range(WARM_UP_RUNS):
        scorer.score(blank(bundle.input.height, bundle.input.width))
    manifest = bundle.manifest
    return Inspector(scorer, bundle.input, bundle.thresholds, manifest.classes, bundle.ref)


def _qualified(path: Path, keys: Sequence[PublicKey], trial: Trial) -> tuple[Bundle, str]:
    """The bundle as the variant that passed its trial, and why it is that one."""
    try:
        bundle = open_bundle(path, keys)
        report = trial.passed()
    finally:
        trial.abandon()
    if report.digest != bundle.digest:
        raise BundleError(f"{path} was exchanged while it was being tried", "start again")
    return bundle.as_variant(report.variant), report.why


def prove(bundle: Bundle, scorer: Scorer) -> float:
    """Judge the bundle's golden samples with `scorer`; returns the largest difference.

    Raises:
        BundleError: one differs by more than the bundle allows, or is decided otherwise.
    """
    known, most = golden.read(bundle), 0.0
    for sample, picture in golden.pictures(bundle, known):
        scores = _scores(bundle, scorer, shrink(picture, bundle.input)[None], sample.file)
        apart = golden.check(
            sample,
            scores.probabilities[0],
            float(scores.score[0]),
            bundle.thresholds,
            known.tolerance,
            novelty=None if scores.novelty is None else float(scores.novelty[0]),
        )
        most = max(most, apart)
    return most


def _scores(bundle: Bundle, scorer: Scorer, batch: Pixels, name: str) -> Scores:
    """What the model says of a golden sample; raises BundleError if that is no answer."""
    try:
        scores = scorer.score(batch)
        check_scores(scores, len(bundle.manifest.classes))
    except MemoryError:
        raise
    except Exception as error:
        # ONNX Runtime's exceptions share no base below Exception.
        said = (str(error) or type(error).__name__).splitlines()[0]
        raise BundleError(
            f"{bundle.model_path} can't judge the golden sample {name}: {said}",
            "export the bundle again",
        ) from error
    return scores
