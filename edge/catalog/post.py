"""The post: the desk over MQTT. Orders come on cmd/catalog, answers go out on catalog.

An order that comes while the desk is at work waits, a few of them; one more is answered at once,
with the problem. An answer that is longer than the broker takes says how many chosen pictures it
leaves out. An order that was sent while nobody listened is lost: its sender gives it again.
"""

import hashlib

from edge.catalog.desk import Desk
from edge.messages import CatalogAnswer, CatalogOrder, id_of, read
from edge.mqtt.address import BrokerSettings
from edge.mqtt.answering import Answering, Why
from edge.topics import Topics

WORDS = {
    Why.BUSY: "too many orders wait",
    Why.FAILED: "see the log of the service",
    Why.UNSENDABLE: "the broker does not take the answer; the choice stands in the result's files",
}


class Orders:
    """The desk's trade; an order that is given twice is carried out twice."""

    requests, answers = "catalog_order", "catalog"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def read(self, payload: bytes) -> CatalogOrder:
        """An order; raises ValueError if it is none."""
        return read(CatalogOrder, payload)

    def identity(self, asked: CatalogOrder) -> str:  # noqa: ARG002 - none: what was looked at is kept
        """No order is known by its id."""
        return ""

    def answer(self, asked: CatalogOrder) -> CatalogAnswer:
        """Choose."""
        return self._desk.select(asked)

    def refuse(self, asked: CatalogOrder, why: Why) -> CatalogAnswer:
        """The problem."""
        return CatalogAnswer(id=asked.id, problem=WORDS[why])

    def misread(self, payload: bytes, why: str) -> CatalogAnswer:
        """The problem, with the id if it has one."""
        return CatalogAnswer(id=id_of(payload), problem=why[:500])

    def fit(self, told: CatalogAnswer, most_bytes: int) -> bytes | None:
        """As many chosen pictures as there is room for, and how many are left out."""
        room = most_bytes - len(_without(told, len(told.chosen)))
        kept = 0
        for one in told.chosen:
            room -= len(one.model_dump_json().encode()) + 1
            if room < 0:
                break
            kept += 1
        body = _without(told, len(told.chosen) - kept)
        return body if len(body) <= most_bytes else None


class Post(Answering[CatalogOrder, CatalogAnswer]):
    """The desk at a broker; `settings`, `topics` and `desk` are where it is and who does the work.

    Its client id is the same at each start: a second service of one prefix is noticed.
    """

    def __init__(self, settings: BrokerSettings, topics: Topics, desk: Desk) -> None:
        name = f"lw-catalog-{hashlib.sha256(topics.prefix.encode()).hexdigest()[:11]}"
        super().__init__(settings, topics, Orders(desk), lambda: name)


def _without(told: CatalogAnswer, left_out: int) -> bytes:
    """The answer's payload without the last `left_out` chosen pictures."""
    kept = told.chosen[: len(told.chosen) - left_out]
    cut = {"chosen": kept, "more": told.more + left_out}
    return told.model_copy(update=cut).model_dump_json().encode()
