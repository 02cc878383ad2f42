"""The workstation: learns from labelled pictures, measures what it learnt, publishes bundles.

Stands on torch and torchvision; never meets the edge.
"""

import export as export  # first of all: it keeps ONNX Runtime from telling of us
