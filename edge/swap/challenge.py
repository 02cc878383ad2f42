"""What people may ask of a running box about its challenge parts, through the control socket."""

from edge.challenge import Challenges
from edge.swap.control import Act, Fields
from edge.swap.exchange import Say
from export.errors import ConfigError

MOST = 100  # that may be announced at once


def asked_of(challenges: Challenges) -> dict[str, Act]:
    """{word: what it does}."""

    def announce(asked: Fields, _say: Say) -> Fields:
        camera, count = str(asked["camera"]), int(asked["count"])
        if camera not in challenges.last():
            raise ConfigError(
                f"no challenge parts are planned for {camera!r}",
                f"add [cameras.{camera}.challenge] with every_minutes",
            )
        if not 1 <= count <= MOST:
            raise ConfigError(f"{count} parts can't be announced", f"1 to {MOST}")
        challenges.announce(camera, count)
        return {}

    def listed(_asked: Fields, _say: Say) -> Fields:
        return {camera: last.model_dump() for camera, last in challenges.last().items()}

    return {"challenge": announce, "challenges": listed}
