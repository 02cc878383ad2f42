"""A bundle whose thresholds are decided anew: the same graph, signed as a new version.

The old bundle stays as it is. Golden samples are decided anew with their known answers, and the
figures of the test are counted again at the new thresholds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from export import golden, scores, stamp
from export.bundle import Bundle, next_version, write_bundle
from export.decide import decide
from export.errors import BundleError
from export.manifest import FP32, GOLDEN, Agreement, Costs, Description, Metric, Variant
from export.signature import PrivateKey
from export.verdict import Thresholds
from trainer.calibrate import Budgets
from trainer.evaluate import Judged, report
from trainer.thresholds.decision import Decision, decide_thresholds

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
    basis = bundle.basis
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


def decisions(bundle: Bundle, budgets: Budgets, costs: Costs | None) -> dict[str, Decision]:
    """Each variant's thresholds by the same budgets, on its own scores; FP32 first."""
    every = (bundle.as_variant(name) for name in bundle.variants)
    return {
        one.variant: decide_thresholds(judged(one), budgets, costs, one.thresholds.novel_above)
        for one in every
    }


def prepare(bundle: Bundle, thresholds: Thresholds) -> Edition:
    """What a bundle, as one of its variants, would say under other thresholds; writes nothing.

    Raises:
        BundleError: no golden sample's answer is far enough from the new thresholds.
    """
    known = golden.read(bundle)
    clear = [one for one in known.samples if golden.is_clear(one, thresholds, known.tolerance)]
    if not clear:
        raise BundleError(
            f"none of the {len(known.samples)} golden samples of {bundle.variant} is clear of the "
            "new thresholds: rounding would decide over each",
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


def reissue(bundle: Bundle, decided: Mapping[str, Decision], out: Path, key: PrivateKey) -> Bundle:
    """Write the bundle with other thresholds as a new version, signed.

    Args:
        bundle: the old one, verified; it isn't touched.
        decided: for every variant, its thresholds and what they stand on.
        out: the folder to make.
        key: signs it.

    Raises:
        BundleError: `out` exists or can't be written, or no golden sample can stay.
    """
    editions = {
        name: prepare(bundle.as_variant(name), one.thresholds) for name, one in decided.items()
    }
    old, fp32 = bundle.manifest, decided[FP32]
    version = max(old.version + 1, next_version(out.parent, old.name))
    fields = {name: getattr(old, name) for name in Description.model_fields}
    description = Description(
        **{
            **fields,
            "version": version,
            "created_at": stamp.now(),
            "thresholds": fp32.thresholds,
            "basis": fp32.basis.model_copy(
                update={"novelty": old.basis.novelty}  # it is not decided anew
            ),
            "variants": {name: _variant(bundle, decided, name) for name in old.variants},
            "metrics": {
                name: _metrics(found, editions.get(name)) for name, found in old.metrics.items()
            },
            "provenance": old.provenance.model_copy(update={"thresholds_of": bundle.digest}),
        }
    )
    kept = {sample.file for edition in editions.values() for sample in edition.known.samples}
    dropped = {file for edition in editions.values() for file in edition.dropped} - kept
    contents: dict[str, bytes | Path] = {
        name: bundle.path / name for name in old.files if name not in dropped
    }
    for name, edition in editions.items():
        body = edition.known.model_dump_json(indent=2).encode() + b"\n"
        contents[bundle.as_variant(name).file(GOLDEN)] = body
    return write_bundle(out, description, contents, key)


def _variant(bundle: Bundle, decided: Mapping[str, Decision], name: str) -> Variant:
    """A variant under its new thresholds."""
    old, one = bundle.manifest.variants[name], decided[name]
    return old.model_copy(
        update={
            "thresholds": one.thresholds,
            "basis": one.basis.model_copy(update={"novelty": old.basis.novelty}),
            "agreement": _agreement(bundle, decided, name),
        }
    )


def _agreement(bundle: Bundle, decided: Mapping[str, Decision], name: str) -> Agreement:
    """The same but for the outcomes, which are counted again: line by line, picture by picture."""
    same = 0
    for split in ("calibration", "test"):
        before, after = (
            judged(bundle.as_variant(one), split).outcomes(decided[one].thresholds)
            for one in (FP32, name)
        )
        same += sum(a == b for a, b in zip(before, after, strict=True))
    old = bundle.manifest.variants[name].agreement
    return old.model_copy(update={"same_outcome": same})


def _metrics(found: tuple[Metric, ...], edition: Edition | None) -> tuple[Metric, ...]:
    """A variant's figures: the test's counted again, none left that older thresholds gave."""
    lasting = tuple(one for one in found if one.name.partition(":")[0] not in _COUNTED)
    if edition is None:
        return lasting
    fresh = {(one.name, one.split) for one in edition.metrics}
    rest = tuple(one for one in lasting if (one.name, one.split) not in fresh)
    return (*edition.metrics, *rest)
