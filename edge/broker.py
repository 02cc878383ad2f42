"""The broker's thread: connects, hands the outbox's rows on, reconnects."""

from collections.abc import Callable

from edge.broker_url import BrokerSettings
from edge.messages import Health
from edge.outbox import Outbox
from edge.topics import Topics


class Broker:
    """Publishes the outbox, the state and the health of one box, and answers replay requests.

    Args:
        settings: where the broker is.
        topics: the box's topics.
        outbox: an opened outbox; the caller closes it after `stop`.
        health: called once a second in the broker's thread; must be quick and not raise.
        version: what the birth message says about the program.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        topics: Topics,
        outbox: Outbox,
        health: Callable[[], Health],
        version: str = "",
    ) -> None:
        raise NotImplementedError

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted us and answers."""
        raise NotImplementedError

    def faults(self) -> tuple[str, ...]:
        """What is wrong between us and the broker; empty when all is well."""
        raise NotImplementedError

    def start(self) -> None:
        """Start the thread; returns at once, whether or not there is a broker."""
        raise NotImplementedError

    def stop(self, timeout_s: float = 5.0) -> None:
        """Send what is stored if that can be done in time, say goodbye (clean) and end."""
        raise NotImplementedError
