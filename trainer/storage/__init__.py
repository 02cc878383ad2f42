"""Labelled pictures that lie on object storage: where, what, and their copy on a disk."""
