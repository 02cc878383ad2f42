"""The box beside the line: sees frames, judges parts, tells verdicts.

Stands on OpenCV, ONNX Runtime and paho; never reaches torch, and never meets the trainer.
"""

import export as export  # first of all: it keeps ONNX Runtime from telling of us
