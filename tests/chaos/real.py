"""The real box for the storm: `linewarden run`, two virtual lines, a signed bundle."""

import sys
from pathlib import Path

from tests.edge.box import Box

DATABASE = "store/outbox.db"
FPS = 20.0
COMMAND = "from export.command import main; main()"


def real(folder: Path, url: str) -> list[str]:
    """The command of the daemon; its settings are written before the first start."""
    if not (folder / "appliance.toml").exists():
        Box(folder).write("".join(_camera(name) for name in ("left", "right")), url)
    run = ["run", "--config", str(folder / "appliance.toml"), "--forever"]
    return [sys.executable, "-c", COMMAND, *run]


def _camera(name: str) -> str:
    source = f'kind = "virtual", seed = 1, parts = 400, fps = {FPS}, width = 320, height = 256'
    return f'[cameras.{name}]\nbundle = "bundle"\nsource = {{ {source} }}\n'
