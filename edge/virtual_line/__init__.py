"""The virtual line: a conveyor with machined parts, some defective, each with a known truth.

Stands in for a camera where there is none: in a demonstration, a test, a first training.
"""

from edge.virtual_line.defect import Kind
from edge.virtual_line.line import REGION, VirtualLine
from edge.virtual_line.plan import FRAMES_PER_PITCH
from edge.virtual_line.truth import PartTruth

__all__ = ["FRAMES_PER_PITCH", "REGION", "Kind", "PartTruth", "VirtualLine"]
