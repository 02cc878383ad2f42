"""The shadow: a challenger judges the champion's frames again, beside the line and never for it.

One thread of low priority behind a queue of a few frames. Where the bench has a part in hand, or
the queue is full, the frame is dropped and counted: the challenger sees fewer parts, no part waits
for it. What it says touches no verdict; a part on which the two disagree is kept for people. In the
end it is activated, on probation as any, or refused. Knows no camera, broker or outbox.
"""

import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from edge.clock import monotonic_ns, rfc3339, wall_ns
from edge.flagged.recent import Judged
from edge.inspection.inspector import Inspector
from edge.swap.bout import Bout, Record
from edge.swap.exchange import Exchange, Say
from edge.swap.sequential import Rule
from edge.swap.shelf import Shelf
from export.doorway import Bout as Report
from export.doorway import State
from export.errors import BundleError, BusyError, LinewardenError, SampleError
from export.sample_folder import SampleFolder
from export.verdict import BundleRef

ROOM = 2
NICENESS = 15
LOOK_S = 0.5


@dataclass(slots=True)
class _Ring:
    """One camera's challenger at work."""

    bout: Bout
    judge: Inspector | None
    path: Path
    heard: dict[str, tuple[int, int, int]] = field(
        default_factory=dict[str, tuple[int, int, int]]
    )  # the edition of each record
    written: str = ""  # of its record, last
    promoting: bool = False


class Shadow:
    """Every camera's challenger.

    Args:
        shelf: where copies and records are kept.
        exchange: activates the one that has proved itself.
        rule: of promotion.
        arm: makes (camera, bundle's folder) an inspector; to go on after a start.
        busy: whether a part waits on the bench.
        disagreed: told of a part on which the two disagree; quick.
        samples: where people's labels stand, if samples are kept.
    """

    def __init__(
        self,
        shelf: Shelf,
        exchange: Exchange,
        rule: Rule,
        *,
        arm: Callable[[str, Path], Inspector],
        busy: Callable[[], bool] = lambda: False,
        disagreed: Callable[[Judged], None] = lambda _: None,
        samples: SampleFolder | None = None,
    ) -> None:
        self._shelf, self._exchange, self._rule, self._arm = shelf, exchange, rule, arm
        self._busy, self._disagreed, self._samples = busy, disagreed, samples
        self._rings: dict[str, _Ring] = {}
        self._frames: deque[Judged] = deque()
        self._changed = threading.Condition()
        self._stopping, self._looked_ns = False, 0
        self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)
        self._log = structlog.get_logger("shadow")

    def start(self) -> None:
        """Go on with what was begun before, and start the thread."""
        for camera in self._exchange.cameras():
            record = self._shelf.bout(camera)
            if record is not None:
                path = self._shelf.slot(record.challenger.digest)
                self._rings[camera] = _Ring(Bout(record, self._rule), None, path)
        self._thread.start()

    def stop(self) -> None:
        """Stop; a bout goes on at the next start."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(2.0)
        for camera, ring in self._rings.items():
            with contextlib.suppress(LinewardenError):
                self._shelf.note(camera, ring.bout.record)

    def begin(
        self, camera: str, path: Path, say: Say = lambda _: None, parts: int = 0
    ) -> BundleRef:
        """Let the bundle at `path` judge in the shadow; returns which it is.

        Args:
            camera: whose parts.
            path: the bundle's folder.
            say: told of every check that was passed.
            parts: judged at least; the settings' number if that is more.

        Raises:
            BundleError, SignatureError, ProviderError: as `Exchange.examine`, or another one is
                in the shadow.
            StoreError: the shelf can't be written.
        """
        self._refuse_second(camera)
        wanted = max(parts, self._rule.parts)
        if wanted > self._rule.most:
            raise BundleError(
                f"{parts} parts are asked for, and after {self._rule.most} it is refused",
                "ask for fewer, or raise [shadow] most",
            )
        copy, inspector = self._exchange.examine(camera, path, say)
        self._refuse_refused(camera, inspector.bundle)
        record = Record(
            challenger=inspector.bundle, champion=self._exchange.active(camera),
            at=rfc3339(wall_ns()), wanted=wanted,
        )  # fmt: skip
        with self._changed:
            self._refuse_second(camera)  # one that came while this was tried
            ring = self._rings[camera] = _Ring(Bout(record, self._rule), inspector, copy.path)
        self._write_down(camera, ring)
        self._log.info("shadow begins", camera=camera, bundle=inspector.bundle.name,
                       version=inspector.bundle.version)  # fmt: skip
        return inspector.bundle

    def end(self, camera: str) -> None:
        """Stop a camera's bout; raises BundleError if there is none."""
        ring = self._rings.get(camera)
        if ring is None or ring.bout.record.over:
            raise BundleError(f"nothing is in the shadow for {camera!r}", "nothing is to be done")
        with self._changed:
            if ring.promoting:
                raise BundleError(
                    f"it has proved itself and is being activated for {camera!r}",
                    "take it back when it judges: linewarden bundle rollback",
                )
            ring.bout.end("stopped", "asked for")
        self._ended(camera, ring)

    def _refuse_second(self, camera: str) -> None:
        if (ring := self._rings.get(camera)) and not ring.bout.record.over:
            named = ring.bout.record.challenger
            raise BundleError(
                f"{named.name} {named.version} is in the shadow for {camera!r} already: "
                f"{ring.bout.record.words or 'it has just begun'}",
                "wait, or end it: linewarden bundle shadow --stop",
            )

    def _refuse_refused(self, camera: str, challenger: BundleRef) -> None:
        """Who may try again and again is promoted by luck in the end."""
        ring = self._rings.get(camera)
        if ring and ring.bout.record.state == "refused":
            before = ring.bout.record
            if before.challenger.digest == challenger.digest:
                raise BundleError(
                    f"{challenger.name} {challenger.version} was refused in the shadow for "
                    f"{camera!r}: {before.words}",
                    "train another one, from the parts that were labelled since",
                )

    def report(self, camera: str) -> Report | None:
        """How a camera's bout stands, or how the last one ended."""
        ring = self._rings.get(camera)
        if ring is None:
            return None
        with self._changed:
            return ring.bout.report()

    def offer(self, judged: Judged) -> None:
        """A part was judged by the champion; quick, from the bench's thread."""
        ring = self._rings.get(judged.verdict.camera)
        if ring is None or ring.bout.record.over:
            return
        with self._changed:
            if len(self._frames) >= ROOM or ring.judge is None:
                ring.bout.record.dropped += 1
                return
            self._frames.append(judged)
            self._changed.notify_all()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        for camera, ring in list(self._rings.items()):
            self._resume(camera, ring)
        while not self._stopping:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._frames) or self._stopping, LOOK_S)
                judged = self._frames.popleft() if self._frames else None
            try:
                if judged is not None:
                    self._judge(judged)
                self._look()
            except Exception:  # noqa: BLE001 - outermost line of the thread
                self._log.exception("the shadow slipped")

    def _resume(self, camera: str, ring: _Ring) -> None:
        if ring.bout.record.over:
            return
        try:
            ring.judge = self._arm(camera, ring.path)
        except LinewardenError as error:
            self._over(camera, ring, "stopped", f"it can't be armed again: {error.problem}")

    def _judge(self, judged: Judged) -> None:
        ring = self._rings.get(judged.verdict.camera)
        if ring is None or ring.judge is None or ring.bout.record.over:
            return
        if self._busy():
            with self._changed:
                ring.bout.record.dropped += 1
            return
        judgement = ring.judge.judge(judged.frame.pixels, judged.frame.moved)
        with self._changed:
            disagrees = ring.bout.saw(judged.verdict, judgement)
        if disagrees:
            self._disagreed(judged)

    def _look(self) -> None:
        """Hear the labels, decide, write down; twice a second at most."""
        if monotonic_ns() - self._looked_ns < LOOK_S * 1e9:
            return
        self._looked_ns = monotonic_ns()
        for camera, ring in list(self._rings.items()):
            if ring.bout.record.over:
                if ring.judge:
                    self._ended(camera, ring)
                continue
            if self._exchange.active(camera).digest != ring.bout.record.champion.digest:
                self._over(camera, ring, "stopped", "another bundle judges now: push it again")
                continue
            self._hear(ring)
            with self._changed:
                state = ring.bout.decide()
                ring.promoting = state == "promoted"
            if ring.promoting:
                self._promote(camera, ring)
            else:
                if state == "refused":
                    self._log.warning("challenger refused", camera=camera,
                                      why=ring.bout.record.words)  # fmt: skip
                self._write_down(camera, ring)

    def _write_down(self, camera: str, ring: _Ring) -> None:
        """If there is anything new: a line that stands for a night costs its disk nothing."""
        if (told := ring.bout.record.model_dump_json()) != ring.written:
            self._shelf.note(camera, ring.bout.record)
            ring.written = told

    def _hear(self, ring: _Ring) -> None:
        for name in ring.bout.asked() if self._samples else ():
            with contextlib.suppress(SampleError):  # it was dropped, or gave way: not labelled
                assert self._samples is not None
                edition = self._samples.edition(name)
                if ring.heard.get(name) == edition:
                    continue
                label = self._samples.read(name).label
                ring.heard[name] = edition
                with self._changed:
                    ring.bout.hear(name, label)

    def _promote(self, camera: str, ring: _Ring) -> None:
        told = ring.bout.report()
        try:
            self._exchange.activate(camera, ring.path)
        except BusyError:
            ring.promoting = False  # its turn comes at the next look, or at the next start
            return
        except LinewardenError as error:
            self._over(camera, ring, "refused", f"proved, but not activated: {error.problem}")
            return
        self._over(
            camera, ring, "promoted",
            f"proved on {told.parts} parts: {told.loosened} loosened, {told.tightened} tightened, "
            f"of these {told.right} rightly, {told.wrong} wrongly; it judges, on probation",
        )  # fmt: skip

    def _over(self, camera: str, ring: _Ring, state: State, why: str) -> None:
        with self._changed:
            ring.bout.end(state, why)
        self._ended(camera, ring)

    def _ended(self, camera: str, ring: _Ring) -> None:
        ring.judge, told = None, ring.bout.record
        self._log.info("shadow ended", camera=camera, state=told.state, why=told.words)
        self._write_down(camera, ring)
