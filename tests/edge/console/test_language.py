import re
import string
from importlib.resources import files

import pytest

from edge.alarm import Alarms
from edge.clock import local
from edge.console.web import telling
from edge.console.web.language import LANGUAGES, catalogue, chosen, words
from export.sample import Why
from export.verdict import Outcome, Reason
from tests.edge.console.texts import of_python, of_templates

TEXTS = of_templates() | of_python()


@pytest.mark.parametrize("code", sorted(set(LANGUAGES) - {"en"}))
def test_every_text_is_in_every_language(code):
    """No text of a template, of Python or of an error is missing, and none is left over."""
    assert set(catalogue(code)) == TEXTS


@pytest.mark.parametrize("code", sorted(set(LANGUAGES) - {"en"}))
def test_a_translation_has_the_places_of_its_text(code):
    """What is filled in in English is filled in everywhere."""
    for text, said in catalogue(code).items():
        assert said.strip(), text
        assert places(said) == places(text), text


def places(text):
    """The {names} in a text."""
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


def test_scripts_speak_no_language_of_their_own():
    """What a script shows comes from the page or the snapshot: no sentence stands in it."""
    for path in (files("edge.console.web") / "static").iterdir():
        if path.name.endswith(".js"):
            code = re.sub(r"//.*", "", path.read_text())
            shown = re.findall(r"""["'`]([A-Z][a-z]+ [a-z]+[^"'`]*)["'`]""", code)
            assert shown == [], path.name


def test_everything_that_a_box_can_say_has_words():
    """Outcomes, reasons, reasons to keep; alarms that the edge raises."""
    assert set(telling.OUTCOMES) == set(Outcome)
    assert set(telling.REASONS) == set(Reason)
    assert set(telling.WHY) == {why.value for why in Why}
    assert telling.alarm("some_new_alarm", words("de")) == "some new alarm"


def test_every_alarm_that_the_box_can_raise_has_words():
    """Names that stand in the edge's code as constants of an alarm."""
    from edge.camera_health.condition import Condition
    from edge.mqtt import broker
    from edge.outbox import outbox
    from edge.output import gate
    from edge.swap import exchange

    raised = {broker.ABSENT, broker.REFUSES, outbox.NOT_WRITABLE, outbox.DISK_FULL, gate.LOST}
    raised |= {exchange.ROLLED_BACK, outbox.QUARANTINE, outbox.DAMAGED} | {
        one.value for one in Condition
    }
    assert raised <= set(telling.ALARMS)
    assert Alarms


def test_numbers_and_times_are_the_languages():
    """1,234.5 and 1.234,5; percent; dates; sizes; a dash for nothing."""
    english, german = words("en"), words("de")
    assert (english.number(1234.56, 1), german.number(1234.56, 1)) == ("1,234.6", "1.234,6")
    assert (english.percent(0.125), german.percent(0.125)) == ("12.5%", "12,5\u202f%")
    assert english.percent(None) == english.score(None) == "\u2013"
    moment = local(1_790_000_000_000)
    assert german.day(moment) == f"{moment.day}.9.2026"
    assert english.day(moment) == f"{moment.day} Sep 2026"
    assert (english.size(999), english.size(51.6e9)) == ("999 B", "51.6 GB")


@pytest.mark.parametrize(
    ("wish", "accepted", "code"),
    [("de", "en", "de"), ("", "de-AT,en;q=0.8", "de"), ("xx", "fr,en;q=0.5", "en"), ("", "", "en"),
     ("", "fr, *;q=0.1", "en")],
)  # fmt: skip
def test_the_language_is_the_one_chosen_or_the_browsers(wish, accepted, code):
    """A choice first, then what the browser asks for, then English."""
    assert chosen(wish, accepted) == code
