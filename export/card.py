"""A bundle's card: what it is, told to a person in one screen of plain text."""

from collections.abc import Iterator
from itertools import chain, repeat

from export.bundle import Bundle
from export.manifest import Basis, Manifest, Metric

_LABEL = 13


def card(bundle: Bundle) -> str:
    """The card of `bundle` as lines of text."""
    manifest = bundle.manifest
    lines = [f"{manifest.name} version {manifest.version}  ({bundle.path})", ""]
    lines += [f"{label:<{_LABEL}}{text}" for label, text in _facts(bundle)]
    for variant, metrics in manifest.metrics.items():
        lines += ["", f"measured, {variant}", *metric_lines(metrics)]
    lines += ["", "pictures", *_counts(manifest)]
    return "\n".join(lines)


def _facts(bundle: Bundle) -> Iterator[tuple[str, str]]:
    manifest, limits = bundle.manifest, bundle.thresholds
    made = manifest.provenance
    region = manifest.input.region
    size = f"{manifest.input.width}x{manifest.input.height}"
    whole = (region.x, region.y, region.width, region.height) == (0, 0, 1, 1)
    share = f"{region.width:.0%} x {region.height:.0%} of the frame from "
    share += f"{region.x:.0%} left, {region.y:.0%} top"
    files = sum(entry.bytes for entry in manifest.files.values()) / 1e6
    yield "classes", ", ".join(manifest.classes)
    yield "input", f"{size} pixels of {'the whole frame' if whole else share}"
    yield "pass", f"score below {limits.pass_below:.4f}"
    if limits.pass_below < limits.fail_above:
        yield "review", f"score from {limits.pass_below:.4f} to {limits.fail_above:.4f}"
    if limits.novel_above is not None:
        yield "", f"or novelty from {limits.novel_above:.4f}"
    yield "fail", f"score from {limits.fail_above:.4f}"
    yield from zip(chain(("bound",), repeat("")), _bound(manifest.basis), strict=False)
    yield from zip(chain(("variants",), repeat("")), _variants(manifest), strict=False)
    yield "model", f"{made.arch} from {made.weights.source} weights {made.weights.name}"
    yield "run", f"{made.run}, seed {made.seed}, exported {manifest.created_at}"
    tools = f"linewarden {made.linewarden}, python {made.python}, torch {made.torch}"
    yield "made with", f"{tools}, onnx {made.onnx}, opset {made.opset}"
    distance = f"within {manifest.parity.max_abs_probability:.1e} of torch"
    yield "parity", f"{manifest.parity.runtime} {distance} on {manifest.parity.pictures} pictures"
    yield "files", f"{len(manifest.files)}, {files:.1f} MB"
    yield "signed by", f"key {bundle.key.key_id}"
    yield "digest", bundle.digest


def _bound(basis: Basis) -> Iterator[str]:
    yield f"{basis.split}: {basis.words}"
    for kind, one in basis.types.items():
        proven = "proven" if one.proven else "NOT PROVEN"
        yield (
            f"  {kind}: {one.escapes} of {one.parts} parts missed, at most {one.bound:.1%} "
            f"escape; {proven}"
        )
    yield from (f"  {line}" for line in basis.plan)
    yield (
        f"{basis.overkills} of {basis.n_good} good pictures failed: at most "
        f"{basis.overkill_bound:.2%} of parts do; {basis.reviews} pictures to review"
    )


def _variants(manifest: Manifest) -> Iterator[str]:
    for name, one in manifest.variants.items():
        limits, agreed = one.thresholds, one.agreement
        yield f"{name}: {one.words}"
        yield f"  pass below {limits.pass_below:.4f}, fail from {limits.fail_above:.4f}"
        yield f"  {one.basis.words}"
        yield (
            f"  decides as fp32 on {agreed.same_outcome} of {agreed.pictures} pictures; scores "
            f"within {agreed.max_abs_score:.3f}, {agreed.mean_abs_score:.4f} on average"
        )
    yield from (f"{name}: not released: {why}" for name, why in manifest.refused.items())


def metric_lines(metrics: tuple[Metric, ...]) -> Iterator[str]:
    """Figures with their intervals, a line each."""
    width = max((len(metric.name) for metric in metrics), default=0)
    for one in metrics:
        share = f"  {one.k} of {one.n}" if one.k is not None and one.n is not None else ""
        known = one.confidence < 1  # a figure without an interval spans all at 100 %
        span = f"[{one.low:.4f}, {one.high:.4f}] at {one.confidence:.0%}" if known else ""
        yield f"  {one.name:<{width}}  {one.value:.4f}  {span:<23}  {one.split}{share}"


def _counts(manifest: Manifest) -> Iterator[str]:
    classes = manifest.classes
    widths = [max(6, len(name)) for name in classes]
    titles = "  ".join(f"{name:>{w}}" for name, w in zip(classes, widths, strict=True))
    yield f"  {f'{manifest.data.parts} parts':<12}{titles}"
    for split, counts in manifest.data.counts.items():
        row = zip(classes, widths, strict=True)
        yield f"  {split:<12}" + "  ".join(f"{counts.get(name, 0):>{w}}" for name, w in row)
