"""`linewarden gateway`: say what the box says by Sparkplug B, to Home Assistant, over OPC UA."""

from pathlib import Path
from typing import Annotated

import typer

NICENESS = 5  # the line has the processor first


def gateway(
    config: Annotated[Path, typer.Option(help="The box's settings.")] = Path("appliance.toml"),
) -> None:
    """Tell other systems of the plant what the box says, until SIGTERM or Ctrl-C.

    Whom: [gateway.sparkplug], [gateway.home_assistant], [gateway.opcua] of the settings. It follows
    the box over MQTT and asks again for what it missed; the box doesn't know that it is there.

    For example:

    linewarden gateway --config appliance.toml
    """
    import os
    import signal
    import threading

    import structlog

    from edge import journal
    from edge.config import load
    from edge.gateway.gateway import Gateway

    journal.begin()
    os.nice(NICENESS)
    made = Gateway(load(config).appliance)
    log, stop = structlog.get_logger("gateway"), threading.Event()

    def end(_number: int, _frame: object) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    typer.echo(f"telling {', '.join(teller.name for teller in made.tellers)}", err=True)
    before: dict[str, str] = {}

    def tick() -> None:
        now = made.troubles()
        for who in before.keys() | now.keys():
            if before.get(who) != now.get(who):
                log.info("trouble" if who in now else "well again", who=who, why=now.get(who, ""))
        before.clear()
        before.update(now)

    made.run(stop, tick)
