"""Variants: the same model in another precision, released only if it still answers as it did.

What releases one are training, validation and test pictures; its thresholds come from calibration
pictures that had no say in it, so that their bound is as exact as FP32's.
"""
