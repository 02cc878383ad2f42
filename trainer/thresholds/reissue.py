"""A bundle whose thresholds are decided anew: the same graph, signed as a new version.

The old bundle stays as it is. Golden samples are decided anew with their known answers, and the
figures of the test are counted again at the new thresholds.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from export import golden, scores, stamp
from export.bundle import Bundle, next_version, write_bundle
from export.decide import decide
from export.errors import BundleError
from export.manifest import GOLDEN, Description, Metric
from export.signature import PrivateKey
from export.verdict import Thresholds
from trainer.calibrate import Budgets
from trainer.evaluate import Judged, report
from trainer.thresholds.decision import Decision

VARIANT = "fp32"  # the graph that the scores are of
_COUNTED = ("escape", "overkill", "review")


def judged(bundle: Bundle, split: str = "calibration") -> Judged:
    """The scores that a bundle carries of a split; raises BundleError if it carries none."""
    found = [one for one in scores.read(bundle) if one.split == split]
    if not found:
        raise BundleError(f"{bundle.path} carries no scores of the {split} pictures")
    told = [one.novelty for one in found if one.novelty is not None]
    if told and len(told) != len(found):
        raise BundleError(f"{bundle.path}: some {split} pictures have a novelty, some have none")
    return Judged(
        tuple(one.label for one in found),
        tuple(str(one.part) for one in found),
        np.array([one.score for one in found], np.float64),
        np.array(told, np.float64) if told else None,
    )


def budgets_of(bundle: Bundle) -> Budgets:
    """The budgets that a bundle's thresholds were chosen for."""
    basis = bundle.manifest.basis
    return Budgets(
        basis.escape_budget,
        basis.overkill_budget,
        basis.review_budget,
        basis.confidence,
        basis.each_type,
    )


@dataclass(frozen=True, slots=True)
class Edition:
    """The golden samples that stay, the names of those that don't, and the figures of the test."""

    known: golden.Golden
    dropped: tuple[str, ...]
    metrics: tuple[Metric, ...]


def prepare(bundle: Bundle, thresholds: Thresholds) -> Edition:
    """What a bundle would say under other thresholds; nothing is written.

    Raises:
        BundleError: no golden sample's answer is far enough from the new thresholds.
    """
    known = golden.read(bundle)
    clear = [one for one in known.samples if golden.is_clear(one, thresholds)]
    if not clear:
        raise BundleError(
            f"none of the {len(known.samples)} golden samples is clear of the new thresholds: "
            "rounding would decide over each",
            "export the run again, which chooses others, or take another budget",
        )
    kept = tuple(
        one.model_copy(update={"outcome": decide(one.score, one.novelty, thresholds)[0]})
        for one in clear
    )
    dropped = {one.file for one in known.samples} - {one.file for one in kept}
    return Edition(
        known.model_copy(update={"samples": kept}),
        tuple(sorted(dropped)),
        report(judged(bundle, "test"), thresholds, "test").metrics,
    )


def reissue(bundle: Bundle, decision: Decision, out: Path, key: PrivateKey) -> Bundle:
    """Write the bundle with other thresholds as a new version, signed.

    Args:
        bundle: the old one, verified; it isn't touched.
        decision: the thresholds and what they stand on.
        out: the folder to make.
        key: signs it.

    Raises:
        BundleError: `out` exists or can't be written, or no golden sample can stay.
    """
    edition = prepare(bundle, decision.thresholds)
    old = bundle.manifest
    version = max(old.version + 1, next_version(out.parent, old.name))
    fields = {name: getattr(old, name) for name in Description.model_fields}
    description = Description(
        **{
            **fields,
            "version": version,
            "created_at": stamp.now(),
            "thresholds": decision.thresholds,
            "basis": decision.basis.model_copy(
                update={"novelty": bundle.manifest.basis.novelty}  # it is not decided anew
            ),
            "metrics": _metrics(bundle, edition),
            "provenance": old.provenance.model_copy(update={"thresholds_of": bundle.digest}),
        }
    )
    contents: dict[str, bytes | Path] = {
        name: bundle.path / name for name in old.files if name not in edition.dropped
    }
    contents[GOLDEN] = edition.known.model_dump_json(indent=2).encode() + b"\n"
    return write_bundle(out, description, contents, key)


def _metrics(bundle: Bundle, edition: Edition) -> dict[str, tuple[Metric, ...]]:
    """The figures by variant: the test's counted again, none left that older thresholds gave.

    Of other variants than the one whose scores are known, what thresholds decide is left out.
    """
    found: dict[str, tuple[Metric, ...]] = {}
    for variant, metrics in bundle.manifest.metrics.items():
        lasting = tuple(one for one in metrics if one.name.partition(":")[0] not in _COUNTED)
        if variant != VARIANT:
            found[variant] = lasting
            continue
        fresh = {(one.name, one.split) for one in edition.metrics}
        rest = tuple(one for one in lasting if (one.name, one.split) not in fresh)
        found[variant] = (*edition.metrics, *rest)
    return found
