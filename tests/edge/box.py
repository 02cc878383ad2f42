"""A whole box in a folder: a signed bundle that rates brightness, pictures, and its settings."""

import tomllib
from pathlib import Path

import cv2
import numpy as np

from edge.config import Appliance, load
from export.signature import load_or_make
from tests.export.small_bundle import small_bundle

PREFIX = "acme/plant1/area1/line1/cell1"
DARK, MIDDLE, BRIGHT = 20, 128, 240  # pass, review, fail


class Box:
    """Settings are written to `settings`; `write` makes them of further TOML."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.settings = folder / "appliance.toml"
        key, _ = load_or_make(folder / "signing.key")
        small_bundle(folder / "bundle", key)

    def pictures(self, greys, folder="pictures") -> Path:
        """A folder of flat pictures, p000.png and so on."""
        root = self.folder / folder
        root.mkdir()
        for index, grey in enumerate(greys):
            picture = np.full((48, 64, 3), grey, np.uint8)
            assert cv2.imwrite(str(root / f"p{index:03}.png"), picture)
        return root

    def write(self, cameras: str, broker: str = "") -> Path:
        """Settings with these cameras (TOML) and, if given, a broker's URL."""
        text = f'[station]\nprefix = "{PREFIX}"\n[trust]\nkeys = ["signing.pub"]\n{cameras}'
        if "[samples]" not in cameras:  # pictures of parts are kept where a test is about them
            text += "\n[samples]\nkeep_gb = 0.0\n"
        if broker:
            text += f'\n[broker]\nurl = "{broker}"\n'
        tomllib.loads(text)
        self.settings.write_text(text)
        return self.settings

    def appliance(self) -> Appliance:
        """The settings, read back."""
        return load(self.settings, {}).appliance


def folder_camera(name="top", path="pictures", more="") -> str:
    """A camera that plays a folder."""
    return (
        f'[cameras.{name}]\nbundle = "bundle"\ndeadline_ms = 5000.0\n{more}\n'
        f'source = {{ kind = "folder", path = "{path}" }}\n'
    )
