"""A bridge from a box's or a site's Mosquitto to the broker above, as Mosquitto's configuration.

What boxes say goes up at QoS 1, commands come down; both by the one table of topics. Mutual TLS:
the broker above knows the bridge by its certificate (role `site`), the bridge checks that broker's.

    python3 -m deploy.box.bridge --to central.example:8883 --scope acme/plant1/+/+/+ --name plant1
"""

import argparse
import re
import sys
from dataclasses import dataclass

from deploy.box.program import InstallError
from deploy.box.rights import Account, Role
from edge.topics import TABLE, Direction
from export.errors import LinewardenError

_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*|\[?[0-9A-Fa-f:.]+\]?")
HEADING = """\
# To the broker above, written by deploy.box.bridge. MQTT 5, so that it hears when it is refused.
connection {name}
address {to}
bridge_protocol_version mqttv50
bridge_cafile {ca}
bridge_certfile {certificate}
bridge_keyfile {key}
bridge_tls_version tlsv1.2
remote_clientid linewarden-{name}
local_clientid linewarden-{name}-here
# Its queue survives a lost line; what is lost in spite of it is asked for again by whoever lacks
# it.
cleansession false
start_type automatic
restart_timeout 1 15
keepalive_interval 10
notifications false
try_private true
bridge_attempt_unsubscribe false
bridge_outgoing_retain true
bridge_max_packet_size 65536
"""


@dataclass(frozen=True, slots=True)
class Bridge:
    """Where to, for which boxes, and as whom; files as the broker sees them."""

    name: str
    to: str
    scope: str
    ca: str = "/etc/linewarden/tls/above-ca.pem"
    certificate: str = "/etc/linewarden/tls/above.pem"
    key: str = "/run/credentials/linewarden-broker.service/above.key"

    def __post_init__(self) -> None:
        Account(self.name, Role.SITE, self.scope)  # the same rules for names and scopes
        host, _, port = self.to.rpartition(":")
        if not _HOST.fullmatch(host) or not port.isdecimal() or not 0 < int(port) < 65_536:
            raise InstallError(f"--to {self.to!r} is no address", "write HOST:8883")

    def conf(self) -> str:
        """As Mosquitto reads it."""
        told = {one: getattr(self, one) for one in ("name", "to", "ca", "certificate", "key")}
        lines = [HEADING.format(**told)]
        for row in TABLE:
            way = "out" if row.direction is Direction.FROM_BOX else "in"
            levels = row.levels.replace("{camera}", "+")
            lines.append(f"topic {self.scope}/{levels} {way} {row.qos}\n")
        return "".join(lines)


def main() -> None:
    """Print the configuration."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "python3 -m deploy.box.bridge", description=__doc__, formatter_class=form
    )
    parser.add_argument("--to", required=True, help="HOST:PORT of the broker above")
    parser.add_argument("--scope", required=True, help="topic prefix of the boxes, + for any level")
    parser.add_argument("--name", required=True, help="the bridge's account at the broker above")
    asked = parser.parse_args()
    try:
        sys.stdout.write(Bridge(asked.name, asked.to, asked.scope).conf())
    except LinewardenError as error:
        sys.stderr.write(f"bridge: {error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
