"""What is true of a recorded line, counted from its rows and never from the store."""

import shutil
import tempfile
import weakref
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from edge.assistant.calendar import Calendar, shifts
from edge.assistant.clerk import Clerk
from edge.assistant.records import Records
from edge.store import schema
from edge.store.search import parted
from export.library import Library
from export.passage import read_folder
from export.verdict import FAIL_SAFE
from tests.assistant.recorded_line import SHIFTS, ZONE, record

MANUAL = Path(__file__).parents[2] / "demo" / "plant" / "manual"
CHOICES = {
    None: {}, "pass": {"outcome": "pass"}, "fail": {"outcome": "fail"},
    "review": {"outcome": "review"}, "rejects": {"outcomes": ("fail", "review")},
    "novel": {"reasons": ("unlike_the_training_parts",)},
    "late": {"reasons": ("no_result_before_the_deadline",)},
    "fail_safe": {"reasons": {one.value for one in FAIL_SAFE}},
}  # fmt: skip
HOURS = {"early": (6, 14), "late": (14, 22), "night": (22, 6)}


@dataclass(frozen=True)
class Asked:
    """A question and what a right answer says; `figures` None: it must be refused."""

    question: str
    language: str
    figures: dict | None
    cites: str = "verdicts"


@dataclass
class Line:
    """A line that ran between two moments, as it is known now."""

    begin: datetime
    now: datetime
    seed: int
    per_hour: int = 24
    pauses: tuple = ()
    rows: list = field(default_factory=list)

    def __post_init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="line-"))
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        self.path = self.folder / "verdicts.db"
        self.rows = record(
            self.path, self.begin, self.now, seed=self.seed, per_hour=self.per_hour,
            pauses=self.pauses,
        )  # fmt: skip
        self.db = schema.reader(self.path)

    def clerk(self, library=None, **more):
        """A clerk of this line."""

        @contextmanager
        def lend():
            yield Records(self.db)

        documents = Library.of(read_folder(MANUAL)) if library is None else library
        now_ms = round(self.now.timestamp() * 1000)
        return Clerk(lend, documents, Calendar(ZONE, shifts(SHIFTS)), lambda: now_ms, **more)

    def at(self, day_back, hour, minute=0, fold=0):
        """A wall clock time some days back."""
        day = self.now.date() - timedelta(days=day_back)
        extra = timedelta(days=hour // 24)
        return datetime.combine(day + extra, datetime.min.time(), ZONE).replace(
            hour=hour % 24, minute=minute, fold=fold
        )

    def day(self, back):
        """A day."""
        return self.at(back, 0), self.at(back - 1, 0)

    def shift(self, name, back):
        """A shift that began some days back."""
        a, b = HOURS[name]
        return self.at(back, a), self.at(back - (b <= a), b, fold=1)

    def count(self, span, **what):
        """(meant, all) of a span; `what`: outcome, outcomes, reason, reasons, kind, camera."""
        since, until = (round(one.timestamp() * 1000) for one in span)
        seen = [
            row for row in self.rows
            if since <= row.at_ms < until and what.get("camera") in (None, row.camera)
        ]  # fmt: skip
        chosen = [
            row for row in seen
            if what.get("outcome") in (None, row.outcome)
            and ("outcomes" not in what or row.outcome in what["outcomes"])
            and what.get("kind") in (None, row.kind)
            and ("reasons" not in what or row.reason in what["reasons"])
        ]  # fmt: skip
        return len(chosen), len(seen)

    def figures(self, span, **what):
        """What an answer must say of a span."""
        chosen, parts = self.count(span, **what)
        return {"parts": parts, "chosen": chosen}


def shows(answer, asked, line):
    """What is wrong with an answer; "" if nothing is."""
    told = answer.as_dict()
    return _said(told, asked) or ("" if asked.figures is None else _followed(told, line))


def _said(told, asked):
    """What is wrong with its words, figures and citations."""
    if asked.figures is None:
        return "" if told["source"] == "no entry" else f"answered: {told['text'][:160]}"
    if told["source"] != "records":
        return f"refused: {told['text'][:160]}"
    given = told["figures"]
    wrong = [
        f"{name} is {given.get(name)}, not {value}: {told['text'][:160]}"
        for name, value in asked.figures.items()
        if given.get(name) != value
    ]
    if told["language"] != asked.language:
        wrong.append(f"answered in {told['language']}")
    cites = told["citations"]
    if not cites or any(f"[{one['name']}]" not in told["text"] for one in cites):
        wrong.append("cites nothing")
    if any(one["kind"] != asked.cites or not one["href"] for one in cites):
        wrong.append("cites something else")
    return "; ".join(wrong)


def _followed(told, line):
    """Follow the links: the search they name must find as many as the answer says."""
    for place, one in enumerate(told["citations"], 1):
        query = {key: value[0] for key, value in parse_qs(urlsplit(one["href"]).query).items()}
        if one["kind"] == "verdict":
            key = (query["camera"], int(query["epoch"]), int(query["seq"]))
            if not any(row.key == key for row in line.rows):
                return f"links to {key}, which there is none of"
            continue
        since = datetime.fromisoformat(query["since"])
        until = datetime.fromisoformat(query["until"]) + timedelta(minutes=1)
        outcome = query.get("outcome")
        found = sum(
            line.count((since, until), camera=camera, kind=kind, **CHOICES[outcome])[0]
            for camera in parted(query.get("camera", "")) or (None,)
            for kind in parted(query.get("kind", "")) or (None,)
        )
        figures = told["figures"]
        names = (f"chosen {place}", "chosen", "rejects") if outcome else (f"parts {place}", "parts")
        said = next((figures[name] for name in names if name in figures), None)
        if "at" not in figures and said != found:
            return f"the link finds {found}, the answer says {said}"
    return ""
