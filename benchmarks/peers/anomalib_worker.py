"""anomalib's OpenVINOInferencer on one ONNX file; runs in its own virtualenv.

`python anomalib_worker.py MODEL FRAMES`: for each line on stdin, judges every frame of the .npy
file (N,H,W,3 uint8) one by one and writes a line of JSON: seconds for each, scores. In FP32: left
to itself, OpenVINO takes bfloat16 wherever the processor has it. Knows nothing of Linewarden.
"""

import json
import sys
import time

import numpy as np
from anomalib.deploy import OpenVINOInferencer

model, frames = sys.argv[1], np.load(sys.argv[2])
settings = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
inferencer = OpenVINOInferencer(model, "CPU", settings)
for line in sys.stdin:
    took, scores = [], []
    for frame in frames[: int(line)]:
        started = time.perf_counter()
        scores.append(float(np.asarray(inferencer.predict(frame).pred_score).ravel()[0]))
        took.append(time.perf_counter() - started)
    print(json.dumps({"seconds": took, "scores": scores}), flush=True)
