"""Streams of parts that two models judge, and how often a challenger is promoted on them."""

import numpy as np

from edge.inspection.inspector import Judgement
from edge.swap.bout import Bout, Record
from edge.swap.sequential import Rule
from export.verdict import BundleRef, Outcome, Reason, Thresholds
from tests.edge.verdicts import verdict

OLD = BundleRef(name="small", version=1, digest="1" * 64)
NEW = BundleRef(name="small", version=2, digest="2" * 64)
RULE = Rule(parts=100, most=3000, loosened=0.02, tightened=0.04, risk=0.05)
LIMITS = Thresholds(pass_below=0.3, fail_above=0.7)


def bout(rule=RULE):
    """One that has just begun."""
    record = Record(challenger=NEW, champion=OLD, at="2026-11-24T06:00:00Z", wanted=rule.parts)
    return Bout(record, rule)


SAID = {one: Judgement(one, Reason.ABOVE_FAIL, "", LIMITS, NEW) for one in Outcome}
PASSED = verdict(1, 1, "top", outcome="pass", reason=Reason.BELOW_PASS, bundle=OLD)


def part(of, champion, challenger, *, label=None):
    """Both judge a part; a person labels it, if they disagree and `label` is given."""
    if champion is challenger is Outcome.PASS:
        return of.saw(PASSED, SAID[challenger])
    seq = of.record.parts + 1
    told = verdict(1, seq, "top", outcome=champion, reason=Reason.ABOVE_FAIL, bundle=OLD)
    disagrees = of.saw(told, SAID[challenger])
    if disagrees and label is not None and f"top-1-{seq}" in of.asked():
        of.hear(f"top-1-{seq}", label)
    return disagrees


def stream(of, dice, *, loosened, tightened, labelled=True):
    """Parts until it is decided; shares of parts that the challenger passes or stops wrongly."""
    while (state := of.decide()) in ("shadowing", "waiting for labels"):
        draw = dice.random()
        if draw < loosened:
            part(of, Outcome.FAIL, Outcome.PASS, label="dent" if labelled else None)
        elif draw < loosened + tightened:
            part(of, Outcome.PASS, Outcome.FAIL, label="good" if labelled else None)
        else:
            part(of, Outcome.PASS, Outcome.PASS)
    return state


def promotions(rule, streams, loosened, tightened, *, seed, labelled=True):
    """How many of so many challengers are promoted that pass, or stop, these shares wrongly."""
    dice = np.random.default_rng(seed)
    shares = {"loosened": loosened, "tightened": tightened, "labelled": labelled}
    return sum(stream(bout(rule), dice, **shares) == "promoted" for _ in range(streams))
