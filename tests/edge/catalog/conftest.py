"""A bundle that goes by colour, its key, and a folder of coloured products."""

import cv2
import numpy as np
import pytest

from edge.catalog.model import CatalogModel
from export.signature import load_or_make
from tests.export.small_catalog import catalog_bundle


def product(colour=(40, 40, 200), seed=0, side=320, background=255, share=0.6):
    """A textured block of a colour in the middle of a plain background, HxWx3 uint8."""
    random = np.random.default_rng(seed)
    pixels = np.full((side, side, 3), background, np.uint8)
    size = int(side * share)
    coarse = random.integers(-45, 46, (size // 16, size // 16, 3)).astype(np.float32)
    texture = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_LINEAR)
    block = np.clip(np.array(colour) + texture, 0, 255)
    at = (side - size) // 2
    pixels[at : at + size, at : at + size] = block.astype(np.uint8)
    return pixels


@pytest.fixture(scope="session")
def key(tmp_path_factory):
    """The folder of a signing key and its public half."""
    folder = tmp_path_factory.mktemp("keys")
    private, _ = load_or_make(folder / "signing.key")
    return private, folder / "signing.pub"


@pytest.fixture(scope="session")
def bundle(key, tmp_path_factory):
    """The bundle's folder."""
    out = tmp_path_factory.mktemp("bundles") / "colours"
    catalog_bundle(out, key[0])
    return out


@pytest.fixture(scope="session")
def model(bundle, key):
    """The bundle at work."""
    return CatalogModel(bundle, [key[0].public])


@pytest.fixture
def shop(tmp_path):
    """Four red and three blue products, one of each on a brighter ground, and a broken file."""
    folder = tmp_path / "shop"
    folder.mkdir()
    for name, colour in (("red", (60, 60, 210)), ("blue", (210, 60, 60))):
        for number in range(4 if name == "red" else 3):
            pixels = product(colour, seed=10 * len(name) + number, background=235)
            cv2.imwrite(str(folder / f"{name}-{number}.png"), pixels)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 nothing")
    return folder
