"""The frames of one part: which wait to be judged, what each showed, what they come to together.

The worst frame decides, and speaks for the part with all its figures: a part passes only if every
frame that was judged would pass (docs/decisions/0008). Pure: knows no thread, clock or queue.
"""

from collections import deque
from dataclasses import dataclass, replace

from edge.frame import Frame, Unusable
from edge.inspection.inspector import Judgement
from export.verdict import FAIL_SAFE, Fused, Outcome, Reason, View

SEVERITY = {Outcome.PASS: 0, Outcome.REVIEW: 1, Outcome.FAIL: 3}
NO_RESULT = 2  # worse than a doubt, less than a defect that was seen


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A frame and what was seen in it; None if it can't be used."""

    seen: Frame | Unusable
    judgement: Judgement | None

    @property
    def usable(self) -> bool:
        """Whether it says anything of the part."""
        return self.judgement is not None and self.judgement.reason is not Reason.BAD_FRAME


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a part's frames come to.

    Attributes:
        seen: the frame that decides.
        judgement: of it; None if no frame could be used.
        fused: the record of all, if several were asked for.
        why: no frame could be used.
    """

    seen: Frame | Unusable
    judgement: Judgement | None
    fused: Fused | None = None
    why: str = ""


class Looks:
    """A part's frames, in the order in which they are judged: first the one that is enough alone.

    Args:
        asked: frames that the trigger asks for.

    Attributes:
        open: whether more may come.
        began_ns: when the first was taken to be judged, monotonic; 0 before.
    """

    def __init__(self, asked: int = 1) -> None:
        self.asked = asked
        self.open = False
        self.began_ns = 0
        self._waiting: deque[Frame | Unusable] = deque()
        self._looks: list[Look] = []
        self._in_hand: Frame | Unusable | None = None

    def add(self, *seen: Frame | Unusable) -> None:
        """Further frames of the part."""
        self._waiting.extend(seen)

    @property
    def ready(self) -> bool:
        """Whether a frame waits to be judged."""
        return bool(self._waiting)

    def waits(self, seen: Frame | Unusable) -> bool:
        """Whether this very frame waits to be judged."""
        return any(one is seen for one in self._waiting)

    @property
    def complete(self) -> bool:
        """Whether every frame was judged and none is to come."""
        return not (self._waiting or self._in_hand or self.open)

    @property
    def enough(self) -> bool:
        """Whether what was seen so far allows a verdict: at least one frame says something."""
        return any(look.usable for look in self._looks)

    def take(self, now_ns: int) -> Frame | Unusable:
        """The next frame to judge."""
        self.began_ns = self.began_ns or now_ns
        self._in_hand = self._waiting.popleft()
        return self._in_hand

    def saw(self, seen: Frame | Unusable, judgement: Judgement | None) -> None:
        """This is what a frame showed."""
        self._in_hand = None
        self._looks.append(Look(seen, judgement))

    def answer(self) -> Answer:
        """What the frames judged so far come to, if there is any."""
        worst = max(self._looks, key=_severity)
        if worst.judgement is None:
            return Answer(worst.seen, None, why=self._why(worst.seen))
        if self.asked == 1:
            return Answer(worst.seen, worst.judgement)
        told = [look.judgement for look in self._looks if look.judgement is not None]
        whole = replace(
            worst.judgement,
            preprocess_ms=sum(one.preprocess_ms for one in told),
            score_ms=sum(one.score_ms for one in told),
        )
        return Answer(worst.seen, whole, self._record())

    def _why(self, first: Frame | Unusable) -> str:
        why = first.why if isinstance(first, Unusable) else ""
        several = f"none of {len(self._looks)} frames could be used: " if self.asked > 1 else ""
        return f"{several}{why}"

    def _record(self) -> Fused:
        left = [self._in_hand, *self._waiting] if self._in_hand else [*self._waiting]
        unjudged = [View(frame=seen.number, reason=Reason.LATE) for seen in left]
        return Fused(asked=self.asked, views=(*map(_view, self._looks), *unjudged))


def _severity(look: Look) -> tuple[int, bool, float]:
    """The larger, the worse; of equals the first decides."""
    judgement = look.judgement
    if judgement is None or not look.usable:
        return -1, judgement is not None, 0.0
    if judgement.reason in FAIL_SAFE:
        return NO_RESULT, False, 0.0
    return SEVERITY[judgement.outcome], judgement.reason is Reason.NOVEL, judgement.score or 0.0


def _view(look: Look) -> View:
    judgement, number = look.judgement, look.seen.number
    if judgement is None:
        return View(frame=number, reason=Reason.BAD_FRAME)
    return View(
        frame=number, reason=judgement.reason, score=judgement.score, novelty=judgement.novelty
    )
