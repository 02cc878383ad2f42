"""`linewarden bench`: every variant of a bundle on this box, what it takes and what it holds."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

# Of the manifest, on the test pictures, each variant at its own thresholds.
_MEASURED = ("escape", "overkill", "review")
_LEGEND = (
    "of fp32: processor time over that of fp32 on the first provider; MiB: most its process took",
    "golden: largest difference to a golden sample's known answer, here and now",
    "from the manifest, not measured here: escape, overkill, review of the test pictures, and on",
    "how many of these and the calibration pictures it decides as fp32 does",
)

if TYPE_CHECKING:
    from edge.inspection.contest import Entry
    from export.bundle import Bundle


def bench(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A bundle's folder.")],
    *,
    key: Annotated[
        Path | None, typer.Option(help="Public key to trust [default: .linewarden/signing.pub].")
    ] = None,
    provider: Annotated[
        list[str] | None,
        typer.Option(help="cpu, cuda, tensorrt, openvino, openvino-bf16 [default: cpu, openvino]."),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Of five pictures for each, by turns.")] = 20,
    threads: Annotated[int, typer.Option(min=1, help="Threads within one operator.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Measure every variant of a bundle on this box: time, memory, and whether it answers right.

    Each runs in a process of its own, by turns with the others. The golden samples say whether it
    holds on that provider: "golden" is the largest difference to a known answer. The manifest says
    what each let escape, rejected for nothing and sent to review of the test pictures, and on how
    many of these and the calibration pictures it decides as fp32 does. "of fp32" is processor time.

    For example:

    linewarden bench bundles/tiles-1

    linewarden bench bundles/tiles-1 --provider cpu --provider openvino --json
    """
    from edge.inspection.contest import contest
    from export import signature
    from export.bundle import open_bundle

    _check_providers(provider or [])
    trusted = [signature.load_public(key or signature.PUBLIC_KEY)]
    opened = open_bundle(bundle, trusted)
    entries = contest(bundle, trusted, provider or here(), rounds=rounds, threads=threads)
    typer.echo(as_object(opened, entries) if as_json else "\n".join(table(opened, entries)))
    if all(entry.problem for entry in entries):
        raise typer.Exit(1)


def _check_providers(asked: list[str]) -> None:
    from edge.inspection.variants import SUITED
    from export.errors import LinewardenError

    for one in asked:
        if one not in SUITED:
            raise LinewardenError(
                f"--provider {one!r} is unknown", f"use one of {', '.join(SUITED)}"
            )


def here() -> list[str]:
    """The processor's providers that are installed; a GPU's are asked for by name."""
    from importlib.util import find_spec

    return ["cpu", "openvino"] if find_spec("openvino") else ["cpu"]


def table(bundle: "Bundle", entries: "tuple[Entry, ...]") -> list[str]:
    """For people; times in proportion to fp32 on the first provider where that ran."""
    base = next((one.cpu_ms for one in entries if one.variant == "fp32" and one.cpu_ms), None)
    row = "{:<7} {:<13} {:>9} {:>7} {:>7} {:>7} {:>5} {:>6}  {:<14} {:<14} {:<14} {}"
    head = ("variant", "provider", "median ms", "p99 ms", "cpu ms", "of fp32", "MiB", "golden")
    lines = [row.format(*head, *_MEASURED, "decides as fp32")]
    for one in entries:
        if one.cpu_ms is None:
            lines.append(f"{one.variant:<7} {one.provider:<13} left out: {one.problem}")
            continue
        lines.append(
            row.format(
                one.variant,
                one.provider,
                f"{one.median_ms:.1f}",
                f"{one.p99_ms:.1f}",
                f"{one.cpu_ms:.1f}",
                f"{one.cpu_ms / base:.2f}" if base else "-",
                f"{one.memory_mib:.0f}",
                f"{one.difference:.4f}",
                *(_rate(bundle, one.variant, name) for name in _MEASURED),
                _agreement(bundle, one.variant),
            )
        )
    lines += [f"{name} was not released: {why}" for name, why in bundle.manifest.refused.items()]
    return [*lines, *_LEGEND, *_quickest(entries)]


def _quickest(entries: "tuple[Entry, ...]") -> list[str]:
    """Which of those that hold judges soonest, and the setting that takes its provider."""
    held = [one for one in entries if one.median_ms is not None]
    if not held:
        return []
    best = min(held, key=lambda one: one.median_ms or 0.0)
    setting = f'provider = "{best.provider}" below [engine]'
    return [f"quickest: {best.variant} on {best.provider}, {best.median_ms:.1f} ms; {setting}"]


def _rate(bundle: "Bundle", variant: str, name: str) -> str:
    """`3 of 46, 6.5%`; a dash where the manifest doesn't say."""
    for one in bundle.manifest.metrics.get(variant, ()):
        if (one.name, one.split) == (name, "test"):
            return f"{one.value:.1%}" if one.n is None else f"{one.k} of {one.n}, {one.value:.1%}"
    return "-"


def _agreement(bundle: "Bundle", variant: str) -> str:
    told = bundle.manifest.variants.get(variant)
    if told is None:
        return "-"
    return f"{told.agreement.same_outcome} of {told.agreement.pictures}"


def as_object(bundle: "Bundle", entries: "tuple[Entry, ...]") -> str:
    """For machines."""
    import json
    from dataclasses import asdict

    manifest = bundle.manifest
    agreed = {name: one.agreement.model_dump() for name, one in manifest.variants.items()}
    measured = {
        name: [one.model_dump() for one in told if one.name in _MEASURED and one.split == "test"]
        for name, told in manifest.metrics.items()
    }
    found = {
        "bundle": bundle.ref.model_dump(exclude={"variant"}),
        "entries": [asdict(one) for one in entries],
        "agreement": agreed,
        "measured": measured,
        "refused": manifest.refused,
    }
    return json.dumps(found)
