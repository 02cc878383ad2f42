"""The appliance's settings: `appliance.toml`, overridden by `LINEWARDEN__SECTION__KEY` variables.

One typed tree in which an unknown key is an error. The only file that reads the environment.
Paths are relative to the settings file; secrets stand in files of their own. It starts nothing.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from edge import complaint
from edge.topics import Topics, check_level
from export.errors import ConfigError
from export.preprocess import Region

ENV_PREFIX = "LINEWARDEN__"
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


class Station(Section):
    """Where the box stands."""

    prefix: str = Field(description="topic prefix: enterprise/site/area/line/cell")

    @field_validator("prefix")
    @classmethod
    def _levels(cls, value: str) -> str:
        return Topics(value).prefix


class BrokerSection(Section):
    """Where verdicts are sent; without this table they are only kept in the store."""

    url: str = Field(pattern=r"^mqtts?://.+", description="mqtt://host:1883 or mqtts://host:8883")
    username: str | None = None
    password_file: LocalPath | None = Field(default=None, description="file with the password")
    ca_file: LocalPath | None = Field(default=None, description="certificates to trust (PEM)")
    keepalive_s: int = Field(default=10, ge=1, le=600)


class Store(Section):
    """Where verdicts are kept until, and after, they are delivered."""

    folder: LocalPath = Field(default=Path("store"), validate_default=True)
    keep_days: float = Field(default=7.0, gt=0, description="delivered verdicts: for how long")
    keep_gb: float = Field(default=2.0, gt=0, description="delivered verdicts: up to this size")


class Engine(Section):
    """What runs the model."""

    provider: Literal["cpu", "cuda", "tensorrt", "openvino"] = "cpu"
    threads: int = Field(default=1, ge=1, le=64)


class Trust(Section):
    """Whose bundles are believed."""

    keys: tuple[LocalPath, ...] = Field(min_length=1, description="public keys (PEM)")


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


class VideoSource(Section):
    """A video file; every frame counts, so a slow judge slows it down."""

    kind: Literal["video"]
    path: LocalPath
    loop: bool = False


class FolderSource(Section):
    """A folder of JPEG, PNG and BMP files in order of name; every picture counts."""

    kind: Literal["folder"]
    path: LocalPath


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
    DeviceSource | StreamSource | VideoSource | FolderSource | VirtualSource,
    Field(discriminator="kind"),
]


class EveryFrameTrigger(Section):
    """Every frame shows a part."""

    kind: Literal["every_frame"] = "every_frame"


class GateTrigger(Section):
    """Parts move through the picture; each is judged where it is nearest the gate line."""

    kind: Literal["gate"]
    axis: Literal["x", "y"] = Field(default="x", description="along which the parts move")
    line: float = Field(default=0.5, ge=0.1, le=0.9, description="where along it they are judged")
    min_size: float = Field(default=0.05, gt=0, le=1, description="smallest part along the axis")
    contrast: int = Field(default=20, ge=3, le=200, description="grey levels from the belt's")


Trigger = Annotated[EveryFrameTrigger | GateTrigger, Field(discriminator="kind")]


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


class CameraSection(Section):
    """One camera, how its parts are found and which bundle judges them."""

    source: Source
    bundle: LocalPath
    trigger: Trigger = Field(default_factory=EveryFrameTrigger)
    region: Area | None = Field(default=None, description="instead of the bundle's own region")
    deadline_ms: float = Field(default=500.0, gt=0, le=60_000, description="capture to verdict")
    queue: int = Field(default=8, ge=1, le=1000, description="parts that may wait to be judged")
    open_s: Seconds = Field(default=10.0, description="to the first frame, else it is restarted")
    stall_s: Seconds = Field(default=2.0, description="between frames, else it is restarted")


class Appliance(Section):
    """Everything a box is told."""

    station: Station
    broker: BrokerSection | None = None
    store: Store = Field(default_factory=lambda: Store(folder=Path("store")))
    engine: Engine = Field(default_factory=Engine)
    trust: Trust
    cameras: dict[str, CameraSection] = Field(min_length=1)

    @field_validator("cameras")
    @classmethod
    def _names(cls, value: dict[str, CameraSection]) -> dict[str, CameraSection]:
        for name in value:
            if len(check_level(name)) > 64:
                raise ValueError(f"the camera name {name!r} is longer than 64 characters")
        return value


class Loaded(Section):
    """Settings with the origin of each value: {dotted key: 'default', 'file' or 'env'}."""

    appliance: Appliance
    path: Path
    origins: dict[str, str]

    def rows(self) -> list[tuple[str, str, str]]:
        """(dotted key, value, origin) of every value, with passwords in addresses masked."""
        flat = flatten(self.appliance.model_dump(mode="json"))
        return [(key, masked(value), self.origins[key]) for key, value in flat.items()]


def load(path: Path, environ: Mapping[str, str] | None = None) -> Loaded:
    """Read a settings file and the variables that override it.

    Raises:
        ConfigError: the file can't be read, isn't TOML, or a key or value in it or in the
            environment is wrong; all wrong keys are named at once.
    """
    written = _read(path)
    variables = _overrides(os.environ if environ is None else environ)
    folder = path.resolve().parent
    written.setdefault("store", {})
    try:
        appliance = Appliance.model_validate(merge(written, variables), context={"folder": folder})
    except ValidationError as error:
        raise complaint.about(error, Appliance, str(path), ENV_PREFIX, variables) from error
    from_file, from_env = flatten(written), flatten(variables)
    origins = {
        key: "env" if key in from_env else "file" if key in from_file else "default"
        for key in flatten(appliance.model_dump(mode="json"))
    }
    return Loaded(appliance=appliance, path=path, origins=origins)


def example() -> str:
    """A complete settings file, with comments."""
    return Path(__file__).with_name("appliance.example.toml").read_text(encoding="utf-8")


def _read(path: Path) -> Tree:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{str(path)!r} can't be read: {error.strerror}",
            "start one with: linewarden config example > appliance.toml",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{str(path)!r} is not TOML: {error}", "mend that line") from error


def _overrides(environ: Mapping[str, str]) -> Tree:
    tree: Tree = {}
    for name in sorted(environ):
        if not name.startswith(ENV_PREFIX):
            continue
        *above, key = name.removeprefix(ENV_PREFIX).lower().split("__")
        table = tree
        for level in above:
            below: Any = table.setdefault(level, {})
            if not isinstance(below, dict):
                raise ConfigError(f"{name} sets a key below a value", "unset one of the two")
            table = cast("Tree", below)
        table[key] = _value(environ[name])
    return tree


def _value(text: str) -> Any:
    """`text` as the TOML value that it spells (8, true, ["a"]), or else as a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def merge(below: Tree, above: Tree) -> Tree:
    """`below` with the values of `above` laid over it, table by table."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        both = isinstance(value, dict) and isinstance(under, dict)
        merged[key] = merge(cast("Tree", under), cast("Tree", value)) if both else value
    return merged


def flatten(tree: Tree, above: str = "") -> dict[str, Any]:
    """{dotted key: value} of every value in nested tables."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat |= flatten(cast("Tree", value), f"{above}{key}.")
        else:
            flat[f"{above}{key}"] = value
    return flat


def masked(value: object) -> str:
    """A value as it may be shown: the password in an address is not."""
    shown = "unset" if value is None else str(value)
    return re.sub(r"(://[^:@\s]*:)\S*@", r"\1***@", shown)


def capture_environment() -> dict[str, str]:
    """The environment of a capture process: a picture bomb is refused, and threads are few."""
    return dict(os.environ) | {
        "OPENCV_IO_MAX_IMAGE_PIXELS": str(1 << 26),
        "OPENCV_LOG_LEVEL": "ERROR",
        "OPENCV_FFMPEG_CAPTURE_OPTIONS": "rtsp_transport;tcp",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
