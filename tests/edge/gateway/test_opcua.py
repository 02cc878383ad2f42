"""The OPC UA server, read by clients: asyncua's, and node-opcua's, which has none of our code."""

import asyncio
import json
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from edge.gateway import opcua, tags
from edge.gateway.mailbox import Mailbox
from edge.gateway_tables import OpcUa
from tests.broker import free_port, needs_mosquitto
from tests.edge.gateway.plant import plant
from tests.edge.verdicts import verdict

asyncua = pytest.importorskip("asyncua", reason="needs linewarden[opcua]")
ROOT = Path(__file__).parents[3]
RESULT = "Cameras/line/Result"
SCRIPT = """
const ua = require(process.argv[1]);
(async () => {
  const client = ua.OPCUAClient.create({endpointMustExist: false,
    connectionStrategy: {maxRetry: 20, initialDelay: 200, maxDelay: 500}});
  await client.connect(process.argv[2]);
  const session = await client.createSession();
  const names = await session.readNamespaceArray();
  const ns = names.indexOf("urn:linewarden:box");
  const read = async (path) => (await session.read(
    {nodeId: `ns=${ns};s=${path}`, attributeId: ua.AttributeIds.Value}));
  const found = {};
  for (const path of process.argv.slice(3)) {
    const told = await read(path);
    const value = told.value.value;
    found[path] = {value: Array.isArray(value) ? value[0] * 2**32 + value[1] : value,
                   type: ua.DataType[told.value.dataType], status: told.statusCode.name};
  }
  const write = await session.write({nodeId: `ns=${ns};s=${process.argv[3]}`,
    attributeId: ua.AttributeIds.Value,
    value: {value: {dataType: ua.DataType.String, value: "pass"}}});
  found.write = write.name;
  console.log(JSON.stringify(found));
  await session.close(); await client.disconnect(); process.exit(0);
})().catch(error => { console.error(error); process.exit(1); });
"""


async def read(port, paths):
    """{path: (value, status's name)} by asyncua's client; also whether a write was refused."""
    found = {}
    async with asyncua.Client(f"opc.tcp://127.0.0.1:{port}/linewarden") as client:
        index = await client.get_namespace_index("urn:linewarden:box")
        for path in paths:
            node = client.get_node(asyncua.ua.NodeId(path, index))
            told = await node.read_data_value(raise_on_bad_status=False)
            found[path] = (told.Value and told.Value.Value, told.StatusCode.name)
        try:
            await node.write_value("pass")
        except asyncua.ua.UaStatusCodeError as refused:
            found["write"] = type(refused).__name__
    return found


def asked(port, *paths):
    """As `read`, tried until the node is there."""
    return asyncio.run(asyncio.wait_for(read(port, paths), 20))


@pytest.mark.slow
@needs_mosquitto
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_client_reads_the_newest_result_counts_and_state(tmp_path):
    """True values of the right types; nothing can be written; a box that goes is uncertain."""
    port = free_port()
    table = f'[gateway.opcua]\nlisten = "127.0.0.1:{port}"\n'
    with plant(tmp_path, table) as it:
        it.start("run", "gateway")
        assert it.ear.wait_for(lambda _: len(it.verdicts()) >= 5, 30)
        paths = [f"{RESULT}/{name}" for name in ("Outcome", "Seq", "Score", "CreationTime")]
        paths += ["Cameras/line/VisionStateMachine/CurrentState", "Cameras/line/Counts/Verdicts"]
        paths += ["Box/OutboxDepth"]
        assert it.ear.wait_for(lambda _: known(port, paths), 20)
        told = asked(port, *paths)
        independent = by_node_opcua(port, paths)
        verdicts = dict(it.verdicts())
        it.end("box", signal.SIGKILL)
        state = "Cameras/line/VisionStateMachine/CurrentState"
        assert it.ear.wait_for(lambda _: asked(port, state)[state][0] == "Halted", 30)
        gone = asked(port, f"{RESULT}/Outcome")
        assert it.end("gateway") == 0
    assert verdicts[told[f"{RESULT}/Seq"][0]] == told[f"{RESULT}/Outcome"][0]
    assert {status for _, status in (told[path] for path in paths)} == {"Good"}
    assert told[paths[4]][0] == "Operational"
    assert told[paths[5]][0] >= 1
    assert told["write"] in ("BadUserAccessDenied", "BadNotWritable")
    assert gone[f"{RESULT}/Outcome"][1] == "UncertainLastUsableValue"
    if independent is not None:
        types = [independent[path]["type"] for path in paths]
        assert types == ["String", "UInt64", "Double", "DateTime", "String", "UInt64", "UInt64"]
        seq, outcome = (independent[f"{RESULT}/{name}"]["value"] for name in ("Seq", "Outcome"))
        assert verdicts[seq] == outcome
        assert {independent[path]["status"] for path in paths} == {"Good"}
        assert independent["write"] in ("BadUserAccessDenied", "BadNotWritable")


def test_a_time_that_is_none_is_no_value():
    """And no error: the rest of the verdict is told."""
    odd = verdict(1, 1).model_copy(update={"decided_at": "soon"})
    told = {tag.name: tag.read(odd) for tag in tags.RESULT}
    assert told["Result/CreationTime"] is None
    assert told["Result/Outcome"] == "pass"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_what_cannot_be_told_takes_the_server_down_once_at_most(monkeypatch):
    """A verdict that breaks it is forgotten, and it serves again."""
    monkeypatch.setattr(opcua, "AGAIN_S", 0.1)
    box = Mailbox(4)
    server = opcua.OpcUaServer(OpcUa(listen=f"127.0.0.1:{free_port()}"), "a/b", box)
    server.start()
    try:
        assert until(lambda: not server.trouble)
        box.put(verdict(1, 1).model_copy(update={"latency_ms": None}))
        assert until(lambda: server.trouble)
        assert until(lambda: not server.trouble)
        box.put(verdict(1, 2))
        assert until(lambda: ("cam", "Result/Seq") in server._told)
        assert not server.trouble
    finally:
        server.stop(3)


def until(condition, timeout_s=10):
    """Wait for it; returns whether it came about."""
    end = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(condition())


def known(port, paths):
    """Whether every node is there yet."""
    try:
        return all(value is not None for value, _ in list(asked(port, *paths).values())[:-1])
    except (OSError, TimeoutError, asyncua.ua.UaError, ValueError):
        return False


def by_node_opcua(port, paths):
    """What node-opcua reads (needs node and that package); None without it."""
    module = ROOT / "node_modules" / "node-opcua-client"
    if not module.exists() or not shutil.which("node"):
        return None
    url = f"opc.tcp://127.0.0.1:{port}/linewarden"
    done = subprocess.run(
        ["node", "-e", SCRIPT, str(module), url, *paths],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().splitlines()[-1])
