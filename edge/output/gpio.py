"""GPIO lines of this box, through the kernel's character device (libgpiod 2).

When the process dies the kernel takes the lines back, and what they then show is up to the chip:
use the heartbeat's line with a watchdog relay, or a pull-down that means reject. Knows no gate.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.output.gate import Shown
from export.errors import OutputError

CONSUMER = "linewarden"


@dataclass(frozen=True, slots=True)
class GpioSettings:
    """Which lines, by their offset on the chip."""

    chip: Path
    line: int
    heartbeat_line: int | None = None
    active_low: bool = False


class GpioWire:
    """One request for lines.

    Args:
        settings: which.
        library: libgpiod's module; None imports it, and OutputError says so if it isn't installed.
    """

    def __init__(self, settings: GpioSettings, library: Any = None) -> None:
        self._settings = settings
        self._gpiod = _library() if library is None else library
        self._request: Any = None

    def open(self) -> None:
        """Take the lines as outputs, at reject."""
        off, lines = self._gpiod.line.Value.INACTIVE, [self._settings.line]
        if self._settings.heartbeat_line is not None:
            lines.append(self._settings.heartbeat_line)
        as_output = self._gpiod.LineSettings(
            direction=self._gpiod.line.Direction.OUTPUT,
            output_value=off,
            active_low=self._settings.active_low,
        )
        try:
            self._request = self._gpiod.request_lines(
                str(self._settings.chip), consumer=CONSUMER, config=dict.fromkeys(lines, as_output)
            )
        except (OSError, ValueError) as error:
            raise OutputError(
                f"lines {lines} of {self._settings.chip} can't be had: {error}",
                "check the chip with gpioinfo, and that this user may open it",
            ) from error

    def show(self, *, accept: bool, shown: Shown | None) -> None:  # noqa: ARG002 - a line says no more
        """Active while a part may pass."""
        self._set(self._settings.line, on=accept)

    def beat(self, count: int) -> None:
        """Toggle the heartbeat's line, if there is one."""
        if self._settings.heartbeat_line is not None:
            self._set(self._settings.heartbeat_line, on=bool(count % 2))

    def close(self) -> None:
        """Rest at reject and give the lines back."""
        if self._request is None:
            return
        try:
            self._set(self._settings.line, on=False)
        except OutputError:
            pass  # the line is lost: the watchdog relay must see it
        finally:
            self._request.release()
            self._request = None

    def _set(self, line: int, *, on: bool) -> None:
        value = self._gpiod.line.Value
        try:
            self._request.set_value(line, value.ACTIVE if on else value.INACTIVE)
        except (OSError, ValueError) as error:
            raise OutputError(f"line {line} of {self._settings.chip}: {error}") from error


def _library() -> Any:
    try:
        import gpiod  # noqa: PLC0415 - an extra, and Linux only
    except ImportError as error:
        raise OutputError(
            "an output of kind 'gpio' needs libgpiod's Python package",
            "pip install 'linewarden[gpio]'",
        ) from error
    return gpiod
