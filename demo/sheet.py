"""A contact sheet of judged parts: the mistakes first, then some of every outcome and defect."""

from pathlib import Path

import cv2
import numpy as np

from demo.score import Score
from edge.inspection.annotate import annotate
from edge.inspection.armed import arm
from edge.virtual_line import VirtualLine
from export.picture import write
from export.preprocess import Pixels
from export.signature import load_public

COLUMNS, ROWS, TILE_WIDTH = 4, 3, 480


def contact_sheet(score: Score, line: VirtualLine, bundle: Path, key: Path, out: Path) -> None:
    """Write a sheet of up to 12 of the judged parts, annotated, to `out`.

    Judged again for their heatmaps, by the variant of the bundle that judged them on the line.
    """
    pairs = chosen(score)
    variant = pairs[0][1]["bundle"]["variant"]
    inspector = arm(bundle, [load_public(key)], ("cpu",), 1, variant=variant)
    tiles: list[Pixels] = []
    for truth, verdict in pairs:
        pixels = line.frame(verdict["frame"])
        sheet = annotate(pixels, inspector.judge(pixels), inspector.input.region)
        tiles.append(captioned(sheet, f"truth: {truth.label}   part {verdict['seq']}"))
    blank = np.full_like(tiles[0], 245)
    tiles += [blank] * (COLUMNS * ROWS - len(tiles))
    rows = [np.concatenate(tiles[i : i + COLUMNS], axis=1) for i in range(0, len(tiles), COLUMNS)]
    write(out, np.ascontiguousarray(np.concatenate(rows), np.uint8))


def chosen(score: Score) -> list[tuple[object, dict[str, object]]]:
    """Mistakes first, then reviews, then one after another of each class, 12 at most."""

    def interest(pair: tuple[object, dict[str, object]]) -> int:
        truth, verdict = pair
        wrong = verdict["outcome"] == ("pass" if truth.defect else "fail")
        return 0 if wrong else 1 if verdict["outcome"] == "review" else 2

    seen: dict[str, int] = {}
    ranked: list[tuple[int, int, int, tuple[object, dict[str, object]]]] = []
    for place, pair in enumerate(score.judged):
        label = pair[0].label
        seen[label] = seen.get(label, 0) + 1
        ranked.append((interest(pair), seen[label], place, pair))
    return [pair for *_, pair in sorted(ranked, key=lambda row: row[:3])][: COLUMNS * ROWS]


def captioned(sheet: Pixels, text: str) -> Pixels:
    """The sheet at tile width, with a caption below that tells the truth."""
    height = round(sheet.shape[0] * TILE_WIDTH / sheet.shape[1])
    tile = cv2.resize(sheet, (TILE_WIDTH, height), interpolation=cv2.INTER_AREA)
    tile = cv2.copyMakeBorder(tile, 6, 34, 6, 6, cv2.BORDER_CONSTANT, value=(245, 245, 245))
    place = (12, tile.shape[0] - 11)
    cv2.putText(tile, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.6, (40, 40, 40), 1, cv2.LINE_AA)
    return np.ascontiguousarray(tile, np.uint8)
