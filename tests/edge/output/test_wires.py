import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from edge.alarm import Alarms
from edge.clock import monotonic_ns
from edge.health import Health
from edge.output.gate import Shown
from edge.output.gpio import GpioSettings, GpioWire
from edge.output.modbus import ModbusSettings, ModbusWire
from edge.output.wires import reject_gate
from edge.sections import GpioOutput, ModbusOutput
from export.errors import OutputError
from export.verdict import Outcome
from tests.broker import free_port
from tests.edge.box import DARK, Box, folder_camera
from tests.edge.output.plc import COIL, SILENCE_S, Plc

RUN = (
    "from edge.cli.run import run; import sys; from pathlib import Path;"
    "run(Path(sys.argv[1]), forever=True)"
)
HELD = 'output = {{ kind = "modbus", host = "127.0.0.1", port = {}, hold_ms = 60000.0 }}'


@pytest.fixture
def plc():
    """A PLC that listens."""
    with Plc() as made:
        yield made


def modbus(plc, **more):
    """A wire to it."""
    return ModbusWire(ModbusSettings("127.0.0.1", plc.port, timeout_s=0.3, **more))


def test_modbus_rests_at_reject(plc):
    """An open connection alone lets nothing through, nor does a coil without a heartbeat."""
    wire = modbus(plc)
    wire.open()
    assert not plc.accepts
    wire.show(accept=True, shown=None)
    assert not plc.accepts
    wire.beat(1)
    assert plc.accepts
    wire.close()
    assert not plc.accepts


def test_modbus_registers_say_which_part(plc):
    """Heartbeat, outcome and seq, two words, high word first."""
    wire = modbus(plc, register_at=2)
    wire.open()
    wire.beat(65_537)
    wire.show(accept=False, shown=Shown(Outcome.REVIEW, 3 * 65_536 + 7, 0))
    assert plc.registers == {2: 1, 3: 3, 4: 3, 5: 7}
    wire.close()


def test_modbus_accepts_nothing_after_its_time(plc):
    """A PLC that is slow to take a part's registers never hears that it may pass."""
    wire = modbus(plc, register_at=0)
    wire.open()
    plc.slow_s = 0.05
    wire.show(accept=True, shown=Shown(Outcome.PASS, 7, monotonic_ns() + 20_000_000))
    assert plc.registers[3] == 7
    assert not any(on for _, address, on in plc.writes if address == COIL)
    plc.slow_s = 0.0
    wire.show(accept=True, shown=Shown(Outcome.PASS, 8, monotonic_ns() + 10**9))
    assert plc.coils[COIL]
    wire.close()


def test_modbus_errors_are_told(plc):
    """Nobody there, and an address that the PLC hasn't got."""
    absent = ModbusWire(ModbusSettings("127.0.0.1", free_port(), timeout_s=0.2))
    with pytest.raises(OutputError, match="no Modbus server"):
        absent.open()
    absent.close()
    with pytest.raises(OutputError, match="refuses"):
        modbus(plc, coil=40).open()


def test_a_plc_that_falls_silent_is_told_of_by_us_alone(plc, caplog):
    """The library's own lines, one for each try, stay out of the log."""
    wire = modbus(plc, register_at=0)
    wire.open()
    plc.slow_s = 1.0
    try:
        with pytest.raises(OutputError, match="does not answer"):
            wire.beat(1)
    finally:
        wire.close()
    assert not [one for one in caplog.records if one.name.startswith("pymodbus")]


def test_a_gate_of_the_settings_drives_the_plc(plc):
    """A pass opens it within milliseconds of the decision, and a PLC that restarts finds it."""
    section = ModbusOutput(kind="modbus", host="127.0.0.1", port=plc.port, hold_ms=100)
    gate = reject_gate("eye", section, Health(("eye",)), Alarms(), lambda: True)
    gate.start()
    limit_s = time.monotonic() + 5
    while len(plc.writes) < 3 and time.monotonic() < limit_s:
        time.sleep(0.005)
    took = []
    for seq in range(1, 6):
        decided_s = time.monotonic()
        gate.decide(Shown(Outcome.PASS, seq, monotonic_ns() + 10**9))
        assert plc.wait_for(True, 10)
        took.append(time.monotonic() - decided_s)
        gate.decide(Shown(Outcome.FAIL, seq, monotonic_ns() + 10**9))
        assert plc.wait_for(False)
    gate.stop(2)
    assert sorted(took)[2] < 0.05


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_plc_rejects_when_the_box_falls_silent(tmp_path, plc, how):
    """Killed or frozen in the middle of an accept: the coil stays on, and the gate is shut."""
    box = Box(tmp_path)
    box.pictures([DARK] * 3)
    settings = box.write(folder_camera(more=HELD.format(plc.port)))
    process = subprocess.Popen([sys.executable, "-c", RUN, str(settings)])
    try:
        assert plc.wait_for(True, 30)
        process.send_signal(how)
        stopped_s = time.monotonic()
        assert plc.wait_for(False)
        assert time.monotonic() - stopped_s < SILENCE_S + 1.5  # the processors are shared
        assert plc.coils[0]
        time.sleep(0.2)
        assert not plc.accepts
        if how is signal.SIGSTOP:
            process.send_signal(signal.SIGCONT)
            assert plc.wait_for(True, 10)
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
            assert not plc.coils[0]
    finally:
        process.kill()
        process.wait()


class Gpiod:
    """Stands in for libgpiod: lines with values, and who asked for them."""

    def __init__(self):
        self.line = SimpleNamespace(
            Value=SimpleNamespace(ACTIVE="on", INACTIVE="off"),
            Direction=SimpleNamespace(OUTPUT="output"),
        )
        self.values, self.released, self.broken = {}, False, False

    def LineSettings(self, **settings):  # noqa: N802 - the library's name
        return settings

    def request_lines(self, chip, consumer, config):
        if chip == "/dev/none":
            raise FileNotFoundError(2, "no such chip")
        self.values = {line: told["output_value"] for line, told in config.items()}
        assert all(told["direction"] == "output" for told in config.values())
        return self

    def set_value(self, line, value):
        if self.broken:
            raise OSError("gone")
        self.values[line] = value

    def release(self):
        self.released = True


def test_gpio_lines_rest_at_reject():
    """Requested inactive, active for a pass, inactive and released at the end."""
    lines = Gpiod()
    wire = GpioWire(GpioSettings(Path("/dev/gpiochip0"), 17, 27), lines)
    wire.open()
    assert lines.values == {17: "off", 27: "off"}
    wire.show(accept=True, shown=None)
    wire.beat(1)
    assert lines.values == {17: "on", 27: "on"}
    wire.beat(2)
    wire.close()
    assert lines.values == {17: "off", 27: "off"}
    assert lines.released


def test_gpio_errors_are_told():
    """No such chip, and a line that is lost while at work."""
    with pytest.raises(OutputError, match="no such chip"):
        GpioWire(GpioSettings(Path("/dev/none"), 1), Gpiod()).open()
    lines = Gpiod()
    wire = GpioWire(GpioSettings(Path("/dev/gpiochip0"), 1), lines)
    wire.open()
    lines.broken = True
    with pytest.raises(OutputError, match="line 1"):
        wire.show(accept=True, shown=None)
    wire.close()
    assert lines.released


def test_gpio_speaks_the_librarys_language():
    """The real package has what the wire asks of it; on this box there may be no such chip."""
    gpiod = pytest.importorskip("gpiod")
    section = GpioOutput(kind="gpio", chip=Path("/dev/no-gpiochip"), line=1)
    with pytest.raises(OutputError, match="can't be had"):
        GpioWire(GpioSettings(section.chip, section.line), gpiod).open()
