"""Which wire leads to a camera's reject gate: makes it from the settings."""

from collections.abc import Callable

from edge.alarm import Alarms
from edge.health import Health
from edge.output.gate import GateSettings, RejectGate, Wire
from edge.output.gpio import GpioSettings, GpioWire
from edge.output.modbus import ModbusSettings, ModbusWire
from edge.sections import GpioOutput, ModbusOutput


def reject_gate(
    name: str,
    section: ModbusOutput | GpioOutput,
    health: Health,
    alarms: Alarms,
    alive: Callable[[], bool],
) -> RejectGate:
    """The gate of the camera `name`; raises OutputError if its library isn't installed."""
    settings = GateSettings(section.hold_ms / 1e3, section.heartbeat_ms / 1e3)
    return RejectGate(name, wire_of(section), settings, health, alarms=alarms, alive=alive)


def wire_of(section: ModbusOutput | GpioOutput) -> Wire:
    """The wire that the settings name; raises OutputError if its library isn't installed."""
    if isinstance(section, GpioOutput):
        return GpioWire(
            GpioSettings(section.chip, section.line, section.heartbeat_line, section.active_low)
        )
    return ModbusWire(
        ModbusSettings(
            section.host,
            section.port,
            section.unit,
            section.coil,
            section.heartbeat_coil,
            section.register_at,
            section.timeout_ms / 1e3,
        )
    )
