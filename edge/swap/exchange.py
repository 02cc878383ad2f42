"""The exchange: one bundle for another between two parts, and back by itself if that was a mistake.

Everything that can be known beforehand is: signature, files, age, a trial in a limited child, the
golden samples on this box, the pace. Only then is the record written, and the next part judged by
the new bundle; parts that wait are still judged by the old one. On probation the golden samples are
judged again every few seconds beside the line. Knows no camera, broker or outbox.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import structlog

from edge.alarm import Alarms
from edge.clock import monotonic_ns
from edge.inspection.armed import prove
from edge.inspection.inspector import Inspector
from edge.messages import Severity
from edge.swap.probation import Probation, Terms
from edge.swap.shelf import Chosen, Shelf
from edge.swap.standing import Standing, digest_at, taken_back
from export.bundle import Bundle, open_bundle
from export.errors import BundleError, BusyError, LinewardenError, StoreError
from export.signature import PublicKey
from export.verdict import BundleRef, Verdict

ROLLED_BACK = "bundle_rolled_back"  # alarm
LOOK_S = 0.1
NICENESS = 10
BUSY_S = 0.5  # so long one waits for another
PACED = 5  # judgements that are timed beforehand

Say = Callable[[str], None]


@dataclass(slots=True)
class Seat:
    """One camera's: who judges now, who did before, and whether that is settled.

    Attributes:
        configured: the bundle of the settings.
        deadline_ms: of its parts.
        inspector: who judges.
        before: who did, while the new one is on probation.
        probation: of `inspector`.
        since_ns: when that began.
        stuck: whether it has failed and could not be taken back.
    """

    configured: Path
    deadline_ms: float
    inspector: Inspector
    before: Inspector | None = None
    probation: Probation | None = None
    since_ns: int = 0
    stuck: bool = False
    busy: threading.Lock = field(default_factory=threading.Lock)

    @contextlib.contextmanager
    def alone(self) -> Generator[None]:
        """Hold it; raises BusyError if somebody else does for long."""
        if not self.busy.acquire(timeout=BUSY_S):
            raise BusyError("another bundle is being exchanged", "try again in a moment")
        try:
            yield
        finally:
            self.busy.release()


class Exchange:
    """Activates and takes back bundles, one at a time, from any thread.

    Args:
        shelf: where copies are kept.
        keys: whose signature is believed.
        arm: makes (camera, bundle's folder) an inspector that has proved itself on this box.
        install: makes an inspector the judge of a camera's next parts.
        alarms: the box's book.
        terms: of probation.
    """

    def __init__(
        self,
        shelf: Shelf,
        keys: Sequence[PublicKey],
        arm: Callable[[str, Path], Inspector],
        install: Callable[[str, Inspector], None],
        alarms: Alarms,
        *,
        terms: Terms | None = None,
    ) -> None:
        self._shelf, self._keys, self._arm, self._install = shelf, keys, arm, install
        self._alarms, self._terms = alarms, terms or Terms()
        self._seats: dict[str, Seat] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="exchange", daemon=True)
        self._log = structlog.get_logger("exchange")

    def seat(self, camera: str, seat: Seat, begun: Standing) -> None:
        """A camera begins; one that was stopped on probation is on probation again."""
        self._seats[camera] = seat
        if begun.news:
            self._log.warning(begun.news, camera=camera)
            if begun.chosen:
                self._alarms.raise_(camera, ROLLED_BACK, begun.news, Severity.CRITICAL)
        if begun.chosen and begun.chosen.probation:
            self._on_probation(seat)

    def start(self) -> None:
        """Start watching those on probation; from now on a death is held against them."""
        for camera, seat in self._seats.items():
            self._note_probation(camera, seat, "running")
        self._thread.start()

    def stop(self) -> None:
        """Stop watching; a probation goes on at the next start."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(1.0)
        for camera, seat in self._seats.items():
            # Whoever holds it longer is at a trial, and will find that the box has stopped.
            with contextlib.suppress(BusyError), seat.alone():
                self._note_probation(camera, seat, "paused")

    def _note_probation(self, camera: str, seat: Seat, state: Literal["running", "paused"]) -> None:
        try:
            chosen = self._shelf.chosen(camera) if seat.probation else None
            if chosen and chosen.probation not in ("", state):
                self._shelf.choose(camera, chosen.model_copy(update={"probation": state}))
        except StoreError as error:  # no reason not to begin, or to end without the others
            self._log.error("a probation was not noted", camera=camera, why=error.problem)

    def cameras(self) -> tuple[str, ...]:
        """Whose bundles may be exchanged."""
        return tuple(self._seats)

    def active(self, camera: str) -> BundleRef:
        """Who judges now."""
        return self._seats[camera].inspector.bundle

    def progress(self, camera: str) -> str:
        """How its probation goes; '' if it is on none."""
        probation = self._seats[camera].probation
        return f"{probation.parts} of {self._terms.parts} parts" if probation else ""

    def judged(self, verdict: Verdict) -> None:
        """A verdict was given; quick."""
        seat = self._seats.get(verdict.camera)
        if seat and (probation := seat.probation):
            probation.judged(verdict)

    def activate(
        self, camera: str, path: Path, say: Say = lambda _: None, configured: Path | None = None
    ) -> BundleRef:
        """Let the bundle at `path` judge the next part; returns which it is.

        `configured`: that of the settings, if other settings are being taken over.

        Raises:
            BusyError: something else is being exchanged, or the box is being stopped.
            BundleError, SignatureError, ProviderError: it is not to be trusted, too old, too slow,
                or was taken back before.
            StoreError: the shelf can't be written.
        """
        seat = self._seat(camera)
        with seat.alone():
            copy, inspector = self._examined(camera, seat, path, say)
            record = self._record(camera, seat, copy, configured or seat.configured)
            if self._stopping.is_set():
                raise BusyError("the box is being stopped", "activate it when the box runs again")
            self._shelf.choose(camera, record)
            seat.configured = Path(record.configured)
            seat.before = seat.inspector
            self._install(camera, inspector)
            seat.inspector = inspector
            self._on_probation(seat)
            self._alarms.clear(camera, ROLLED_BACK)
            self._log.info("bundle activated", camera=camera, bundle=inspector.bundle.name,
                           version=inspector.bundle.version, digest=copy.digest)  # fmt: skip
            return inspector.bundle

    def examine(self, camera: str, path: Path, say: Say) -> tuple[Bundle, Inspector]:
        """The box's copy of the bundle at `path`, and its inspector: all that may be activated has.

        Raises:
            BundleError, SignatureError, ProviderError, StoreError: as `activate`.
        """
        seat = self._seat(camera)
        with seat.alone():
            return self._examined(camera, seat, path, say)

    def _examined(self, camera: str, seat: Seat, path: Path, say: Say) -> tuple[Bundle, Inspector]:
        bundle = open_bundle(path, self._keys, say)
        self._admissible(camera, seat, bundle.ref)
        copy = self._shelf.admit(bundle)
        inspector = self._arm(camera, copy.path)
        say("golden samples hold on this box")
        say(f"a judgement takes {self._paced(seat, inspector):.1f} ms")
        return copy, inspector

    def activate_all(self, paths: Mapping[str, Path]) -> None:
        """`activate` for each camera what its settings name now, unless that judges already.

        If one is refused, those before it are taken back.
        """
        done: dict[str, tuple[Path, bool]] = {}
        try:
            for camera, path in paths.items():
                before = self._seat(camera).configured
                if not (judges := self._judges(camera, path)):
                    self.activate(camera, path, configured=path)
                done[camera] = before, judges
        except LinewardenError:
            for camera, (before, judges) in done.items():
                try:
                    self._undo(camera, before, judges=judges)
                except LinewardenError:  # the others are to be taken back all the same
                    self._log.exception("a bundle was not taken back", camera=camera)
            raise

    def _judges(self, camera: str, path: Path) -> bool:
        """Whether the bundle at `path` judges already; it is then that of the settings."""
        seat = self._seat(camera)
        if digest_at(path) != seat.inspector.bundle.digest:
            return False
        open_bundle(path, self._keys)
        with seat.alone():
            self._name(camera, seat, path)
        return True

    def _name(self, camera: str, seat: Seat, path: Path) -> None:
        """The settings name the bundle at `path`."""
        seat.configured = path
        if chosen := self._shelf.chosen(camera):
            told = {"configured": str(path), "configured_digest": digest_at(path)}
            self._shelf.choose(camera, chosen.model_copy(update=told))

    def _undo(self, camera: str, configured: Path, *, judges: bool) -> None:
        """Take back what was just activated, and hold nothing against it."""
        seat = self._seat(camera)
        with seat.alone():
            if not judges:
                self._back(camera, seat, "another camera's bundle was refused", blamed=False)
            self._name(camera, seat, configured)

    def allow(self, camera: str, deadline_ms: float) -> None:
        """From now on its parts have so long."""
        self._seat(camera).deadline_ms = deadline_ms

    def rollback(self, camera: str, why: str = "asked for") -> BundleRef:
        """Let the bundle before judge again; returns which it is.

        Raises:
            BundleError: there is none, or it can't be armed.
            StoreError: the shelf can't be written.
        """
        seat = self._seat(camera)
        with seat.alone():
            return self._back(camera, seat, why)

    def _back(self, camera: str, seat: Seat, why: str, *, blamed: bool = True) -> BundleRef:
        chosen = self._shelf.chosen(camera)
        if chosen is None or chosen.before is None:
            raise BundleError(f"no bundle judged for {camera!r} before", "activate another one")
        inspector = seat.before or self._arm(camera, self._shelf.slot(chosen.before.digest))
        self._install(camera, inspector)
        left, seat.inspector, seat.before, seat.probation = seat.inspector, inspector, None, None
        self._shelf.choose(camera, taken_back(chosen, blamed=blamed))
        self._log.warning("bundle taken back", camera=camera, bundle=left.bundle.name,
                          version=left.bundle.version, why=why)  # fmt: skip
        return inspector.bundle

    def _seat(self, camera: str) -> Seat:
        if camera not in self._seats:
            known = ", ".join(self._seats)
            raise BundleError(f"there is no camera {camera!r}", f"name one of: {known}")
        return self._seats[camera]

    def consider(self, camera: str, bundle: BundleRef) -> None:
        """Raise BundleError if that one could not be activated now, whatever it holds."""
        self._admissible(camera, self._seat(camera), bundle)

    def _admissible(self, camera: str, seat: Seat, bundle: BundleRef) -> None:
        """Refuse what judges already, what was taken back, and what is older."""
        active, chosen = seat.inspector.bundle, self._shelf.chosen(camera)
        if seat.probation:
            raise BundleError(
                f"{active.name} {active.version} is still on probation for {camera!r}: "
                f"{self.progress(camera)}",
                "wait until it is proved, or take it back: linewarden bundle rollback",
            )
        named = f"{bundle.name} {bundle.version}"
        if bundle.digest == active.digest:
            raise BundleError(f"{named} judges for {camera!r} already", "nothing is to be done")
        if chosen and bundle.digest in chosen.refused:
            raise BundleError(
                f"{named} was taken back from {camera!r} before", "export a better one"
            )
        if bundle.name == active.name and bundle.version <= active.version:
            raise BundleError(
                f"{named} is older than version {active.version}, which judges for {camera!r}",
                "export it with a higher --version, or use `linewarden bundle rollback`",
            )

    def _paced(self, seat: Seat, inspector: Inspector) -> float:
        """Milliseconds of a judgement, the median of a few; raises BundleError if too slow."""
        frame = np.zeros((inspector.input.height * 4, inspector.input.width * 4, 3), np.uint8)
        spent_ms: list[float] = []
        for _ in range(PACED):
            began_ns = monotonic_ns()
            inspector.judge(frame)
            spent_ms.append((monotonic_ns() - began_ns) / 1e6)
        median_ms = sorted(spent_ms)[PACED // 2]
        if median_ms > seat.deadline_ms:
            raise BundleError(
                f"a judgement takes {median_ms:.0f} ms, {seat.deadline_ms:g} ms are allowed",
                "take a smaller model or input, or raise deadline_ms",
            )
        return median_ms

    def _record(self, camera: str, seat: Seat, copy: Bundle, configured: Path) -> Chosen:
        chosen, active = self._shelf.chosen(camera), seat.inspector.bundle
        if not self._shelf.slot(active.digest).is_dir():
            if digest_at(seat.configured) != active.digest:
                raise BundleError(
                    f"{seat.configured} is no longer {active.name} {active.version}, which judges "
                    f"for {camera!r}: there would be no way back",
                    "put it there again, and the new one into a folder of its own",
                )
            self._shelf.admit(open_bundle(seat.configured, self._keys))
        return Chosen(
            configured=str(configured),
            configured_digest=digest_at(configured),
            active=copy.ref,
            before=active,
            probation="running",
            refused=chosen.refused if chosen else (),
        )

    def _on_probation(self, seat: Seat) -> None:
        seat.since_ns = monotonic_ns()
        seat.stuck, seat.probation = False, Probation(seat.inspector.bundle.digest, self._terms)

    def _watch(self) -> None:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        due_ns = monotonic_ns()
        while not self._stopping.wait(LOOK_S):
            golden = monotonic_ns() >= due_ns
            if golden:
                due_ns = monotonic_ns() + round(self._terms.golden_s * 1e9)
            for camera, seat in self._seats.items():
                try:
                    self._look(camera, seat, golden=golden)
                except Exception:  # noqa: BLE001 - outermost line of the thread
                    self._log.exception("a probation was not watched", camera=camera)

    def _look(self, camera: str, seat: Seat, *, golden: bool) -> None:
        probation = seat.probation
        if probation is None:
            return
        if golden and not probation.failed:
            self._examine(seat, probation)
        lasted_s = (monotonic_ns() - seat.since_ns) / 1e9
        if probation.failed and (golden or not seat.stuck):
            with seat.busy:
                if seat.probation is probation:
                    self._condemn(camera, seat, probation.failed)
        elif probation.proved and lasted_s >= self._terms.least_s:
            with seat.busy:
                chosen = self._shelf.chosen(camera)
                if chosen and seat.probation is probation:
                    self._shelf.choose(camera, chosen.model_copy(update={"probation": ""}))
                    seat.before = seat.probation = None
                    self._log.info("bundle proved", camera=camera, parts=probation.parts)

    def _condemn(self, camera: str, seat: Seat, why: str) -> None:
        """Take it back; whatever comes of that, somebody must know."""
        try:
            self._back(camera, seat, why)
        except LinewardenError as error:
            if not seat.stuck:
                self._log.exception("a bundle was not taken back", camera=camera, why=why)
            seat.stuck, why = True, f"{why}; {error.problem}"
        self._alarms.raise_(camera, ROLLED_BACK, why, Severity.CRITICAL)

    def _examine(self, seat: Seat, probation: Probation) -> None:
        """Judge the golden samples again, with the very session that judges parts."""
        try:
            ref = seat.inspector.bundle
            bundle = self._shelf.take(ref.digest).as_variant(ref.variant)
            prove(bundle, probation.held(seat.inspector.scorer))
        except LinewardenError as error:
            probation.drifted(error.problem)
