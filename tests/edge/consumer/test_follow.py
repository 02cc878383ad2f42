"""Laws of the follower: whatever the network does, each verdict comes out once and in order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.consumer import follow
from edge.consumer.ask import AGAIN_S, PATIENCE, ROWS, SETTLE_S, Asker
from edge.consumer.follow import Follower, Gap, Position
from edge.messages import CameraReport, Health, OutboxReport
from tests.edge.verdicts import verdict


def health(newest, oldest=1, *, epoch=1, depth=0, at="now", camera="cam"):
    """What a box says that keeps `oldest` to `newest` of one camera."""
    return Health(
        at=at,
        boots=1,
        epoch=epoch,
        cameras={camera: CameraReport(oldest=oldest, newest=newest)},
        outbox=OutboxReport(depth=depth, waiting_in_memory=0, quarantined=0, bytes=0),
    )


@st.composite
def arrivals(draw):
    """How many verdicts each of two cameras made, and what of them arrives, in any order."""
    counts = draw(st.lists(st.integers(1, 15), min_size=1, max_size=2))
    every = [(f"cam{n}", seq) for n, count in enumerate(counts) for seq in range(1, count + 1)]
    arriving = draw(st.lists(st.sampled_from(every), max_size=40))
    return dict(enumerate(counts)), arriving


@given(arrivals())
def test_any_permutation_with_duplicates_and_losses_comes_out_in_order(drawn):
    """What arrives in any order, twice or never, is exact after the gaps were sent again."""
    counts, arriving = drawn
    follower = Follower(from_start=True)
    out = [v for camera, seq in arriving for v in follower.take(verdict(1, seq, camera))]
    for n, count in counts.items():
        out += follower.heads(health(count, camera=f"cam{n}"))
    for gap in follower.gaps():
        for seq in reversed(range(gap.first, gap.last + 1)):
            out += follower.take(verdict(1, seq, gap.camera, replay=True))
    for n, count in counts.items():
        assert [v.seq for v in out if v.camera == f"cam{n}"] == list(range(1, count + 1))
    assert follower.gaps() == []
    assert (follower.counts.conflicts, follower.counts.lost) == (0, 0)
    assert follower.counts.duplicates == len(arriving) - len(set(arriving))


@given(st.sets(st.integers(1, 40)), st.integers(1, 41))
def test_what_the_box_no_longer_keeps_is_reported_lost(arriving, oldest):
    """Delivered, lost and still missing verdicts together are all verdicts, each once."""
    follower = Follower(from_start=True)
    out = [v.seq for seq in arriving for v in follower.take(verdict(1, seq))]
    out += [v.seq for v in follower.heads(health(40, oldest))]
    lost = [s for one in follower.lost for s in range(one.gap.first, one.gap.last + 1)]
    missing = [s for gap in follower.gaps() for s in range(gap.first, gap.last + 1)]
    waiting = [s for s in arriving if s not in out]
    assert sorted([*out, *lost, *missing, *waiting]) == list(range(1, 41))
    assert out == sorted(out)
    assert set(lost) == set(range(1, oldest)) - set(arriving)
    assert follower.counts.lost == len(lost)


def test_a_missing_tail_is_seen_by_the_heads():
    """The last verdicts before a silence are asked for, unless the box is still sending them."""
    follower = Follower(from_start=True)
    follower.take(verdict(1, 1))
    follower.heads(health(5, depth=4))
    assert follower.gaps() == []
    follower.heads(health(5, depth=1))
    assert follower.gaps() == [Gap("cam", 1, 2, 4)]


def test_the_same_key_with_another_body_is_a_conflict():
    """A duplicate differing in anything but `replay` is reported, before and after delivery."""
    follower = Follower(from_start=True)
    follower.take(verdict(1, 1))
    follower.take(verdict(1, 1, replay=True))
    follower.take(verdict(1, 3))
    follower.take(verdict(1, 3, replay=True))
    assert follower.conflicts == []
    follower.take(verdict(1, 1, score=0.9))
    follower.take(verdict(1, 3, part="another"))
    assert follower.conflicts == [("cam", 1, 1), ("cam", 1, 3)]


def test_a_follower_begins_with_what_arrives_and_not_with_anothers_replay():
    """Without from_start the first live verdict sets the start."""
    follower = Follower()
    assert follower.take(verdict(1, 3, replay=True)) == []
    assert [v.seq for v in follower.take(verdict(1, 7))] == [7]
    assert follower.gaps() == []


def test_a_restarted_follower_goes_on_where_it_stood():
    """With its positions nothing comes twice, and what was missed meanwhile is missing."""
    before = Follower(from_start=True)
    for seq in (1, 2, 3):
        before.take(verdict(1, seq))
    after = Follower(positions=before.positions())
    assert after.positions() == {"cam": Position(1, 4)}
    assert after.take(verdict(1, 2)) == []
    after.take(verdict(1, 6))
    assert after.gaps() == [Gap("cam", 1, 4, 5)]


def test_a_new_epoch_starts_at_one_and_reports_what_was_missing_of_the_old():
    """A lost record is a new epoch: the old one's gaps are lost, its late verdicts are stale."""
    follower = Follower(from_start=True)
    follower.take(verdict(1, 1))
    follower.take(verdict(1, 3))
    assert follower.take(verdict(2, 1)) == []
    out = follower.confirm(2)
    assert [v.key for v in out] == [("cam", 1, 3), ("cam", 2, 1)]
    assert [one.gap for one in follower.lost] == [Gap("cam", 1, 2, 2)]
    assert follower.take(verdict(1, 2)) == []
    assert follower.counts.stale == 1


def test_a_forged_verdict_of_a_later_epoch_changes_nothing():
    """An epoch that the box doesn't confirm delivers nothing, hides nothing and is counted."""
    follower = Follower(from_start=True)
    follower.take(verdict(5, 1))
    assert follower.take(verdict(99, 1)) == []
    assert follower.positions()["cam"] == Position(5, 2)
    assert [v.seq for v in follower.take(verdict(5, 2))] == [2]
    assert follower.unconfirmed == 1
    assert follower.heads(health(2, epoch=5)) == []
    assert (follower.unconfirmed, follower.counts.stale, follower.counts.lost) == (0, 1, 0)


def test_strays_are_held_only_up_to_a_limit(monkeypatch):
    """A flood of unknown epochs is counted, not stored."""
    monkeypatch.setattr(follow, "HELD", 10)
    follower = Follower(from_start=True)
    follower.take(verdict(5, 1))
    for seq in range(1, 31):
        follower.take(verdict(99, seq))
    assert (follower.unconfirmed, follower.counts.postponed) == (10, 20)


def test_an_earlier_epoch_is_believed_only_when_the_box_repeats_it():
    """One old retained Health doesn't turn the line back; a box whose clock went back does."""
    follower = Follower(from_start=True)
    follower.take(verdict(9, 1))
    follower.heads(health(5, epoch=3, at="a"))
    follower.heads(health(5, epoch=3, at="a"))
    assert follower.positions()["cam"].epoch == 9
    follower.heads(health(5, epoch=3, at="b"))
    assert follower.positions()["cam"] == Position(3, 1)


def test_give_up_goes_on_behind_the_gap():
    """Giving a gap up delivers what waited behind it."""
    follower = Follower(from_start=True)
    follower.take(verdict(1, 2))
    assert [v.seq for v in follower.give_up(follower.gaps()[0], "why")] == [2]
    assert follower.counts.lost == 1
    assert follower.give_up(Gap("cam", 1, 1, 1), "again") == []


@pytest.mark.parametrize("gaps", [[Gap("a", 1, 1, 5)], [Gap("a", 1, 1, 2), Gap("b", 1, 4, 9)]])
def test_a_gap_gets_a_moment_then_a_request_then_a_pause(gaps):
    """Requests are paced: not at once, not again before the pause is over."""
    asker = Asker()
    assert asker.due(gaps, 0.0) == []
    first = asker.due(gaps, SETTLE_S)
    assert [(r.camera, r.first, r.last) for r in first] == [
        (g.camera, g.first, g.last) for g in gaps
    ]
    assert asker.due(gaps, SETTLE_S + AGAIN_S / 2) == []
    assert len(asker.due(gaps, SETTLE_S + AGAIN_S + 0.01)) == len(gaps)


def test_a_long_gap_is_asked_for_in_pieces():
    """The next piece follows as soon as the one before has come; progress restarts the pause."""
    asker = Asker()
    asker.due([Gap("a", 1, 1, 5000)], 0.0)
    (first,) = asker.due([Gap("a", 1, 1, 5000)], 1.0)
    assert first.last == ROWS
    assert asker.due([Gap("a", 1, 500, 5000)], 2.9) == []
    assert asker.due([Gap("a", 1, 600, 5000)], 4.8) == []
    (second,) = asker.due([Gap("a", 1, ROWS + 1, 5000)], 4.9)
    assert (second.first, second.last) == (ROWS + 1, 2 * ROWS)


def test_hopeless_is_what_was_asked_for_often_without_progress():
    """Patience ends only for the verdict that never came."""
    asker, gaps = Asker(), [Gap("a", 1, 1, 1), Gap("a", 1, 3, 3)]
    for tries in range(PATIENCE + 2):
        assert asker.hopeless(gaps, quarantine=True) == []
        asker.due(gaps, 10.0 * tries)
    assert asker.hopeless(gaps, quarantine=True) == [gaps[0]]
    assert asker.hopeless(gaps) == []  # the box may not have heard


def test_made_up_cameras_do_not_fill_the_memory():
    """Names come from whoever may publish: beyond many of them they are strays."""
    follower = Follower(from_start=True)
    for number in range(follow.CAMERAS + 50):
        follower.take(verdict(1, 1, f"cam{number}"))
        follower.heads(health(1, camera=f"other{number}"))
    assert len(follower.positions()) == follow.CAMERAS
    assert follower.counts.stale > 0
    assert [v.seq for v in follower.take(verdict(1, 2, "cam0"))] == [2]


def test_verdicts_far_ahead_wait_up_to_a_limit_over_all_cameras(monkeypatch):
    """What finds no room is put off, and asked for again."""
    monkeypatch.setattr(follow, "AHEAD", 20)
    follower = Follower(from_start=True)
    for seq in range(2, 40):
        follower.take(verdict(1, seq, f"cam{seq % 2}"))
    assert sum(len(line.ahead) for line in follower._lines.values()) <= 20
    assert follower.counts.postponed == 38 - 20
    assert follower.gaps()


def test_what_was_lost_is_told_once():
    """Whoever takes the list of lost verdicts has it; it does not grow for ever."""
    follower = Follower(from_start=True)
    follower.heads(health(40, 10))
    assert [one.gap for one in follower.take_lost()] == [Gap("cam", 1, 1, 9)]
    assert follower.take_lost() == []
