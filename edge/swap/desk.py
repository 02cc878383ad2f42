"""The desk: what people may ask of a running box about its bundles, word by word.

Between the control socket and the exchange: checks the fields, gives the answer its form.
"""

from pathlib import Path

from edge.swap.control import Act, Fields
from edge.swap.exchange import Exchange, Say
from edge.swap.shadow import Shadow
from edge.swap.shelf import Shelf
from export.verdict import BundleRef


def words(exchange: Exchange, shelf: Shelf, shadow: Shadow) -> dict[str, Act]:
    """{word: what it does}."""

    def listed(_asked: Fields, _say: Say) -> Fields:
        return {camera: _row(exchange, shelf, shadow, camera) for camera in exchange.cameras()}

    def activate(asked: Fields, say: Say) -> Fields:
        return _named(exchange.activate(str(asked["camera"]), Path(str(asked["bundle"])), say))

    def rollback(asked: Fields, _say: Say) -> Fields:
        return _named(exchange.rollback(str(asked["camera"])))

    def consider(asked: Fields, _say: Say) -> Fields:
        exchange.consider(str(asked["camera"]), BundleRef.model_validate(asked["bundle"]))
        return {}

    def challenge(asked: Fields, say: Say) -> Fields:
        camera, parts = str(asked["camera"]), int(asked.get("parts", 0))
        return _named(shadow.begin(camera, Path(str(asked["bundle"])), say, parts))

    def unshadow(asked: Fields, _say: Say) -> Fields:
        shadow.end(str(asked["camera"]))
        return {}

    return {
        "list": listed, "activate": activate, "rollback": rollback, "consider": consider,
        "shadow": challenge, "unshadow": unshadow,
    }  # fmt: skip


def _row(exchange: Exchange, shelf: Shelf, shadow: Shadow, camera: str) -> Fields:
    chosen = shelf.chosen(camera)
    before = chosen.before if chosen else None
    bout = shadow.report(camera)
    return {
        "active": _named(exchange.active(camera)),
        "probation": exchange.progress(camera),
        "before": _named(before) if before else None,
        "refused": list(chosen.refused) if chosen else [],
        "bout": bout.model_dump(mode="json") if bout else None,
    }


def _named(ref: BundleRef) -> Fields:
    return ref.model_dump(mode="json")
