"""Torch's threads and this process's place: what is settled before torch loads.

GNU OpenMP's threads spin while they wait, on busy cores at the cost of those they wait for: on two
cores a training step took 3.1 s spinning and 1.1 s asleep. OpenMP reads this once, as torch loads.
"""

import os
from dataclasses import dataclass

from export.errors import LinewardenError


@dataclass(frozen=True, slots=True)
class Place:
    """A process's place among those that train one run.

    Attributes:
        rank: its number, from 0.
        size: how many there are.
        local: its number among those on this machine.
        beside: how many there are on this machine.
    """

    rank: int = 0
    size: int = 1
    local: int = 0
    beside: int = 1


def place() -> Place:
    """Where torchrun, or what does the same, has put this process; raises LinewardenError."""
    if "WORLD_SIZE" not in os.environ:
        return Place()
    names = {
        "rank": "RANK",
        "size": "WORLD_SIZE",
        "local": "LOCAL_RANK",
        "beside": "LOCAL_WORLD_SIZE",
    }
    defaults = {"LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1"}
    told = {key: os.environ.get(name, defaults.get(name, "")) for key, name in names.items()}
    wrong = [f"{names[key]}={value!r}" for key, value in told.items() if not value.isdecimal()]
    found = Place() if wrong else Place(**{key: int(value) for key, value in told.items()})
    if wrong or not found.rank < found.size:
        raise LinewardenError(
            f"{', '.join(wrong) or f'RANK={found.rank} of WORLD_SIZE={found.size}'} is no place "
            "among the processes of a run",
            "start with torchrun, or unset WORLD_SIZE",
        )
    return found


def settle(threads: int) -> None:
    """Load torch with `threads` threads (0: the cores, shared with processes beside this one)."""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import torch  # noqa: PLC0415 - after the policy, or the policy is not read

    cores = os.cpu_count() or 1
    torch.set_num_threads(threads or max(1, cores // place().beside))
