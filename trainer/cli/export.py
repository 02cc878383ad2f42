"""`linewarden export`: a finished run becomes a signed bundle."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from export.signature import PrivateKey
    from trainer.catalog.record import CatalogRun
    from trainer.publish import Edition


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a finished training run.")],
    *,
    out: Annotated[
        Path | None, typer.Option(help="Bundle's folder [default: bundles/NAME-VERSION].")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Bundle's name [default: the run's].")] = None,
    version: Annotated[
        int | None,
        typer.Option(min=1, help="[default: one more than the largest beside --out]"),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(help="Private key [default: .linewarden/signing.key, made on first use]."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Where the run's pictures lie now, if they were moved.")
    ] = None,
    variants: Annotated[
        str, typer.Option(help="Made beside fp32: int8, fp16, int8,fp16, or none.")
    ] = "int8",
    refused: Annotated[
        bool, typer.Option("--refused", help="Export a challenger that `retrain` refused.")
    ] = False,
) -> None:
    """Export a run as a bundle: graph, thresholds, measurements, golden samples, signature.

    The graph must answer as the trained network did, or nothing is written. A variant of it gets
    thresholds and figures of its own; one that doesn't hold is left out, and the bundle says why.

    For example:

    linewarden export runs/tiles --out bundles/tiles-1

    linewarden export runs/tiles --name tiles --key ~/keys/plant.key

    linewarden export runs/tiles --variants int8,fp16
    """
    from export import signature
    from export.errors import RunError
    from trainer.contest.record import PAGE
    from trainer.contest.record import read as comparison
    from trainer.history import changed_since, changed_words
    from trainer.progress import Progress
    from trainer.publish import Edition, publish
    from trainer.report.fitness import fitness
    from trainer.run import CATALOG, Run

    catalogues = (run / CATALOG).exists()
    opened = None if catalogues else Run.load(run)
    told = comparison(run)
    if told is not None and not told.promoted and not refused:
        raise RunError(
            f"{str(run)!r} was refused as a challenger of {told.champion}: {told.reasons[0]}",
            f"see {run / PAGE}; --refused exports it all the same",
        )
    path = key or signature.PRIVATE_KEY
    private, made = signature.load_or_make(path)
    if made:
        typer.echo(f"made the signing key {path} (keep it secret) and {path.with_suffix('.pub')}")
    if opened is None:
        from trainer.catalog.record import CatalogRun

        products = CatalogRun.load(run)
        typer.echo(_of_products(products, Edition.of(products, out, name, version), private, data))
        return
    edition = Edition.of(opened, out, name, version)
    asked = [] if variants == "none" else [one.strip() for one in variants.split(",")]
    bundle = publish(opened, edition, private, data, variants=asked, progress=Progress())
    known = {row.path: row.sha256 for row in opened.split()}
    if changed := changed_since(known, data or Path(opened.record.data.root)):
        typer.echo(f"  note     {changed_words(changed, 'the run was trained')}")
    found, manifest = bundle.manifest.parity, bundle.manifest
    total = sum(entry.bytes for entry in manifest.files.values()) / 1e6
    typer.echo(f"{bundle.path}: {manifest.name} version {manifest.version}, {total:.1f} MB")
    typer.echo(
        f"  parity   {found.runtime} against torch on {found.pictures} pictures: "
        f"probabilities within {found.max_abs_probability:.1e} (allowed {found.tolerance:.0e})"
    )
    for one, told in manifest.variants.items():
        typer.echo(f"  {one:<8} {told.words}")
    for one, why in manifest.refused.items():
        typer.echo(f"  {one:<8} not released: {why}")
    typer.echo(f"  fit?     {fitness(opened.record).answer} See `linewarden report {run}`.")
    typer.echo(f"  signed   by key {bundle.key.key_id}")
    typer.echo(f"  next     linewarden bundle show {bundle.path}")


def _of_products(
    run: "CatalogRun", edition: "Edition", key: "PrivateKey", data: Path | None
) -> str:
    """Export a run of product pictures; what came of it, in words."""
    from trainer.catalog.publish import publish

    bundle = publish(run, edition, key, data)
    found = bundle.manifest.parity
    return (
        f"{bundle.path}: {bundle.name}, {len(bundle.manifest.categories)} categories\n"
        f"  parity   {found.runtime} against torch on {found.pictures} pictures: "
        f"probabilities within {found.max_abs_probability:.1e} (allowed {found.tolerance:.0e})\n"
        f"  signed   by key {bundle.key.key_id}\n"
        f"  next     linewarden catalog select {bundle.path} FOLDER --out RESULT"
    )
