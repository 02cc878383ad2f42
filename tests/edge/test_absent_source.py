"""A film or a folder that isn't there: said at the start, not tried for ever."""

import pytest

from edge.cli.run import _refuse_absent
from edge.config import load
from edge.doctor.cameras import lenses
from edge.doctor.finding import State
from export.errors import ConfigError
from tests.edge.box import Box, folder_camera


@pytest.fixture
def settings(tmp_path):
    """A box whose pictures have not been made."""
    return Box(tmp_path).write(folder_camera())


def test_a_run_refuses_it_by_its_key(settings):
    """Before a bundle is looked at."""
    with pytest.raises(ConfigError, match=r"cameras\.\w+\.source\.path: .* is no folder"):
        _refuse_absent(load(settings, {}).appliance)


def test_the_doctor_finds_it(settings):
    """The box must not be armed like this."""
    (found,) = lenses(load(settings, {}).appliance, 0.1)
    assert (found.state, found.organ.split()[0]) == (State.ILL, "camera")
