"""The treaty: all that crosses between the workstation that trains and the box that judges.

Stands on numpy, OpenCV and pydantic; knows neither the edge nor the trainer. Torch enters
through one door only, `export/to_onnx.py`, which only the trainer may open.
"""

__version__ = "0.1.0"
