"""Flagged samples: the pictures that people should see, kept without the line ever waiting.

`choice` says which and why, `keeper` is the door (bounded queue, one thread), `pantry` the folder
with its quota and what gives way, `recent` the last frames, for an operator who presses later.
"""
