"""Where everything of a box lies. Knows no command and writes nothing."""

from dataclasses import dataclass
from pathlib import Path

FILES = Path(__file__).with_name("files")
BROKER, LINE, CONSOLE, ASSISTANT, GATEWAY, GUARD = (
    f"linewarden{part}.service"
    for part in ("-broker", "", "-console", "-assistant", "-gateway", "-guard")
)
UNITS = (BROKER, LINE, CONSOLE, ASSISTANT, GATEWAY, GUARD)  # in the order in which they start
ASKED_FOR = (ASSISTANT, GATEWAY)  # not every box has them: who wants one enables it


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders and files of a box, below `root` ('/' but in tests)."""

    root: Path = Path("/")

    @property
    def etc(self) -> Path:
        """Settings, certificates, secrets."""
        return self.root / "etc/linewarden"

    @property
    def opt(self) -> Path:
        """Programs, one folder for each release."""
        return self.root / "opt/linewarden"

    @property
    def var(self) -> Path:
        """What the line keeps."""
        return self.root / "var/lib/linewarden"

    @property
    def settings(self) -> Path:
        """The box's settings."""
        return self.etc / "appliance.toml"

    @property
    def armed(self) -> Path:
        """Stands there once the box has a bundle: the line starts only then."""
        return self.etc / "armed"

    @property
    def units(self) -> Path:
        """The folder of systemd for the administrator's units."""
        return self.root / "etc/systemd/system"

    @property
    def secrets(self) -> Path:
        """Private keys; root's alone."""
        return self.etc / "secrets"

    @property
    def tls(self) -> Path:
        """Certificates; nothing in them is secret."""
        return self.etc / "tls"

    @property
    def acl(self) -> Path:
        """Who may what at the broker, as Mosquitto reads it."""
        return self.etc / "broker/acl"

    @property
    def accounts(self) -> Path:
        """Who may what at the broker, as we keep it."""
        return self.etc / "broker/accounts.json"

    @property
    def broker(self) -> Path:
        """The broker's settings."""
        return self.etc / "broker/mosquitto.conf"

    @property
    def trial(self) -> Path:
        """Names the release that ran before, while it isn't known if the new one starts."""
        return self.opt / "trial"

    def cut_off(self) -> str:
        """The release before a switch that was cut off; '' if none was."""
        return self.trial.read_text(encoding="utf-8").strip() if self.trial.exists() else ""

    @property
    def wrapper(self) -> Path:
        """The command `linewarden-box`."""
        return self.root / "usr/local/sbin/linewarden-box"

    @property
    def placed(self) -> dict[str, Path]:
        """{name in `files/`: where the system wants it} of what is copied as it is."""
        return {
            "sysusers.conf": self.root / "etc/sysusers.d/linewarden.conf",
            "tmpfiles.conf": self.root / "etc/tmpfiles.d/linewarden.conf",
            "camera.rules": self.root / "etc/udev/rules.d/70-linewarden.rules",
            "journald.conf": self.root / "etc/systemd/journald@linewarden.conf",
        }
