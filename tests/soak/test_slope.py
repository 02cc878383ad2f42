import numpy as np
import pytest

from tests.soak.slope import slope

SECONDS = np.arange(0, 25 * 60, 5.0)


def series(per_hour, seed):
    """A process that holds 380 MiB, wanders by a few tenths, and grows."""
    rng, drift = np.random.default_rng(seed), 0.0
    values = []
    for at in SECONDS:
        drift = 0.9 * drift + rng.normal(0, 0.1)
        values.append(380 + per_hour * at / 3600 + drift)
    return values


def test_a_leak_is_seen_and_a_flat_process_is_not_blamed():
    """Of 40 flat series at most two seem to grow by 1 MiB/h; of 40 that leak 12 nearly all do."""
    flat = [slope(SECONDS, series(0.0, seed)) for seed in range(40)]
    leaking = [slope(SECONDS, series(12.0, seed)) for seed in range(40)]
    assert sum(found.low > 1 for found in flat) <= 2
    assert sum(found.low > 1 for found in leaking) >= 38
    assert sum(found.low <= 12 <= found.high for found in leaking) >= 34


def test_too_short_a_run_has_no_slope():
    """Four minutes say nothing about an hour."""
    with pytest.raises(ValueError, match="too few"):
        slope(SECONDS[:48], SECONDS[:48])
