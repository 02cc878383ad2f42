"""Work under limits of memory and time: for this process, or for a child that does just that.

A model from elsewhere may hang or take all memory there is, in native code that no exception
reaches; the kernel's limits do (setrlimit(2)). Knows nothing of models.
"""

import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path

_STATUS = Path("/proc/self/status")
_DIED = 1


def limit_memory(bytes_more: int) -> None:
    """Allow this process so much address space beyond what it has now."""
    limit = own_bytes("VmSize") + bytes_more
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def limit_time(cpu_s: float) -> None:
    """Allow this process so much processor time in all; then it is killed (SIGXCPU)."""
    resource.setrlimit(resource.RLIMIT_CPU, (round(max(1.0, cpu_s)), resource.RLIM_INFINITY))


def own_bytes(name: str) -> int:
    """VmSize, VmRSS or VmHWM of this process, in bytes; see proc(5)."""
    lines = _STATUS.read_text(encoding="ascii", errors="replace").splitlines()
    found = next(line for line in lines if line.startswith(f"{name}:"))
    return int(found.split()[1]) * 1024


def end(code: int, cpu_s: float) -> str:
    """What became of a child that ended with `code` (negative: by that signal), in words."""
    if code == -signal.SIGXCPU:
        return f"took more than {cpu_s:.0f} s of processor time"
    if code == -signal.SIGKILL:
        return "was killed, perhaps for want of memory"
    return f"ended the process ({signal.Signals(-code).name})" if code < 0 else "broke"


def in_a_child(work: Callable[[], None], cpu_s: float, bytes_more: int) -> str:
    """Do `work` in a forked child; returns "" if it came to its end, else why it didn't.

    For a command with one thread, which ends soon after: a fork keeps only the thread that calls.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _work(work, cpu_s, bytes_more)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code == 0:
        return ""
    if code == _DIED:
        return f"needed more than {bytes_more >> 20} MiB of memory"
    return end(code, cpu_s)


def _work(work: Callable[[], None], cpu_s: float, bytes_more: int) -> None:
    """The child: never returns."""
    code = 2
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        limit_time(cpu_s)
        limit_memory(bytes_more)
        work()
        code = 0
    except MemoryError:
        code = _DIED
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
