"""A file that is given up when the disk is full, so that verdicts can go on for a while.

It lies beside the outbox and holds nothing. Frames, logs and whatever else shares the disk fill it
first; the ballast's room is then the verdicts' own. It is laid down again when there is room.
"""

import os
from pathlib import Path


class Ballast:
    """The reserve of one outbox.

    Args:
        path: its file.
        size_bytes: how much it holds; 0 for none at all.
    """

    def __init__(self, path: Path, size_bytes: int) -> None:
        self._path, self._size_bytes = path, size_bytes

    @property
    def laid(self) -> bool:
        """Whether the whole reserve is there to be given up; true where none is wanted."""
        return self._size_bytes == 0 or self._held() >= self._size_bytes

    def free_bytes(self) -> int:
        """What this disk has left for us."""
        disk = os.statvfs(self._path.parent)
        return disk.f_bavail * disk.f_frsize

    def lay(self) -> bool:
        """Take the room if twice as much is free; returns whether the reserve is there."""
        if self.laid:
            return True
        if self.free_bytes() + self._held() < 2 * self._size_bytes:
            return False
        try:
            with self._path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self._size_bytes)
        except OSError:
            self.drop()
            return False
        return True

    def drop(self) -> bool:
        """Give the room up; returns whether there was any."""
        held = self._held()
        self._path.unlink(missing_ok=True)
        return held > 0

    def _held(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0
