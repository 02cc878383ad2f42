"""The outbox: every verdict on disk before anyone hears of it, and kept after they have.

`outbox` is the door (memory in front, one writer thread), `store` the SQLite file behind it,
`schema` its tables and what to do with a damaged file. None of them knows MQTT.
"""

from edge.outbox.outbox import Outbox, OutboxSettings
from edge.outbox.store import Row

OUTBOX_FILE = "outbox.db"  # in the folder of the box's record

__all__ = ["OUTBOX_FILE", "Outbox", "OutboxSettings", "Row"]
