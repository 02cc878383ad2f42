"""`linewarden data`: look at labelled pictures, and mend them."""

from pathlib import Path
from typing import Annotated

import typer

data = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Check labelled pictures, exchange them with other tools, keep their history.",
)

_Folder = Annotated[Path, typer.Argument(metavar="DATA", help="Labelled pictures, as for train.")]


@data.command()
def check(
    root: _Folder,
    *,
    out: Annotated[
        Path | None, typer.Option(help="Write a page with thumbnails.", show_default=False)
    ] = None,
    good: Annotated[
        str | None, typer.Option(help="Folder of the good parts, if not good, ok or OK.")
    ] = None,
    part_regex: Annotated[
        str | None, typer.Option(help=r"Its first group in a path is the part: 'tile(\d+)_'.")
    ] = None,
    part_runs: Annotated[
        int | None,
        typer.Option(min=0, help="Last numbers of names this close together are one part."),
    ] = None,
    near_duplicates: Annotated[
        bool, typer.Option(help="Take pictures that look the same for one part.")
    ] = True,
    labels: Annotated[
        bool, typer.Option(help="Ask a pre-trained network about every label (minutes).")
    ] = True,
    apply: Annotated[
        bool,
        typer.Option("--apply", help="Move unreadable files and exact copies into quarantine."),
    ] = False,
    threads: Annotated[int, typer.Option(min=0, help="0: one per core.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Say what is wrong with labelled pictures before a model learns from them.

    Unreadable files, duplicates, doubtful labels, classes that the file or the
    background gives away, parts on both sides of a split, outliers: what would
    harm the model most comes first, with what to do. Nothing changes without
    --apply, and that only moves files to DATA.quarantine, from where `data undo`
    brings them back. Exit code 1: something serious.

    For example:

    linewarden data check photos --out check.html

    linewarden data check tiles --part-runs 100 --no-labels --json

    linewarden data check photos --apply
    """
    import json as json_module

    from trainer.workers import settle

    settle(threads)
    from trainer.doctor.diagnosis import diagnose
    from trainer.doctor.page import lines
    from trainer.parts import PartRule
    from trainer.progress import Progress

    found = diagnose(
        root,
        good,
        PartRule(None, part_regex, part_runs, near_duplicates),
        Progress(None) if json else Progress(),
        ask_labels=labels,
    )
    if out is not None:
        _write(out, found)
    if json:
        typer.echo(json_module.dumps(found.record(), indent=2, ensure_ascii=False))
    else:
        typer.echo("\n".join(lines(found)))
        if out is not None:
            typer.echo(f"→ {out}")
    if apply and found.moves:
        _apply(root, found, quiet=json)
    if found.serious:
        raise typer.Exit(1)


def _write(out: Path, found) -> None:  # noqa: ANN001 - its type is imported when it runs
    from export.errors import DatasetError
    from trainer.doctor.page import page

    try:
        out.write_text(page(found), encoding="utf-8")
    except OSError as error:
        raise DatasetError(
            f"{str(out)!r} can't be written: {error.strerror}", "give another --out"
        ) from error


def _apply(root: Path, found, *, quiet: bool) -> None:  # noqa: ANN001 - as above
    from trainer.doctor.marks import masks_of
    from trainer.doctor.quarantine import move

    moved = move(root, found.moves, masks_of(root))
    if not quiet:
        typer.echo(f"moved {moved.files} files to {moved.folder}; `linewarden data undo {root}`")


@data.command()
def undo(root: _Folder) -> None:
    """Bring back what the last `data check --apply` moved aside.

    For example:

    linewarden data undo photos
    """
    from trainer.doctor.quarantine import undo as bring_back

    moved = bring_back(root)
    typer.echo(f"brought back {moved.files} files from {moved.folder}")
