"""systemd: the units placed, started and looked at. The only file that speaks to it."""

import json
import shutil
import ssl
import time
import tomllib
import urllib.request
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from urllib.error import HTTPError

from deploy.box.layout import ASKED_FOR, BROKER, CONSOLE, GATEWAY, GUARD, LINE, UNITS, Layout
from deploy.box.program import InstallError, run, write

START_S = 90.0
SETTLE_S = 8.0  # a line that is up must stay up so long
_LOOK_S = 0.5


class Services:
    """The units of a box.

    Args:
        layout: where things lie.
        live: whether systemd runs here; else units are placed, and start with the machine.
    """

    def __init__(self, layout: Layout, *, live: bool) -> None:
        self._layout, self.live = layout, live

    def place(self, files: Path, networks: Iterable[str] | None = None) -> list[str]:
        """Copy the units of a release; returns those that changed.

        `networks`, such as 192.168.1.0/24, may be spoken to besides the box itself; None leaves
        what was said before.
        """
        changed = [
            unit
            for unit in UNITS
            if write(
                self._layout.units / unit, (files / "systemd" / unit).read_text(encoding="utf-8")
            )
        ]
        if networks is not None:
            changed += [
                unit
                for unit in (BROKER, LINE, CONSOLE, GATEWAY)
                if self._allow(unit, list(networks))
            ]
        if changed:
            self._ctl("daemon-reload")
        return list(dict.fromkeys(changed))

    def credential(self, unit: str, name: str, path: Path) -> None:
        """Hand a unit one more secret, from its next start on."""
        said = f"[Service]\nLoadCredential={name}:{path}\n"
        if write(self._layout.units / f"{unit}.d/{name}.conf", said):
            self._ctl("daemon-reload")

    def enable(self) -> None:
        """Have what every box has start with the machine."""
        for unit in (BROKER, LINE, CONSOLE, GUARD):
            run("systemctl", "enable", "--quiet", unit)

    def asked_for(self) -> list[str]:
        """Those of the assistant and the gateway that somebody has enabled."""
        if not self.live:
            return []
        words = ("systemctl", "show", "--property=UnitFileState", "--value")
        return [unit for unit in ASKED_FOR if run(*words, unit).strip() == "enabled"]

    def restart(self, *units: str) -> None:
        """Start these, or start them anew."""
        for unit in units:
            self._ctl("restart", "--no-block", unit)

    def stop(self, *units: str) -> None:
        """Stop these and wait for it."""
        self._ctl("stop", *units)

    def reload_broker(self) -> None:
        """Have the broker read rights and revoked certificates again, if it runs."""
        if self.live and self.state(BROKER) == "active":
            self._ctl("reload", BROKER)

    def state(self, unit: str) -> str:
        """Such as active, activating, failed or inactive."""
        if not self.live:
            return "inactive"
        return run("systemctl", "show", "--property=ActiveState", "--value", unit).strip()

    def settled(self, *units: str, ready: bool = False) -> str:
        """Wait until all these run and go on running; returns why they don't, '' if they do.

        `ready`: the line must also say that it can be trusted with parts.
        """
        if not self.live:
            return ""
        end_s, since_s, why = time.monotonic() + START_S, None, "not looked at"
        starts = {unit: self._starts(unit) for unit in units}
        while time.monotonic() < end_s:
            why = self._trouble(units, starts, ready=ready)
            if why.startswith("!"):
                return why[1:]
            since_s = (since_s or time.monotonic()) if not why else None
            if since_s and time.monotonic() - since_s >= SETTLE_S:
                return ""
            time.sleep(_LOOK_S)
        return f"{why}, after {START_S:.0f} s"

    def ready(self) -> list[str]:
        """Why the line can't be trusted with parts, in its own words; empty if it can."""
        address = f"http://{_status_address(self._layout)}/readyz"
        try:
            with urllib.request.urlopen(address, timeout=3) as answer:
                json.load(answer)
                return []
        except HTTPError as error:
            with suppress(ValueError):
                return list(json.load(error)["reasons"])
            return [str(error)]
        except (OSError, ssl.SSLError) as error:
            return [f"{address} doesn't answer: {error}"]

    def remove(self) -> None:
        """Stop and forget every unit."""
        present = [unit for unit in UNITS if (self._layout.units / unit).exists()]
        if present:
            self._ctl("stop", *present)
            run("systemctl", "disable", "--quiet", *present)
        for unit in UNITS:
            (self._layout.units / unit).unlink(missing_ok=True)
            shutil.rmtree(self._layout.units / f"{unit}.d", ignore_errors=True)
        self._ctl("daemon-reload")

    def _trouble(self, units: Iterable[str], starts: dict[str, int], *, ready: bool) -> str:
        """What is wrong now; with a '!' before it, waiting won't mend it."""
        for unit in units:
            if self._starts(unit) - starts[unit] >= 2:
                return f"!{unit} starts and ends again and again: {self._last_words(unit)}"
            if (state := self.state(unit)) != "active":
                return f"{unit} is {state}: {self._last_words(unit)}"
        if ready and (reasons := self.ready()):
            return f"{LINE} runs, but {'; '.join(reasons)}"
        return ""

    def _starts(self, unit: str) -> int:
        return int(run("systemctl", "show", "--property=NRestarts", "--value", unit).strip() or 0)

    def _last_words(self, unit: str) -> str:
        words = (
            "journalctl",
            "--namespace=linewarden",
            "--quiet",
            "--no-pager",
            "--output=cat",
            "--lines=8",
        )
        with suppress(InstallError):
            return run(*words, f"--unit={unit}").strip()[-1500:]
        return ""

    def _allow(self, unit: str, networks: list[str]) -> bool:
        path = self._layout.units / f"{unit}.d/network.conf"
        if not networks:
            there = path.exists()
            path.unlink(missing_ok=True)
            return there
        allowed = " ".join(["localhost", *networks])
        return write(
            path, f"# Who may be spoken to: --network\n[Service]\nIPAddressAllow={allowed}\n"
        )

    def _ctl(self, *words: str) -> None:
        if self.live:
            run("systemctl", *words)


def _status_address(layout: Layout) -> str:
    with layout.settings.open("rb") as file:
        return str(tomllib.load(file).get("status", {}).get("listen", "127.0.0.1:9464"))
