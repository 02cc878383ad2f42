"""The appliance's settings: `appliance.toml`, overridden by `LINEWARDEN__SECTION__KEY` variables.

One typed tree in which an unknown key is an error. The only file that reads the environment.
Paths are relative to the settings file; secrets stand in files of their own. It starts nothing.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, field_validator

from edge import complaint
from edge.gateway_tables import Gateway
from edge.sections import CameraSection, Fraction, LocalPath, Section, Tree
from edge.topics import Topics, check_level
from export.errors import ConfigError

ENV_PREFIX = "LINEWARDEN__"


_CLOCK = r"([01]\d|2[0-4]):[0-5]\d"
Hours = Annotated[str, Field(pattern=rf"^{_CLOCK} ?[-\u2013] ?{_CLOCK}$")]


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
    certificate: LocalPath | None = Field(default=None, description="who we are, for TLS (PEM)")
    key: LocalPath | None = Field(default=None, description="of the certificate (PEM)")
    keepalive_s: int = Field(default=10, ge=1, le=600)

    @field_validator("url")
    @classmethod
    def _port(cls, value: str) -> str:
        try:
            port = urlsplit(value).port
        except ValueError:
            port = 0
        if port == 0:
            raise ValueError(f"{value!r}: the port must be a number from 1 to 65535")
        return value


class Store(Section):
    """Where verdicts are kept until, and after, they are delivered."""

    folder: LocalPath = Field(default=Path("store"), validate_default=True)
    keep_days: float = Field(default=7.0, gt=0, description="delivered verdicts: for how long")
    keep_gb: float = Field(default=2.0, gt=0, description="delivered verdicts: up to this size")


class Samples(Section):
    """Pictures kept for people: fails, reviews, novel parts, and a random audit of passes."""

    folder: LocalPath = Field(default=Path("samples"), validate_default=True)
    keep_gb: float = Field(default=5.0, ge=0, description="up to this size; 0 keeps none")
    leave_free_gb: float = Field(default=1.0, ge=0, description="what the disk must have left")
    picture: Literal["png", "jpg"] = Field(
        default="png", description="png is lossless: its verdict can be reproduced exactly"
    )
    audit_rate: Fraction = Field(default=0.01, description="share of passes kept at random")
    queue: int = Field(default=16, ge=1, le=1000, description="pictures that may wait for the disk")
    recent: int = Field(
        default=16, ge=0, le=1000, description="frames in memory, for an operator who presses late"
    )


class Oidc(Section):
    """The plant's issuer of identities (OpenID Connect), beside accounts of the console's own."""

    issuer: str = Field(pattern=r"^https?://.+", description="exactly as it names itself")
    client_id: str = Field(min_length=1)
    client_secret_file: LocalPath | None = Field(
        default=None, description="its first line; a public client has none"
    )
    url: str = Field(pattern=r"^https?://.+", description="of this console, as browsers reach it")
    name: str = Field(default="single sign-on", max_length=40, description="on the button")
    scope: str = "openid profile"
    roles_claim: str = Field(default="groups", description="of the ID token")
    roles: dict[str, Literal["viewer", "operator", "engineer", "admin"]] = Field(
        min_length=1, description="what a value of that claim may; the highest counts"
    )


class Console(Section):
    """The operators' web page, served by a process of its own (linewarden console)."""

    folder: LocalPath = Field(
        default=Path("console"), validate_default=True, description="accounts, verdicts to search"
    )
    host: str = Field(default="127.0.0.1", min_length=1, description="0.0.0.0: every network")
    port: int = Field(default=8480, ge=0, le=65_535, description="0: any free one")
    certificate: LocalPath | None = Field(default=None, description="for TLS (PEM)")
    key: LocalPath | None = Field(default=None, description="of the certificate (PEM)")
    plain_http: bool = Field(
        default=False, description="serve a network without TLS: a proxy on this box does that"
    )
    keep_days: float = Field(default=90.0, gt=0, description="verdicts, while nobody labelled them")
    keep_gb: float = Field(default=4.0, gt=0, description="verdicts: up to this size")
    leave_free_gb: float = Field(default=1.0, ge=0, description="what the disk must have left")
    oidc: Oidc | None = None
    idle_minutes: float = Field(default=480.0, gt=0, description="unused for so long: logged out")
    second_reader: Fraction = Field(
        default=0.1, description="share of labelled samples that a second person reads"
    )

    def model_post_init(self, _context: object, /) -> None:
        """Refuse half a certificate, and passwords in clear over a network."""
        if (self.certificate is None) is not (self.key is None):
            raise ValueError("certificate and key belong together: give both or none")
        here = self.host in ("127.0.0.1", "::1", "localhost")
        if not (here or self.certificate or self.plain_http):
            raise ValueError(
                f"host {self.host} is a network: passwords would cross it in clear; give"
                " certificate and key, or plain_http = true where a proxy on this box does TLS"
            )


class Shadow(Section):
    """On what terms a challenger that judges in the shadow is promoted."""

    parts: int = Field(default=400, ge=1, description="judged by both, at least")
    most: int = Field(default=4000, ge=1, description="without a decision by then it is refused")
    loosened: float = Field(
        default=0.01, gt=0, lt=0.5, description="share it may pass wrongly that was stopped"
    )
    tightened: float = Field(
        default=0.02, gt=0, lt=0.5, description="share it may stop wrongly that was let further"
    )
    risk: float = Field(
        default=0.05, gt=0, lt=0.5, description="of promoting one that exceeds a share"
    )

    def model_post_init(self, _context: object, /) -> None:
        """Refuse a limit below the least."""
        if self.most < self.parts:
            raise ValueError(f"most = {self.most} is below parts = {self.parts}")


class Assistant(Section):
    """The operators' assistant (linewarden assistant serve), a process of its own."""

    folder: LocalPath = Field(
        default=Path("assistant"), validate_default=True, description="feedback on its answers"
    )
    host: str = Field(
        default="127.0.0.1",
        pattern=r"^(127\.0\.0\.1|::1|[a-z][a-z0-9-]{0,62})$",
        description="this box only: the console stands before it; or a container's one-word name",
    )
    port: int = Field(default=8490, ge=0, le=65_535, description="0: any free one")
    names: tuple[str, ...] = Field(
        default=(), description="by which it is called besides its host's, as behind a proxy"
    )
    bundle: LocalPath | None = Field(default=None, description="a bundle of kind assistant")
    documents: LocalPath | None = Field(
        default=None, description="folder of manuals (.md, .txt, .pdf), instead of the bundle's"
    )
    context: LocalPath | None = Field(
        default=None, description="system context, read again when changed; instead of the bundle's"
    )
    model_url: str = Field(
        default="",
        pattern=r"^$|^https?://.+",
        description="OpenAI-compatible; empty: the bundle's own model, or quoted sections",
    )
    model_name: str = Field(
        default="default", min_length=1, description="as the model's server has it"
    )
    bundle_model: bool = Field(
        default=True,
        description="without a model_url, run the text model that the bundle carries, if it does",
    )
    model_threads: int = Field(
        default=1, ge=1, le=64, description="of the processor, for the bundle's text model"
    )
    model_key_file: LocalPath | None = Field(default=None, description="file with the server's key")
    time_zone: str = Field(default="", description="such as Europe/Berlin; empty: the box's own")
    shifts: dict[str, Hours] = Field(
        default={"early": "06:00-14:00", "late": "14:00-22:00", "night": "22:00-06:00"},
        description="name → hours; early, late and night are known by their usual words",
    )
    words: dict[str, str] = Field(
        default_factory=dict, description="what people call a type or camera → its name in verdicts"
    )
    language: Literal["en", "de"] = Field(default="en", description="of a question that shows none")

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            return ZoneInfo(value).key if value else value
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(
                f"{value!r} is no time zone: write one such as Europe/Berlin"
            ) from error


class Engine(Section):
    """What runs the model."""

    provider: Literal["cpu", "cuda", "tensorrt", "openvino", "openvino-bf16"] = "cpu"
    threads: int = Field(default=1, ge=1, le=64)
    variant: Literal["auto", "fp32", "int8", "fp16"] = Field(
        default="auto", description="of the bundle; auto: the fastest whose guarantee holds here"
    )


class Status(Section):
    """Where the box answers /healthz, /readyz and /metrics over HTTP."""

    listen: str = Field(
        default="",
        pattern=r"^$|^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$",
        description="host:port, such as 127.0.0.1:9464; empty: nowhere",
    )

    @property
    def address(self) -> tuple[str, int]:
        """(host, port) of `listen`."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


class Trust(Section):
    """Whose bundles are believed."""

    keys: tuple[LocalPath, ...] = Field(min_length=1, description="public keys (PEM)")


class Appliance(Section):
    """Everything a box is told."""

    station: Station
    broker: BrokerSection | None = None
    store: Store = Field(default_factory=lambda: Store(folder=Path("store")))
    samples: Samples = Field(default_factory=lambda: Samples(folder=Path("samples")))
    engine: Engine = Field(default_factory=Engine)
    console: Console = Field(default_factory=lambda: Console(folder=Path("console")))
    shadow: Shadow = Field(default_factory=Shadow)
    gateway: Gateway = Field(default_factory=lambda: Gateway(folder=Path("gateway")))
    assistant: Assistant = Field(default_factory=lambda: Assistant(folder=Path("assistant")))
    trust: Trust
    status: Status = Field(default_factory=Status)
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
    for table in ("store", "samples", "console", "assistant", "gateway"):
        written.setdefault(table, {})
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


def service_manager(environ: Mapping[str, str] | None = None) -> tuple[str, float]:
    """(address of systemd's notify socket or '', its watchdog's period in seconds or 0)."""
    told = os.environ if environ is None else environ
    ours = told.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    period = told.get("WATCHDOG_USEC", "") if ours else ""
    return told.get("NOTIFY_SOCKET", ""), int(period) / 1e6 if period.isdigit() else 0.0


def capture_environment() -> dict[str, str]:
    """The environment of a capture process: a picture bomb is refused, and threads are few."""
    return dict(os.environ) | {
        "OPENCV_IO_MAX_IMAGE_PIXELS": str(1 << 26),
        "OPENCV_LOG_LEVEL": "ERROR",
        "OPENCV_FFMPEG_CAPTURE_OPTIONS": "rtsp_transport;tcp",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
