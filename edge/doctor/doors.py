"""Where the box reaches out and where it is asked: the reject gates, and the status port."""

import socket
from collections.abc import Iterator

from edge.config import Appliance
from edge.doctor.finding import Finding, doubtful, ill, well
from edge.output.wires import wire_of
from export.errors import OutputError


def gates(appliance: Appliance, *, may_be_away: bool = False) -> Iterator[Finding]:
    """Each camera's gate is reached, and rests at reject; `may_be_away`: it is only a doubt."""
    for name, camera in appliance.cameras.items():
        if camera.output is None:
            continue
        organ, grave = f"gate of {name}", doubtful if may_be_away else ill
        try:
            wire = wire_of(camera.output)
            wire.open()
        except OutputError as error:
            remedy = error.remedy or "check address, cable and PLC: until then it rejects all"
            yield grave(organ, error.problem, remedy)
        else:
            wire.close()
            yield well(organ, "reached; it rests at reject")


def status(appliance: Appliance) -> Iterator[Finding]:
    """The port for /healthz, /readyz and /metrics is free, as `linewarden run` needs it."""
    listen = appliance.status.listen
    if not listen:
        return
    host, port = appliance.status.address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((host, port))
        except OSError as error:
            said = f"nobody can listen on {listen}: {error.strerror}"
            remedy = "stop who listens there (a box that runs?), or change status.listen"
            yield ill("status port", said, remedy)
            return
    yield well("status port", f"{listen} is free")
