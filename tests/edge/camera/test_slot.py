import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.camera.slot import Slot


@given(st.lists(st.sampled_from(["put", "take"]), max_size=60))
def test_what_is_taken_is_never_older_than_before_and_the_count_adds_up(steps):
    """Newest wins: taken items only get newer, and put = taken + overwritten + still there."""
    slot = Slot[int]()
    put, taken = 0, []
    for step in steps:
        if step == "put":
            put += 1
            assert slot.put(put)
        elif (item := slot.take(0)) is not None:
            taken.append(item)
    assert taken == sorted(set(taken))
    left = 0 if slot.take(0) is None else 1
    assert put == len(taken) + slot.overwritten + left


@given(st.integers(0, 200))
def test_a_lossless_slot_hands_over_everything_in_order(count):
    """The producer waits instead of overwriting."""
    slot = Slot[int](lossless=True)

    def produce() -> None:
        for item in range(count):
            slot.put(item)
        slot.close()

    thread = threading.Thread(target=produce)
    thread.start()
    taken = []
    while not slot.finished:
        if (item := slot.take(1)) is not None:
            taken.append(item)
    thread.join()
    assert taken == list(range(count))
    assert slot.overwritten == 0


def test_a_closed_slot_takes_nothing_but_gives_what_it_has():
    """The last item is still there after the end."""
    slot = Slot[int]()
    slot.put(1)
    slot.close()
    assert not slot.put(2)
    assert not slot.finished
    assert slot.take(0) == 1
    assert slot.finished


@pytest.mark.timeout(5)
def test_closing_frees_a_waiting_producer_and_a_waiting_consumer():
    """Nobody is left waiting for ever."""
    full, empty = Slot[int](lossless=True), Slot[int]()
    full.put(1)
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(full.put(2))),
        threading.Thread(target=lambda: answers.append(empty.take(60))),
    ]
    for thread in threads:
        thread.start()
    full.close()
    empty.close()
    for thread in threads:
        thread.join()
    assert sorted(answers, key=str) == [False, None]
