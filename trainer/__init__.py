"""The workstation: learns from labelled pictures, measures what it learnt, publishes bundles.

Stands on torch and torchvision; never meets the edge.
"""

import export  # noqa: F401 - first of all: it keeps ONNX Runtime from telling of us
