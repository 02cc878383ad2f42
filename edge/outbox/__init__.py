"""The outbox: every verdict on disk before anyone hears of it, and kept after they have.

`outbox` is the door (memory in front, one writer thread), `store` the SQLite file behind it,
`schema` its tables and what to do with a damaged file. None of them knows MQTT.
"""

from edge.outbox.outbox import Outbox, OutboxSettings
from edge.outbox.store import Row

__all__ = ["Outbox", "OutboxSettings", "Row"]
