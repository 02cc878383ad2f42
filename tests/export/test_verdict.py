"""A verdict survives the wire unchanged, fits into 8 KiB, and holds nothing unknown."""

import json

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from export.verdict import (
    MAX_BYTES,
    BundleRef,
    CameraHealth,
    Latency,
    Outcome,
    Reason,
    Thresholds,
    Verdict,
)

PROBABILITIES = st.floats(0, 1)
SCHEMA = jsonschema.Draft202012Validator(Verdict.model_json_schema())
MS = st.floats(0, 1e6)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=32)


@st.composite
def verdicts(draw: st.DrawFn) -> Verdict:
    """Any verdict."""
    low, high = sorted((draw(PROBABILITIES), draw(PROBABILITIES)))
    return Verdict(
        camera=draw(NAMES),
        epoch=draw(st.integers(0, 2**40)),
        seq=draw(st.integers(1, 2**53 - 1)),
        part=draw(NAMES),
        outcome=draw(st.sampled_from(Outcome)),
        reason=draw(st.sampled_from(Reason)),
        detail=draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=64)),
        score=draw(st.none() | PROBABILITIES),
        novelty=draw(st.none() | st.floats(-1e300, 1e300)),
        thresholds=draw(st.none() | st.just(Thresholds(pass_below=low, fail_above=high))),
        probabilities=draw(st.dictionaries(NAMES, PROBABILITIES, max_size=6)),
        bundle=draw(st.none() | st.just(BundleRef(name="b", version=1, digest="0" * 64))),
        frame=draw(st.integers(0, 2**53)),
        captured_at="2026-01-01T00:00:00.000000Z",
        decided_at="2026-01-01T00:00:00.000000Z",
        latency_ms=Latency(queue=draw(MS), preprocess=draw(MS), score=draw(MS), total=draw(MS)),
        health=CameraHealth(frame_age_ms=draw(MS), overwritten=0, reconnects=0),
        simulated=draw(st.booleans()),
        replay=draw(st.booleans()),
    )


def a_verdict(**changes: object) -> Verdict:
    """One plain verdict with `changes`."""
    plain = {
        "camera": "one", "epoch": 1, "seq": 1, "part": "p", "outcome": "pass",
        "reason": "score_below_pass_threshold", "frame": 0,
        "captured_at": "2026-01-01T00:00:00Z", "decided_at": "2026-01-01T00:00:00Z",
        "latency_ms": {"queue": 0, "preprocess": 0, "score": 0, "total": 0},
        "health": {"frame_age_ms": 0, "overwritten": 0, "reconnects": 0},
    }  # fmt: skip
    return Verdict.model_validate({**plain, **changes})


@given(verdicts())
def test_round_trip(verdict: Verdict):
    """Reading what was written gives the same verdict, every float to the last bit."""
    assert Verdict.from_json(verdict.to_json()) == verdict


@settings(max_examples=30, deadline=None)
@given(verdicts())
def test_the_wire_form_keeps_the_published_schema(verdict: Verdict):
    """What is sent is valid under the JSON Schema that is published."""
    SCHEMA.validate(json.loads(verdict.to_json()))


def test_larger_than_8_kib_is_refused():
    """A verdict is sent up to exactly 8192 bytes, and refused beyond."""
    plain = len(a_verdict(probabilities={"x": 0.5}).to_json())
    room = MAX_BYTES - plain + 1
    assert len(a_verdict(probabilities={"x" * room: 0.5}).to_json()) == MAX_BYTES
    with pytest.raises(ValueError, match="8193 bytes of 8192"):
        a_verdict(probabilities={"x" * (room + 1): 0.5}).to_json()


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": 2},
        {"surprise": 1},
        {"seq": 0},
        {"epoch": -1},
        {"camera": ""},
        {"part": "x" * 129},
        {"outcome": "maybe"},
        {"score": 1.5},
        {"score": float("nan")},
        {"novelty": float("inf")},
        {"probabilities": {"x": -0.1}},
        {"thresholds": {"pass_below": 0.6, "fail_above": 0.5}},
        {"latency_ms": {"queue": -1, "preprocess": 0, "score": 0, "total": 0}},
        {"decided_at": "soon"},
        {"captured_at": ""},
        {"captured_at": "2026-02-30T00:00:00Z"},
        {"captured_at": "2026-01-01T00:00:00"},
        {"captured_at": "2026-01-01T00:00:00Z\n"},
        {"captured_at": "0000-01-01T00:00:00Z"},
    ],
)
def test_what_is_not_a_verdict_is_refused(change: dict[str, object]):
    """Unknown fields, other versions, and values out of range are refused."""
    with pytest.raises(ValidationError):
        a_verdict(**change)


def test_no_text_holds_what_no_database_does():
    """U+0000 becomes U+FFFD, also in what an older box has stored: no verdict is lost over it."""
    older = a_verdict(part="bolt?", detail="?", probabilities={"d?nt": 1.0}).to_json()
    read = Verdict.from_json(older.replace(b"?", b"\\u0000"))
    assert (read.part, read.detail) == ("bolt\ufffd", "\ufffd")
    assert list(read.probabilities) == ["d\ufffdnt"]
    assert a_verdict(part="bolt\0") == a_verdict(part="bolt\ufffd")
    assert b"u0000" not in read.to_json()
    assert Verdict.from_json(older.replace(b"?", b"\\n")).part == "bolt\n"


def test_immutable_and_keyed():
    """A verdict can't be changed, and its key is (camera, epoch, seq)."""
    verdict = a_verdict(seq=7)
    assert verdict.key == ("one", 1, 7)
    with pytest.raises(ValidationError):
        verdict.seq = 8


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(body: bytes):
    """Whatever arrives is a verdict or a ValueError."""
    with pytest.raises(ValueError):  # noqa: PT011 - the contract names no message
        Verdict.from_json(body)


@pytest.mark.parametrize(
    ("before", "after"),
    [('"seq":1', '"seq":"1"'), ('"seq":1', '"seq":1.0'), ('"replay":false', '"replay":0'),
     ('"schema_version":1', '"schema_version":true'), ('"simulated":false', '"simulated":"no"')],
)  # fmt: skip
def test_values_of_another_type_are_refused(before, after):
    """What the published schema refuses, the reader refuses: it guesses no types."""
    body = a_verdict().to_json().decode()
    assert before in body
    with pytest.raises(ValueError, match=r"valid|number"):
        Verdict.from_json(body.replace(before, after, 1))


def test_a_longer_document_than_a_verdict_may_be_is_not_read():
    """Blanks make no verdict longer than 8 KiB."""
    body = a_verdict().to_json()
    assert Verdict.from_json(body[:1] + b" " * (8192 - len(body)) + body[1:]) == a_verdict()
    with pytest.raises(ValueError, match="at most 8192"):
        Verdict.from_json(body[:1] + b" " * (8193 - len(body)) + body[1:])
