"""`linewarden line`: make labelled pictures with the virtual line, and look at it."""

from pathlib import Path
from typing import Annotated

import typer

from export.errors import DatasetError

line = typer.Typer(
    no_args_is_help=True, help="A virtual line of machined parts: pictures of known truth."
)


@line.command()
def dataset(  # noqa: PLR0917 - typer calls it by name
    out: Annotated[Path, typer.Argument(help="Folder to write: new or empty.")],
    parts: Annotated[int, typer.Option(min=1, help="How many parts, one picture each.")] = 600,
    seed: Annotated[
        int, typer.Option(min=0, help="Chooses everything: same seed, same bytes.")
    ] = 1,
    defect_rate: Annotated[float, typer.Option(help="Share of defective parts, 0 to 1.")] = 0.5,
    design: Annotated[
        list[str] | None, typer.Option(help="Product that passes, repeatable; all by default.")
    ] = None,
    kind: Annotated[
        list[str] | None, typer.Option(help="Defect that occurs, repeatable; all by default.")
    ] = None,
    size: Annotated[float, typer.Option(help="Factor on the defects' size, 0.1 to 2.")] = 1.0,
    extent: Annotated[
        str | None, typer.Option(help="Their size in the frame's pixels instead: FROM,TO.")
    ] = None,
    contrast: Annotated[float, typer.Option(help="Factor on their contrast, up to 1.")] = 1.0,
    width: Annotated[int, typer.Option(help="Pixels across a frame.")] = 1280,
    height: Annotated[int, typer.Option(help="Pixels down a frame.")] = 1024,
    region: Annotated[
        bool, typer.Option("--region", help="Keep only the central region that holds the part.")
    ] = False,
    masks: Annotated[
        bool, typer.Option("--masks", help="Write where each defect is: OUT/masks/CLASS/PART.png.")
    ] = False,
    png: Annotated[bool, typer.Option("--png", help="Write PNG, not JPEG of quality 95.")] = False,
) -> None:
    """Write labelled stills to train on: OUT/good, OUT/scratch, ... and OUT/truth.csv.

    For example:

    linewarden line dataset photos --parts 600 --seed 1

    linewarden line dataset gears --design gear --parts 300

    linewarden line dataset hard --parts 200 --seed 2 --size 0.5 --contrast 0.4

    linewarden line dataset small --kind dent --kind stain --extent 8,16 --masks
    """
    from edge.clock import monotonic_ns
    from edge.virtual_line.dataset import write_dataset
    from edge.virtual_line.defect import Kind
    from edge.virtual_line.design import DESIGNS
    from edge.virtual_line.line import REGION, VirtualLine
    from export.preprocess import WHOLE

    source = VirtualLine(
        seed, parts, width, height, defect_rate=defect_rate, defect_size=size,
        defect_contrast=contrast, designs=tuple(design or DESIGNS),
        defects=_kinds(kind) if kind else tuple(Kind), extent_px=_extent(extent),
    )  # fmt: skip
    began = monotonic_ns()

    def progress(done: int) -> None:
        if done % 20 and done != parts:
            return
        left_s = (monotonic_ns() - began) / 1e9 / done * (parts - done)
        typer.echo(f"\r{done} of {parts} stills, {left_s:.0f} s left ", nl=False, err=True)

    write_dataset(
        source, out, region=REGION if region else WHOLE, suffix=".png" if png else ".jpg",
        masks=masks, progress=progress,
    )  # fmt: skip
    typer.echo("", err=True)
    counts: dict[str, int] = {}
    for part in source.truth:
        counts[part.label] = counts.get(part.label, 0) + 1
    for label in sorted(counts):
        typer.echo(f"{label:<16}{counts[label]:>6}")
    typer.echo(f"the truth about every part: {out / 'truth.csv'}")


def _kinds(names: list[str]):  # noqa: ANN202 - its type is imported when it runs
    from edge.virtual_line.defect import Kind

    try:
        return tuple(Kind(name) for name in names)
    except ValueError as error:
        raise DatasetError(str(error), f"--kind is one of {', '.join(Kind)}") from error


def _extent(asked: str | None) -> tuple[float, float] | None:
    if asked is None:
        return None
    try:
        low, high = (float(number) for number in asked.split(","))
    except ValueError as error:
        raise DatasetError(f"--extent {asked!r} is not FROM,TO", "for example 8,16") from error
    return low, high


@line.command()
def sheet(
    out: Annotated[Path, typer.Argument(help="PNG file to write.")],
    seed: Annotated[int, typer.Option(min=0, help="Chooses the parts.")] = 1,
) -> None:
    """Write a contact sheet: every design, good and with each defect, and frames in a row.

    For example:

    linewarden line sheet sheet.png
    """
    from edge.virtual_line.sheet import contact_sheet
    from export.picture import write

    if out.suffix.lower() != ".png":
        raise DatasetError(f"the sheet can't be written to {str(out)!r}", "name a .png file")
    write(out, contact_sheet(seed))
    typer.echo(f"wrote {out}")
