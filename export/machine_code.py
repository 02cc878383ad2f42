"""Whether this process may write machine code, as some runtimes do when they load a model."""

import mmap


def forbidden() -> bool:
    """Whether what is written may not be run (systemd.exec(5), MemoryDenyWriteExecute)."""
    rights = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    try:
        mmap.mmap(-1, mmap.PAGESIZE, prot=rights).close()
    except OSError:
        return True
    return False


def remedy(unit: str, otherwise: str) -> str:
    """What helps a runtime that can't load: the unit's right if that is what it lacks.

    Args:
        unit: of systemd, whose process this is.
        otherwise: what helps if it has that right.
    """
    if not forbidden():
        return otherwise
    return (
        f"it writes machine code, which this process may not: sudo systemctl edit {unit}, and "
        "below [Service] say MemoryDenyWriteExecute=no"
    )
