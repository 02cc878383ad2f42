"""Which parts' pictures are kept, and why: rules, and a lottery among the passes.

The lottery is a hash of the part's key under the box's own seed: nobody who doesn't know the seed
can tell which passes will be looked at, and whoever does can check that none was picked by hand.
Pure: knows no thread, clock or folder.
"""

import hashlib
from dataclasses import dataclass

from export.sample import Audit, Why
from export.verdict import FAIL_SAFE, Outcome, Reason, Verdict


@dataclass(frozen=True, slots=True)
class Choice:
    """Decides about one verdict after the other.

    Attributes:
        seed: the box's, secret.
        audit_rate: share of the passes that is drawn, 0..1.
    """

    seed: bytes
    audit_rate: float

    def why(
        self, verdict: Verdict, *, disagreeing: bool = False
    ) -> tuple[tuple[Why, ...], Audit | None]:
        """Why this part's picture is kept (nothing: it isn't), and the draw if it won one.

        `disagreeing`: a second model, in the shadow, said otherwise.
        """
        found: list[Why] = []
        if verdict.outcome is Outcome.FAIL or verdict.reason in FAIL_SAFE:
            found.append(Why.FAIL)
        if verdict.outcome is Outcome.REVIEW and verdict.reason not in FAIL_SAFE:
            found.append(Why.REVIEW)
        if self._novel(verdict):
            found.append(Why.NOVEL)
        if disagreeing:
            found.append(Why.DISAGREEING)
        drawn = verdict.outcome is Outcome.PASS and self.draw(verdict) < self.audit_rate
        if drawn:
            found.append(Why.AUDIT)
        return tuple(found), Audit(rate=self.audit_rate) if drawn else None

    def draw(self, verdict: Verdict) -> float:
        """The part's lot: 0 <= lot < 1, uniform over parts."""
        key = f"{verdict.camera}\0{verdict.epoch}\0{verdict.seq}".encode()
        lot = hashlib.blake2b(key, digest_size=8, key=self.seed).digest()
        return int.from_bytes(lot) / 2**64

    @staticmethod
    def _novel(verdict: Verdict) -> bool:
        """A part that fails may be unlike the training parts too; its reason doesn't say so."""
        limit = verdict.thresholds.novel_above if verdict.thresholds else None
        far = limit is not None and verdict.novelty is not None and verdict.novelty >= limit
        return far or verdict.reason is Reason.NOVEL
