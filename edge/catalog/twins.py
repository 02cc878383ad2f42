"""Near duplicates among any number of pictures, one picture at a time.

Two hashes that differ in fewer bits than there are bands have a band in common (the pigeonhole
principle), so that a table by band finds every such pair without comparing all; of pairs 24 bits
apart it misses one in fifty. Signs of random projections of the embedding (Charikar, STOC 2002), in
bands likewise, offer pairs too: of those most alike the thumbnails decide, which find copies that
are cropped, whose hashes are far apart.
Groups are connected components, so they don't depend on the order in which pictures came.
"""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from edge.catalog.fingerprint import BYTES, distance
from edge.catalog.thumb import cut_out

# Of 256. Studio pictures of packages that differ in the print alone were 44 bits apart or more,
# customers' photos 64; copies saved again, resized or lit otherwise at most 4, marked ones 20.
NEAR_BITS = 24
CUT_COSINE = 0.8  # less, and thumbnails aren't laid over each other
CUTS = 16  # pictures that one is laid over at most, the likest: 2 ms each
BANDS = 16
_WORD = 2  # bytes of a band


class Twins:
    """Groups of pictures that show the same.

    Args:
        dimensions: of the embedding.
    """

    def __init__(self, dimensions: int) -> None:
        random = np.random.default_rng(0)  # the same projections everywhere
        self._planes = random.standard_normal((dimensions, BANDS * _WORD * 8)).astype(np.float32)
        self._tables: tuple[dict[bytes, list[int]], ...] = tuple(
            defaultdict(list) for _ in range(2 * BANDS)
        )
        self._hashes: list[NDArray[np.uint8]] = []
        self._vectors: list[NDArray[np.float16]] = []
        self._thumbs: list[bytes] = []
        self._parent: list[int] = []
        self._same: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._parent)

    def add(
        self, digest: bytes, bits: NDArray[np.uint8], embedding: NDArray[np.float32], small: bytes
    ) -> int:
        """Take a picture in.

        Args:
            digest: of its file: the same file is the same picture.
            bits: its hash (32,).
            embedding: (D,), of unit length.
            small: its thumbnail, as edge/catalog/thumb.py makes it.

        Returns:
            Its number, counted from 0.
        """
        number = len(self._parent)
        self._parent.append(number)
        self._hashes.append(bits)
        self._vectors.append(embedding.astype(np.float16))
        self._thumbs.append(small)
        if digest in self._same:
            self._join(number, self._same[digest])
            return number
        self._same[digest] = number
        words = self._words(bits, embedding)
        near = {one for table, word in zip(self._tables, words, strict=True) for one in table[word]}
        self._compare(number, sorted(near))
        for table, word in zip(self._tables, words, strict=True):
            table[word].append(number)
        return number

    def group(self, number: int) -> int:
        """The least number in the picture's group."""
        while self._parent[number] != number:
            self._parent[number] = self._parent[self._parent[number]]
            number = self._parent[number]
        return number

    def _words(self, bits: NDArray[np.uint8], embedding: NDArray[np.float32]) -> list[bytes]:
        signs = np.packbits(embedding @ self._planes > 0)
        both = bits.tobytes() + signs.tobytes()
        return [both[i : i + _WORD] for i in range(0, 2 * BYTES, _WORD)]

    def _compare(self, number: int, near: list[int]) -> None:
        if not near:
            return
        apart = distance(self._hashes[number], np.stack([self._hashes[i] for i in near]))
        mine = self._vectors[number].astype(np.float32)
        alike = np.stack([self._vectors[i] for i in near]).astype(np.float32) @ mine
        same = apart <= NEAR_BITS
        for at in np.flatnonzero(same):
            self._join(number, near[int(at)])
        likest = np.argsort(-alike, kind="stable")[:CUTS]
        for at in likest[alike[likest] >= CUT_COSINE]:
            self._lay(number, near[int(at)])

    def _lay(self, number: int, other: int) -> None:
        if self.group(number) == self.group(other):
            return
        if cut_out(self._thumbs[number], self._thumbs[other]):
            self._join(number, other)

    def _join(self, one: int, other: int) -> None:
        a, b = self.group(one), self.group(other)
        self._parent[max(a, b)] = min(a, b)
