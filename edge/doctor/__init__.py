"""The doctor: looks a box over before it is armed, and says what to do about what it finds.

One file per organ. Each looks, changes nothing, and yields findings; `edge.cli.doctor` asks all.
"""
