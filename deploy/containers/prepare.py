r"""Makes what the Compose file mounts: authority, certificates, accounts, settings, in a folder.

    sudo python3 -m deploy.containers.prepare --prefix acme/plant1/area1/line1/cell1 \
        --bundle bundle --key signing.pub

Safe to run twice. Needs openssl, and root to give each container's user its own key.
"""

import argparse
import os
import secrets
import sys
from pathlib import Path

from deploy.box.accounts import Accounts
from deploy.box.authority import Authority
from deploy.box.layout import FILES, Layout
from deploy.box.line import Line, Sight, appliance, replaced
from deploy.box.program import InstallError, write
from deploy.box.releases import Releases
from deploy.box.rights import Account, Role
from export.errors import LinewardenError

HERE = Path(__file__).parent
OWNERS = {
    "server.key": 1883,
    "box.key": 10001,
    "console.key": 10002,
    "assistant.key": 10003,
    "gateway.key": 10004,
    "web.key": 10002,
    "grafana.key": 472,
    "grafana_admin": 472,
}
IN_CONTAINER = {
    "/run/credentials/linewarden-broker.service/": "/run/secrets/",
    "/var/lib/linewarden-broker/": "/mosquitto/data/",
}
SCOPED = {
    "box": Role.BOX,
    "console": Role.CONSOLE,
    "assistant": Role.ASSISTANT,
    "gateway": Role.GATEWAY,
}


class Site(Layout):
    """Like a box's folders, but all in one."""

    @property
    def etc(self) -> Path:
        """Everything."""
        return self.root


def prepare(
    out: Path, prefix: str, names: list[str], *, sight: Sight, bundle: Path, key: Path
) -> None:
    """Make or complete the folder `out`; raises InstallError."""
    if not (bundle / "manifest.json").is_file():
        raise InstallError(f"{bundle} is no bundle", "name the folder that linewarden export made")
    if sight.secret():
        raise InstallError(
            "a camera's password isn't kept in the containers' settings",
            "give the address without it, and the line the whole one as the variable "
            f"LINEWARDEN__CAMERAS__{sight.camera.upper()}__SOURCE__URL",
        )
    site = Site(out)
    Line(site, Releases(site.opt)).agree(prefix)
    trusted = key.read_text(encoding="utf-8")
    for folder in ("secrets", "tls", "broker/conf.d", "trust", "bundles", "models"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    authority = Authority(out / "authority", site.tls / "ca.pem", site.tls / "revoked.pem")
    authority.found(f"Linewarden authority of {prefix}")
    shown = {"localhost", "127.0.0.1", *names}
    authority.server({*shown, "broker"}, site.secrets / "server.key", site.tls / "server.pem")
    authority.server({*shown, "console", "grafana"}, site.secrets / "web.key", site.tls / "web.pem")
    web = (site.secrets / "web.key").read_text(encoding="utf-8")
    write(site.secrets / "grafana.key", web, 0o400)
    accounts = Accounts(site, authority)
    for name, role in SCOPED.items():
        accounts.add(Account(name, role, prefix))
    conf = (FILES / "broker/mosquitto.conf").read_text(encoding="utf-8")
    conf = conf.replace("{port}", "8883").replace("{listen}", "0.0.0.0")  # noqa: S104 - the container's own
    for here, there in IN_CONTAINER.items():
        conf = conf.replace(here, there)
    write(out / "broker/mosquitto.conf", conf)
    if not site.settings.exists():
        text = appliance(prefix, "0.0.0.0", 8883, sight)  # noqa: S104 - the container's own
        text = text.replace("mqtts://127.0.0.1:", "mqtts://broker:").replace(
            "127.0.0.1:9464", "0.0.0.0:9464"
        )
        write(site.settings, text)
    write(out / "trust/line.pub", trusted)
    replaced(bundle, out / "bundles" / sight.camera)
    if not (site.secrets / "grafana_admin").exists():
        write(site.secrets / "grafana_admin", f"{secrets.token_urlsafe(18)}\n", 0o400)
    _owned(site)


def _owned(site: Site) -> None:
    """Each key belongs to the one user that needs it; the ACL to the broker."""
    for name, uid in OWNERS.items():
        (site.secrets / name).chmod(0o400)
        os.chown(site.secrets / name, uid, -1)
    for path in (site.acl, site.accounts):
        os.chown(path, 1883, 1883)


def main() -> None:
    """The command line; exit code 2 for what a person can mend."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "python3 -m deploy.containers.prepare", description=__doc__, formatter_class=form
    )
    parser.add_argument(
        "--out", type=Path, default=HERE / "site", help="the folder (deploy/containers/site)"
    )
    parser.add_argument(
        "--prefix", required=True, help="topic prefix: enterprise/site/area/line/cell"
    )
    parser.add_argument(
        "--name", action="append", default=[], help="the machine is known by; repeatable"
    )
    parser.add_argument("--camera", default="virtual", help="virtual, device:0 or rtsp://…")
    parser.add_argument(
        "--bundle", type=Path, required=True, help="folder that linewarden export made"
    )
    parser.add_argument("--key", type=Path, required=True, help="public key of who signed it")
    asked = parser.parse_args()
    try:
        if os.geteuid():
            raise InstallError("keys are given to the containers' users: it must be root", "sudo")
        told = {"sight": Sight("top", asked.camera), "bundle": asked.bundle, "key": asked.key}
        prepare(asked.out, asked.prefix, asked.name, **told)
    except LinewardenError as error:
        sys.stderr.write(f"prepare: {error}\n")
        sys.exit(error.exit_code)
    except OSError as error:
        sys.stderr.write(f"prepare: {error}\n")
        sys.exit(2)
    site = asked.out.resolve()
    print(f"{site}: ready; SITE={site} docker compose -f {HERE / 'compose.yaml'} up -d")


if __name__ == "__main__":
    main()
