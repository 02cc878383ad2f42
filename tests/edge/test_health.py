import threading

from edge.health import Health


def test_a_fault_stands_until_it_is_cleared_and_is_news_once():
    """Raised again it is no news; cleared it is gone; each place keeps its own."""
    health = Health(("a",))
    assert health.raise_fault("camera a", "capture", "gone")
    assert not health.raise_fault("camera a", "capture", "still gone")
    assert health.raise_fault("camera b", "capture", "gone too")
    assert health.standing() == ("camera a: still gone", "camera b: gone too")
    assert health.clear_fault("camera a", "capture")
    assert not health.clear_fault("camera a", "capture")
    assert health.standing() == ("camera b: gone too",)


def test_counts_from_many_threads_add_up():
    """No count is lost between threads."""
    health = Health(("a",))

    def work():
        for _ in range(500):
            health.frame("a", 1)
            health.trigger("a")
            health.verdict("a", "pass")
            health.overwritten("a", 2)
            health.count_fault("a", "late")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = health.counts("a")
    assert (counts.frames, counts.triggers, counts.verdicts) == (2000, 2000, 2000)
    assert (counts.overwritten, counts.outcomes, counts.faults) == (
        4000,
        {"pass": 2000},
        {"late": 2000},
    )


def test_what_was_counted_does_not_change_afterwards():
    """A report is a picture of one moment."""
    health = Health(("a",))
    before = health.counts("a")
    health.verdict("a", "fail")
    health.count_fault("a", "late")
    assert (before.verdicts, before.outcomes, before.faults) == (0, {}, {})
