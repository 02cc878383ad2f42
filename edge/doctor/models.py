"""Every camera's bundle: trusted, on the device asked for, answering as on the workstation.

And quick enough: timed on this box, in the state in which it is now.
"""

from collections.abc import Iterator
from contextlib import suppress

import numpy as np

from edge.clock import monotonic_ns
from edge.config import Appliance
from edge.daemon import armed
from edge.doctor.finding import Finding, doubtful, ill, well
from edge.inspection.inspector import Inspector
from edge.swap.standing import expected, shelf
from export.bundle import open_bundle
from export.errors import LinewardenError
from export.preprocess import Pixels
from export.signature import load_public

JUDGED = 20
AMPLE = 2.0  # the deadline should be so many times what a judgement takes at worst


def bundles(appliance: Appliance) -> Iterator[Finding]:
    """One finding for each camera's bundle: the one that would judge if the box began now.

    Raises:
        StoreError: what was activated since is damaged.
        BundleError, SignatureError, ProviderError, ConfigError: as `edge.daemon.armed`.
    """
    kept, cameras = shelf(appliance), appliance.cameras.items()
    paths = {name: expected(kept, name, camera.bundle).path for name, camera in cameras}
    for name, inspector in armed(appliance, paths=paths).items():
        organ, ref = f"bundle of {name}", inspector.bundle
        device = appliance.engine.provider
        which = f"{ref.name} {ref.version} {ref.variant}"
        said = f"{which}: signed, and its golden samples hold on {device}"
        yield well(organ, said)
        yield _pace(f"pace of {name}", inspector, appliance.cameras[name].deadline_ms)


def made_at(appliance: Appliance) -> list[str]:
    """RFC 3339, when each bundle that is to be trusted was made."""
    made: list[str] = []
    for path in {camera.bundle for camera in appliance.cameras.values()}:
        with suppress(LinewardenError):  # arming says what is wrong with it
            keys = [load_public(key) for key in appliance.trust.keys]
            made.append(open_bundle(path, keys).manifest.created_at)
    return made


def _pace(organ: str, inspector: Inspector, deadline_ms: float) -> Finding:
    size = (inspector.input.height * 4, inspector.input.width * 4, 3)
    frame = np.zeros(size, np.uint8)
    spent_ms = sorted(_judged_ms(inspector, frame) for _ in range(JUDGED))
    median_ms, worst_ms = spent_ms[JUDGED // 2], spent_ms[-1]
    said = (
        f"a judgement takes {median_ms:.1f} ms, {worst_ms:.1f} ms at worst of {JUDGED}; "
        f"{deadline_ms:g} ms are allowed"
    )
    if median_ms > deadline_ms:
        remedy = "raise deadline_ms, take a smaller model or input, or a faster provider"
        return ill(organ, said, remedy)
    if worst_ms * AMPLE > deadline_ms:
        remedy = "leave it room: raise deadline_ms, or free the processor of other work"
        return doubtful(organ, said, remedy)
    return well(organ, said)


def _judged_ms(inspector: Inspector, frame: Pixels) -> float:
    started_ns = monotonic_ns()
    inspector.judge(frame)
    return (monotonic_ns() - started_ns) / 1e6
