"""A clean machine to install on: a Debian root with systemd as its first process, cut off.

Own namespaces for processes, mounts, network (loopback only), host name and IPC, and a control
group of its own; systemd runs real units in it with all that they restrict. It is no machine: the
kernel is the host's, and neither boot loader, udev nor hardware is there. Needs root and Linux 5 or
newer.
"""

import os
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path

SUITE, MIRROR = "bookworm", "http://deb.debian.org/debian"
PACKAGES = "systemd,systemd-sysv,dbus,udev,python3,ca-certificates,iproute2,procps"
GROUPS = Path("/sys/fs/cgroup")
_BEGIN = r"""
set -e
mount --make-rprivate /
mount --bind "$ROOT" "$ROOT"
mount -t proc proc "$ROOT/proc"
mount -o bind,ro "$ROOT/proc/sys" "$ROOT/proc/sys"
mount -t sysfs -o ro sysfs "$ROOT/sys"
mount -t cgroup2 cgroup2 "$ROOT/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$ROOT/dev"
for node in "null 3" "zero 5" "full 7" "random 8" "urandom 9"; do
    set -- $node; mknod -m 666 "$ROOT/dev/$1" c 1 "$2"
done
mknod -m 666 "$ROOT/dev/tty" c 5 0
mkdir "$ROOT/dev/pts" "$ROOT/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$ROOT/dev/pts"
ln -s pts/ptmx "$ROOT/dev/ptmx"; ln -s /proc/self/fd "$ROOT/dev/fd"
mount -t tmpfs tmpfs "$ROOT/dev/shm"
mount -t tmpfs -o mode=755 tmpfs "$ROOT/run"
mount -t tmpfs -o mode=1777 tmpfs "$ROOT/tmp"
hostname "$NAME"; ip link set lo up
mkdir -p "$ROOT/.old"; cd "$ROOT"; pivot_root . .old; umount -l /.old
mount --make-rshared /  # as on a machine: credentials are mounted by a child of systemd
exec env -i container=linewarden-test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd \
    --log-target=journal --show-status=false
"""
MASKED = (
    "systemd-sysctl.service",
    "systemd-modules-load.service",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "dev-hugepages.mount",
    "systemd-udev-trigger.service",
)


def base(at: Path, packages: str = PACKAGES) -> Path:
    """A root as debootstrap makes it, made once; needs the network the first time."""
    if not (at / ".made").exists():
        shutil.rmtree(at, ignore_errors=True)
        words = (
            "debootstrap",
            "--variant=minbase",
            f"--include={packages}",
            SUITE,
            str(at),
            MIRROR,
        )
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        for unit in MASKED:  # the kernel is not this root's to change
            (at / "etc/systemd/system" / unit).symlink_to("/dev/null")
        (at / ".made").touch()
    return at


class Room:
    """A running system in the folder `root`; `with` starts and ends it."""

    def __init__(self, root: Path, name: str = "box1") -> None:
        self.root, self.name = root, name
        self._groups = next(
            at for at in (GROUPS / "unified", GROUPS) if (at / "cgroup.procs").exists()
        )
        self._group = self._groups / f"linewarden-test-{os.getpid()}"
        self._outer: subprocess.Popen | None = None
        self.init = 0

    def __enter__(self) -> "Room":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Boot, and wait until systemd has started what it starts."""
        self._group.mkdir(exist_ok=True)
        unshare = "exec unshare --pid --mount --net --uts --ipc --cgroup --fork --kill-child sh -c"
        joined = f"echo $$ > {self._group}/cgroup.procs; {unshare} {shlex.quote(_BEGIN)}"
        env = {"ROOT": str(self.root), "NAME": self.name, "PATH": os.environ["PATH"]}
        self._outer = subprocess.Popen(
            ["sh", "-c", joined], env=env, stdin=subprocess.DEVNULL, start_new_session=True
        )
        end = time.monotonic() + 60
        while time.monotonic() < end:
            time.sleep(0.3)
            assert self._outer.poll() is None, "systemd ended at once"
            self.init = self._child()
            state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
            if state in ("running", "degraded"):
                return
        raise AssertionError("systemd did not come up in 60 s")

    def stop(self) -> None:
        """Pull the plug: every process in it is killed."""
        if self._outer is not None:
            if self.init:
                os.kill(self.init, signal.SIGKILL)
            self._outer.kill()
            self._outer.wait()
            self._outer, self.init = None, 0
        for _ in range(50):
            try:
                for at in sorted(self._group.rglob("*"), reverse=True):
                    if at.is_dir():
                        at.rmdir()
                self._group.rmdir()
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.1)

    def run(
        self, *words: str | Path, check: bool = True, timeout: float = 600, **more
    ) -> subprocess.CompletedProcess:
        """Run a program inside, as root."""
        inside = ("nsenter", "--target", str(self.init), "--all", "env", "-i",
                  "PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
                  "sh", "-c", 'cd /root && exec "$@"', "sh")  # fmt: skip
        done = subprocess.run(
            [*inside, *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            **more,
        )
        if check and done.returncode:
            said = f"{' '.join(map(str, words))} ended with {done.returncode}"
            raise AssertionError(f"{said}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return done

    def _child(self) -> int:
        """The process id of systemd, seen from outside."""
        at = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children")
        children = at.read_text().split() if at.exists() else []
        return int(children[0]) if children else 0
