"""The payload of Sparkplug B (specification 3.0, 6.4), encoded by Google's protobuf library.

Declares the fields that an edge node sends and understands, by the numbers that the specification
publishes; what else may stand in a payload is skipped. The tests decode by code compiled from
Eclipse Tahu's own sparkplug_b.proto. Knows no broker.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from edge.gateway.tags import Kind, Value
from export.errors import ConfigError

MAX_BYTES = 65_536


class DataType(IntEnum):
    """Of a metric: those that are used here."""

    INT64 = 4
    UINT64 = 8
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12
    DATE_TIME = 13


TYPES: Mapping[Kind, DataType] = {
    Kind.TEXT: DataType.STRING,
    Kind.REAL: DataType.DOUBLE,
    Kind.COUNT: DataType.UINT64,
    Kind.FLAG: DataType.BOOLEAN,
    Kind.TIME: DataType.DATE_TIME,
}
_FIELD = {
    DataType.INT64: "long_value",
    DataType.UINT64: "long_value",
    DataType.DOUBLE: "double_value",
    DataType.BOOLEAN: "boolean_value",
    DataType.STRING: "string_value",
    DataType.DATE_TIME: "long_value",
}
# (name, number, protobuf's type, whether it is one of `value`)
_UINT64, _UINT32, _BOOL, _STRING, _DOUBLE, _FLOAT, _MESSAGE = 4, 13, 8, 9, 1, 2, 11
_METRIC = (
    ("name", 1, _STRING, False),
    ("alias", 2, _UINT64, False),
    ("timestamp", 3, _UINT64, False),
    ("datatype", 4, _UINT32, False),
    ("is_historical", 5, _BOOL, False),
    ("is_null", 7, _BOOL, False),
    ("int_value", 10, _UINT32, True),
    ("long_value", 11, _UINT64, True),
    ("float_value", 12, _FLOAT, True),
    ("double_value", 13, _DOUBLE, True),
    ("boolean_value", 14, _BOOL, True),
    ("string_value", 15, _STRING, True),
)


@dataclass(frozen=True, slots=True)
class Metric:
    """One value: `at_ms` since 1970, `historical` if a newer one was told before it."""

    name: str
    datatype: DataType
    value: Value
    at_ms: int
    historical: bool = False


class Codec:
    """Encodes and decodes; raises ConfigError where protobuf isn't installed."""

    def __init__(self) -> None:
        self._payload = _payload_class()

    def encode(self, metrics: Iterable[Metric], at_ms: int, seq: int | None) -> bytes:
        """A payload; an NDEATH alone has no `seq`."""
        payload = self._payload()
        payload.timestamp = at_ms
        if seq is not None:
            payload.seq = seq
        for metric in metrics:
            told = payload.metrics.add()
            told.name, told.timestamp = metric.name, metric.at_ms
            told.datatype = int(metric.datatype)
            if metric.historical:
                told.is_historical = True
            if metric.value is None:
                told.is_null = True
            else:
                setattr(told, _FIELD[metric.datatype], _plain(metric.value))
        return payload.SerializeToString()

    def orders(self, body: bytes) -> dict[str, bool]:
        """{name: value} of a command's boolean metrics; raises ValueError if it is no payload."""
        if len(body) > MAX_BYTES:
            raise ValueError(f"a command of {len(body)} bytes; at most {MAX_BYTES} are read")
        payload = self._payload()
        try:
            payload.ParseFromString(body)
        except Exception as error:
            raise ValueError(f"it is no Sparkplug payload: {error}") from error
        flags = (one for one in payload.metrics if one.WhichOneof("value") == "boolean_value")
        return {one.name: one.boolean_value for one in flags}


def _plain(value: Value) -> str | float | int | bool:
    assert value is not None
    return round(value.timestamp() * 1000) if isinstance(value, datetime) else value


def _payload_class() -> Any:
    """A class for the message, in a pool of its own: others may have the official one loaded."""
    try:
        from google.protobuf import (  # noqa: PLC0415 - an extra
            descriptor_pb2,
            descriptor_pool,
            message_factory,
        )
    except ImportError as error:
        raise ConfigError(
            "Sparkplug B needs the package protobuf", "pip install 'linewarden[sparkplug]'"
        ) from error
    file: Any = descriptor_pb2.FileDescriptorProto(
        name="linewarden_sparkplug.proto", package="linewarden", syntax="proto2"
    )
    metric = file.message_type.add(name="Metric")
    metric.oneof_decl.add(name="value")
    for name, number, kind, chosen in _METRIC:
        told = metric.field.add(name=name, number=number, type=kind, label=1)
        if chosen:
            told.oneof_index = 0
    payload = file.message_type.add(name="Payload")
    payload.field.add(name="timestamp", number=1, type=_UINT64, label=1)
    payload.field.add(
        name="metrics", number=2, type=_MESSAGE, label=3, type_name=".linewarden.Metric"
    )
    payload.field.add(name="seq", number=3, type=_UINT64, label=1)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("linewarden.Payload"))
