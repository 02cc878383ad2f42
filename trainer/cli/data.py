"""`linewarden data`: look at labelled pictures, and mend them."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from trainer.cli.options import Good, NearDuplicates, PartRegex, PartRuns, Threads
from trainer.cli.pictures import KEPT, Cache, folder, own_folder

data = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Check labelled pictures, exchange them with other tools, keep their history.",
)

Format = Literal["coco", "labelstudio", "csv"]
_Folder = Annotated[str, typer.Argument(metavar="DATA", help="Labelled pictures, as for train.")]
_Data = Annotated[
    str, typer.Argument(metavar="DATA", help="Labelled pictures or their address, as for train.")
]


@data.command()
def check(
    place: _Data,
    *,
    out: Annotated[
        Path | None, typer.Option(help="Write a page with thumbnails.", show_default=False)
    ] = None,
    good: Annotated[
        str | None, typer.Option(help="Folder of the good parts, if not good, ok or OK.")
    ] = None,
    part_regex: PartRegex = None,
    part_runs: PartRuns = None,
    near_duplicates: NearDuplicates = True,
    labels: Annotated[
        bool, typer.Option(help="Ask a pre-trained network about every label (minutes).")
    ] = True,
    apply: Annotated[
        bool,
        typer.Option("--apply", help="Move unreadable files and exact copies into quarantine."),
    ] = False,
    cache: Cache = KEPT,
    threads: Threads = 0,
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

    progress = Progress(None) if json else Progress()
    root = own_folder(place) if apply else folder(place, cache, progress)
    found = diagnose(
        root,
        good,
        PartRule(None, part_regex, part_runs, near_duplicates),
        progress,
        ask_labels=labels,
    )
    if out is not None:
        _write(out, found)
    if json:
        typer.echo(json_module.dumps(found.record(), indent=2, ensure_ascii=False))
    else:
        typer.echo("\n".join(lines(found, applying=apply)))
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
    from trainer.dataset import counted
    from trainer.doctor.marks import masks_of
    from trainer.doctor.quarantine import move

    moved = move(root, found.moves, masks_of(root))
    if not quiet:
        what = counted(moved.files, "file")
        typer.echo(f"\nmoved {what} to {moved.folder}; to undo: linewarden data undo {root}")


@data.command()
def undo(place: _Folder) -> None:
    """Bring back what the last `data check --apply` moved aside.

    For example:

    linewarden data undo photos
    """
    from trainer.dataset import counted
    from trainer.doctor.quarantine import undo as bring_back

    moved = bring_back(own_folder(place))
    typer.echo(f"brought back {counted(moved.files, 'file')} from {moved.folder}")


@data.command("import")
def bring_in(
    kind: Annotated[Format, typer.Argument(metavar="FORMAT", help="coco | labelstudio | csv")],
    source: Annotated[Path, typer.Argument(metavar="SRC", help="The labels: a file or a folder.")],
    *,
    out: Annotated[Path, typer.Option(help="The data set's folder; new or empty.")],
    pictures: Annotated[
        Path | None,
        typer.Option(help="Where the pictures lie, if not beside the labels.", show_default=False),
    ] = None,
) -> None:
    """Make a data set of labels from another tool: one folder per class, masks, splits, parts.

    A picture has one class: that of its annotations; in COCO one without any is
    good. What the format knows of splits, parts and who said what comes along
    (parts.csv, labels.csv). The new data set's history begins with its source.

    For example:

    linewarden data import coco labels.json --pictures shots --out photos

    linewarden data import labelstudio export.json --out photos
    """
    from trainer.dataset import counted
    from trainer.exchange.exchange import Kind
    from trainer.exchange.exchange import bring_in as bring
    from trainer.history import record, scan
    from trainer.progress import Progress

    count = bring(Kind(kind), source, out, Progress(), pictures)
    origin = f"{kind} {source.name}"
    version, _ = record(out, scan(out), note=f"imported from {origin}", origins=[origin] * count)
    typer.echo(f"{counted(count, 'picture')} in {out}; version {version.version[:12]}")


@data.command("export")
def take_out(
    place: _Folder,
    kind: Annotated[Format, typer.Argument(metavar="FORMAT", help="coco | labelstudio | csv")],
    *,
    out: Annotated[Path, typer.Option(help="Folder for it; new or empty.")],
) -> None:
    """Write a data set for another tool, with pictures; imported again, it teaches the same.

    For example:

    linewarden data export photos labelstudio --out for_label_studio
    """
    from trainer.dataset import counted
    from trainer.exchange.exchange import Kind
    from trainer.exchange.exchange import take_out as take
    from trainer.progress import Progress

    count = take(Kind(kind), own_folder(place), out, Progress())
    typer.echo(f"{counted(count, 'picture')} in {out}")


@data.command()
def record(
    place: _Folder,
    *,
    note: Annotated[str, typer.Option(help="What happened, for whoever reads it later.")] = "",
    by: Annotated[str, typer.Option(help="Who records it.")] = "",
    good: Good = None,
) -> None:
    """Keep the present state as a version: what came, went, changed, was relabelled, by whom.

    Runs name the version that they saw. The history lies in DATA/.history and
    is plain CSV and JSON lines.

    For example:

    linewarden data record photos --note 'night shift of May, box 3' --by anna
    """
    from trainer.dataset import counted
    from trainer.exchange.provenance import origins_and_labels
    from trainer.history import record as keep
    from trainer.history import scan

    root = own_folder(place)
    origins, labelled = origins_and_labels(root)
    version, fresh = keep(
        root, scan(root, good), by=by, note=note, origins=origins, labelled=labelled
    )
    told = version.change.words() if fresh else "nothing has changed since it was recorded"
    typer.echo(f"version {version.version[:12]}: {counted(version.pictures, 'picture')}; {told}")


@data.command()
def history(
    place: _Folder,
    *,
    good: Good = None,
    json: Annotated[bool, typer.Option("--json", help="Print the versions as JSON.")] = False,
) -> None:
    """List the recorded versions, and what has changed since the last. Exit code 1: something has.

    For example:

    linewarden data history photos
    """
    import json as json_module

    from trainer.dataset import counted
    from trainer.history import compare, files_of, scan, versions

    root = own_folder(place)
    known = versions(root)
    now = scan(root, good)
    last = files_of(root, known[-1].version) if known else {}
    change = compare(last, now.files)
    same = bool(known) and known[-1].version == now.version
    if json:
        told = {"versions": [one.model_dump() for one in known], "now": now.version, "same": same}
        typer.echo(json_module.dumps(told | {"since": change.model_dump()}, indent=2))
    else:
        for one in known:
            who = f" by {one.by}" if one.by else ""
            held = counted(one.pictures, "picture")
            typer.echo(f"{one.version[:12]}  {one.at}  {held}{who}  {one.note}")
            typer.echo(f"{'':14}{one.change.words()}")
            for what, counts in (("from", one.origins), ("labelled by", one.labelled)):
                if counts:
                    shown = ", ".join(f"{name} {count}" for name, count in counts.items())
                    typer.echo(f"{'':14}{what} {shown}")
        state = "as recorded" if same else f"not recorded: {change.words()}"
        typer.echo(f"{now.version[:12]}  now  {counted(len(now.files), 'picture')}  {state}")
    if not same:
        raise typer.Exit(1)
