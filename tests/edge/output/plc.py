"""A simulated PLC: a Modbus server with the ladder logic that a reject gate needs.

Accept only while the accept coil is on and the heartbeat has changed lately; reject otherwise.
"""

import asyncio
import threading
import time

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

SILENCE_S = 0.5
COIL, HEARTBEAT, REGISTER = 0, 1, 0
WRITE_COIL, WRITE_REGISTERS = 5, 16


class Plc:
    """Runs in a thread; `with Plc() as plc` listens on `plc.port`."""

    def __init__(self, port=0):
        self.port = port
        self.coils = {COIL: False, HEARTBEAT: False}
        self.registers = {}
        self.writes = []
        self.answering = True
        self.slow_s = 0.0  # for it to take registers
        self._beat_s = 0.0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    @property
    def accepts(self) -> bool:
        """Where the gate stands now."""
        return self.coils[COIL] and time.monotonic() - self._beat_s < SILENCE_S

    def wait_for(self, accepts: bool, timeout_s=5.0) -> bool:
        """Whether the gate comes to stand so in time."""
        limit_s = time.monotonic() + timeout_s
        while self.accepts is not accepts and time.monotonic() < limit_s:
            time.sleep(0.002)
        return self.accepts is accepts

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(5)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(5)

    async def _serve(self):
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        coils = [SimData(0, count=4, values=False, datatype=DataType.BITS)]
        words = [SimData(0, count=8, values=0, datatype=DataType.REGISTERS)]
        device = SimDevice(1, simdata=(coils, coils, words, words), action=self._seen)
        server = ModbusTcpServer(device, address=("127.0.0.1", self.port))
        await server.serve_forever(background=True)
        self.port = server.transport.sockets[0].getsockname()[1]
        self._ready.set()
        await self._over.wait()
        await server.shutdown()
        await asyncio.sleep(0.05)  # for asyncio to close what the server let go of

    async def _seen(self, function_code, _start, address, *rest):
        values = rest[-1]
        if values is None:
            return
        if function_code == WRITE_COIL:
            self.writes.append((time.monotonic(), address, bool(values[0])))
            if address == HEARTBEAT and self.coils[HEARTBEAT] is not bool(values[0]):
                self._beat_s = time.monotonic()
            self.coils[address] = bool(values[0])
        elif function_code == WRITE_REGISTERS:
            await asyncio.sleep(self.slow_s)
            self.registers |= {address + at: word for at, word in enumerate(values)}
