"""`linewarden-box`: install, upgrade, arm, roll back, take off a box; its accounts and state."""

import argparse
import fcntl
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.box.bridge import Bridge
from deploy.box.install import CHAIN, Box, Tell, Wish
from deploy.box.layout import BROKER, CONSOLE, LINE, UNITS, Layout
from deploy.box.line import Sight
from deploy.box.machine import runs_systemd
from deploy.box.program import InstallError, run, write
from deploy.box.releases import Source
from deploy.box.rights import MEANING, Account, Role
from deploy.box.services import Services
from export.errors import LinewardenError

Act = Callable[[Box, argparse.Namespace, Tell], None]
TREE = Path(__file__).parents[2]
EXPIRES_SOON_DAYS = 90
EXAMPLES = """examples:
  install.sh --prefix acme/plant1/area1/line1/cell1
  install.sh --prefix acme/p/a/l/c --bundle bundle --key signing.pub --camera device:0
  install.sh --wheelhouse wheels --listen 192.168.1.10 --network 192.168.1.0/24 --prefix a/b/c
  linewarden-box arm --bundle bundle --key signing.pub
  linewarden-box account add tablet --role operator --scope acme/p/a/l/c --out tablet
  linewarden-box rollback"""


def main() -> None:
    """Do what the command line says; exit code 2 for what a person can mend."""
    asked = parser().parse_args()
    tell = Tell()
    box = Box(Layout(), Services(Layout(), live=runs_systemd()), tell)
    try:
        with alone():
            asked.act(box, asked, tell)
    except LinewardenError as error:
        sys.stderr.write(f"linewarden-box: {error}\n")
        sys.exit(error.exit_code)
    except BrokenPipeError:  # `| head`: Python's own advice (signal, Note on SIGPIPE)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:  # a file that isn't there, a full disk
        sys.stderr.write(f"linewarden-box: {error}\n")
        sys.exit(2)


@contextmanager
def alone() -> Iterator[None]:
    """Let no second one work on this machine at the same time."""
    with Path("/run/linewarden-box.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InstallError("another linewarden-box is at work", "wait for it") from error
        yield


def install(box: Box, asked: argparse.Namespace, tell: Tell) -> None:
    """Install, or upgrade to this tree's release."""
    if (asked.bundle is None) is not (asked.key is None):
        raise InstallError("--bundle and --key belong together", "give both or neither")
    sight = None
    if asked.camera or asked.camera_name:
        sight = Sight(asked.camera_name or Sight.camera, asked.camera or Sight.what)
    wish = Wish(
        Source(TREE, asked.wheelhouse), asked.prefix, asked.listen, asked.network, sight,
        asked.bundle, asked.key, tuple(asked.name), asked.untested,
    )  # fmt: skip
    box.install(wish)
    if not box.line.armed():
        tell("next", "no bundle yet: linewarden-box arm --bundle FOLDER --key FILE")
    if box.services.live:
        tell("next", "the console's one-time code, for the first admin: linewarden-box code")


def arm(box: Box, asked: argparse.Namespace, tell: Tell) -> None:
    """Give the line its bundle and start it."""
    now = box.releases.current()
    box.line.take(asked.bundle, asked.key, now)
    box.services.restart(LINE)
    if why := box.services.settled(LINE, ready=True):
        raise InstallError(f"the line doesn't start: {why}", "linewarden-box doctor")
    tell("line", "armed, and ready")


def rollback(box: Box, _asked: argparse.Namespace, tell: Tell) -> None:
    """Go back to the release before."""
    tell("program", f"release {box.roll_back()} runs again")


def recover(box: Box, _asked: argparse.Namespace, tell: Tell) -> None:
    """Undo a switch that a power cut left unproven; for linewarden-guard.service."""
    name = box.layout.cut_off()
    if not name:
        box.layout.trial.unlink(missing_ok=True)
        return
    if box.releases.current() != name:
        box.releases.switch(name)
    box.services.place(box.releases.path(name) / "share/deploy/box/files")
    box.layout.trial.unlink()
    tell("program", f"an upgrade was cut off: release {name} runs again")


def account(box: Box, asked: argparse.Namespace, tell: Tell) -> None:
    """Add, remove or list accounts at the broker."""
    if asked.verb == "list":
        for one in box.accounts.all():
            left = box.authority.days_left(box.layout.tls / f"{one.name}.pem")
            tell(one.name, f"{one.role:<10} {one.scope:<40} certificate for {left:.0f} days")
        return
    if asked.verb == "remove":
        if asked.account in {name for name, *_ in CHAIN}:
            raise InstallError(f"the box itself needs the account {asked.account!r}", "leave it")
        box.accounts.remove(asked.account)
        tell(asked.account, "removed, and its certificate revoked")
    else:
        box.accounts.add(Account(asked.account, Role(asked.role), asked.scope))
        tell(asked.account, f"{asked.role}: {MEANING[Role(asked.role)]}")
        if asked.out:
            box.accounts.hand_out(asked.account, asked.out)
            tell(asked.account, f"its files are in {asked.out}: hand them over, then delete them")
    box.services.reload_broker()


def bridge(box: Box, asked: argparse.Namespace, tell: Tell) -> None:
    """Bridge the box's broker to the one above, with a certificate that was made there."""
    conf = Bridge(asked.account, asked.to, asked.scope or box.line.prefix()).conf()
    layout = box.layout
    for given, name in ((asked.ca_file, "above-ca.pem"), (asked.certificate, "above.pem")):
        write(layout.tls / name, given.read_text(encoding="utf-8"))
    write(layout.secrets / "above.key", asked.key.read_text(encoding="utf-8"), 0o600)
    at = layout.acl.parent / "conf.d/bridge.conf"
    write(at, conf)
    box.services.credential(BROKER, "above.key", layout.secrets / "above.key")
    box.services.restart(BROKER)
    if why := box.services.settled(BROKER):
        at.unlink()
        box.services.restart(BROKER)
        raise InstallError(
            f"the broker doesn't start with the bridge, which was taken out again: {why}",
            "look at the files given",
        )
    tell("bridge", f"to {asked.to}; it may be reached if --network of the installer allows it")


def status(box: Box, _asked: argparse.Namespace, tell: Tell) -> None:
    """What runs, which releases there are, which certificates end soon; exit code 1 if ill."""
    tell("release", f"{box.releases.current()}; before it {box.releases.previous() or 'none'}")
    states = {unit: box.services.state(unit) for unit in UNITS}
    for unit, state in states.items():
        tell(unit.removesuffix(".service"), state)
    reasons = _reasons(box)
    tell("line", "; ".join(reasons) or "ready")
    if before := box.layout.cut_off():
        said = f"the switch to it was cut off: the next start goes back to {before}"
        tell("release", f"{said}; run the installer again to stay")
    needed = {BROKER, CONSOLE, *box.services.asked_for()}
    ill = [unit for unit, state in states.items() if unit in needed and state != "active"]
    soon = {
        path.stem: left
        for path in sorted(box.layout.tls.glob("*.pem"))
        if path.stem not in ("ca", "revoked")
        and (left := box.authority.days_left(path)) < EXPIRES_SOON_DAYS
    }
    for name, left in soon.items():
        own = name in {"server", "web", *(account for account, *_ in CHAIN)}
        remedy = "run the installer again" if own else "have it made anew, and hand it over"
        tell("certificate", f"{name} ends in {left:.0f} days: {remedy}")
    if reasons or soon or ill or before:
        sys.exit(1)


def _reasons(box: Box) -> list[str]:
    """Why the line can't be trusted with parts."""
    if not box.line.armed():
        return ["the line has no bundle"]
    if wrong := box.line.wrong(box.releases.current()):
        return [f"its settings are wrong: {wrong}"]
    return box.services.ready()


def doctor(box: Box, asked: argparse.Namespace, _tell: Tell) -> None:
    """The line's own doctor, with the line stopped for it."""
    was = box.services.state(LINE)
    box.services.stop(LINE)
    try:
        program = box.releases.path(box.releases.current()) / "bin/linewarden"
        print(run(program, "doctor", "--config", box.layout.settings))
    finally:
        if was not in ("inactive", "failed"):  # also one that starts and ends again and again
            box.services.restart(LINE)


def code(box: Box, _asked: argparse.Namespace, _tell: Tell) -> None:
    """A one-time code, with which an admin of the console is made."""
    program = box.releases.path(box.releases.current()) / "bin/linewarden"
    as_user = ("setpriv", "--reuid=linewarden-console", "--regid=linewarden", "--init-groups")
    print(run(*as_user, program, "console", "code", "--config", box.layout.settings).strip())


def uninstall(box: Box, asked: argparse.Namespace, tell: Tell) -> None:
    """Take the programs and services off; settings, record, samples and users stay."""
    box.services.remove()
    for path in box.layout.placed.values():
        if path.name != "linewarden.conf" or "sysusers" not in str(path):
            path.unlink(missing_ok=True)
    shutil.rmtree(box.layout.opt, ignore_errors=True)
    box.layout.wrapper.unlink(missing_ok=True)
    kept = [
        at
        for at in (box.layout.etc, *sorted(box.layout.var.parent.glob("linewarden*")))
        if at.exists()
    ]
    tell("uninstalled", f"kept: {', '.join(map(str, kept))}")


def _options(one: argparse.ArgumentParser) -> None:
    """What the installer can be asked for."""
    one.add_argument("--prefix", default="", help="topic prefix: enterprise/site/area/line/cell")
    one.add_argument(
        "--wheelhouse", type=Path, help="install from these wheels (make wheelhouse), no network"
    )
    one.add_argument(
        "--listen", default="", help="address of broker and console (as it is; first: this box)"
    )
    one.add_argument(
        "--network", action="append", help="may be spoken to, e.g. 192.168.1.0/24; repeatable"
    )
    one.add_argument(
        "--name", action="append", default=[], help="the box is also known by; repeatable"
    )
    one.add_argument("--camera", help="at first: virtual, device:0 or rtsp://… (virtual)")
    one.add_argument("--camera-name", help="at first: what it is called in topics (top)")
    one.add_argument("--untested", action="store_true", help="go on where nobody has tried it")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    form = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser(
        "linewarden-box", description=__doc__, epilog=EXAMPLES, formatter_class=form
    )
    verbs = top.add_subparsers(required=True, metavar="COMMAND")

    def verb(act: Act, name: str = "") -> argparse.ArgumentParser:
        said = (act.__doc__ or "").strip()
        made = verbs.add_parser(name or getattr(act, "__name__", ""), help=said, description=said)
        made.set_defaults(act=act)
        return made

    one = verb(install)
    _options(one)
    for made in (one, verb(arm)):
        needed = made is not one
        made.add_argument(
            "--bundle", type=Path, required=needed, help="folder that linewarden export made"
        )
        made.add_argument("--key", type=Path, required=needed, help="public key of who signed it")
    for act in (rollback, recover, status, doctor, code, uninstall):
        verb(act)
    up = verb(bridge)
    up.add_argument("account", help="the bridge's account at the broker above (role site)")
    up.add_argument("--to", required=True, help="HOST:8883 of the broker above")
    up.add_argument("--scope", default="", help="topic prefix that goes up (the box's own)")
    for name in ("ca-file", "certificate", "key"):
        up.add_argument(f"--{name}", type=Path, required=True, help="as handed out there (PEM)")
    kinds = verb(account).add_subparsers(dest="verb", required=True, metavar="VERB")
    kinds.add_parser("list", help="every account, its role and scope")
    kinds.add_parser("remove", help="and revoke its certificate").add_argument("account")
    add = kinds.add_parser("add", help="or change its role and scope")
    add.add_argument("account")
    add.add_argument("--role", choices=[role.value for role in Role], required=True)
    add.add_argument("--scope", default="", help="topic prefix, + for any level")
    add.add_argument(
        "--out", type=Path, help="copy authority, certificate and key into this folder"
    )
    return top


if __name__ == "__main__":
    main()
