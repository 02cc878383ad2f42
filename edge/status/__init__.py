"""What the box says of itself over HTTP, to machines beside it: alive, ready, and in figures.

Reads the daemon's own books; changes nothing and delays nothing.
"""
