"""What the store keeps beside a verdict's body: when, what kind, how near to a defect.

Pure: a verdict in, columns out.
"""

from datetime import UTC, datetime

from export.verdict import FAIL_SAFE, Outcome, Reason, Verdict

GOOD = "good"
NO_SCORE = -1


def kind(verdict: Verdict) -> str:
    """The likeliest defect type of a part that didn't pass; "" where the model names none.

    A pass has none; a part that nobody could judge has none; and of a part unlike the training
    parts the model's own types say nothing.
    """
    if verdict.outcome is Outcome.PASS or verdict.reason in FAIL_SAFE | {Reason.NOVEL}:
        return ""
    types = {name: p for name, p in verdict.probabilities.items() if name.lower() != GOOD}
    return max(types, key=lambda name: types[name], default="")


def percent(score: float | None) -> int:
    """Whole percent of the score, rounded down; NO_SCORE without one."""
    return NO_SCORE if score is None else min(100, int(score * 100 + 1e-9))


def at_ms(verdict: Verdict, otherwise_ms: int) -> int:
    """Its capture in milliseconds since 1970, UTC; `otherwise_ms` if that can't be read."""
    for told in (verdict.captured_at, verdict.decided_at):
        try:
            moment = datetime.fromisoformat(told)
        except ValueError:
            continue
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return round(aware.timestamp() * 1000)
    return otherwise_ms
