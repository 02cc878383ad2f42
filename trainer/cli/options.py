"""Options that several commands have in common, each told once."""

from typing import Annotated

import typer

ARCHITECTURES = ("resnet18", "resnet34", "resnet50", "vgg16", "vgg16_bn")

Arch = Annotated[str, typer.Option(help=" | ".join(ARCHITECTURES))]
Size = Annotated[str, typer.Option(help="Input in pixels: SIDE or WIDTHxHEIGHT.")]
Region = Annotated[str, typer.Option(help="Part of the frame to look at: x,y,w,h as fractions.")]
Threads = Annotated[int, typer.Option(min=0, help="0: one per core.")]

# How labelled pictures are read.
Good = Annotated[str | None, typer.Option(help="Folder of the good parts, if not good, ok or OK.")]
PartRegex = Annotated[
    str | None, typer.Option(help=r"Its first group in a path is the part: 'tile(\d+)_'.")
]
PartRuns = Annotated[
    int | None,
    typer.Option(min=0, help="Last numbers of names this close together are one part."),
]
NearDuplicates = Annotated[
    bool, typer.Option(help="Take pictures that look the same for one part.")
]
SkipUnreadable = Annotated[
    bool, typer.Option("--skip-unreadable", help="Leave unreadable pictures out.")
]
DropConflicts = Annotated[
    bool, typer.Option("--drop-conflicts", help="Leave out pictures that are in two classes.")
]
