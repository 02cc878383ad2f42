"""The service's life: both doors opened, kept open until the process is told to end."""

import signal
import threading
from types import FrameType

from edge.catalog.counter import Counter
from edge.catalog.desk import Desk
from edge.catalog.post import Post
from edge.mqtt.address import BrokerSettings, BrokerUrl
from edge.topics import Topics
from export.errors import ConfigError


def open_post(broker: str, prefix: str, desk: Desk) -> Post:
    """The post at a broker; raises ConfigError if the address or the prefix can't be used."""
    try:
        topics = Topics(prefix)
    except ValueError as error:
        raise ConfigError(f"--prefix {prefix!r}: {error}", "such as acme/plant1/shop") from error
    return Post(BrokerSettings(BrokerUrl.parse(broker)), topics, desk)


def until_told(counter: Counter, post: Post | None) -> None:
    """Serve until SIGTERM or SIGINT, then end in order."""
    told = threading.Event()

    def tell(_number: int, _frame: FrameType | None) -> None:
        told.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, tell)
    counter.start()
    if post is not None:
        post.start()
    told.wait()
    counter.stop()
    if post is not None:
        post.stop()
