"""Arming: from a bundle on disk to an inspector that has proved itself on this box.

Verifies the signature and every file, opens the model on the configured device, and judges the
golden samples there. Whoever gets an `Inspector` from here may let it decide about parts.
"""

from collections.abc import Sequence
from pathlib import Path

from edge.inspection.inspector import Inspector, Scorer
from edge.inspection.session import OnnxScorer, blank
from export import golden
from export.bundle import Bundle, open_bundle
from export.preprocess import shrink
from export.signature import PublicKey

WARM_UP_RUNS = 3


def arm(
    bundle_path: Path,
    trusted_keys: Sequence[PublicKey],
    providers: Sequence[str] = ("cpu",),
    threads: int = 1,
) -> Inspector:
    """Make an inspector of a bundle.

    Args:
        bundle_path: the bundle's folder.
        trusted_keys: keys whose signature is believed.
        providers: names of edge.inspection.session.PROVIDERS, the wanted one first.
        threads: threads within one operator.

    Raises:
        SignatureError: not signed by a trusted key.
        BundleError: a file is missing, changed or not allowed, or a golden sample is judged
            otherwise on this box than on the workstation.
        ProviderError: the device can't be had.
    """
    bundle = open_bundle(bundle_path, trusted_keys)
    scorer = OnnxScorer(bundle.model_path, providers, threads)
    prove(bundle, scorer)
    for _ in range(WARM_UP_RUNS):
        scorer.score(blank(bundle.input.height, bundle.input.width))
    manifest = bundle.manifest
    return Inspector(scorer, bundle.input, bundle.thresholds, manifest.classes, bundle.ref)


def prove(bundle: Bundle, scorer: Scorer) -> None:
    """Judge the bundle's golden samples with `scorer`; raises BundleError if one differs."""
    known = golden.read(bundle)
    for sample, picture in golden.pictures(bundle, known):
        scores = scorer.score(shrink(picture, bundle.input)[None])
        golden.check(
            sample,
            scores.probabilities[0],
            float(scores.score[0]),
            bundle.thresholds,
            known.tolerance,
            novelty=None if scores.novelty is None else float(scores.novelty[0]),
        )
