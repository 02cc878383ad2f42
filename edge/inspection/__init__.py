"""From a part to its verdict: the model at work, on time or fail-safe."""
