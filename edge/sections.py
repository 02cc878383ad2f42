"""The tables of one camera in the settings: its source, trigger, output and bundle.

Each is a typed model in which an unknown key is an error; `edge.config` puts them together. It
reads no file and starts nothing.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

from export.preprocess import Region
from export.verdict import MAX_VIEWS

Tree = dict[str, Any]


def _from_file(path: Path, info: ValidationInfo) -> Path:
    folder = cast("Tree", info.context or {}).get("folder")
    return path if folder is None else Path(folder) / path


LocalPath = Annotated[Path, AfterValidator(_from_file)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Seconds = Annotated[float, Field(gt=0.0, le=3600.0)]


class Section(BaseModel):
    """Base of every table: immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DeviceSource(Section):
    """A camera on this box (Video4Linux)."""

    kind: Literal["device"]
    index: int = Field(default=0, ge=0, description="the 0 of /dev/video0")
    width: int | None = Field(default=None, ge=8)
    height: int | None = Field(default=None, ge=8)
    fps: float | None = Field(default=None, gt=0)


class StreamSource(Section):
    """A camera on the network (RTSP, HTTP)."""

    kind: Literal["stream"]
    url: str = Field(pattern=r"^[a-z]+://.+", description="rtsp://… or http://…")


class GenicamSource(Section):
    """An industrial camera: GigE Vision or USB3 Vision, through Aravis."""

    kind: Literal["genicam"]
    camera: str = Field(default="", description="name, serial or address; empty: the only one")
    pixel_format: str = Field(
        default="", description="GenICam's name, such as BayerRG8; empty: as the camera has it"
    )
    x: int | None = Field(default=None, ge=0, description="of the region it sends, on the sensor")
    y: int | None = Field(default=None, ge=0)
    width: int | None = Field(default=None, ge=8)
    height: int | None = Field(default=None, ge=8)
    fps: float | None = Field(default=None, gt=0)
    exposure_us: float | None = Field(default=None, gt=0)
    gain: float | None = None
    trigger: str = Field(
        default="", description="its input that the line triggers, such as Line1; empty: runs free"
    )
    packet_bytes: int | None = Field(
        default=None, ge=220, le=16_260, description="of a packet on the network"
    )
    buffers: int = Field(default=8, ge=2, le=256, description="frames that may wait in the driver")
    features: dict[str, str | int | float | bool] = Field(
        default_factory=dict[str, "str | int | float | bool"],
        description="further features by GenICam name, set in this order",
    )


class VideoSource(Section):
    """A video file; every frame counts, so a slow judge slows it down."""

    kind: Literal["video"]
    path: LocalPath
    loop: bool = False

    @property
    def absent(self) -> bool:
        """Whether there is no such file."""
        return not self.path.is_file()


class FolderSource(Section):
    """A folder of JPEG, PNG and BMP files in order of name; every picture counts."""

    kind: Literal["folder"]
    path: LocalPath

    @property
    def absent(self) -> bool:
        """Whether there is no such folder."""
        return not self.path.is_dir()


Design = Literal["flange", "bracket", "gear", "plate", "shaft"]


class VirtualSource(Section):
    """The virtual line: a conveyor of machined parts with known defects."""

    kind: Literal["virtual"]
    seed: int = Field(default=0, ge=0)
    parts: int = Field(default=500, ge=1, description="how many pass before it ends")
    fps: float = Field(default=30.0, gt=0, le=1000)
    defect_rate: Fraction = 0.1
    defect_size: float = Field(default=1.0, ge=0.1, le=2, description="factor on their extents")
    defect_contrast: float = Field(default=1.0, gt=0, le=1, description="and on how they show")
    designs: tuple[Design, ...] = Field(
        default=get_args(Design), min_length=1, description="the products that pass"
    )
    pace: Literal["realtime", "lossless"] = "realtime"
    truth: LocalPath | None = Field(default=None, description="write what each part is to this CSV")
    width: int = Field(default=1280, ge=64)
    height: int = Field(default=1024, ge=64)


Source = Annotated[
    DeviceSource | StreamSource | GenicamSource | VideoSource | FolderSource | VirtualSource,
    Field(discriminator="kind"),
]


Frames = Annotated[
    int, Field(ge=1, le=MAX_VIEWS, description="of each part, judged as one: the worst decides")
]


class EveryFrameTrigger(Section):
    """Every frame shows a part."""

    kind: Literal["every_frame"] = "every_frame"


class CameraTrigger(Section):
    """The line triggers the camera: every frame shows a part, and a lost one is a part failed."""

    kind: Literal["camera"]


class GateTrigger(Section):
    """Parts move through the picture; each is judged where it is nearest the gate line."""

    kind: Literal["gate"]
    axis: Literal["x", "y"] = Field(default="x", description="along which the parts move")
    line: float = Field(default=0.5, ge=0.1, le=0.9, description="where along it they are judged")
    min_size: float = Field(
        default=0.05, gt=0, le=1, description="smallest part and gap along the axis"
    )
    contrast: int = Field(default=20, ge=3, le=200, description="grey levels from the belt's")
    frames: Frames = 1
    spread: float = Field(
        default=0.25, ge=0.01, le=0.8, description="along it, over which the frames are spread"
    )


class CommandTrigger(Section):
    """A message on cmd/trigger says that a part is here, and which: the next frames are judged."""

    kind: Literal["command"]
    frames: Frames = 1


Trigger = Annotated[
    EveryFrameTrigger | CameraTrigger | GateTrigger | CommandTrigger, Field(discriminator="kind")
]


class Output(Section):
    """How the reject gate is told; the wire rests at reject."""

    hold_ms: float = Field(default=200.0, ge=10, le=60_000, description="a pass is shown so long")
    heartbeat_ms: float = Field(default=100.0, ge=20, le=10_000, description="between its changes")


class ModbusOutput(Output):
    """Coils (and registers) of a PLC or a remote I/O module, over Modbus TCP."""

    kind: Literal["modbus"]
    host: str = Field(min_length=1)
    port: int = Field(default=502, ge=1, le=65_535)
    unit: int = Field(default=1, ge=0, le=247)
    coil: int = Field(default=0, ge=0, le=65_535, description="on: accept; off: reject")
    heartbeat_coil: int = Field(default=1, ge=0, le=65_535, description="toggles while all is well")
    register_at: int | None = Field(
        default=None,
        ge=0,
        le=65_532,
        description="first of 4 holding registers: heartbeat, outcome, seq high, seq low",
    )
    timeout_ms: float = Field(default=200.0, ge=10, le=10_000)


class GpioOutput(Output):
    """Lines of this box, through the kernel's GPIO character device."""

    kind: Literal["gpio"]
    chip: Path = Path("/dev/gpiochip0")
    line: int = Field(ge=0, description="active: accept; inactive: reject")
    heartbeat_line: int | None = Field(default=None, ge=0, description="toggles while all is well")
    active_low: bool = False


AnyOutput = Annotated[ModbusOutput | GpioOutput, Field(discriminator="kind")]


class Area(Section):
    """A part of the picture, as fractions 0..1 of its width and height."""

    x: float
    y: float
    width: float
    height: float

    def model_post_init(self, _context: object, /) -> None:
        """Refuse what lies outside the picture."""
        self.region()

    def region(self) -> Region:
        """As the treaty's type."""
        return Region(self.x, self.y, self.width, self.height)


class HealthSection(Section):
    """From where a camera's picture, and what its parts score, is alarmed about."""

    watch: bool | None = Field(
        default=None, description="whether frames are watched; unset: where the source is live"
    )
    reference_frames: int = Field(
        default=100, ge=20, le=1000, description="good frames that the reference is learnt from"
    )
    frozen_frames: int = Field(default=4, ge=1, le=1000, description="repeats of one picture")
    light: float = Field(default=0.15, ge=0.02, le=1, description="change of brightness anywhere")
    focus: float = Field(default=0.2, ge=0.05, le=0.9, description="lost steepness of edges")
    framing: float = Field(default=0.01, ge=0.002, le=0.5, description="shift, of the width")
    dropped: float = Field(default=0.2, ge=0.02, le=0.9, description="share of frames missing")
    run_length: float = Field(
        default=100_000,
        ge=100,
        le=1e9,
        description="parts between false alarms of score drift, on average and at least",
    )
    rejects: float = Field(
        default=0.35, ge=0.01, le=0.8, description="share not passed that is normal at most"
    )


class Challenge(Section):
    """Known defective parts that are sent through the line on schedule; each must be stopped."""

    every_minutes: float = Field(gt=0, le=60 * 24 * 31, description="one is due at least so often")
    names: str = Field(
        default="challenge", min_length=1, max_length=64, description="their parts' names begin so"
    )


class CameraSection(Section):
    """One camera, how its parts are found and which bundle judges them."""

    source: Source
    bundle: LocalPath
    trigger: Trigger = Field(default_factory=EveryFrameTrigger)
    region: Area | None = Field(default=None, description="instead of the bundle's own region")
    deadline_ms: float = Field(default=500.0, gt=0, le=60_000, description="capture to verdict")
    queue: int = Field(default=8, ge=1, le=1000, description="parts that may wait to be judged")
    fail_safe: Literal["fail", "review"] = Field(
        default="fail", description="the outcome of a part without a trustworthy result"
    )
    output: AnyOutput | None = Field(default=None, description="the reject gate")
    health: HealthSection = Field(default_factory=HealthSection)
    challenge: Challenge | None = Field(default=None, description="known defects, on schedule")
    open_s: Seconds = Field(default=10.0, description="to the first frame, else it is restarted")
    stall_s: Seconds = Field(default=2.0, description="between frames, else it is restarted")

    @property
    def frames(self) -> int:
        """Of each part, judged as one."""
        told = self.trigger
        return told.frames if isinstance(told, GateTrigger | CommandTrigger) else 1
