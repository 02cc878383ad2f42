"""One box: installed, upgraded and taken off again, by root, with nothing but Python's own library.

Runs before Linewarden is there, so it reaches nothing of it but the table of topics, the errors and
the way files are written, which stand on Python's library alone.
"""
