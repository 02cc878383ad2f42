"""The folder of samples on the box: its quota, and which sample gives way when it is reached.

What somebody labelled never gives way. Of the rest each kind has a share by its weight, and the
kind that is furthest above its share gives its oldest: a batch of a thousand fails can't push out
the audit, nor the audit what an operator pressed for. For one thread; knows no queue.
"""

import contextlib
import os
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from export.errors import SampleError
from export.sample import LateResult, Sample, Why
from export.sample_folder import SampleFolder, bytes_free
from export.verdict import FAIL_SAFE

SEED_FILE = ".audit-seed"
SEED_BYTES = 32
# A person's word, then what a model says of itself, then chance, then what there is most of.
WEIGHTS = {
    Why.OPERATOR: 4.0,
    Why.DISAGREEING: 4.0,
    Why.NOVEL: 3.0,
    Why.REVIEW: 3.0,
    Why.AUDIT: 3.0,
    Why.FAIL: 2.0,
}
BLIND = "fail-safe"  # fails that nobody judged teach least
BLIND_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class Quota:
    """How much the samples may take, and how much they must leave."""

    bytes: int
    leave_free: int


class Pantry:
    """Samples under a quota.

    Attributes:
        evicted: samples that gave way since the start.
        mended: what a power cut had left half done, in words.

    Raises:
        SampleError: the folder can't be made or read.
    """

    def __init__(self, root: Path, quota: Quota) -> None:
        self.folder = SampleFolder(root)
        self.evicted = 0
        self._quota = quota
        self._kinds: dict[str, OrderedDict[str, int]] = {}
        self._used = 0
        self.folder.make()
        self.mended = self.folder.mend()
        for sample in self.folder:
            self._count(sample)

    @property
    def used_bytes(self) -> int:
        """What all samples take, pictures and heatmaps."""
        return self._used

    def add(self, sample: Sample, picture: bytes) -> None:
        """Keep a sample; others give way for it. Raises SampleError if there is no room for it."""
        self._make_room(taken(sample), kind(sample))
        self.folder.add(sample, picture)
        self._count(sample)

    def also(self, name: str, why: Why) -> bool:
        """Give a kept sample one more reason; False if it isn't kept."""
        if not self._is_kept(name):
            return False
        before, changed = self.folder.amend(
            name,
            lambda one: one if why in one.why else one.model_copy(update={"why": (*one.why, why)}),
        )
        if changed is before:
            return True
        self._kinds.get(kind(before), OrderedDict[str, int]()).pop(name, None)
        self._used -= taken(before)
        self._count(changed)
        return True

    def note_late(self, name: str, late: LateResult) -> bool:
        """Write what was found after the deadline onto its sample; False if it isn't kept."""
        if not self._is_kept(name):
            return False
        self.folder.amend(name, lambda one: one.model_copy(update={"late": late}))
        return True

    def _is_kept(self, name: str) -> bool:
        try:
            self.folder.read(name)
        except SampleError:
            return False
        return True

    def _count(self, sample: Sample) -> None:
        self._used += taken(sample)
        if not sample.labels:
            self._kinds.setdefault(kind(sample), OrderedDict())[sample.id] = taken(sample)

    def _make_room(self, needed: int, for_kind: str) -> None:
        """Let others give way until `needed` bytes fit; raises SampleError if they don't."""
        while True:
            over = self._used + needed - self._quota.bytes
            short = self._quota.leave_free + needed - bytes_free(self.folder.root)
            if over <= 0 and short <= 0:
                return
            if (victim := self._victim(for_kind, needed)) is None:
                why = f"{self._quota.bytes} bytes are taken" if over > 0 else "the disk is full"
                raise SampleError(
                    f"no room for a sample in {self.folder.root}: {why}, and none may give way",
                    "collect the labelled samples, or raise [samples] keep_gb on a larger disk",
                )
            self._evict(*victim)

    def _victim(self, for_kind: str, needed: int) -> tuple[str, str] | None:
        """The oldest of the kind that would be furthest above its share; None if nothing may go."""
        taken = {one: sum(held.values()) for one, held in self._kinds.items() if held}
        taken[for_kind] = taken.get(for_kind, 0) + needed
        most = max(taken, key=lambda one: (taken[one] / weight(one), one))
        held = self._kinds.get(most)
        if not held:  # the newcomer alone is above its share: any other would be below
            return None
        return most, next(iter(held))

    def _evict(self, of_kind: str, name: str) -> None:
        self._used -= self._kinds[of_kind].pop(name)
        try:
            gone = self.folder.remove(name)
        except SampleError:
            return  # it was taken away by hand: its bytes are free
        if gone:
            self.evicted += 1
        else:  # labelled meanwhile: it stays, and counts
            self._used += taken(self.folder.read(name))


def taken(sample: Sample) -> int:
    """Bytes that a sample takes: its picture, and its heatmap, which may be as large as that."""
    return sample.image.bytes + (len(sample.heat.values) if sample.heat else 0)


def kind(sample: Sample) -> str:
    """What a sample counts as: the weightiest of its reasons."""
    best = max(sample.why, key=lambda why: (WEIGHTS[why], why))
    blind = sample.verdict.reason in FAIL_SAFE and best is Why.FAIL
    return BLIND if blind else best.value


def weight(of_kind: str) -> float:
    """A kind's claim to room, against the others'."""
    return BLIND_WEIGHT if of_kind == BLIND else WEIGHTS[Why(of_kind)]


def audit_seed(root: Path) -> bytes:
    """The box's secret seed, made at the first start; raises SampleError if it can't be kept."""
    path = root / SEED_FILE
    with contextlib.suppress(OSError, ValueError):
        seed = bytes.fromhex(path.read_text(encoding="ascii").strip())
        if len(seed) == SEED_BYTES:
            return seed
    seed = secrets.token_bytes(SEED_BYTES)
    try:
        root.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(f"{seed.hex()}\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise SampleError(
            f"{path} can't be written: {error.strerror}", "check the folder of [samples]"
        ) from error
    return seed
