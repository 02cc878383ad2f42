"""GenICam cameras as a source: GigE Vision and USB3 Vision, through Aravis.

A frame that isn't complete is no picture to judge by; one that never came leaves a gap in the
numbers. What the network lost is told as it grows. Runs inside a capture process, like the other
live sources, and is killed when the library hangs.
"""

import signal
import sys
from collections.abc import Iterator
from typing import Any

from edge.camera import mosaic
from edge.camera.aravis import STATUS, SUCCESS, Aravis, Connection, Picture, Statistics
from edge.camera.playback import Shot
from edge.clock import wall_ns
from export.errors import CameraError

LOOK_S = 0.25
COUNT_EVERY = 20  # frames
ID_TURN = 65_535  # frame ids of GigE Vision 1 go from 1 to this
ANEW = 8  # frames out of turn on end: it has begun to number again
MOST_AGE_NS = 1_000_000_000  # older is a clock that was set
HEARTBEAT_MS = 1000  # a killed capture's camera is free again after this


class Alive:
    """No frame came, and the camera answers: it waits for its trigger."""


class Lost:
    """What was lost, or had to be asked for twice, since the last such message: {kind: count}."""

    def __init__(self, counts: dict[str, int]) -> None:
        self.counts = counts


Told = Shot | Alive | Lost


def genicam(settings: dict[str, Any]) -> Iterator[Told]:
    """Frames of one camera; `settings`: those of `edge.sections.GenicamSource`.

    Raises:
        CameraError: Aravis isn't installed, the camera isn't there or is another's, it refuses a
            setting, or it no longer answers.
    """
    connection = connected(Aravis(), settings["camera"])
    try:
        _tuned(connection, settings)
        connection.begin(settings["buffers"])
        signal.signal(signal.SIGTERM, _end)
        yield from _shots(connection, waits=bool(settings["trigger"]))
    finally:
        connection.close()


def _end(_signal: int, _frame: object) -> None:
    """Leave, by way of `genicam`'s end."""
    sys.exit(0)


def connected(library: Aravis, name: str) -> Connection:
    """The camera called so; if it has no name, the only one."""
    try:
        return Connection(library, name)
    except CameraError as error:
        there = library.names()
        seen = f"those that answer: {', '.join(there)}" if there else "no GenICam camera answers"
        raise CameraError(
            f"the GenICam camera {name or '(any)'} can't be had: {error.problem}; {seen}",
            "check its cable and address, and whether another program holds it",
        ) from error


def _tuned(connection: Connection, told: dict[str, Any]) -> None:
    """Set it as the settings say; what they don't name stays as the camera has it."""
    for key, set_it in (
        ("pixel_format", lambda: _format(connection, told["pixel_format"])),
        ("width and height", lambda: _region(connection, told)),
        ("fps", lambda: _optional(connection, "frame_rate", told["fps"])),
        ("exposure_us", lambda: _optional(connection, "exposure_time", told["exposure_us"])),
        ("gain", lambda: _optional(connection, "gain", told["gain"])),
        ("packet_bytes", lambda: _packets(connection, told["packet_bytes"])),
        ("features", lambda: _features(connection, told["features"])),
        ("trigger", lambda: _trigger(connection, told["trigger"])),
    ):
        try:
            set_it()
        except CameraError as error:
            raise CameraError(
                f"the GenICam camera refuses {key}: {error.problem}",
                error.remedy or "see what it can do: arv-tool-0.8 features",
            ) from error
    connection.ask("set_acquisition_mode", 0)


def _format(connection: Connection, wanted: str) -> None:
    if wanted:
        offered = connection.pixel_formats()
        if wanted not in offered:
            usable = [name for name in offered if name in mosaic.NAMES]
            raise CameraError(f"it has no {wanted}", f"choose one of: {', '.join(usable)}")
        connection.ask("set_pixel_format_from_string", wanted.encode())


def _region(connection: Connection, told: dict[str, Any]) -> None:
    x, y, width, height = connection.region()
    wanted = (told["x"], told["y"], told["width"], told["height"])
    if wanted != (None,) * 4:
        had = zip(wanted, (x, y, width, height), strict=True)
        asked = tuple(old if new is None else new for new, old in had)
        connection.ask("set_region", *asked)
        if (now := connection.region()) != asked:
            raise CameraError(f"asked for x, y, width, height {asked}, it gives {now}")


def _optional(connection: Connection, what: str, value: float | None) -> None:
    if value is None:
        return
    if not connection.ask(f"is_{what}_available"):
        raise CameraError("it has no such setting")
    connection.ask(f"set_{what}", value)


def _packets(connection: Connection, packet_bytes: int | None) -> None:
    if packet_bytes is not None and connection.network:
        connection.ask("gv_set_packet_size", packet_bytes)
    if connection.has("GevHeartbeatTimeout"):
        connection.set(f"GevHeartbeatTimeout={HEARTBEAT_MS}")


def _features(connection: Connection, features: dict[str, Any]) -> None:
    for name, value in features.items():
        said = str(value).lower() if isinstance(value, bool) else str(value)
        connection.set(f"{name}={said}")


def _trigger(connection: Connection, line: str) -> None:
    if line:
        connection.ask("set_trigger", line.encode())
    else:
        connection.ask("clear_triggers")


def _shots(connection: Connection, *, waits: bool) -> Iterator[Told]:
    before, order, frames = Statistics(0, 0, 0, 0), Order(), 0
    while True:
        picture = connection.next(LOOK_S)
        if picture is None:
            connection.ask("get_payload")  # asks the camera itself
            if waits:
                yield Alive()
            continue
        frames, skipped = frames + 1, order.skipped(picture.number)
        if skipped is not None:
            yield _shot(picture, skipped)
        if skipped != 0 or picture.status != SUCCESS or frames % COUNT_EVERY == 0:
            now = connection.statistics()
            if counts := _grown(before, now, skipped):
                yield Lost(counts)
            before = now


class Order:
    """Frame ids as they come: with gaps where frames were lost, and sometimes one out of turn."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._odd = 0  # out of turn, on end

    def skipped(self, number: int) -> int | None:
        """How many frames before this one never came; None: its place was given up before."""
        last = self._last
        if last is None:
            self._last = number
            return 0
        step = number - last
        if max(number, last) <= ID_TURN:
            step %= ID_TURN
            step = step if step <= ID_TURN // 2 else 0
        self._odd = 0 if step > 0 else self._odd + 1
        if 0 < self._odd < ANEW:
            return None
        self._last, self._odd = number, 0
        return max(0, step - 1)


def _shot(picture: Picture, skipped: int) -> Shot:
    age_ns = wall_ns() - picture.at_ns
    age_ns = age_ns if 0 <= age_ns <= MOST_AGE_NS else 0
    if picture.status != SUCCESS:
        return Shot(None, why=STATUS.get(picture.status, "it failed"), age_ns=age_ns,
                    skipped=skipped)  # fmt: skip
    try:
        pixels = mosaic.bgr(picture.data, picture.pixel_format, picture.width, picture.height)
    except ValueError as error:
        choice = f"set pixel_format to one of: {', '.join(mosaic.NAMES)}"
        raise CameraError(f"the GenICam camera's picture: {error}", choice) from error
    return Shot(pixels, age_ns=age_ns, skipped=skipped)


def _grown(before: Statistics, now: Statistics, skipped: int | None) -> dict[str, int]:
    counts = {
        "frames_incomplete": now.failed - before.failed,
        "frames_out_of_turn": int(skipped is None),
        "frames_never_came": skipped or 0,
        "packets_missing": now.missing - before.missing,
        "packets_resent": now.resent - before.resent,
        "buffers_short": now.underruns - before.underruns,
    }
    return {kind: count for kind, count in counts.items() if count > 0}
