"""The ward that stands for the daemon: see `models.Armer`."""

from tests.fuzz.models import Armer as Eater

__all__ = ["Eater"]
