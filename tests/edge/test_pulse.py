from edge.pulse import Pulse


class Clock:
    """One that is moved by hand."""

    now_ns = 0

    def __call__(self):
        return self.now_ns

    def pass_s(self, seconds):
        self.now_ns += round(seconds * 1e9)


def test_a_stage_that_falls_silent_is_named():
    """Each within its own limit; whoever moves again is well again."""
    clock = Clock()
    pulse = Pulse(clock)
    quick, slow = pulse.stage("inspector", 2.0), pulse.stage("outbox", 30.0)
    clock.pass_s(10)
    assert pulse.still() == ("inspector has not moved for 10 s",)
    quick()
    assert pulse.still() == ()
    clock.pass_s(31)
    slow()
    assert pulse.still() == ("inspector has not moved for 31 s",)


def test_a_stage_that_has_ended_need_not_move():
    """A played source comes to its end; that is no fault."""
    clock = Clock()
    pulse = Pulse(clock)
    pulse.stage("lane top", 2.0).rest()
    clock.pass_s(1000)
    assert pulse.still() == ()
    assert pulse.idle_s() == {"lane top": 0.0}
