"""The disks: writable, with room for all that the settings allow, and for how many days."""

import errno
import math
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile

from edge import clock
from edge.config import Appliance
from edge.doctor.finding import Finding, doubtful, ill, well

GB = 1024**3
REMEDIES = {
    errno.EACCES: "give the box its right",
    errno.EPERM: "give the box its right",
    errno.ENOSPC: "free space, or put the folder on another disk",
    errno.EDQUOT: "free space, or raise the box's quota",
    errno.EROFS: "mount the disk for writing",
}
RESERVE_BYTES = 64 * 1024**2  # the outbox's reserve, its journal, and something to breathe


def room(appliance: Appliance) -> Iterator[Finding]:
    """One finding for each folder that the box writes to."""
    store, samples = appliance.store, appliance.samples
    wanted = {"disk of the store": (store.folder, store.keep_gb, 0.0)}
    if samples.keep_gb:
        wanted["disk of the samples"] = (samples.folder, samples.keep_gb, samples.leave_free_gb)
    for organ, (folder, keep_gb, leave_gb) in wanted.items():
        others = ((other, most) for other, most, _ in wanted.values() if other != folder)
        beside_gb = sum(_to_come_gb(*one) for one in others if _device(one[0]) == _device(folder))
        yield _folder(organ, folder, keep_gb, leave_gb, beside_gb)


def _folder(organ: str, folder: Path, keep_gb: float, leave_gb: float, beside_gb: float) -> Finding:
    at = _existing(folder)
    try:
        with TemporaryFile(dir=at) as probe:
            probe.write(b"x")
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        said = f"{str(at)!r} can't be written: {error.strerror}"
        return ill(organ, said, REMEDIES.get(error.errno or 0, "choose a folder on a disk"))
    used_gb, oldest_s = _holds(folder)
    free_gb = shutil.disk_usage(at).free / GB
    left_gb = free_gb - leave_gb
    said = f"{free_gb:.1f} GB free; {keep_gb:g} GB may be kept, {used_gb:.2f} GB are"
    if left_gb * GB < RESERVE_BYTES:
        kept_free = f"; {leave_gb:g} GB are to stay free" if leave_gb else ""
        remedy = "free space, or put the folder on another disk"
        remedy += ", or lower samples.leave_free_gb" if leave_gb else ""
        return ill(organ, said + kept_free, remedy)
    if beside_gb:
        said += f", and {beside_gb:.1f} GB more beside it"
    if left_gb < keep_gb - used_gb + beside_gb:
        days = _days_left(left_gb - beside_gb, used_gb, oldest_s)
        said += "" if days is None else f"; at the pace so far it is full in {days:.0f} days"
        remedy = f"keep less: it will be full before it has kept {keep_gb:g} GB"
        return doubtful(organ, said, remedy)
    days = _days_left(keep_gb - used_gb, used_gb, oldest_s)
    said += "" if days is None else f"; at the pace so far the oldest give way in {days:.0f} days"
    return well(organ, said)


def _days_left(room_gb: float, used_gb: float, oldest_s: float) -> float | None:
    """Until so much more is used, as fast as what lies there came; None if that is no day old."""
    days = (clock.wall_ns() / 1e9 - oldest_s) / 86400
    return None if days < 1 or not used_gb else max(0.0, room_gb) * days / used_gb


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it; what lies there and is no folder can't be written."""
    above = (folder, *folder.absolute().parents)
    return next(at for at in above if at.exists() or at.is_symlink())


def _device(folder: Path) -> int:
    return _existing(folder).lstat().st_dev


def _to_come_gb(folder: Path, keep_gb: float) -> float:
    return max(0.0, keep_gb - _holds(folder)[0])


def _holds(folder: Path) -> tuple[float, float]:
    """What lies there: GB, and when the oldest was written (s since 1970; inf: nothing)."""
    files = [one.stat() for one in folder.rglob("*") if one.is_file()]
    return sum(one.st_size for one in files) / GB, min(
        (one.st_mtime for one in files), default=math.inf
    )
