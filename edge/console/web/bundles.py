"""Bundles: which one judges, who is in the shadow and how that goes; and the way in for a new one.

The console asks the box over its control socket, as `linewarden bundle` does; it decides nothing.
"""

import base64
import binascii
import re
from contextlib import AbstractContextManager
from typing import Any

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from edge.console.accounts.roles import Role
from edge.console.web.door import Asked, Door, Intake, Piece, refused
from edge.console.web.page import number, page
from edge.swap.control import ask
from export.doorway import BUNDLES, SIGNATURE_HEADER, Offer, Seated, Seats
from export.errors import BundleError, LinewardenError, StoreError
from export.sealed_folder import MAX_MANIFEST_BYTES, MAX_SIGNATURE_BYTES

DIGEST = re.compile(r"[0-9a-f]{64}")


def doors() -> list[Door]:
    """The page, its buttons, and the routes for a workstation."""
    return [
        Door("/bundles", bundles, Role.VIEWER),
        Door("/bundles/rollback", rollback, Role.ENGINEER, method="POST"),
        Door("/bundles/stop", stop, Role.ENGINEER, method="POST"),
        Door(BUNDLES, seats, Role.VIEWER),
        Intake(f"{BUNDLES}/{{digest}}", manifest, Role.ENGINEER),
        Door(f"{BUNDLES}/{{digest}}", lacking, Role.ENGINEER),
        Intake(f"{BUNDLES}/{{digest}}/{{sha256}}", file, Role.ENGINEER),
        Door(f"{BUNDLES}/{{digest}}/shadow", shadow, Role.ENGINEER, method="POST"),
    ]


def bundles(asked: Asked, wrong: str = "", status: int = 200) -> Response:
    """The page."""
    try:
        told: dict[str, Seated] | None = _seats(asked).cameras
    except LinewardenError:
        told = None
    return page(asked, "bundles", status, cameras=told, wrong=wrong)


def rollback(asked: Asked) -> Response:
    """The bundle before judges again."""
    return _ordered(asked, "rollback")


def stop(asked: Asked) -> Response:
    """End a camera's challenger."""
    return _ordered(asked, "unshadow")


def seats(asked: Asked) -> Response:
    """Every camera's bundles, as JSON."""
    try:
        return _json(_seats(asked))
    except LinewardenError as error:
        return refused(error)


class _Manifest:
    """A manifest on its way in: small, so it is held in memory until its signature is checked."""

    def __init__(self, asked: Asked, digest: str) -> None:
        self._asked, self._digest = asked, digest
        self._camera = _camera(asked, asked.query.get("camera", ""))
        self._signed = _signature(asked)
        self._body = b""

    def __enter__(self) -> Piece:
        return self

    def __exit__(self, *_: object) -> None:
        self._body = b""

    def write(self, piece: bytes) -> None:
        """More of it."""
        self._body += piece
        if len(self._body) > MAX_MANIFEST_BYTES:
            raise BundleError(f"a manifest has {MAX_MANIFEST_BYTES} bytes at most", "export anew")

    def keep(self) -> None:
        """Check its signature, and whether the camera could take that bundle at all."""
        desk = self._asked.desk
        ref, _ = desk.inbox.offer(self._digest, self._body, self._signed)
        try:
            ask(desk.appliance.store.folder, "consider", camera=self._camera,
                bundle=ref.model_dump(mode="json"))  # fmt: skip
        except LinewardenError:
            desk.inbox.clear(self._digest)
            raise
        desk.book.note(self._asked.session.name, "bundle offered", f"{ref.name} {ref.version}")


def manifest(asked: Asked) -> AbstractContextManager[Piece]:
    """Take a manifest with its signature."""
    return _Manifest(asked, _digest(asked, "digest"))


def lacking(asked: Asked) -> Response:
    """Which files the box still lacks."""
    try:
        return _json(asked.desk.inbox.left(_digest(asked, "digest")))
    except LinewardenError as error:
        return refused(error)


def file(asked: Asked) -> AbstractContextManager[Piece]:
    """Take one file that the signed manifest lists."""
    return asked.desk.inbox.receive(_digest(asked, "digest"), _digest(asked, "sha256"))


def shadow(asked: Asked) -> Response:
    """All is here: the box tries it in a child, and lets it judge in the shadow."""
    desk, digest = asked.desk, _digest(asked, "digest")
    parts = number(asked.form, "parts", 0, 10_000_000) or 0
    try:
        camera = _camera(asked, asked.form.get("camera", ""))
        if missing := desk.inbox.left(digest).missing:
            raise BundleError(f"{len(missing)} files of it are missing", "push it again")
        place = desk.inbox.place(digest).absolute()
        try:
            ask(desk.appliance.store.folder, "shadow", camera=camera, bundle=str(place),
                parts=parts)  # fmt: skip
        finally:
            desk.inbox.clear(digest)
        desk.book.note(asked.session.name, "bundle in the shadow", camera, digest[:12])
        return _json(_seats(asked))
    except LinewardenError as error:
        desk.book.note(asked.session.name, "bundle refused", digest[:12], error.problem[:200])
        return refused(error)


def _ordered(asked: Asked, word: str) -> Response:
    desk = asked.desk
    try:
        camera = _camera(asked, asked.form.get("camera", ""))
        ask(desk.appliance.store.folder, word, camera=camera)
    except LinewardenError as error:
        return bundles(asked, error.problem, 409)
    desk.book.note(asked.session.name, f"bundle {word}", camera)
    return RedirectResponse("/bundles", 303)


def _seats(asked: Asked) -> Seats:
    desk = asked.desk
    told = ask(desk.appliance.store.folder, "list")
    try:
        return Seats.model_validate({"station": desk.station, "cameras": told})
    except ValidationError as error:
        raise StoreError("the box is of another version", "start both anew") from error


def _camera(asked: Asked, name: str) -> str:
    known = asked.desk.cameras()
    if not name and len(known) == 1:
        return known[0]
    if name not in known:
        raise BundleError(
            f"there is no camera {name!r}" if name else f"the box has {len(known)} cameras",
            f"name one of: {', '.join(known)}",
        )
    return name


def _digest(asked: Asked, name: str) -> str:
    found = asked.path[name]
    if not DIGEST.fullmatch(found):
        raise HTTPException(404, "There is no such page")
    return found


def _signature(asked: Asked) -> bytes:
    told = asked.request.headers.get(SIGNATURE_HEADER, "")
    try:
        signed = base64.b64decode(told, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BundleError("its signature can't be read", "push it again") from error
    if not signed or len(signed) > MAX_SIGNATURE_BYTES:
        raise BundleError("it comes without a signature", "export the bundle again")
    return signed


def _json(told: Seats | Offer) -> Response:
    body: Any = told.model_dump_json()
    return Response(body, media_type="application/json")
