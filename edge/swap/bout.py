"""A bout: one challenger against the champion on one camera's parts, and how it stands.

Counts where the two part company, hears what people say of those parts, and says when to end it.
Pure: it judges nothing, and its owner writes its record down.
"""

from collections import Counter
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from edge.inspection.inspector import Judgement
from edge.swap.sequential import Rule, evidence, further, mending
from export.doorway import Bout as Report
from export.doorway import State
from export.sample import sample_id
from export.verdict import FAIL_SAFE, BundleRef, Outcome, Verdict

GOOD = "good"


class Kind(StrEnum):
    """How two outcomes part company."""

    LOOSENED = "loosened"
    TIGHTENED = "tightened"
    HARDENED = "hardened"
    ASKS = "asks"


# Champion's outcome, challenger's outcome. A fail that becomes a review costs a look, no more. A
# review that becomes a fail is wrong of a good part as any tightening is; of a defective part it
# mends nothing, since the champion had stopped it.
KINDS = {
    (Outcome.FAIL, Outcome.PASS): Kind.LOOSENED,
    (Outcome.REVIEW, Outcome.PASS): Kind.LOOSENED,
    (Outcome.PASS, Outcome.FAIL): Kind.TIGHTENED,
    (Outcome.PASS, Outcome.REVIEW): Kind.TIGHTENED,
    (Outcome.REVIEW, Outcome.FAIL): Kind.HARDENED,
    (Outcome.FAIL, Outcome.REVIEW): Kind.ASKS,
}


class Disagreement(BaseModel):
    """One part on which they disagree; `right`: what a label says of the challenger, if any."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    right: bool | None = None


class Record(BaseModel):
    """What is written down of a bout, so that a start goes on with it.

    Attributes:
        parts: that both judged.
        dropped: parts that the challenger didn't see.
        errors: parts that it couldn't judge.
        disagreements: by the sample's id.
    """

    model_config = ConfigDict(extra="forbid")

    challenger: BundleRef
    champion: BundleRef
    at: str
    wanted: int
    state: State = "shadowing"
    words: str = ""
    parts: int = 0
    dropped: int = 0
    errors: int = 0
    disagreements: dict[str, Disagreement] = Field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.state not in ("shadowing", "waiting for labels")


class Bout:
    """One bout under a rule. For one lock at a time; its owner holds it."""

    def __init__(self, record: Record, rule: Rule) -> None:
        self.record, self._rule = record, rule
        told = record.disagreements.values()
        self._tally = Counter((one.kind, one.right) for one in told)

    def saw(self, verdict: Verdict, judgement: Judgement) -> bool:
        """Both have judged a part; whether they disagree about it."""
        told = self.record
        if verdict.reason in FAIL_SAFE or verdict.bundle is None:
            return False
        if verdict.bundle.digest != told.champion.digest:
            return False
        if judgement.reason in FAIL_SAFE:
            told.errors += 1
            if told.errors >= self._rule.errors:
                self.end("refused", f"it could not judge {told.errors} parts: {judgement.detail}")
            return False
        told.parts += 1
        kind = KINDS.get((verdict.outcome, judgement.outcome))
        if kind is None:
            return False
        told.disagreements[sample_id(*verdict.key)] = Disagreement(kind=kind)
        self._tally[kind, None] += 1
        return True

    def asked(self) -> list[str]:
        """Ids of the samples whose labels matter."""
        told = self.record.disagreements
        return [name for name, one in told.items() if one.kind is not Kind.ASKS]

    def hear(self, name: str, label: str | None) -> None:
        """What a person says of a part, or took back."""
        one = self.record.disagreements[name]
        defect = None if label is None else label != GOOD
        self._tally[one.kind, one.right] -= 1
        one.right = None if defect is None else defect is (one.kind is not Kind.LOOSENED)
        self._tally[one.kind, one.right] += 1

    def decide(self) -> State:
        """Where it stands now; "promoted" is for the owner to do. Called again and again."""
        told, rule = self.record, self._rule
        if told.over:
            return told.state
        for kind, margin in self._margins():
            wrong = self._count(kind, right=False)
            exceeds = -evidence(told.parts, wrong, margin) >= rule.enough
            if exceeds and wrong > self._mended(kind):
                self.end("refused", f"{self._count(kind, right=False)} of {told.parts} parts were "
                         f"{kind.value} wrongly, as people labelled them: more than "
                         f"{margin:.1%} may be")  # fmt: skip
                return told.state
        if told.parts >= told.wanted and self._proved(unlabelled=True):
            return "promoted"
        if told.parts >= rule.most:
            self.end("refused", f"not proved within {told.parts} parts: {self._counts()}")
            return told.state
        ready = told.parts >= told.wanted and self._proved(unlabelled=False)
        told.state = "waiting for labels" if ready else "shadowing"
        told.words = f"{told.parts} of {told.wanted} parts, {self._counts()}"
        if ready:
            told.words += "; label them in the review (those on which two models disagree)"
        return told.state

    def end(self, state: State, why: str) -> None:
        """It is over."""
        self.record.state, self.record.words = state, why[:512]

    def report(self) -> Report:
        """How it stands, for people and machines elsewhere."""
        told = self.record
        kinds = (Kind.LOOSENED, Kind.TIGHTENED)
        return Report(
            challenger=told.challenger, champion=told.champion, state=told.state,
            words=told.words or f"{told.parts} of {told.wanted} parts", parts=told.parts,
            wanted=told.wanted, most=self._rule.most,
            more=None if told.over else self._more(), dropped=told.dropped,
            loosened=self._count(Kind.LOOSENED), tightened=self._count(Kind.TIGHTENED),
            right=sum(self._count(kind, right=True) for kind in kinds),
            wrong=sum(self._count(kind, right=False) for kind in kinds), at=told.at,
        )  # fmt: skip

    def _margins(self) -> tuple[tuple[Kind, float], ...]:
        return (Kind.LOOSENED, self._rule.loosened), (Kind.TIGHTENED, self._rule.tightened)

    def _against(self, kind: Kind, *, unlabelled: bool) -> int:
        """What counts against it: labels, and, if asked, what nobody has labelled yet."""
        wrong = self._count(kind, right=False)
        return wrong + (self._count(kind) - wrong - self._count(kind, right=True)) * unlabelled

    def _mended(self, kind: Kind) -> int:
        """Parts on which the champion alone erred in this way, as people labelled them."""
        other = Kind.TIGHTENED if kind is Kind.LOOSENED else Kind.LOOSENED
        return self._tally[other, True]

    def _proved(self, *, unlabelled: bool) -> bool:
        for kind, margin in self._margins():
            against = self._against(kind, unlabelled=unlabelled)
            seldom = evidence(self.record.parts, against, margin) >= self._rule.enough
            if not seldom and mending(against, self._mended(kind)) < self._rule.enough:
                return False
        return True

    def _more(self) -> int:
        told = self.record
        by_evidence = max(
            further(told.parts, self._against(kind, unlabelled=True), margin, self._rule.enough)
            for kind, margin in self._margins()
        )
        return max(by_evidence, told.wanted - told.parts)

    def _count(self, kind: Kind, *, right: bool | None = None) -> int:
        kinds = (kind, Kind.HARDENED) if kind is Kind.TIGHTENED else (kind,)
        said = (None, False, True) if right is None else (right,)
        return sum(self._tally[one, told] for one in kinds for told in said)

    def _counts(self) -> str:
        parts: list[str] = []
        for kind, _ in self._margins():
            of, right = self._count(kind), self._count(kind, right=True)
            wrong = self._count(kind, right=False)
            if of:
                parts.append(f"{of} {kind.value} ({right} rightly, {wrong} wrongly, "
                             f"{of - right - wrong} not labelled)")  # fmt: skip
        return ", ".join(parts) or "no disagreement that matters"
