"""The workstation: learns from labelled pictures, measures what it learnt, publishes bundles.

Stands on torch and torchvision; never meets the edge.
"""
