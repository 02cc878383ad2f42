"""Pushing: a bundle goes out to a box, which verifies it, tries it, and lets it prove itself.

The manifest and its signature go first; then, file by file, what the box says it lacks, so that a
push that was cut off goes on where it was.
"""

import base64
import time
from collections.abc import Callable

from export.bundle import Bundle
from export.doorway import BUNDLES, SIGNATURE_HEADER, Bout, Offer, Seated, Seats
from export.errors import BoxError
from export.manifest import MANIFEST, SIGNATURE
from trainer.box.wire import Wire
from trainer.progress import Progress

EVERY_S = 2.0
OPEN = ("shadowing", "waiting for labels")


def push(
    wire: Wire, bundle: Bundle, progress: Progress, *, camera: str = "", parts: int = 0
) -> tuple[str, Bout]:
    """Send a bundle and put it into the shadow; returns the camera, and how it stands.

    Args:
        wire: to the console; its token's role must be engineer or more.
        bundle: as it was exported.
        progress: told how far it is.
        camera: whose parts; may be "" where there is one.
        parts: judged by both, at least; the box's own number if that is more.

    Raises:
        BoxError: the console can't be reached, or the box refuses the bundle, and why.
    """
    at = f"{BUNDLES}/{bundle.digest}"
    signed = base64.b64encode((bundle.path / SIGNATURE).read_bytes()).decode()
    manifest = (bundle.path / MANIFEST).read_bytes()
    wire.put(f"{at}?camera={camera}", manifest, {SIGNATURE_HEADER: signed})
    missing = wire.document(Offer, at).missing
    by_digest = {entry.sha256: name for name, entry in bundle.manifest.files.items()}
    total = sum(bundle.manifest.files[by_digest[one]].bytes for one in missing)
    with progress.phase(f"sending {total / 1e6:.1f} MB, files", len(missing)) as advance:
        for digest in missing:
            wire.put(f"{at}/{digest}", bundle.path / by_digest[digest])
            advance()
    with progress.phase("the box tries it", 1) as advance:
        told = wire.post(Seats, f"{at}/shadow", camera=camera, parts=str(parts))
        advance()
    return _found(told, bundle.digest)


def follow(
    wire: Wire, camera: str, digest: str, say: Callable[[str], None], every_s: float = EVERY_S
) -> Seated:
    """Tell how the bout goes until it is over; returns the camera's bundles then."""
    last = ""
    while True:
        seated = wire.document(Seats, BUNDLES).cameras[camera]
        bout = seated.bout
        if bout is None or bout.challenger.digest != digest:
            raise BoxError(
                f"{wire.url}: another challenger is in the shadow of {camera!r} now", "see there"
            )
        if bout.words != last:
            last = bout.words
            say(f"  {bout.state}: {bout.words}")
        if bout.state not in OPEN:
            return seated
        time.sleep(every_s)


def _found(told: Seats, digest: str) -> tuple[str, Bout]:
    for camera, seated in told.cameras.items():
        if seated.bout is not None and seated.bout.challenger.digest == digest:
            return camera, seated.bout
    raise BoxError("the box took the bundle, but it is not in the shadow", "see the box's log")
