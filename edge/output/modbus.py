"""Modbus TCP, as a client of the PLC or of a remote I/O module: coils, and registers if wanted.

One coil accepts, one toggles as the heartbeat. With `register_at` set, four holding registers say
more: heartbeat count, last outcome (1 pass, 2 fail, 3 review), and that verdict's seq, high word
first (Modbus Application Protocol 1.1b3, functions 5 and 16). Knows no gate and no thread.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from edge.clock import monotonic_ns
from edge.output.gate import Shown
from export.errors import OutputError
from export.verdict import Outcome

WORD = 1 << 16
CODES = {Outcome.PASS: 1, Outcome.FAIL: 2, Outcome.REVIEW: 3}


@dataclass(frozen=True, slots=True)
class ModbusSettings:
    """Where the coils are; addresses as on the wire, from 0."""

    host: str
    port: int = 502
    unit: int = 1
    coil: int = 0
    heartbeat_coil: int = 1
    register_at: int | None = None
    timeout_s: float = 0.2


class ModbusWire:
    """One connection. Raises OutputError when pymodbus isn't installed."""

    def __init__(self, settings: ModbusSettings) -> None:
        self._settings = settings
        self._client: Any = None
        if find_spec("pymodbus") is None:
            raise OutputError(
                "an output of kind 'modbus' needs pymodbus", "pip install 'linewarden[modbus]'"
            )
        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # the gate says what it refuses

    def open(self) -> None:
        """Connect, and rest at reject."""
        from pymodbus.client import ModbusTcpClient  # noqa: PLC0415

        told = self._settings
        if self._client is not None:
            self._client.close()
        self._client = ModbusTcpClient(
            told.host, port=told.port, timeout=told.timeout_s, retries=0, reconnect_delay=0
        )
        if not self._client.connect():
            raise OutputError(f"no Modbus server answers at {told.host}:{told.port}")
        try:
            self.show(accept=False, shown=None)
        except OutputError:
            self._client.close()
            self._client = None
            raise

    def show(self, *, accept: bool, shown: Shown | None) -> None:
        """Reject before saying why, but say which part before accepting it, if there is time."""
        if not accept:
            self._coil(self._settings.coil, on=False)
        if self._settings.register_at is not None and shown is not None:
            seq = shown.seq % (WORD * WORD)
            words = [CODES[shown.outcome], seq // WORD, seq % WORD]
            self._words(self._settings.register_at + 1, words)
        if accept and (shown is None or monotonic_ns() <= shown.until_ns):
            self._coil(self._settings.coil, on=True)

    def beat(self, count: int) -> None:
        """Toggle the heartbeat's coil, and count in its register."""
        self._coil(self._settings.heartbeat_coil, on=bool(count % 2))
        if self._settings.register_at is not None:
            self._words(self._settings.register_at, [count % WORD])

    def close(self) -> None:
        """Rest at reject if that can still be said, and disconnect."""
        if self._client is None:
            return
        try:
            self._coil(self._settings.coil, on=False)
        except OutputError:
            pass  # the PLC sees the heartbeat stand still
        finally:
            self._client.close()
            self._client = None

    def _coil(self, address: int, *, on: bool) -> None:
        self._asked(lambda: self._client.write_coil(address, on, device_id=self._settings.unit))

    def _words(self, address: int, words: list[int]) -> None:
        unit = self._settings.unit
        self._asked(lambda: self._client.write_registers(address, words, device_id=unit))

    def _asked(self, ask: Callable[[], Any]) -> None:
        from pymodbus.exceptions import ModbusException  # noqa: PLC0415

        where = f"{self._settings.host}:{self._settings.port}"
        try:
            answer = ask()
        except (ModbusException, OSError) as error:
            raise OutputError(f"the Modbus server {where} does not answer: {error}") from error
        if answer.isError():
            raise OutputError(
                f"the Modbus server {where} refuses: {answer}",
                "check the unit and the addresses of [cameras.NAME.output]",
            )
