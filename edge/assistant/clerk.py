"""The clerk: takes a question, decides who answers it, and lets nothing unproven through.

    1  slots by rules; if every word is understood, the records answer and code forms the figures
    2  a code that no document knows, or no passage near enough: 'no entry', without asking a model
    3  the text model reads the passages; the evidence gate admits word by word what they hold
    4  without a model, or if it proves nothing, the nearest passage is quoted, and said to be

Reads only: there is no way from here to the line, whatever a question or a document says.
"""

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from edge.assistant.answer import Answer, Citation, Language, Source
from edge.assistant.calendar import Calendar
from edge.assistant.records import Records
from edge.assistant.replies import reply
from edge.assistant.slots import MOST_CHARS, Known, Slots, parse
from edge.assistant.sources import Desk, Heard, refusal
from edge.assistant.speech import Speech
from edge.assistant.text_model import TextModel
from export.dialogue import prompt, refuses, uncited
from export.errors import BundleError, LanguageError
from export.evidence import Gate
from export.library import Found, Hit, Library
from export.passage import Passage
from export.terms import fold, language, terms

MOST_TOKENS = 160
NEAREST = 3


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of an answer that may be shown already."""

    text: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What was shown is not proven: take it away; the answer follows."""

    why: str


Step = Word | Withdrawn | Answer


class Clerk:
    """Answers questions.

    Args:
        records: lends the verdict store for one question; None: this box has none.
        library: the plant's documents.
        calendar: the plant's days and shifts.
        now_ms: the present, milliseconds since 1970.
        words: what the plant calls its types and cameras → their names in the records.
        model: None: passages are quoted instead.
        context: the plant's system context.
        alarms: the box's alarms, if they were heard.
        otherwise: the language of a question that shows none.
    """

    def __init__(
        self,
        records: Callable[[], AbstractContextManager[Records | None]],
        library: Library,
        calendar: Calendar,
        now_ms: Callable[[], int],
        *,
        words: dict[str, str] | None = None,
        model: TextModel | None = None,
        context: str = "",
        alarms: Callable[[], Heard | None] = lambda: None,
        otherwise: Language = "en",
    ) -> None:
        self._records, self._library, self._calendar = records, library, calendar
        self._now_ms, self._words, self.model = now_ms, words or {}, model
        self.context, self._alarms = context, alarms
        self._otherwise: Language = otherwise
        self._turn = threading.Lock()  # one question is read at a time: the line has the processor

    def ask(self, question: str, spoken: str = "") -> Answer:
        """The answer, when it is complete."""
        answer: Answer | None = None
        for step in self.steps(question, spoken):
            if isinstance(step, Answer):
                answer = step
        assert answer is not None
        return answer

    def steps(self, question: str, spoken: str = "") -> Iterator[Step]:
        """Words as they may be shown, and last the answer; `spoken`: the language, if known."""
        told = question.strip()
        code: Language = (
            "de" if spoken == "de" else "en" if spoken else language(told, self._otherwise)
        )
        speech = Speech(code, self._calendar)
        if not told or len(told) > MOST_CHARS:
            yield refusal(
                speech, f"a question has 1 to {MOST_CHARS} characters",
                f"eine Frage hat 1 bis {MOST_CHARS} Zeichen",
            )  # fmt: skip
            return
        with self._records() as records:
            slots = self._understood(told, records)
            if records is not None and slots is not None and slots.clear:
                yield reply(
                    slots, Desk(records, self._calendar, self._now_ms(), self._alarms()), code
                )
                return
        with self._turn:
            yield from self._read(told, speech, slots)

    def understood(self, question: str) -> Slots | None:
        """The slots of a question, as the records would be asked; for looking at."""
        with self._records() as records:
            return self._understood(question, records)

    def _understood(self, question: str, records: Records | None) -> Slots | None:
        if records is None:
            return None
        cameras, kinds = records.names()
        known = Known(cameras, kinds, self._words, records.is_part)
        return parse(question, known, self._calendar, self._now_ms())

    def _read(self, question: str, speech: Speech, slots: Slots | None) -> Generator[Step]:
        """An answer from the documents."""
        found = self._library.found(question, speech.language)
        if found.unknown:
            code = found.unknown[0]
            yield refusal(
                speech, f"no document mentions {code}", f"kein Dokument erwähnt {code}",
                _sections(found.hits),
            )  # fmt: skip
        elif self.model is not None and found.readable:
            yield from self._model_reads(question, found, speech, self.model)
        elif found.quotable is not None:
            yield _quoted(found.quotable, speech)
        else:
            yield self._not_found(question, speech, found.hits, slots)

    def _model_reads(
        self, question: str, found: Found, speech: Speech, model: TextModel
    ) -> Generator[Step]:
        passages, context = [hit.passage for hit in found.hits], self.context
        gate = Gate(question, passages, frozenset(terms(context)))
        shown = False
        words = model.words(prompt(question, passages, context), MOST_TOKENS)
        try:
            for piece in words:
                if text := gate.put(piece):
                    shown = True
                    yield Word(text)
                if gate.ruling is not None:
                    break
        except (LanguageError, BundleError) as error:
            yield from [Withdrawn(str(error))] if shown else []
            quoted = _quoted(passages[0], speech)
            yield replace(quoted, why=error.problem)
            return
        finally:
            close = getattr(words, "close", None)
            if close is not None:
                close()
        if rest := gate.end():
            yield Word(rest)
        assert gate.ruling is not None
        if gate.ruling.admitted:
            cited = next(one for one in passages if f"[{one.id}]" in " ".join(gate.whole.split()))
            said = f"{uncited(gate.whole)} [{cited.id}]"
            yield Answer(said, speech.language, Source.DOCUMENTS, (_section(cited),))
            return
        if shown:
            yield Withdrawn(gate.ruling.why)
        if found.quotable is not None and not refuses(gate.whole):
            yield replace(_quoted(found.quotable, speech), why=gate.ruling.why)
            return
        told = refusal(
            speech, "the documents that were found don't answer this",
            "die gefundenen Dokumente beantworten das nicht",
            [_section(one) for one in passages],
        )  # fmt: skip
        yield replace(told, why=gate.ruling.why)

    def _not_found(
        self, question: str, speech: Speech, hits: Sequence[Hit], slots: Slots | None
    ) -> Answer:
        if slots is not None and slots.measure is not None and slots.strange:
            asked = fold(question)  # a turn of phrase may stand for what was said
            said = [word for word in slots.strange if word in asked] or slots.strange
            words = ", ".join(repr(word) for word in said[:3])
            return refusal(
                speech, f"the records know nothing of {words}", f"die Aufzeichnungen kennen"
                                                                f" {words} nicht",
                _sections(hits),
            )  # fmt: skip
        if slots is not None and slots.measure is not None:
            return refusal(
                speech, "it isn't said for which time: name a day, a shift or hours",
                "es fehlt, für welche Zeit: Nennen Sie einen Tag, eine Schicht oder Stunden",
                _sections(hits),
            )  # fmt: skip
        if slots is None:
            return refusal(
                speech, "no document answers this, and no records can be read: the console keeps"
                        " them", "kein Dokument beantwortet das, und Aufzeichnungen sind nicht zu"
                                 " lesen: Die Konsole führt sie", _sections(hits),
            )  # fmt: skip
        return refusal(
            speech, "neither records nor documents answer this",
            "weder Aufzeichnungen noch Dokumente beantworten das", _sections(hits),
        )  # fmt: skip


def _quoted(passage: Passage, speech: Speech) -> Answer:
    lead = speech.say("The nearest section says", "Der nächstliegende Abschnitt sagt")
    begin, end = speech.say("\u201c", "\u201e"), speech.say("\u201d", "\u201c")
    text = f"{lead}: {begin}{passage.title}. {passage.text}{end} [{passage.id}]"
    return Answer(text, speech.language, Source.DOCUMENTS, (_section(passage),), quoted=True)


def _sections(hits: Sequence[Hit]) -> list[Citation]:
    return [_section(hit.passage) for hit in hits[:NEAREST] if hit.share > 0]


def _section(passage: Passage) -> Citation:
    href = f"/assistant/section?id={passage.id.replace(' ', '+')}&language={passage.language}"
    return Citation(passage.id, "section", passage.title, href)
