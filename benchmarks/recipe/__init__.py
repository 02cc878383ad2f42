"""How recipes/tune.toml was chosen, in the open: `python -m benchmarks.recipe`."""
