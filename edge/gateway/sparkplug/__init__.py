"""Sparkplug B 3.0: the box as an edge node, its cameras as devices."""
