"""DATA on the command line: a folder, or an address on a store whose pictures are copied first."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from export.errors import DatasetError

if TYPE_CHECKING:
    from trainer.progress import Progress

KEPT = Path("~/.cache/linewarden")

Cache = Annotated[
    Path, typer.Option(help="Folder that keeps the pictures of an address, such as s3://….")
]


def folder(data: str, cache: Path, progress: "Progress") -> Path:
    """The folder of DATA; raises DatasetError where an address can't be read or kept."""
    if "://" not in data:
        return Path(data)
    from trainer.storage.mirror import folder_of

    return folder_of(data, progress, cache)


def own_folder(data: str) -> Path:
    """The folder of DATA where a command writes into it; raises DatasetError for an address."""
    if "://" in data and not data.startswith("file://"):
        from trainer.storage.address import Address

        raise DatasetError(
            f"{Address.of(data).url} is read and never written",
            "copy it into a folder, and write the folder back with the store's own tools",
        )
    return Path(data.removeprefix("file://"))
