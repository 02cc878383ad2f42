"""Eclipse Tahu's own protobuf classes, compiled, from a PyPI package that carries them.

`pip install --no-deps pysparkplug==0.6.1`: without what it depends on, which wants an old paho.
"""

import importlib.util
import sys
from pathlib import Path

import pytest


def payload_class():
    """`org.eclipse.tahu.protobuf.Payload`; skips the test where the package isn't installed."""
    found = importlib.util.find_spec("pysparkplug")
    if found is None or not found.submodule_search_locations:
        pytest.skip("needs Tahu's classes: pip install --no-deps pysparkplug==0.6.1")
    if "tahu_sparkplug_b_pb2" not in sys.modules:
        path = Path(found.submodule_search_locations[0]) / "_protobuf" / "sparkplug_b_pb2.py"
        spec = importlib.util.spec_from_file_location("tahu_sparkplug_b_pb2", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules["tahu_sparkplug_b_pb2"] = module
    made = sys.modules["tahu_sparkplug_b_pb2"].Payload
    assert made.DESCRIPTOR.full_name == "org.eclipse.tahu.protobuf.Payload"
    return made


def decoded(body):
    """(seq or None, {metric name: (datatype, value, historical)}) by the official classes."""
    payload = payload_class().FromString(body)
    metrics = {}
    for one in payload.metrics:
        which = one.WhichOneof("value")
        assert one.is_null is not bool(which), f"{one.name} has neither a value nor is null"
        value = getattr(one, which) if which else None
        metrics[one.name] = (one.datatype, value, one.is_historical)
    assert payload.timestamp > 1_600_000_000_000
    return (payload.seq if payload.HasField("seq") else None), metrics


def order(name):
    """A command that sets one boolean metric."""
    payload = payload_class()()
    metric = payload.metrics.add()
    metric.name, metric.datatype, metric.boolean_value = name, 11, True
    return payload.SerializeToString()
