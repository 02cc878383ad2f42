"""The doorway: what a workstation and a box's console say to each other over HTTP.

Documents only; who serves them is edge/console/web/api.py, who asks is trainer/box. Knows no
socket, folder or account.
"""

from typing import Literal

from pydantic import Field

from export.sample import Digest, LabelName, SampleId
from export.verdict import BundleRef, Contract

SAMPLES, BUNDLES = "/api/samples", "/api/bundles"
SIGNATURE_HEADER = "x-linewarden-signature"  # the manifest's signature, in base64


class Listed(Contract):
    """One sample that somebody has spoken about, or any that is kept."""

    id: SampleId
    mark: str = Field(max_length=64, description="changes when its record does; see Sample.mark")
    label: LabelName | None = None
    sha256: Digest
    bytes: int = Field(ge=1)


class Listing(Contract):
    """One page of a box's samples, in the order of their ids."""

    station: str = Field(description="the box's topic prefix: who it is")
    total: int = Field(ge=0)
    samples: tuple[Listed, ...] = ()
    more: bool = Field(default=False, description="ask again with after= the last id")


class Offer(Contract):
    """What the box still lacks of a bundle whose manifest it believes."""

    digest: Digest
    missing: tuple[Digest, ...] = Field(description="SHA-256 of each file to send")


State = Literal["shadowing", "waiting for labels", "promoted", "refused", "stopped"]


class Bout(Contract):
    """How a challenger does in the shadow of the champion, on the same frames."""

    challenger: BundleRef
    champion: BundleRef
    state: State
    words: str = Field(max_length=512, description="where it stands, and why it ended")
    parts: int = Field(ge=0, description="that both have judged")
    wanted: int = Field(ge=0, description="judged at least, before it may be promoted")
    most: int = Field(ge=0, description="then it is refused")
    more: int | None = Field(
        default=None, description="further parts without a disagreement that would promote it"
    )
    dropped: int = Field(ge=0, description="parts not judged twice: the bench was busy")
    loosened: int = Field(ge=0, description="it passed what the champion stopped")
    tightened: int = Field(ge=0, description="it stopped, or failed, what the champion let further")
    right: int = Field(ge=0, description="of these, labelled in the challenger's favour")
    wrong: int = Field(ge=0, description="labelled in the champion's favour")
    at: str = Field(default="", max_length=40, description="begun, RFC 3339 in UTC")


class Seated(Contract):
    """One camera's bundles."""

    active: BundleRef
    before: BundleRef | None = None
    probation: str = ""
    refused: tuple[str, ...] = ()
    bout: Bout | None = None


class Seats(Contract):
    """Every camera's bundles."""

    station: str
    cameras: dict[str, Seated]


class Refusal(Contract):
    """Why the console said no."""

    error: str
    remedy: str = ""
