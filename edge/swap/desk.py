"""The desk: what people may ask of a running box about its bundles, word by word.

Between the control socket and the exchange: checks the fields, gives the answer its form.
"""

from pathlib import Path

from edge.swap.control import Act, Fields
from edge.swap.exchange import Exchange, Say
from edge.swap.shelf import Shelf
from export.verdict import BundleRef


def words(exchange: Exchange, shelf: Shelf) -> dict[str, Act]:
    """{word: what it does}."""

    def listed(_asked: Fields, _say: Say) -> Fields:
        return {camera: _row(exchange, shelf, camera) for camera in exchange.cameras()}

    def activate(asked: Fields, say: Say) -> Fields:
        return _named(exchange.activate(str(asked["camera"]), Path(str(asked["bundle"])), say))

    def rollback(asked: Fields, _say: Say) -> Fields:
        return _named(exchange.rollback(str(asked["camera"])))

    return {"list": listed, "activate": activate, "rollback": rollback}


def _row(exchange: Exchange, shelf: Shelf, camera: str) -> Fields:
    chosen = shelf.chosen(camera)
    before = chosen.before if chosen else None
    return {
        "active": _named(exchange.active(camera)),
        "probation": exchange.progress(camera),
        "before": _named(before) if before else None,
        "refused": list(chosen.refused) if chosen else [],
    }


def _named(ref: BundleRef) -> Fields:
    return ref.model_dump(mode="json")
