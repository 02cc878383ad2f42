"""The herald: carries each verdict from the bench to the reject gate and to the keeper of samples.

The gate first: a part is on its way to it. Everything it calls returns at once. Knows no wire, disk
or broker.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

from edge.clock import monotonic_ns
from edge.flagged.keeper import Keeper
from edge.flagged.recent import Judged
from edge.frame import Frame
from edge.inspection.inspector import Judgement
from edge.inspection.part import Part
from edge.output.gate import RejectGate, Shown
from export.preprocess import Region
from export.sample import Computed, LateResult, Window
from export.verdict import Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Herald:
    """An audience for the bench.

    Attributes:
        keeper: of samples, if any are kept.
        gates: by camera.
        computed: what computes on this box.
        note: told of every verdict; quick.
        seen: given every judged frame with its verdict; quick.
    """

    keeper: Keeper | None = None
    gates: Mapping[str, RejectGate] = field(default_factory=dict[str, RejectGate])
    computed: Computed | None = None
    note: Callable[[Verdict], None] | None = None
    seen: Callable[[Judged], None] | None = None

    def decided(self, part: Part, verdict: Verdict) -> None:
        """A part's one verdict."""
        if gate := self.gates.get(verdict.camera):
            gate.decide(Shown(verdict.outcome, verdict.seq, _until_ns(part)))
        if isinstance(part.seen, Frame):
            region = part.terms.region
            where = region and window(region.moved(*part.seen.moved))
            judged = Judged(part.seen, verdict, where, self.computed, part.heatmap)
            if self.keeper:
                self.keeper.offer(judged)
            if self.seen:
                self.seen(judged)
        if self.note:
            self.note(verdict)

    def lost(self, part: Part) -> None:
        """A verdict that nobody will ever read lets no part through."""
        if gate := self.gates.get(part.terms.camera):
            gate.decide(Shown(Outcome.FAIL, 0, _until_ns(part)))

    def late(self, part: Part, verdict: Verdict, judgement: Judgement) -> None:
        """A result that came after its verdict: into the log, and onto the sample."""
        after_ms = part.age_ms(monotonic_ns())
        structlog.get_logger("bench").info(
            "a result came too late",
            camera=verdict.camera,
            seq=verdict.seq,
            outcome=judgement.outcome.value,
            score=judgement.score,
            after_ms=round(after_ms, 1),
        )
        if self.keeper:
            self.keeper.late(verdict, late_result(judgement, after_ms))


def late_result(judgement: Judgement, after_ms: float) -> LateResult:
    """A judgement as a sample notes it."""
    return LateResult(
        outcome=judgement.outcome,
        reason=judgement.reason,
        score=judgement.score,
        novelty=judgement.novelty,
        probabilities=judgement.probabilities,
        after_ms=after_ms,
    )


def window(region: Region) -> Window:
    """A region as a sample notes it."""
    return Window(x=region.x, y=region.y, width=region.width, height=region.height)


def _until_ns(part: Part) -> int:
    now_ns = monotonic_ns()
    return now_ns + round(part.left_ms(now_ns) * 1e6)
