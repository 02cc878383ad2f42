"""Anomalib's PatchCore on our split and our weights, run by another virtualenv's Python.

    PYTHON benchmarks/models/patchcore.py WORK.npz

WORK.npz holds `good` and `test` (N,H,W,3) uint8 BGR, the `arch`, and the trunk's tensors as
`w.NAME`; the scores of `test` go to standard output as JSON. Anomalib's defaults: layer2 and
layer3, a coreset of a tenth, nine neighbours (anomalib 2.7.0). It imports nothing of ours.
"""

import json
import sys

import numpy as np
import torch
from anomalib.models.image.patchcore.torch_model import PatchcoreModel

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
LAYERS, CORESET, BATCH = ("layer2", "layer3"), 0.1, 8


def batches(frames: np.ndarray) -> list[torch.Tensor]:
    """(N,H,W,3) uint8 BGR as normalised RGB batches."""
    rgb = torch.from_numpy(np.ascontiguousarray(frames[..., ::-1])).permute(0, 3, 1, 2) / 255
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (MEAN, STD))
    return list(((rgb - mean) / std).split(BATCH))


def main() -> None:
    """Remember the good pictures, score the others."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    work = np.load(sys.argv[1])
    model = PatchcoreModel(LAYERS, backbone=str(work["arch"]), pre_trained=False)
    trunk = model.feature_extractor.feature_extractor
    held = {k[2:]: torch.from_numpy(work[k]) for k in work.files if k.startswith("w.")}
    lacking = [key for key in trunk.state_dict() if key not in held]
    if lacking:
        sys.exit(f"the weights lack {lacking}")
    trunk.load_state_dict({key: held[key] for key in trunk.state_dict()})
    model.train()
    model.feature_extractor.eval()
    for batch in batches(work["good"]):
        model(batch)
    model.subsample_embedding(CORESET)
    model.eval()
    with torch.inference_mode():
        scores = [model(batch).pred_score.flatten() for batch in batches(work["test"])]
    json.dump(torch.cat(scores).tolist(), sys.stdout)


if __name__ == "__main__":
    main()
