"""Finding verdicts: what a link names is what the page shows, and what its form asks for again."""

import re
from datetime import datetime
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from edge.assistant.records import Tally
from edge.assistant.sources import Counted, counted_citation
from edge.assistant.vocabulary import Which
from edge.clock import local
from edge.store.search import joined, parted
from export.verdict import Outcome, Reason
from tests.assistant.suite import november
from tests.edge.console.plant import FAILED, NOVEL, Plant

SCRATCH = {**FAILED, "probabilities": {"good": 0.1, "scratch": 0.9}}
DENT = {**FAILED, "probabilities": {"good": 0.1, "dent": 0.9}}
ODD = {**FAILED, "probabilities": {"good": 0.1, "50 %, deep": 0.9}}
LATE = {"outcome": Outcome.FAIL, "reason": Reason.LATE, "score": None}


@pytest.fixture(scope="module")
def console(tmp_path_factory):
    """Two cameras, three types, a novel part and a late one."""
    plant = Plant(tmp_path_factory.mktemp("finding"))
    plant.record(("top", SCRATCH), ("side", SCRATCH), ("top", DENT), ("top", ODD), ("top", NOVEL),
                 ("side", LATE))  # fmt: skip
    with plant.open() as console:
        yield console


def shown(page):
    """How many rows."""
    return page.text.count("<tr><td>")


@pytest.mark.parametrize(
    ("asked", "found"),
    [({}, 6), ({"kind": "scratch"}, 2), ({"kind": "scratch,dent"}, 3), ({"camera": "top,side"}, 6),
     ({"camera": "top", "kind": "scratch,dent"}, 2), ({"kind": joined(["50 %, deep"])}, 1),
     ({"outcome": "novel"}, 1), ({"outcome": "late"}, 1), ({"outcome": "fail_safe"}, 1),
     ({"outcome": "rejects"}, 6), ({"outcome": "pass"}, 0)],
)  # fmt: skip
def test_what_is_asked_for_is_shown_and_chosen_in_the_form(console, asked, found):
    """Several types and cameras at once, names with commas, and reasons."""
    page = console.get(f"/verdicts?{urlencode(asked)}")
    assert shown(page) == found
    for value in asked.values():
        assert f'<option value="{value}" selected>' in page.text


def test_a_link_with_an_offset_stands_in_the_form_as_the_boxs_time(console):
    """A field takes no offset: the browser would drop the time, and a second search forget it."""
    begin = datetime.fromisoformat("2026-11-24T06:00+05:30")
    page = console.get(f"/verdicts?{urlencode({'since': begin.isoformat(), 'until': 'never'})}")
    since, until = re.findall(
        r'name="(?:since|until)" type="datetime-local" value="([^"]*)"', page.text
    )
    assert since == local(round(begin.timestamp() * 1000)).strftime("%Y-%m-%dT%H:%M")
    assert until == ""


@pytest.mark.parametrize(
    "query",
    ["since=9999-12-31T23:59:59.9999", "until=9999-12-31T23:59:59.9999%2B00:00", "from=--5",
     "since=0001-01-01T00:00-14:00", "since=2026-11-24T24:61", "from=%C2%B2", "to=1e3", "kind=%00",
     "kind=%25%25,,,", "at=--1&id=%C2%B2"],
)  # fmt: skip
def test_a_hostile_search_is_a_page(console, query):
    """Years beyond the calendar, numbers that are none, empty names."""
    assert console.get(f"/verdicts?{query}").status_code == 200


@pytest.mark.parametrize("names", [(), ("a",), ("a", "b c"), ("50 %, deep", "ä,b"), ("%2C",)])
def test_names_in_one_field_come_back(names):
    """Commas and percent signs too."""
    assert parted(joined(names)) == names


@pytest.mark.parametrize("which", list(Which))
def test_a_count_of_any_parts_links_to_just_these(which):
    """Types, cameras and the reason stand in the link."""
    line = november()
    span = line.clerk().understood("How many parts failed yesterday?").spans[0]
    item = Counted("x", span, ("top", "side"), ("dent",), Tally(span, ()), which)
    query = parse_qs(urlsplit(counted_citation(item, "R1", line.clerk()._calendar).href).query)
    assert query["camera"] == ["top,side"]
    assert query["kind"] == ["dent"]
    assert query["outcome"] == [
        {Which.ALL: "rejects", Which.PASSED: "pass", Which.FAILED: "fail"}.get(
            which, which.value.replace("-", "_")
        )
    ]
