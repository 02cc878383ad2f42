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
from typing import NoReturn

_STATUS = Path("/proc/self/status")
_MEMORY = 3


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


def in_a_child(work: Callable[[], str], cpu_s: float, bytes_more: int) -> tuple[str, str]:
    """Do `work` in a forked child; returns its answer, or "" and why there is none.

    For a command with one thread, which ends soon after: a fork keeps only the thread that calls.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    hear, tell = os.pipe()
    child = os.fork()
    if child == 0:
        _work(work, tell, cpu_s, bytes_more)
    os.close(tell)
    with os.fdopen(hear, "rb") as answers:
        answer = answers.read().decode()
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code == 0:
        return answer, ""
    if code == _MEMORY:
        return "", f"needed more than {bytes_more >> 20} MiB of memory"
    return "", end(code, cpu_s)


def _work(work: Callable[[], str], tell: int, cpu_s: float, bytes_more: int) -> NoReturn:
    """The child."""
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        limit_time(cpu_s)
        limit_memory(bytes_more)
        os.write(tell, work().encode())
        code = 0
    except MemoryError:
        code = _MEMORY
    finally:
        sys.stderr.flush()
        os._exit(code)
