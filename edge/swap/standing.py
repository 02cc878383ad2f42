"""Which bundle a camera begins with: the settings', or the one that was activated since.

Decided at every start, before anything is armed. Settings that name another bundle end what was
activated; a bundle over which the box died on probation is taken back.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from edge.config import Appliance
from edge.swap.shelf import Chosen, Shelf
from export.manifest import MANIFEST
from export.signature import load_public

FOLDER = "bundles"  # below the store's
DIED = "the box died while it was on probation"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a camera begins with.

    Attributes:
        path: the bundle to arm.
        chosen: the shelf's record, if one holds.
        news: what was decided and why, for the log and an alarm; '' if nothing changed.
    """

    path: Path
    chosen: Chosen | None = None
    news: str = ""


def standing(shelf: Shelf, camera: str, configured: Path) -> Standing:
    """Decide for one camera, and write it down; raises StoreError if the record is damaged."""
    found = expected(shelf, camera, configured)
    if found.news and found.chosen:
        shelf.choose(camera, found.chosen)
    elif found.news:
        shelf.forget(camera)
    return found


def expected(shelf: Shelf, camera: str, configured: Path) -> Standing:
    """What would be decided now; raises StoreError if the record is damaged."""
    chosen = shelf.chosen(camera)
    if chosen is None:
        return Standing(configured)
    digest = digest_at(configured)
    moved = chosen.configured != str(configured)
    if moved or (digest and digest != chosen.configured_digest):
        return Standing(configured, None, "the settings name another bundle than was activated")
    if chosen.probation == "running" and chosen.before is not None:
        chosen = taken_back(chosen)
        return Standing(shelf.slot(chosen.active.digest), chosen, DIED)
    return Standing(shelf.slot(chosen.active.digest), chosen)


def taken_back(chosen: Chosen, *, blamed: bool = True) -> Chosen:
    """The record after a rollback: the one before is active; one that is blamed never is again."""
    if chosen.before is None:
        raise ValueError("nothing was active before")
    return chosen.model_copy(
        update={
            "active": chosen.before,
            "before": None,
            "probation": "",
            "refused": (*chosen.refused, *([chosen.active.digest] if blamed else ()))[-100:],
        }
    )


def digest_at(bundle: Path) -> str:
    """SHA-256 of a bundle's manifest; '' if it can't be read. Arming verifies it."""
    try:
        return hashlib.sha256((bundle / MANIFEST).read_bytes()).hexdigest()
    except OSError:
        return ""


def standings(appliance: Appliance) -> dict[str, Standing]:
    """What each camera begins with; raises StoreError if a record is damaged."""
    kept = shelf(appliance)
    found = {
        name: standing(kept, name, camera.bundle) for name, camera in appliance.cameras.items()
    }
    kept.sweep(tuple(appliance.cameras))
    return found


def shelf(appliance: Appliance) -> Shelf:
    """The box's own copies."""
    keys = [load_public(path) for path in appliance.trust.keys]
    return Shelf(appliance.store.folder / FOLDER, keys)
