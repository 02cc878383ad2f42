"""How the assistant says times, numbers and kinds of parts, in English and German."""

from dataclasses import dataclass
from datetime import timedelta

from edge.assistant.answer import Language
from edge.assistant.calendar import Calendar, Span
from edge.assistant.vocabulary import Which

_SHIFTS = {"de": {"early": "Frühschicht", "late": "Spätschicht", "night": "Nachtschicht"}}
WHICH = {
    "en": {
        Which.ALL: "parts", Which.PASSED: "parts passed", Which.FAILED: "parts failed",
        Which.REVIEW: "parts went to review", Which.REJECTS: "parts did not pass",
        Which.NOVEL: "parts were novel", Which.FAIL_SAFE: "parts got a fail-safe verdict",
        Which.LATE: "parts got no result before the deadline",
    },
    "de": {
        Which.ALL: "Teile", Which.PASSED: "Teilen haben bestanden",
        Which.FAILED: "Teilen sind durchgefallen", Which.REVIEW: "Teilen gingen in die Prüfung",
        Which.REJECTS: "Teilen haben nicht bestanden", Which.NOVEL: "Teilen waren neuartig",
        Which.FAIL_SAFE: "Teilen bekamen ein Fail-safe-Urteil",
        Which.LATE: "Teilen bekamen kein Ergebnis vor Fristende",
    },
}  # fmt: skip
OUTCOMES = {
    "en": {"pass": "passed", "fail": "failed", "review": "went to review"},
    "de": {"pass": "hat bestanden", "fail": "ist durchgefallen", "review": "ging in die Prüfung"},
}
REASONS = {
    "en": {
        "score_below_pass_threshold": "score below the pass threshold",
        "score_above_fail_threshold": "score above the fail threshold",
        "score_in_review_band": "score in the review band",
        "unlike_the_training_parts": "unlike the training parts",
        "no_result_before_the_deadline": "no result before the deadline",
        "inspection_queue_full": "inspection queue full",
        "inspection_error": "inspection error",
        "model_output_not_finite": "model output not finite",
        "frame_not_usable": "frame not usable",
    },
    "de": {
        "score_below_pass_threshold": "Wert unter der Gutgrenze",
        "score_above_fail_threshold": "Wert über der Fehlergrenze",
        "score_in_review_band": "Wert im Prüfband",
        "unlike_the_training_parts": "ungleich den Trainingsteilen",
        "no_result_before_the_deadline": "kein Ergebnis vor Fristende",
        "inspection_queue_full": "Warteschlange der Prüfung voll",
        "inspection_error": "Fehler der Prüfung",
        "model_output_not_finite": "Modellausgabe keine Zahl",
        "frame_not_usable": "Bild nicht brauchbar",
    },
}


@dataclass(frozen=True, slots=True)
class Speech:
    """Speaks one language in the plant's time."""

    language: Language
    calendar: Calendar

    @property
    def german(self) -> bool:
        """Whether it speaks German."""
        return self.language == "de"

    def say(self, english: str, german: str) -> str:
        """The one or the other."""
        return german if self.german else english

    def percent(self, part: int, whole: int) -> str:
        """A share, to a tenth of a percent."""
        text = f"{100 * part / whole:.1f}"
        return f"{text.replace('.', ',')} %" if self.german else f"{text}%"

    def score(self, value: float) -> str:
        """A score."""
        text = f"{value:.3f}"
        return text.replace(".", ",") if self.german else text

    def kind(self, name: str) -> str:
        """A defect type as the plant named it."""
        return name.replace("_", " ")

    def shift(self, name: str) -> str:
        """A shift's name."""
        told = _SHIFTS.get(self.language, {}).get(name)
        return told or (f"Schicht {name}" if self.german else f"{name} shift")

    def day(self, at_ms: int) -> str:
        """A date."""
        at = self.calendar.local(at_ms)
        return f"{at.day}.{at.month}.{at.year}" if self.german else f"{at.day} {at:%b} {at.year}"

    def moment(self, at_ms: int, *, seconds: bool = False) -> str:
        """A date and time."""
        at = self.calendar.local(at_ms)
        return f"{self.day(at_ms)}, {at:%H:%M:%S}" if seconds else f"{self.day(at_ms)}, {at:%H:%M}"

    def span(self, span: Span) -> str:
        """A span, in full, so that nobody need guess which was meant."""
        name = f"{self.shift(span.shift)} " if span.shift else ""
        since, until = self.calendar.local(span.since_ms), self.calendar.local(span.until_ms)
        if span.whole and until - since <= timedelta(hours=25) and since.date() != until.date():
            return self.day(span.since_ms)
        if span.whole:
            last = self.day(span.until_ms - 1)
            return self.say(
                f"{self.day(span.since_ms)} to {last}", f"{self.day(span.since_ms)} bis {last}"
            )
        zones = since.utcoffset() != until.utcoffset()
        a = f"{since:%H:%M}" + (f" ({since:%Z})" if zones else "")
        b = f"{until:%H:%M}" + (f" ({until:%Z})" if zones else "")
        same = since.date() == until.date()
        end = b if same else f"{self.day(span.until_ms)}, {b}"
        return self.say(
            f"{name}{self.day(span.since_ms)}, {a} to {end}",
            f"{name}{self.day(span.since_ms)}, {a} bis {end}",
        )
