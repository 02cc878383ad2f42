"""The post: the desk over MQTT. Orders come on cmd/catalog, answers go out on catalog.

An order that comes while the desk is at work waits, a few of them; one more is answered at once,
with the problem. An answer is kept until the broker has acknowledged it, over any number of
connections. An order that was sent while nobody listened is lost: its sender gives it again.
"""

import hashlib
import queue
import threading
from collections import deque

import structlog

from edge.catalog.desk import Desk
from edge.messages import CatalogAnswer, CatalogOrder, read
from edge.mqtt.address import BrokerSettings
from edge.mqtt.pipe import Pipe, Publication
from edge.mqtt.standing import Standing
from edge.topics import Topics

WAITING = 8
STEP_S = 0.25


class Post:
    """Answers orders until `stop`.

    Args:
        settings: where the broker is.
        topics: the box's topics.
        desk: does the work.
    """

    def __init__(self, settings: BrokerSettings, topics: Topics, desk: Desk) -> None:
        self._topics, self._desk = topics, desk
        self._orders: queue.Queue[CatalogOrder | None] = queue.Queue(WAITING)
        self._answers: deque[CatalogAnswer] = deque()
        self._log = structlog.get_logger("catalog")
        self._line = Standing(
            settings, "post", lambda: Pipe(settings, _client_id(topics.prefix)),
            self._session, lambda why: self._log.warning("no broker", why=why),
        )  # fmt: skip
        self._worker = threading.Thread(target=self._work, name="desk", daemon=True)

    def start(self) -> None:
        """Start listening, whether or not there is a broker."""
        self._line.start()
        self._worker.start()

    def stop(self) -> None:
        """Finish the order at hand, and end."""
        self._line.ending.set()
        self._orders.put(None)
        if self._worker.ident is not None:
            self._worker.join()
        self._line.stop()

    def _work(self) -> None:
        while (order := self._orders.get()) is not None and not self._line.ending.is_set():
            try:
                told = self._desk.select(order)
            except Exception:  # noqa: BLE001 - outermost line of the desk's thread
                self._log.exception("no answer", order=order.id)
                told = CatalogAnswer(id=order.id, problem="see the log of the service")
            self._answers.append(told)
            self._line.bell.ring()

    def _session(self, pipe: Pipe) -> None:
        pipe.subscribe(self._topics("catalog_order"), retained=False)
        sent: int | None = None
        while not self._line.ending.is_set():
            pipe.step(STEP_S, self._line.bell)
            self._line.bell.hush()
            while pipe.messages:
                self._take(*pipe.messages.popleft())
            while pipe.acks:
                ack = pipe.acks.popleft()
                if ack.mid == sent:
                    if ack.failure:
                        self._log.error("answer refused by the broker", why=ack.failure)
                    self._answers.popleft()
                    sent = None
            if sent is None and self._answers:
                body = self._answers[0].model_dump_json().encode()
                sent = pipe.publish(Publication(self._topics("catalog"), body))

    def _take(self, topic: str, payload: bytes) -> None:
        if topic != self._topics("catalog_order"):
            return
        try:
            order = read(CatalogOrder, payload)
        except ValueError as error:
            self._log.warning("order not understood", why=str(error))
            self._answers.append(CatalogAnswer(id="", problem=str(error)[:500]))
            return
        try:
            self._orders.put_nowait(order)
        except queue.Full:
            self._answers.append(CatalogAnswer(id=order.id, problem="too many orders wait"))


def _client_id(prefix: str) -> str:
    return f"lw-catalog-{hashlib.sha256(prefix.encode()).hexdigest()[:11]}"
