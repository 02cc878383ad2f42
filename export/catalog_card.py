"""A catalog bundle's card: what it is, told to a person in one screen of plain text."""

from collections.abc import Iterator

from export.card import metric_lines
from export.catalog_bundle import CatalogBundle

_LABEL = 13


def catalog_card(bundle: CatalogBundle) -> str:
    """The card of `bundle` as lines of text."""
    manifest = bundle.manifest
    lines = [f"{bundle.name}  ({bundle.path}), for product pictures", ""]
    lines += [f"{label:<{_LABEL}}{text}" for label, text in _facts(bundle)]
    lines += ["", "measured", *metric_lines(manifest.metrics)]
    return "\n".join(lines)


def _facts(bundle: CatalogBundle) -> Iterator[tuple[str, str]]:
    manifest = bundle.manifest
    made, shown = manifest.provenance, manifest.presentation
    files = sum(entry.bytes for entry in manifest.files.values()) / 1e6
    yield "categories", ", ".join(manifest.categories)
    yield "input", f"{manifest.input.width}x{manifest.input.height} pixels"
    yield "presentation", shown.words if shown else "nothing said what is shown"
    yield "none of ours", f"novelty from {manifest.novel_above:.4f}: {manifest.novelty.words}"
    yield "model", f"{made.arch} from {made.weights.source} weights {made.weights.name}"
    yield "run", f"{made.run}, seed {made.seed}, exported {manifest.created_at}"
    found = manifest.parity
    distance = f"within {found.max_abs_probability:.1e} of torch on {found.pictures} pictures"
    yield "parity", f"{found.runtime} {distance}"
    yield "files", f"{len(manifest.files)}, {files:.1f} MB"
    yield "signed by", f"key {bundle.key.key_id}"
    yield "digest", bundle.digest
