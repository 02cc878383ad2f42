"""What the plant may order over MQTT: judge a part now, keep a part's picture.

Reads the payload strictly and raises ValueError for anything that can't be done, so that it is
rejected and counted. Knows no broker.
"""

from collections import deque
from collections.abc import Mapping

from edge.flagged.keeper import Keeper
from edge.inspection.lane import Lane
from edge.messages import Flag, Trigger, read

REMEMBERED = 1000  # ids of messages: a publisher that repeats one does so soon


class Orders:
    """Carries orders out; for one thread.

    Args:
        lanes: by camera.
        keeper: of samples, if any are kept.
    """

    def __init__(self, lanes: Mapping[str, Lane], keeper: Keeper | None) -> None:
        self._lanes, self._keeper = lanes, keeper
        self._done: deque[tuple[str, str]] = deque(maxlen=REMEMBERED)

    def trigger(self, payload: bytes) -> None:
        """A part stands before a camera; the same message again changes nothing."""
        order = read(Trigger, payload)
        lane = self._lanes.get(order.camera)
        if lane is None or not lane.takes_orders:
            raise ValueError(f"no camera {order.camera!r} has the trigger 'command'")
        message = (order.camera, order.id)  # one part may be announced to several cameras
        if order.id and message in self._done:
            return
        if order.id:
            self._done.append(message)
        lane.order(order.part)

    def flag(self, payload: bytes) -> None:
        """Somebody pressed: keep a part's picture."""
        asked = read(Flag, payload)
        if asked.camera not in self._lanes:
            raise ValueError(f"there is no camera {asked.camera!r}")
        if self._keeper is None:
            raise ValueError("no samples are kept here: [samples] keep_gb is 0")
        if not self._keeper.flag(asked.camera, asked.epoch, asked.seq, asked.part):
            what = asked.part or asked.seq or "the newest part"
            raise ValueError(f"{what} of {asked.camera!r} is no longer in memory")
