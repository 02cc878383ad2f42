"""Bundles at run time: taken in, tried, exchanged between two parts, watched, and taken back.

A bundle that is to judge is copied to the box's own shelf, so that nobody can change it under the
line. What is active is one small file, replaced whole: a kill at any moment leaves the old or the
new.
"""
