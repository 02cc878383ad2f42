"""Torch's threads: as many as there are cores, and asleep while they wait for one another.

GNU OpenMP's threads spin while they wait, on busy cores at the cost of those they wait for: on two
cores a training step took 3.1 s spinning and 1.1 s asleep. OpenMP reads this once, as torch loads.
"""

import os


def settle(threads: int) -> None:
    """Load torch with `threads` threads (0: one per core); call it before anything else does."""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import torch  # noqa: PLC0415 - after the policy, or the policy is not read

    torch.set_num_threads(threads or os.cpu_count() or 1)
