"""What can be told of a camera from its frames: frozen, dark, blurred, differently lit, moved.

Part of the pure core, but for `archive` and `evidence`, which write files. Knows no capture
process, model, database or broker.
"""
