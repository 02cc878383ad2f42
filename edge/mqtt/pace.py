"""How much of a processor a backlog may take, so that the present finds the thread idle.

Work is followed by rest in proportion. Counts processor time, not the wall's: on a busy box the
rest would grow with the waiting. Knows no clock and no verdict.
"""


class Pace:
    """Rest after work.

    Args:
        share: of one processor, at most, over any time longer than one stretch of work.
    """

    def __init__(self, share: float) -> None:
        self._share = share
        self._rested_s = 0.0

    def worked(self, began_s: float, spent_s: float) -> None:
        """A stretch that began then took so much processor time."""
        self._rested_s = max(self._rested_s, began_s) + spent_s / self._share

    def rest_s(self, now_s: float) -> float:
        """How long to rest before more of the backlog goes; 0 if it may go now."""
        return max(0.0, self._rested_s - now_s)
