"""How a verdict's bytes lie on the disk: deflated against a fixed text of what they all say.

A verdict is 900 bytes, of which 700 are the same in every other one; packed it takes about 290, so
a day without a broker fits on a small disk. zlib's checksum tells a damaged body from a sound one.
"""

import zlib

LEVEL, WINDOW_BITS, MEMORY = 3, 12, 8
PLAIN = b"{"  # how an unpacked JSON body begins; no zlib stream does (RFC 1950, 2.2)

# Never changed: what lies on disks was packed with it. What it doesn't know is packed all the same.
WORDING = (
    b"fail_safe:inspection_error inspection_queue_full no_result_before_the_deadline"
    b"model_output_not_finite frame_not_usable unlike_the_training_parts score_in_review_band"
    b'"outcome":"review""outcome":"fail","reason":"score_above_fail_threshold","detail":"","score":0.99'
    b'"probabilities":{"good":0.0,"chip":0.0,"dent":0.0,"missing_feature":0.0,"scratch":0.0,"stain":0.'
    b'"simulated":true,"replay":true}e-5,e-6,e-7,e-8"novel_above":null}"novelty":0.'
    b'{"schema_version":1,"camera":"","epoch":17,"seq":1,"part":"part-17-1","outcome":"pass",'
    b'"reason":"score_below_pass_threshold","detail":"","score":0.0,"novelty":null,'
    b'"thresholds":{"pass_below":0.,"fail_above":0.,"novel_above":null},'
    b'"probabilities":{"good":0.,"defect":0.},"bundle":{"name":"","version":1,"digest":"'
    b'"},"frame":1,"captured_at":"2026-01-01T00:00:00.000000Z",'
    b'"decided_at":"2026-01-01T00:00:00.000000Z","latency_ms":{"queue":0.,"preprocess":0.,'
    b'"score":0.,"total":0.},"health":{"frame_age_ms":0.,"overwritten":0,"reconnects":0},'
    b'"simulated":false,"replay":false}'
)


def pack(body: bytes) -> bytes:
    """`body` for the disk; never longer than it was if it begins as JSON does."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, WINDOW_BITS, MEMORY, zdict=WORDING)
    packed = packer.compress(body) + packer.flush()
    return packed if len(packed) < len(body) or not body.startswith(PLAIN) else body


def unpack(packed: bytes) -> bytes:
    """What `pack` was given; raises ValueError if it is damaged."""
    if packed.startswith(PLAIN):
        return packed
    try:
        reader = zlib.decompressobj(WINDOW_BITS, zdict=WORDING)
        body = reader.decompress(packed)
    except zlib.error as error:
        raise ValueError(f"a stored verdict is damaged: {error}") from None
    if not reader.eof:
        raise ValueError("a stored verdict is damaged: its end is missing")
    return body
