"""`linewarden inspect`: judge picture files with a bundle, without camera or broker."""

from pathlib import Path
from typing import Annotated

import typer


def inspect(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A bundle's folder.")],
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGES…", help="Picture files, or folders of them.")
    ],
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per picture, a line each.")
    ] = False,
    save: Annotated[
        Path | None, typer.Option(help="Folder for annotated pictures.", metavar="DIR")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="Public key to trust [default: .linewarden/signing.pub].")
    ] = None,
    fail_on: Annotated[
        str, typer.Option(help="Exit with 1 on: reject (a fail), review (a fail or review), never.")
    ] = "never",
    provider: Annotated[
        list[str] | None,
        typer.Option(help="cpu, cuda, tensorrt, openvino, openvino-bf16 [default: cpu]."),
    ] = None,
    variant: Annotated[
        str, typer.Option(help="Of the bundle: fp32, int8, fp16, or auto.")
    ] = "fp32",
    threads: Annotated[int, typer.Option(min=1, help="Threads within one operator.")] = 1,
) -> None:
    """Judge pictures with a bundle and say pass, fail or review for each.

    A picture that can't be used is told and counted, and the others are still judged.

    Exit code 0: all judged. 1: as --fail-on asks. 2: bad input, or a picture couldn't be used.

    For example:

    linewarden inspect bundles/tiles-1 photos/

    linewarden inspect bundles/tiles-1 a.png b.jpg --save judged --fail-on reject
    """
    from edge import journal
    from edge.inspection.armed import arm
    from edge.inspection.stills import Asked, find, judge_all
    from export import signature
    from export.errors import LinewardenError

    if fail_on not in {"never", "reject", "review"}:
        raise LinewardenError(f"--fail-on {fail_on!r}", "choose never, reject or review")
    journal.begin("warning")
    trusted = [signature.load_public(key or signature.PUBLIC_KEY)]
    inspector = arm(bundle, trusted, provider or ["cpu"], threads, variant=variant)
    totals = judge_all(inspector, find(images), Asked(as_json, save), typer.echo)
    if not as_json:
        typer.echo(totals.summary())
    if totals.unusable:
        raise typer.Exit(2)
    if totals.rejected(fail_on):
        raise typer.Exit(1)
