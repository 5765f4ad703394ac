"""Pictures that are there twice: pixel by pixel, or nearly.

Two pictures are near copies when they are one picture saved twice: at another quality or size, a
little brighter, cut a little narrower, or mirrored. They are compared as thumbnails, by the
correlation of their pixels, and with mirrored and cut thumbnails as well.

A fixed limit would not do. All pictures of bare solar cells are alike, and none is a copy. So a
pair must also be much closer than each of the two is to its tenth neighbour (as in the ratio test
of Lowe 2004, https://doi.org/10.1023/B:VISI.0000029664.99615.94, section 7.1).

Measured with planted copies in four data sets of the course (`tests/unit/test_look.py` repeats a
part): pictures saved as JPEG at quality 40, with half the pixels, darker by a fifth, mirrored or
cut by 3 % at each side are found in 95 to 100 %, except for half the pixels of 28, and for cuts of
solar cells (61 %) and of clothes of 28 pixels (92 %). Equal
perceptual hashes, cleanvision's rule for near duplicates, find 34 to 80 %, and none that is
mirrored or cut. Not found: pictures that are turned, shifted, or have something laid over them.
"""

import hashlib

import numpy as np

LIMIT = 0.02  # 1 − correlation of two thumbnails of 32 × 32 that show one picture
CLOSER = 0.35  # and its share of the distance to the tenth neighbour, which must not be exceeded
NEIGHBOUR = 10  # of large sets the hundredth part: a burst of pictures may hold more than ten
CUTS = (0.03, 0.06, 0.09)  # the shares cut off at each side that are tried
KEPT, FINE, COARSE, DIRECTIONS = 64, 32, 16, 64  # sides of thumbnails; axes of the search


def exact(digests) -> dict:
    """{row: first row with the same pixels} for rows that are not the first; `digests` has one
    entry a picture.
    """
    first = {}
    return {
        row: first[digest]
        for row, digest in enumerate(digests)
        if first.setdefault(digest, row) != row
    }


def digests(images) -> list:
    """What is the same for two pictures only when their pixels are."""
    return [hashlib.sha256(np.ascontiguousarray(each)).digest() for each in images]


def thumbnails(images) -> list:
    """Pillow's pictures, square and at most 64 pixels a side, of uint8 (height, width, channels)
    each.
    """
    from PIL import Image

    side = min([KEPT, *(max(each.shape[:2]) for each in images)])
    pictures = (
        Image.fromarray(each.squeeze(-1) if each.shape[-1] == 1 else each) for each in images
    )
    return [
        each if each.size == (side, side) else each.resize((side, side), Image.BILINEAR)
        for each in pictures
    ]


def near(small) -> list:
    """Pairs of near copies among thumbnails without exact copies: (row, later row, correlation),
    the closest pairs first.
    """
    if len(small) < 2:
        return []
    coarse, fine = _vectors(small, COARSE), _vectors(small, FINE)
    axes = _axes(coarse)
    apart = {}
    for mirrored, cut in [(False, 0.0), (True, 0.0), *((False, cut) for cut in CUTS)]:
        changed = mirrored or cut
        seen = _vectors(small, COARSE, mirrored, cut) if changed else coarse
        rows, others = _candidates(seen @ axes, coarse @ axes)
        places, at = np.unique(rows, return_inverse=True)
        if not len(rows):
            continue
        looked = _vectors([small[row] for row in places], FINE, mirrored, cut)
        for row, other, alike in zip(rows, others, (looked[at] * fine[others]).sum(axis=1)):
            pair = int(min(row, other)), int(max(row, other))
            if 1 - alike < min(LIMIT, apart.get(pair, LIMIT)):
                apart[pair] = max(0.0, 1 - float(alike))
    usual = _usual(fine, sorted({row for pair in apart for row in pair}))
    pairs = [
        (*pair, 1 - distance)
        for pair, distance in apart.items()
        if distance < CLOSER * min(usual[row] for row in pair)
    ]
    return sorted(pairs, key=lambda pair: (-pair[2], pair))


def _vectors(small, side, mirrored=False, cut=0.0):
    """(n, side² · channels) float32, each with mean 0 and length 1: the product of two is their
    correlation. A picture of one colour is all zeros.
    """
    from PIL import Image

    rows = []
    for each in small:
        wide, high = each.size
        box = (cut * wide, cut * high, (1 - cut) * wide, (1 - cut) * high)
        pixels = np.asarray(each.resize((side, side), Image.BILINEAR, box=box), np.float32)
        rows.append((pixels[:, ::-1] if mirrored else pixels).ravel())
    vectors = np.stack(rows)
    vectors -= vectors.mean(axis=1, keepdims=True)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(length < 1, np.inf, length)


def _axes(vectors):
    """The directions in which the pictures differ most, (dimensions, at most 64), orthonormal;
    of few pictures all."""
    if len(vectors) < 1500:  # few enough to be compared in all dimensions
        return np.eye(vectors.shape[1], dtype=np.float32)
    sample = vectors[:: 1 + len(vectors) // 4000]
    return np.linalg.eigh(sample.T @ sample)[1][:, -DIRECTIONS:]


def _candidates(seen, plain) -> tuple:
    """(rows of `seen`, rows of `plain`) of what may be copies, at most 40 for each row.

    Two points are never farther apart on few axes than on all, so looking at 64 first loses none.
    """
    rows, others = [np.zeros(0, int)], [np.zeros(0, int)]
    lengths = (plain**2).sum(axis=1)
    most = min(40, len(plain) - 1)
    for start in range(0, len(seen), 1024):
        block = seen[start : start + 1024]
        apart = ((block**2).sum(axis=1)[:, None] + lengths - 2 * block @ plain.T) / 2
        own = np.arange(len(block))
        apart[own, start + own] = np.inf
        some = np.flatnonzero(apart.min(axis=1) < LIMIT)
        nearest = np.argpartition(apart[some], most - 1)[:, :most]
        close = np.take_along_axis(apart[some], nearest, axis=1) < LIMIT
        rows.append(start + np.repeat(some, close.sum(axis=1)))
        others.append(nearest[close])
    return np.concatenate(rows), np.concatenate(others)


def _usual(vectors, rows) -> dict:
    """{row: its distance to its tenth neighbour}; infinite where there are too few pictures to
    say.
    """
    if len(vectors) <= 2 * NEIGHBOUR:
        return dict.fromkeys(rows, np.inf)
    place, usual = max(NEIGHBOUR, len(vectors) // 100), {}
    for start in range(0, len(rows), 512):
        block = rows[start : start + 512]
        apart = np.partition(1 - vectors[block] @ vectors.T, place)[:, place]
        usual |= dict(zip(block, apart.tolist()))
    return usual
