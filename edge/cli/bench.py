"""`linewarden bench`: every variant of a bundle on this box, what it takes and what it holds."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
    holds on that provider; the manifest says how it compares with fp32 on the test pictures.

    For example:

    linewarden bench bundles/tiles-1

    linewarden bench bundles/tiles-1 --provider cpu --provider openvino --json
    """
    from edge.inspection.contest import contest
    from export import signature
    from export.bundle import open_bundle

    trusted = [signature.load_public(key or signature.PUBLIC_KEY)]
    opened = open_bundle(bundle, trusted)
    entries = contest(bundle, trusted, provider or here(), rounds=rounds, threads=threads)
    typer.echo(as_object(opened, entries) if as_json else "\n".join(table(opened, entries)))
    if all(entry.problem for entry in entries):
        raise typer.Exit(1)


def here() -> list[str]:
    """The processor's providers that are installed; a GPU's are asked for by name."""
    from importlib.util import find_spec

    return ["cpu", "openvino"] if find_spec("openvino") else ["cpu"]


def table(bundle: "Bundle", entries: "tuple[Entry, ...]") -> list[str]:
    """For people; times in proportion to fp32 on the first provider where that ran."""
    base = next((one.cpu_ms for one in entries if one.variant == "fp32" and one.cpu_ms), None)
    row = "{:<8} {:<14} {:>10} {:>9} {:>10} {:>8} {:>8} {:>8}  {}"
    head = ("variant", "provider", "median ms", "p99 ms", "cpu ms", "of fp32", "MiB", "golden")
    lines = [row.format(*head, "decides as fp32")]
    for one in entries:
        if one.cpu_ms is None:
            lines.append(f"{one.variant:<8} {one.provider:<14} left out: {one.problem}")
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
                _agreement(bundle, one.variant),
            )
        )
    lines += [f"{name} was not released: {why}" for name, why in bundle.manifest.refused.items()]
    return lines


def _agreement(bundle: "Bundle", variant: str) -> str:
    told = bundle.manifest.variants.get(variant)
    if told is None:
        return "-"
    return f"{told.agreement.same_outcome} of {told.agreement.pictures} pictures"


def as_object(bundle: "Bundle", entries: "tuple[Entry, ...]") -> str:
    """For machines."""
    import json
    from dataclasses import asdict

    manifest = bundle.manifest
    agreed = {name: one.agreement.model_dump() for name, one in manifest.variants.items()}
    found = {
        "bundle": bundle.ref.model_dump(exclude={"variant"}),
        "entries": [asdict(one) for one in entries],
        "agreement": agreed,
        "refused": manifest.refused,
    }
    return json.dumps(found)
