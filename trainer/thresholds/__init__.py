"""Thresholds: what the calibration parts prove, where to pass, fail and ask, and at what cost.

Knows scores, labels and parts, never a network: nothing here loads torch.
"""
