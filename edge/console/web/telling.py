"""A verdict in words: what was decided and why, for somebody who stands two metres away."""

from edge.console.web.language import Words
from export.verdict import Outcome, Reason, Verdict

# Texts that are looked up by name; `words.marked` in the catalogue's test finds them here.
OUTCOMES = {Outcome.PASS: "Pass", Outcome.FAIL: "Fail", Outcome.REVIEW: "Review"}
REASONS = {
    Reason.BELOW_PASS: "No sign of a defect",
    Reason.ABOVE_FAIL: "A defect is likely",
    Reason.IN_REVIEW_BAND: "Uncertain: a person decides",
    Reason.NOVEL: "Unlike any good part",
    Reason.LATE: "No result before the deadline",
    Reason.OVERLOAD: "Too many parts at once",
    Reason.INSPECTION_ERROR: "The inspection failed",
    Reason.NOT_FINITE: "The model gave no usable result",
    Reason.BAD_FRAME: "The picture could not be used",
}
WHY = {
    "fail": "failed",
    "review": "in the review band",
    "novel": "unlike the training parts",
    "disagreeing": "two models disagree",
    "operator": "an operator asked",
    "audit": "random audit of a pass",
}
ALARMS = {
    "camera_frozen": "Camera frozen",
    "camera_dark": "Camera dark",
    "camera_saturated": "Camera overexposed",
    "camera_defocused": "Camera out of focus",
    "light_drift": "Light has changed",
    "framing_drift": "Camera has moved",
    "camera_dropping_frames": "Camera drops frames",
    "score_drift": "Scores have drifted",
    "camera_reference_lost": "Camera reference lost",
    "broker_absent": "Broker not reachable",
    "broker_refuses": "Broker refuses messages",
    "output_lost": "Reject gate not reachable",
    "disk_full": "Disk full",
    "outbox_not_writable": "Verdicts can't be stored",
    "record_damaged": "The record was damaged",
    "bundle_rolled_back": "Model rolled back",
    "verdicts_in_quarantine": "Verdicts in quarantine",
}
SYMBOLS = {Outcome.PASS: "pass", Outcome.FAIL: "fail", Outcome.REVIEW: "review"}


def likeliest(verdict: Verdict) -> tuple[str, float] | None:
    """The likeliest defect type and its probability, of a part that didn't pass."""
    if verdict.outcome is Outcome.PASS:
        return None
    types = {name: p for name, p in verdict.probabilities.items() if name.lower() != "good"}
    name = max(types, key=lambda one: types[one], default="")
    return (name, types[name]) if name else None


def reason(verdict: Verdict, words: Words) -> str:
    """Why, in a sentence; with the likeliest type where the model names one."""
    said = words(REASONS[verdict.reason])
    named = likeliest(verdict)
    if named is None or verdict.reason not in (Reason.ABOVE_FAIL, Reason.IN_REVIEW_BAND):
        return said
    return f"{said}: {kind(named[0])}" if verdict.reason is Reason.ABOVE_FAIL else said


def kind(name: str) -> str:
    """A defect type as it is read: the plant named it, so it isn't translated."""
    return name.replace("_", " ")


def alarm(name: str, words: Words) -> str:
    """An alarm's name for people."""
    return words(ALARMS[name]) if name in ALARMS else name.replace("_", " ")
