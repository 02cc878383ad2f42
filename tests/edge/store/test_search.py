import random

import pyarrow.parquet as pq
import pytest

from edge.store import entry, parquet, schema, search, tally
from edge.store.feed import Bite
from edge.store.intake import Intake
from export.errors import StoreError
from export.verdict import Outcome, Reason, Thresholds
from tests.edge.verdicts import verdict

DAY_MS = 86_400_000
NOON_MS = 1_790_000_000_000
TYPES = ("scratch", "dent", "stain")


def some_verdict(chance, seq):
    """Any verdict: its outcome follows its score, and now and then nobody could judge."""
    score = chance.random() ** 3
    outcome = Outcome.PASS if score < 0.3 else Outcome.FAIL if score > 0.6 else Outcome.REVIEW
    reason = {
        Outcome.PASS: Reason.BELOW_PASS,
        Outcome.FAIL: Reason.ABOVE_FAIL,
        Outcome.REVIEW: Reason.IN_REVIEW_BAND,
    }[outcome]
    at_ms = NOON_MS + chance.randrange(DAY_MS) // 1000 * 1000
    shares = dict(
        zip(TYPES, chance.sample([score * 0.7, score * 0.2, score * 0.1], 3), strict=True)
    )
    fields = {
        "score": score,
        "probabilities": {"good": 1 - score, **shares},
        "thresholds": Thresholds(pass_below=0.3, fail_above=0.6),
    }
    if chance.random() < 0.05:
        outcome, reason, fields = Outcome.FAIL, Reason.LATE, {"score": None}
    camera = chance.choice(["top", "side"])
    return verdict(
        7, seq, camera, outcome=outcome, reason=reason, part=f"{chance.choice('ABC')}-{seq:04}",
        captured_at=iso(at_ms), **fields,
    )  # fmt: skip


def iso(at_ms):
    """Milliseconds since 1970 as RFC 3339."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat().replace("+00:00", "Z")


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """(a reading connection, 2,000 verdicts)."""
    path = tmp_path_factory.mktemp("search") / "v.db"
    schema.prepare(path)
    chance, intake = random.Random(5), Intake(path)
    verdicts = [some_verdict(chance, seq) for seq in range(1, 2001)]
    intake.take(Bite(7, [(n, one.to_json()) for n, one in enumerate(verdicts, 1)]))
    intake.close()
    db = schema.reader(path)
    yield db, verdicts
    db.close()


def pages(db, wanted):
    """Every verdict found, page after page."""
    found, place = [], None
    while True:
        page = search.find(db, wanted, place)
        found += page.found
        if (place := page.next) is None:
            return found


def by_hand(verdicts, wanted):
    """What the search must find, by looking at each verdict."""
    percent = (wanted.percent_from or 0, 100 if wanted.percent_to is None else wanted.percent_to)
    asked = wanted.percent_from is not None or wanted.percent_to is not None
    return {
        one.seq
        for one in verdicts
        if (not wanted.cameras or one.camera in wanted.cameras)
        and (not wanted.outcomes or one.outcome in wanted.outcomes)
        and (not wanted.reasons or one.reason in wanted.reasons)
        and (not wanted.kinds or entry.kind(one) in wanted.kinds)
        and one.part.startswith(wanted.part)
        and wanted.since_ms <= entry.at_ms(one, 0) < wanted.until_ms
        and (not asked or percent[0] <= entry.percent(one.score) <= percent[1])
    }


SEARCHES = (
    search.Search(),
    search.Search(cameras=("top",)),
    search.Search(outcomes=("fail", "review")),
    search.Search(kinds=("dent",), percent_from=50),
    search.Search(percent_from=30, percent_to=40, cameras=("side",)),
    search.Search(percent_to=3),
    search.Search(part="A-01"),
    search.Search(part="B", outcomes=("fail",)),
    search.Search(part="A-0007' OR 1=1 --"),
    search.Search(reasons=("no_result_before_the_deadline",)),
    search.Search(since_ms=NOON_MS + DAY_MS // 2, until_ms=NOON_MS + DAY_MS * 3 // 4),
    search.Search(kinds=("no such type",)),
)


@pytest.mark.parametrize("wanted", SEARCHES, ids=range(len(SEARCHES)))
@pytest.mark.parametrize("road", ["as it likes", "back along the time"])
def test_a_search_finds_what_looking_at_each_verdict_finds(filled, monkeypatch, wanted, road):
    """All of it, nothing else, none twice, newest first, over all pages and by every way."""
    if road == "back along the time":
        monkeypatch.setattr(search, "CELLS", -1)
        monkeypatch.setattr(search, "NAMESAKES", -1)
        monkeypatch.setattr(search, "STEPS", 400)
    db, verdicts = filled
    found = pages(db, wanted)
    assert {one.verdict.seq for one in found} == by_hand(verdicts, wanted)
    assert len({one.id for one in found}) == len(found)
    assert [one.at_ms for one in found] == sorted((one.at_ms for one in found), reverse=True)


def test_one_verdict_is_found_by_its_key(filled):
    """The body is the one that was published."""
    db, verdicts = filled
    told = verdicts[41]
    assert search.one(db, *told.key).verdict == told
    assert search.one(db, "top", 8, 1) is None
    assert search.newest(db, 1)[0].verdict == verdicts[-1]
    last = [one for one in verdicts if one.camera == "side"][-1]
    assert search.last_of(db, "side").verdict == last


def test_counts_by_quarter_hours_add_up_to_the_verdicts(filled):
    """In total, by outcome, by type and by camera, over a whole day or an hour of it."""
    db, verdicts = filled
    hour = tally.Span(NOON_MS // DAY_MS * DAY_MS + DAY_MS, NOON_MS // DAY_MS * DAY_MS + DAY_MS * 2)
    within = [one for one in verdicts if hour.since_ms <= entry.at_ms(one, 0) < hour.until_ms]
    assert within
    rows = tally.by_mark(db, hour)
    assert tally.outcomes(rows).total() == len(within)
    dents = sum(row.n for row in rows if row.kind == "dent")
    assert dents == sum(entry.kind(one) == "dent" for one in within)
    top = tally.by_time(db, hour, 4, "top")
    assert sum(group.parts for group in top) == sum(one.camera == "top" for one in within)
    rejected = sum(one.outcome != "pass" for one in within if one.camera == "top")
    assert sum(group.rejects for group in top) == rejected
    assert tally.cameras(db) == ["side", "top"]
    assert tally.kinds(db) == sorted(TYPES)


def test_a_parquet_file_holds_every_field(filled, tmp_path):
    """Rows in the order in which they were taken in, with types that other tools know."""
    db, verdicts = filled
    told = []
    span = tally.Span(0, 2**45)
    assert parquet.write(db, tmp_path / "v.parquet", span, told.append) == 2000
    rows = pq.read_table(tmp_path / "v.parquet").to_pylist()
    assert [row["seq"] for row in rows] == [one.seq for one in verdicts]
    for row, one in zip(rows, verdicts, strict=True):
        assert row["part"] == one.part
        assert row["score"] == one.score
        assert dict(row["probabilities"]) == one.probabilities
        assert round(row["captured_at"].timestamp() * 1000) == entry.at_ms(one, 0)
    assert told == [2000]
    with pytest.raises(StoreError, match="can't be written"):
        parquet.write(db, tmp_path / "nowhere" / "v.parquet", span)


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"outcome": "pass", "probabilities": {"good": 0.9, "dent": 0.1}}, ""),
        ({"outcome": "fail", "reason": Reason.ABOVE_FAIL,
          "probabilities": {"Good": 0.5, "dent": 0.2, "stain": 0.3}}, "stain"),
        ({"outcome": "fail", "reason": Reason.LATE, "probabilities": {"dent": 1.0}}, ""),
        ({"outcome": "review", "reason": Reason.NOVEL, "probabilities": {"dent": 1.0}}, ""),
    ],
)  # fmt: skip
def test_a_type_is_named_only_where_the_model_names_one(fields, kind):
    """The likeliest defect of a part that didn't pass; nothing for what nobody could judge."""
    assert entry.kind(verdict(1, 1, **fields)) == kind


def test_a_time_that_makes_no_sense_is_when_it_was_read():
    """A verdict that the store was handed is never refused for its label of time."""
    odd = verdict(1, 1).model_copy(update={"captured_at": "yesterday", "decided_at": "soon"})
    assert entry.at_ms(odd, 42) == 42
    assert entry.at_ms(verdict(1, 1, captured_at="1970-01-01T00:00:01.5Z"), 42) == 1500


@pytest.mark.parametrize(
    ("score", "percent"), [(None, -1), (0.0, 0), (0.29, 29), (0.57, 57), (0.999, 99), (1.0, 100)]
)
def test_percent_is_rounded_down(score, percent):
    """57 % is 57 in every way of writing it."""
    assert entry.percent(score) == percent
