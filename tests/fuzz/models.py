"""Hostile bundles before what reads them: `bundle verify`'s checks, the trial, and arming.

Two wards: one does in its own process what the trial's child does, by the thousand, under the same
limits; the other stands for the daemon, arms for real, and must never die, hang or grow itself.
"""

import shutil
import tempfile
import threading
from collections import Counter
from pathlib import Path

import numpy as np

from edge.inspection.armed import arm, prove
from edge.inspection.inspector import Inspector
from edge.inspection.qualification import Limits, Trial
from edge.inspection.session import OnnxScorer
from export import scores
from export.bundle import open_bundle
from export.confined import own_bytes
from export.errors import LinewardenError
from export.figures import Figure
from export.manifest import MODEL, SCORES
from export.parity import reproduce
from export.signature import PublicKey
from export.verdict import Outcome
from tests.fuzz.bundles import Bundles, Hostile
from tests.fuzz.tally import Tally
from tests.fuzz.ward import CRASHED, HUNG, REFUSED, TAKEN, Ward

CPU_S, MEMORY_BYTES = 4.0, 256 << 20  # of a trial, for models as small as these
HANG_S, ARMING_HANG_S = 12.0, 90.0
HUNGRY_BYTES = 256 << 20
GREYS = (0, 51, 128, 255)
LIMIT = "limit"


class Eater:
    """Opens a bundle and tries its model here, as the trial's child does."""

    address_bytes = MEMORY_BYTES + (512 << 20)  # and what this process gathers over the bundles

    def eat(self, told):
        path, keys = Path(told["path"]), [PublicKey(bytes.fromhex(told["key"]))]
        try:
            bundle = open_bundle(path, keys)
            assert told["signed"], "accepted without a valid signature"
            if SCORES in bundle.manifest.files:
                scores.read(bundle)
            reproduce(bundle)  # as `bundle verify` does
            with bundle.sealed_model() as model:
                scorer = OnnxScorer(model, name=str(path / MODEL))
            prove(bundle, scorer)
        except LinewardenError as error:
            return REFUSED, str(error)
        except MemoryError:
            return LIMIT, "memory"
        manifest = bundle.manifest
        inspector = Inspector(scorer, bundle.input, bundle.thresholds, manifest.classes, bundle.ref)
        return TAKEN, "", {"outcomes": judged(inspector)}


def judged(inspector) -> list[str]:
    """Outcomes of flat pictures of GREYS; judging must not raise."""
    pictures = [np.full((64, 48, 3), grey, np.uint8) for grey in GREYS]
    return [str(inspector.judge(picture).outcome) for picture in pictures]


class Armer:
    """Stands for the daemon: arms as it does, with a real trial in a real child."""

    def eat(self, told):
        path, keys = Path(told["path"]), [PublicKey(bytes.fromhex(told["key"]))]
        before, swap = own_bytes("VmRSS"), told["swap"]
        exchange = _Exchange(path / MODEL, Path(swap)) if swap else None
        try:
            limits = Limits(CPU_S, MEMORY_BYTES)
            inspector = arm(path, keys, trial=Trial(path, keys, limits=limits))
            assert told["signed"], "armed without a valid signature"
        except LinewardenError as error:
            return REFUSED, str(error)
        finally:
            if exchange:
                exchange.stop()
        more = {"outcomes": judged(inspector), "kept": own_bytes("VmRSS") - before}
        return TAKEN, "", more


class _Exchange(threading.Thread):
    """Puts one file, then the other, in the same place, again and again."""

    def __init__(self, place: Path, other: Path):
        super().__init__(daemon=True)
        self._place, self._both = place, (place.read_bytes(), other.read_bytes())
        self._over = threading.Event()
        self.start()

    def run(self):
        turn = 0
        new = self._place.parent.with_name(f"{self._place.parent.name}-new")
        while not self._over.wait(0.002 * (turn % 3)):
            new.write_bytes(self._both[turn % 2])
            new.replace(self._place)
            turn += 1

    def stop(self):
        self._over.set()
        self.join()


def fuzz(count: int, armings: int, seed: int, keep: Path, advance=lambda *_: None):
    """Feed `count` bundles to the first ward, and `armings` of the signed ones to the second.

    Returns the tallies of both.
    """
    tried, armed = Tally("models", keep), Tally("armings", keep)
    every = max(1, round(0.6 * count / armings)) if armings else 0
    signed = 0
    with (
        tempfile.TemporaryDirectory() as folder,
        Ward("tests.fuzz.models", HANG_S) as trial,
        Ward("tests.fuzz.arming", ARMING_HANG_S) as daemon,
    ):
        bundles = Bundles(seed, Path(folder))
        for _ in range(count):
            hostile = bundles.draw()
            told = _told(hostile, bundles, Path(folder))
            if not hostile.exchange:
                meal = trial.feed(told)
                unsafe = not hostile.signed and meal.how != REFUSED
                tried.note(hostile.kind, meal, unsafe, lambda at=hostile.path: _files(at))
            signed += hostile.signed
            due = armings and hostile.signed and (signed % every == 0 or hostile.exchange)
            if due and len(armed.meals) < armings:
                meal = daemon.feed(told)
                armed.note(hostile.kind, meal, False, lambda at=hostile.path: _files(at))
            shutil.rmtree(hostile.path)
            advance()
    return tried, armed


def _told(hostile: Hostile, bundles: Bundles, folder: Path) -> dict:
    swap = ""
    if hostile.exchange:
        (folder / "swap").write_bytes(hostile.exchange)
        swap = str(folder / "swap")
    key = bundles.key.public.raw.hex()
    return {"path": str(hostile.path), "key": key, "signed": hostile.signed, "swap": swap}


def _files(path: Path) -> dict[str, bytes]:
    found = [one for one in path.rglob("*") if one.is_file() and not one.is_symlink()]
    return {str(one.relative_to(path)): one.read_bytes() for one in found}


def figures(tried: Tally, armed: Tally, unsigned_kinds) -> list[Figure]:
    """What both came to."""
    without = [meal for kind, meal in tried.meals if kind in unsigned_kinds]
    signed = [meal for kind, meal in tried.meals if kind not in unsigned_kinds]
    met = sum(meal.how in {LIMIT, HUNG, CRASHED} for meal in signed)
    became = Counter(meal.how for meal in signed)
    refused = sum(meal.how == REFUSED for meal in without)
    exchanged = [meal for kind, meal in armed.meals if kind == "exchanged while read"]
    right = [_expected(meal) for meal in exchanged]
    outcomes = Counter(one for meal in signed for one in meal.more.get("outcomes", ()))
    told = ", ".join(f"{count} {name}" for name, count in sorted(outcomes.items()))
    harmless = became[REFUSED] + became[TAKEN]
    return [
        Figure("bundles without a valid signature", len(without), ""),
        Figure("of them refused in words", refused, "", f"== {len(without)}"),
        Figure("hostile bundles signed by a trusted key", len(signed), ""),
        Figure("of them refused in words", became[REFUSED], ""),
        Figure("of them ended by a limit, in the child", met, "", note="the box refuses those"),
        Figure("of them taken, and judged within the limits", became[TAKEN], "", "", told),
        Figure("of them accounted for", harmless + met, "", f"== {len(signed)}"),
        Figure("armed for real", len(armed.meals), "", "", f"{len(exchanged)} exchanged meanwhile"),
        Figure("arming: the box died", armed.count(CRASHED), "", "== 0"),
        Figure("arming: the box hung", armed.hangs, "", "== 0"),
        Figure("arming: over 256 MiB in the box", armed.hungrier(HUNGRY_BYTES), "", "== 0"),
        Figure("arming: most memory in the box", armed.most_bytes / 2**20, "MiB"),
        Figure("exchanged: refused, or the signed model", sum(right), "", f"== {len(right)}"),
    ]


def _expected(meal) -> bool:
    """Whether it was refused, or judges as the model that was signed does."""
    sound = [str(Outcome.PASS), str(Outcome.PASS), str(Outcome.REVIEW), str(Outcome.FAIL)]
    return meal.how == REFUSED or meal.more.get("outcomes") == sound
