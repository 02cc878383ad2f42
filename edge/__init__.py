"""The box beside the line: sees frames, judges parts, tells verdicts.

Stands on OpenCV, ONNX Runtime and paho; never reaches torch, and never meets the trainer.
"""
