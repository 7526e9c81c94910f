"""Finds the encrypted window of a codestream that is otherwise in clear, without key, window or segmentation symbols.

Packet headers state, layer by layer, how many coding passes each code-block contributes and in how many bytes. The
arithmetic decoder, having run these passes, has read just so far: in a sound codestream it stands at most three bytes
past what the headers state, after every layer. In encrypted data it reads too fast or too slowly, and seldom agrees.
Once a code-block has gone wrong it stays wrong, so a window shows in the first segment that it touches of each
code-block and in all that follow there; the window sought is the byte range that explains best which ones agree.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from benchmark.compiling import compiling
from benchmark.erasure import file_bytes
from benchmark.jpeg2000.boxes import unwrapped
from benchmark.jpeg2000.decoder import DECODER, Report, decode_with_report
from benchmark.jpeg2000.markers import main_header, main_header_bytes

#: Bytes past what headers state that a decoder has read at the end of a layer of a sound code-block, at most.
AHEAD = 3
#: How often a segment agrees: in the clear; where encryption began in an earlier one of the code-block; where it begins
#: in it, by the bytes from there on (0, 1, 2 .. 8, more). Measured on drawn faces (tools/measure_window_search.py); in
#: the clear all of them agree, and 0.999 leaves room for other encoders' ways to cut a codeword.
SOUND, FOLLOWING = 0.999, 0.04
TOUCHED = np.array([1.0, 0.99, 0.81, 0.31, 0.18, 0.16, 0.18, 0.19, 0.13, 0.05])
#: How often a code-block stays in step with its headers in spite of encryption: few and short segments mostly.
IN_STEP = 0.003
#: Where codewords are terminated within layers (BYPASS, TERMALL) a decoder may read no byte too many, errors heal at
#: each termination, and segments agree that often by chance.
TERMINATED, HEALED = 0b101, 0.4
#: What a window must add to the logarithm of the likelihood to be believed: it has a start and an end to be chosen.
EVIDENCE = 12.0
#: By how much the logarithm of the likelihood of a wider window may be less: rather nothing encrypted shall be left.
#: One more long segment that agrees costs 3; with few layers that would be a whole code-block: it is not taken along.
MARGIN = 2.5
#: Bytes. Nothing says where in a segment encryption begins: in one as long as this it is taken to be its middle, since
#: to give up a long segment costs more than to believe some encrypted bytes of it.
LONG = 100


def find_window(codestream: bytes) -> tuple[int, int]:
    """First byte and end (exclusive) of the range that seems to be encrypted; (0, 0) where nothing does.

    The widest range that is nearly as likely as the likeliest one, at the borders of codeword segments, or from the
    middle of a long one on; where nothing can be told, it counts as encrypted. Raises CodestreamError where the
    codestream cannot be decoded.

    >>> from benchmark.jpeg2000 import encode, encrypt, encrypted_ranges
    >>> y, x = np.mgrid[:64, :64]
    >>> image = np.stack([x * y % 251, 3 * x + y % 7, 2 * y + x % 5], axis=2).astype(np.uint8)
    >>> data, window = encode(image, layers=12), {"offset": 20, "size": 10, "window_base": "packet-bodies"}
    >>> find_window(data)
    (0, 0)
    >>> start, stop = find_window(encrypt(data, key=bytes(32), **window))
    >>> first, end, _ = encrypted_ranges(data, **window)
    >>> start <= first < end <= stop
    True
    """
    report = decode_with_report(codestream)[1]
    inner, before = unwrapped(file_bytes(codestream))
    start, stop = window_in(report, main_header(main_header_bytes(inner)).style)
    # Offsets are into the file that was given, which may be a JP2 file around its codestream.
    return (before + start, before + stop) if stop else (0, 0)


def window_in(report: Report, style: int) -> tuple[int, int]:
    """The same, as offsets into the codestream, from the report of a plain decode and the code-block style (COD)."""
    some = report.segments["length"] > 0
    rows, consumed = report.segments[some], report.consumed[some]
    if not len(rows):
        return 0, 0
    order = np.argsort(rows["code_block"], kind="stable")
    block = rows["code_block"][order]
    evidence = _evidence(block, rows["length"][order], consumed[order], bool(style & TERMINATED))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))  # where the row with this number in the codestream stands by code-blocks
    with compiling(DECODER, (_likeliest,)):
        first, last, score = _likeliest(block.astype(np.int64), evidence, place, order, MARGIN)
    if score < EVIDENCE:
        return 0, 0
    start, length = int(rows["start"][first]), int(rows["length"][first])
    if length >= LONG and first > 0:  # a window from the very first byte on is likelier than any other
        start += length // 2
    return start, int(rows["start"][last] + rows["length"][last])


def _evidence(
    block: npt.NDArray[np.int32], length: npt.NDArray[np.int32], consumed: npt.NDArray[np.int32], terminated: bool
) -> npt.NDArray[np.float64]:
    """What it adds to the log-likelihood if encryption begins in each row, rows sorted by code-block (float64)."""
    total = np.cumsum(length, dtype=np.int64)
    opens = np.flatnonzero(np.diff(block, prepend=-1))
    sizes = np.diff(opens, append=len(block))
    ahead = consumed - (total - np.repeat((total - length)[opens], sizes))
    agrees = (ahead >= (0 if terminated else 1)) & (ahead <= AHEAD)
    chance = HEALED if terminated else FOLLOWING
    rates = TOUCHED[np.minimum(length, len(TOUCHED) - 1)].clip(chance, SOUND), np.full(len(length), chance)
    touched, following = (np.where(agrees, np.log(rate / SOUND), np.log((1 - rate) / (1 - SOUND))) for rate in rates)
    # To it comes what follows in the same code-block: all of the block, less what there is up to this row.
    passed = np.cumsum(following)
    before = np.repeat((passed - following)[opens], sizes)
    evidence = touched + np.repeat(np.add.reduceat(following, opens), sizes) - (passed - before)
    kept: npt.NDArray[np.float64] = np.logaddexp(evidence, np.log(IN_STEP))
    return kept


@njit(cache=True, nogil=True)
def _likeliest(block, evidence, place, order, margin):  # type: ignore[no-untyped-def]  # numba infers them
    """The first and last row, in codestream order, of the widest range that is nearly the likeliest; and its score.

    A range touches each code-block first in the first row that it has there, whose `evidence` then counts. As the
    range's first row moves on, that becomes the next row of one code-block: one change, after which a tree of sums and
    greatest prefix sums over rows in codestream order gives the best end. O(n log n).
    """
    count = block.size
    leaves = 1
    while leaves < count:
        leaves *= 2
    total, best = np.zeros(2 * leaves), np.zeros(2 * leaves)
    for sorted_row in range(count):
        if sorted_row == 0 or block[sorted_row] != block[sorted_row - 1]:
            _set(total, best, leaves, order[sorted_row], evidence[sorted_row])
    scores = np.empty(count)  # of the best range that begins in each row
    for row in range(count):
        scores[row] = best[1]
        sorted_row = place[row]
        _set(total, best, leaves, row, 0.0)
        if sorted_row + 1 < count and block[sorted_row + 1] == block[sorted_row]:
            _set(total, best, leaves, order[sorted_row + 1], evidence[sorted_row + 1])
    return _widest(block, evidence, place, scores, scores.max(), margin)


@njit(cache=True, nogil=True)
def _set(total, best, leaves, row, value):  # type: ignore[no-untyped-def]  # numba infers them
    """Puts a value into the tree; `best` is the greatest sum of a prefix, 0 for the empty one."""
    node = leaves + row
    total[node], best[node] = value, max(value, 0.0)
    node //= 2
    while node > 0:
        left, right = 2 * node, 2 * node + 1
        total[node] = total[left] + total[right]
        best[node] = max(best[left], total[left] + best[right])
        node //= 2


@njit(cache=True, nogil=True)
def _widest(block, evidence, place, scores, highest, margin):  # type: ignore[no-untyped-def]  # numba infers them
    """The earliest row whose best range comes within `margin` of the highest score, and the last end near that best."""
    first = 0
    while first < scores.size - 1 and scores[first] < highest - margin:
        first += 1
    seen = np.zeros(block.max() + 1, np.bool_)
    score, last = 0.0, first
    for row in range(first, scores.size):
        sorted_row = place[row]
        if not seen[block[sorted_row]]:
            seen[block[sorted_row]] = True
            score += evidence[sorted_row]
        if score >= scores[first] - margin:
            last = row
    return first, last, highest
