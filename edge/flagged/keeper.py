"""The keeper: takes judged frames at the door, and keeps the chosen ones on a thread of its own.

The line never waits for it: a full queue or a full disk drops a sample, counts it and says so.
The thread has a low priority, since encoding a picture takes longer than judging it.
"""

import contextlib
import hashlib
import os
import secrets
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import structlog

from edge import clock
from edge.flagged.choice import Choice
from edge.flagged.pantry import SEED_BYTES, Pantry, Quota, audit_seed
from edge.flagged.recent import Judged, Recent
from edge.health import Health
from export import heat
from export.errors import SampleError
from export.preprocess import Pixels
from export.sample import Audit, Image, LateResult, Sample, Why, sample_id
from export.verdict import Verdict

NICENESS = 10
JPEG_QUALITY = 95
WHERE = "samples"
AFTERWARDS = ((Why.OPERATOR,), (Why.DISAGREEING,))  # reasons that come when it may be kept already

Suffix = Literal["png", "jpg"]


@dataclass(frozen=True, slots=True)
class KeeperSettings:
    """Where samples go and how many.

    Attributes:
        folder: of samples.
        quota: how much they may take.
        suffix: png (lossless) or jpg (quality 95).
        audit_rate: share of passes that is drawn.
        queue: samples that may wait to be written.
        recent: frames remembered for an operator.
    """

    folder: Path
    quota: Quota
    suffix: Suffix = "png"
    audit_rate: float = 0.01
    queue: int = 8
    recent: int = 16


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of samples since the start."""

    kept: int = 0
    dropped: int = 0
    evicted: int = 0
    bytes: int = 0


_Job = Callable[[Pantry], None]


class Keeper:
    """Keeps flagged samples. `offer`, `flag` and `late` return at once, from any thread."""

    def __init__(self, settings: KeeperSettings, health: Health) -> None:
        self.settings = settings
        self._health = health
        self._log = structlog.get_logger("samples")
        self._choice = Choice(self._seed(), settings.audit_rate)
        self._recent = Recent(settings.recent)
        self._jobs: deque[tuple[str, _Job]] = deque()
        self._changed = threading.Condition()
        self._busy = self._closing = False
        self._kept = self._dropped = 0
        self._pantry: Pantry | None = None
        self._thread = threading.Thread(target=self._run, name=WHERE, daemon=True)

    def start(self) -> None:
        """Start keeping; what was offered before is kept too."""
        self._thread.start()

    def offer(self, judged: Judged, *, disagreeing: bool = False) -> None:
        """A part was judged: keep its picture if there is a reason to."""
        self._recent.remember(judged)
        why, audit = self._choice.why(judged.verdict, disagreeing=disagreeing)
        if why:
            self._put(judged.verdict.camera, lambda pantry: self._keep(pantry, judged, why, audit))

    def disagreed(self, judged: Judged) -> None:
        """A second model, in the shadow, said otherwise of a part: keep it, or say so on it."""
        why = (Why.DISAGREEING,)
        self._put(judged.verdict.camera, lambda pantry: self._keep(pantry, judged, why, None))

    def flag(
        self, camera: str, epoch: int | None = None, seq: int | None = None, part: str = ""
    ) -> bool:
        """An operator pressed: keep this part, or the newest; False if it is too long ago."""
        judged = self._recent.find(camera, seq=seq, part=part)
        if judged is not None and epoch in (None, judged.verdict.epoch):
            self._put(camera, lambda pantry: self._keep(pantry, judged, (Why.OPERATOR,), None))
            return True
        if epoch is None or seq is None:
            return False
        name = sample_id(camera, epoch, seq)
        self._put(camera, lambda pantry: self._flag_old(pantry, camera, name))
        return True

    def late(self, verdict: Verdict, late: LateResult) -> None:
        """A result came after its part's verdict: note it on the sample, if that is kept."""
        name = sample_id(*verdict.key)
        self._put(verdict.camera, lambda pantry: _ignored(pantry.note_late(name, late)))

    def tally(self) -> Tally:
        """What became of samples since the start."""
        with self._changed:
            pantry = self._pantry
            return Tally(
                self._kept,
                self._dropped,
                pantry.evicted if pantry else 0,
                pantry.used_bytes if pantry else 0,
            )

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything offered so far is kept or dropped; False if it isn't in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._jobs or self._busy), timeout_s)

    def stop(self, timeout_s: float) -> None:
        """Keep what waits, for `timeout_s`; the rest is dropped and counted."""
        self.flush(timeout_s)
        with self._changed:
            self._closing = True
            left = [camera for camera, _ in self._jobs]
            self._jobs.clear()
            self._changed.notify_all()
        for camera in left:
            self._drop(camera, "the box was being stopped")
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _put(self, camera: str, job: _Job) -> None:
        with self._changed:
            full = self._closing or len(self._jobs) >= self.settings.queue
            if not full:
                self._jobs.append((camera, job))
                self._changed.notify_all()
        if full:
            self._drop(camera, f"{self.settings.queue} samples were waiting already")

    def _drop(self, camera: str, why: str) -> None:
        with self._changed:
            self._dropped += 1
        self._health.count_fault(camera, "sample_dropped")
        if self._health.raise_fault(WHERE, "dropped", f"a sample was not kept: {why}"):
            self._log.warning("a sample was not kept", camera=camera, why=why)

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        while (job := self._next()) is not None:
            camera, work = job
            try:
                work(self._opened())
                self._caught_up()
            except SampleError as error:
                self._drop(camera, error.problem)
            except Exception as error:  # noqa: BLE001 - outermost line of the thread
                self._log.exception("a sample could not be kept", camera=camera)
                self._drop(camera, repr(error))
            with self._changed:
                self._busy = False
                self._changed.notify_all()

    def _caught_up(self) -> None:
        """Samples are kept again once none waits; sooner, the fault would come and go."""
        with self._changed:
            waiting = bool(self._jobs)
        if not waiting:
            self._health.clear_fault(WHERE, "dropped")

    def _next(self) -> tuple[str, _Job] | None:
        with self._changed:
            self._changed.wait_for(lambda: bool(self._jobs) or self._closing)
            if not self._jobs:
                return None
            self._busy = True
            return self._jobs.popleft()

    def _opened(self) -> Pantry:
        """The folder, opened when it is first needed: counting it may take a while."""
        if self._pantry is None:
            self._pantry = Pantry(self.settings.folder, self.settings.quota)
            for told in self._pantry.mended:
                self._log.warning("mended after a power cut", what=told)
        return self._pantry

    def _keep(
        self, pantry: Pantry, judged: Judged, why: tuple[Why, ...], audit: Audit | None
    ) -> None:
        name = sample_id(*judged.verdict.key)
        if why in AFTERWARDS and pantry.also(name, why[0]):
            return
        picture = encoded(judged.frame.pixels, self.settings.suffix)
        rows, columns = judged.frame.pixels.shape[:2]
        image = Image(
            suffix=self.settings.suffix,
            sha256=hashlib.sha256(picture).hexdigest(),
            bytes=len(picture),
            width=columns,
            height=rows,
        )
        sample = Sample(
            id=name,
            kept_at=clock.rfc3339(clock.wall_ns()),
            why=why,
            verdict=judged.verdict,
            image=image,
            region=judged.region,
            computed=judged.computed,
            heat=None if judged.heatmap is None else heat.kept(judged.heatmap),
            audit=audit,
        )
        pantry.add(sample, picture)
        with self._changed:
            self._kept += 1

    def _flag_old(self, pantry: Pantry, camera: str, name: str) -> None:
        if not pantry.also(name, Why.OPERATOR):
            self._drop(camera, f"{name} is no longer in memory and was not kept")

    def _seed(self) -> bytes:
        try:
            return audit_seed(self.settings.folder)
        except SampleError as error:
            # The line must start on a full disk; this start's draws just can't be checked later.
            self._health.raise_fault(WHERE, "seed", f"the audit's seed is not kept: {error}")
            return secrets.token_bytes(SEED_BYTES)


def encoded(pixels: Pixels, suffix: Suffix) -> bytes:
    """HxWx3 uint8 BGR as the bytes of a PNG or JPEG file; raises SampleError if it can't be."""
    how = {
        "png": [],  # OpenCV's default was smaller, and quicker than effort 1 of 9, on the line
        "jpg": [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY],
    }[suffix]
    try:
        done, data = cv2.imencode(f".{suffix}", pixels, how)
    except cv2.error as error:
        raise SampleError(f"a picture of shape {pixels.shape} can't be encoded: {error}") from error
    if not done:
        raise SampleError(f"a picture of shape {pixels.shape} can't be encoded as {suffix}")
    return data.tobytes()


def _ignored(_kept: bool) -> None:
    """A late result whose sample was not kept stands in the log."""
