"""Peers judging with the same weights, each in a virtualenv of its own (make bench-peers)."""
