"""Tier-1 decoding: code-blocks from their codeword segments, with error concealment and erasure, and what it found.

All code-block styles of ISO/IEC 15444-1 (T.800) table A.19: selective bypass, context reset, termination on each pass,
vertically causal contexts, predictable termination, segmentation symbols.
"""

from __future__ import annotations

import numpy as np

from benchmark.jpeg2000.tier1_loops import CONCEALED, DECODED, ERASED, MAX_PLANES, TOO_MANY_PLANES, decode_blocks

__all__ = [
    "BLOCK_REPORT",
    "CONCEALED",
    "CONCEALMENT",
    "DECODED",
    "ERASED",
    "MAX_PLANES",
    "TOO_MANY_PLANES",
    "decode_blocks",
]

#: The numbers that `decode_blocks` knows the rules of concealment by.
CONCEALMENT = {"off": 0, "jj2000": 1, "forget-plane": 2}

#: A row of the report (int32, blocks x 8): one code-block.
BLOCK_REPORT = np.dtype(
    [
        ("passes", np.int32),  # coding passes kept
        ("dropped", np.int32),  # passes that the packet headers announce and that were not kept
        ("plane", np.int32),  # bit-plane in which an error was detected, 0 the least significant; -1 for none
        ("pass", np.int32),  # pass after which it was detected, 0 the first; -1 for none
        ("first_byte", np.int32),  # the error lies here or later (offset into the codestream); or the first erased byte
        ("last_byte", np.int32),  # the error lies before this byte; -1 for none
        ("status", np.int32),  # DECODED, CONCEALED (an error was detected), ERASED or TOO_MANY_PLANES (not decoded)
        ("planes", np.int32),  # magnitude bit-planes that the block has
    ]
)
