"""Our training against others on real pictures: `python -m benchmarks.models`."""
