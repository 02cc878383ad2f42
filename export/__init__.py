"""The treaty: all that crosses between the workstation that trains and the box that judges.

Stands on numpy, OpenCV and pydantic; knows neither the edge nor the trainer. Torch enters
through one door only, `export/to_onnx.py`, which only the trainer may open.
"""

import os

__version__ = "0.1.0"

# ONNX Runtime's wheel notes every session under the user's ~/.cache and may send it to their maker;
# before it loads it looks for this. Whoever wants that sets it to 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # noqa: TID251 - read by a library, not by us
