"""The advice: does tuning pay here, against a system context or documents, at what cost.

Every arm sat the same frozen exam. What is recommended must beat the stock model with documents by
more than chance, and lose nothing on what it must refuse; else the advice is to keep the prompt.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from export import stamp
from trainer.assistant.arms import ARMS, DOCUMENTS, QUOTED, TUNED, TUNED_DOCUMENTS, Sat
from trainer.assistant.compare import Difference, difference, holm
from trainer.assistant.exam import KINDS, Mark, Question
from trainer.rates import Rate

ADVICE = "advice.json"
MORE_WRONG = 0.05  # share of questions, shown something wrong beyond the stock model's, borne


@dataclass(frozen=True, slots=True)
class Row:
    """One arm's figures; each (k, n)."""

    arm: str
    fact: tuple[int, int]
    citation: tuple[int, int]
    false_refusal: tuple[int, int]
    unknown_refused: tuple[int, int]
    wrong_passed: tuple[int, int]  # wrong answers that the gate let through
    right_kept: tuple[int, int]  # right answers that it let through
    proven_right: tuple[int, int]
    served_right: tuple[int, int]
    shown_wrong: tuple[int, int]
    tokens_in: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What tuning cost: minutes of the machine that did it, and bytes of the adapter."""

    minutes: float
    adapter_bytes: int


@dataclass(frozen=True, slots=True)
class Advice:
    """The table, the comparisons with the stock model with documents, and the words.

    Attributes:
        differences: right as served; `own`: by the models' own words, where nothing is quoted.
    """

    rows: tuple[Row, ...]
    kinds: dict[str, dict[str, tuple[int, int]]]
    differences: dict[str, Difference]
    own: dict[str, Difference]
    words: str
    recommended: str


def advise(
    questions: Sequence[Question],
    sat: Mapping[str, Sequence[Sat]],
    cost: Cost | None,
    seed: int = 0,
) -> Advice:
    """Advise on exams; of each arm one for each seed of tuning, pooled in the table.

    A comparison is made on the share of seeds in which a question was answered rightly, so that
    three seeds of one question are no three questions: right in most seeds counts as right.
    """
    rows = tuple(_row(arm, sat[arm]) for arm in ARMS if arm in sat)
    kinds = {arm: _by_kind(questions, sat[arm]) for arm in sat}
    found = _compared(sat, lambda one: one.served_right, seed)
    own = _compared(sat, lambda one: one.proven_right, seed)
    recommended = _recommended(rows, found)
    words = _words(rows, found, own, recommended, cost)
    return Advice(rows, kinds, found, own, words, recommended)


def _compared(
    sat: Mapping[str, Sequence[Sat]], holds: Callable[[Mark], bool], seed: int
) -> dict[str, Difference]:
    """Each arm against the stock model with documents, by what holds in most seeds."""
    if DOCUMENTS not in sat:
        return {}
    told = {arm: _most([[holds(m) for m in one.marks] for one in sat[arm]]) for arm in sat}
    base = told.pop(DOCUMENTS)
    return holm({arm: difference(marks, base, seed) for arm, marks in told.items()})


def _most(several: Sequence[Sequence[bool]]) -> list[bool]:
    return [2 * sum(one) > len(one) for one in zip(*several, strict=True)]


def _row(arm: str, several: Sequence[Sat]) -> Row:
    marks = [one for sat in several for one in sat.marks]
    asked = [one for one in marks if one.answerable]
    unknown = [one for one in marks if not one.answerable]
    right = [one for one in asked if one.right]
    wrong = [one for one in marks if not one.right and not (one.refused and one.answerable)]
    return Row(
        arm, _of(asked, lambda m: m.fact), _of(asked, lambda m: m.citation),
        _of(asked, lambda m: m.refused), _of(unknown, lambda m: m.refused),
        _of(wrong, lambda m: m.admitted), _of(right, lambda m: m.admitted),
        _of(marks, lambda m: m.proven_right), _of(marks, lambda m: m.served_right),
        _of(marks, lambda m: m.shown_wrong),
        sum(sat.tokens_in for sat in several) / len(several),
        sum(sat.seconds for sat in several) / len(several),
    )  # fmt: skip


def _of(marks: Sequence[Mark], holds: Callable[[Mark], bool]) -> tuple[int, int]:
    return sum(bool(holds(one)) for one in marks), len(marks)


def _by_kind(questions: Sequence[Question], several: Sequence[Sat]) -> dict[str, tuple[int, int]]:
    told: dict[str, tuple[int, int]] = {}
    for kind in KINDS:
        marks = [
            mark for sat in several
            for mark, one in zip(sat.marks, questions, strict=True) if one.kind == kind
        ]  # fmt: skip
        if marks:
            told[kind] = _of(marks, lambda m: m.served_right)
    return told


def _recommended(rows: Sequence[Row], found: Mapping[str, Difference]) -> str:
    """An arm that is shown to be better and refuses no less, the best of these; or documents."""
    known = {row.arm: row for row in rows}
    base = known.get(DOCUMENTS)
    better = [
        arm for arm, one in found.items()
        if one.shown and base is not None
        and _share(known[arm].shown_wrong) <= _share(base.shown_wrong) + MORE_WRONG
    ]  # fmt: skip
    quoted = known.get(QUOTED)
    least = base is not None and quoted is not None and (quoted.served_right >= base.served_right)
    return max(better, key=lambda arm: found[arm].value, default=QUOTED if least else DOCUMENTS)


def _share(told: tuple[int, int]) -> float:
    return told[0] / told[1] if told[1] else 0.0


def _words(
    rows: Sequence[Row], found: Mapping[str, Difference], own: Mapping[str, Difference],
    best: str, cost: Cost | None,
) -> str:  # fmt: skip
    known = {row.arm: row for row in rows}
    lines: list[str] = []
    base = known.get(DOCUMENTS)
    if base is not None:
        low, high = Rate(*base.served_right).interval()
        lines.append(
            f"The stock model with documents, behind the gate, is right on {base.served_right[0]}"
            f" of"
            f" {base.served_right[1]} questions ({low:.0%} to {high:.0%})."
        )
    lines += [_apart(arm, found[arm]) for arm in (QUOTED, TUNED_DOCUMENTS, TUNED) if arm in found]
    if TUNED_DOCUMENTS in own:
        lines.append(
            f"By the models' own words alone {_apart(TUNED_DOCUMENTS, own[TUNED_DOCUMENTS])}"
        )
    if best in (TUNED, TUNED_DOCUMENTS):
        told = (
            f" It cost {cost.minutes:.0f} minutes here and an adapter of"
            f" {cost.adapter_bytes / 1e6:.0f} MB."
            if cost
            else ""
        )
        lines.append(
            f"Advice: tune, and serve it with documents.{told} A changed document needs no new"
            f" tuning."
        )
    elif base is None:
        lines.append(f"No advice: {DOCUMENTS!r} did not sit the exam, and nothing was compared.")
    elif best in (DOCUMENTS, QUOTED):
        lines += _held_back(known, found, base) if best == DOCUMENTS else []
        lines.append(
            "Advice: keep the prompt with documents; tuning isn't shown to pay here."
            if best == DOCUMENTS
            else "Advice: serve no model. Quoted sections are right as often, cost nothing, and no"
            " arm is shown to beat them."
        )
    else:
        lines.append(f"Advice: {best}; it beats retrieval here without tuning.")
    return "\n".join(lines)


def _apart(arm: str, one: Difference) -> str:
    """How an arm differs from the stock model with documents, in a sentence."""
    verb = "is shown to differ" if one.low > 0 or one.high < 0 else "is not shown to differ"
    return (
        f"'{arm}' {verb}: {one.value:+.0%} [{one.low:+.0%}, {one.high:+.0%}],"
        f" p = {one.adjusted:.2g} after Holm."
    )


def _held_back(
    known: Mapping[str, Row], found: Mapping[str, Difference], base: Row
) -> Iterator[str]:
    """Why what is shown to be right more often isn't advised."""
    for arm, one in found.items():
        if one.shown:
            (wrong, of), (before, asked) = known[arm].shown_wrong, base.shown_wrong
            yield (
                f"'{arm}' is right more often, but shows something wrong on {wrong} of {of}"
                f" questions ({before} of {asked} by the stock model with documents)."
            )


def table(told: Advice) -> str:
    """The rows as Markdown."""
    head = (
        "arm", "exact fact", "right citation", "false refusal", "unknown refused by the model",
        "wrong answers the gate passed", "right answers it kept", "right by its own word",
        "right as served", "wrong as served",
        "tokens in", "s/answer",
    )  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for row in told.rows:
        pairs = (
            row.fact, row.citation, row.false_refusal, row.unknown_refused, row.wrong_passed,
            row.right_kept, row.proven_right, row.served_right,
            row.shown_wrong,
        )  # fmt: skip
        cells = [
            row.arm,
            *(f"{k}/{n}" for k, n in pairs),
            f"{row.tokens_in:.0f}",
            f"{row.seconds:.1f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write(
    out: Path, told: Advice, answers: Mapping[str, Sequence[Sat]], questions: Sequence[Question]
) -> None:
    """advice.json with everything, and advice.md with the table, the words and every answer."""
    out.mkdir(parents=True, exist_ok=True)
    record = {
        "at": stamp.now(), "rows": [asdict(row) for row in told.rows], "kinds": told.kinds,
        "differences": {arm: asdict(one) for arm, one in told.differences.items()},
        "own": {arm: asdict(one) for arm, one in told.own.items()},
        "words": told.words, "recommended": told.recommended,
    }  # fmt: skip
    (out / ADVICE).write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    lines = [
        "# System context, documents or tuning?",
        "",
        table(told),
        "",
        told.words,
        "",
        "## Answers",
    ]
    for place, one in enumerate(questions):
        lines += [
            "",
            f"**{one.question}** ({one.kind}; right: {one.fact or 'no entry'} {one.section})",
            "",
        ]
        for arm, several in answers.items():
            mark = several[0].marks[place]
            sign = "✓" if mark.served_right else "✗"
            lines.append(f"- {sign} {arm}: {several[0].answers[place]!r}")
    (out / "advice.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
