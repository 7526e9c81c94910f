"""Fisher vectors: the gradient of a mixture's log-likelihood over the descriptors of one image.

Perronnin, Sánchez, Mensink, "Improving the Fisher Kernel for Large-Scale Image Classification" (ECCV 2010).
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from .mixture import Floats, Mixture

#: Exponent of the signed power; 0.5 in the paper. Chosen on people outside View 2, as docs/fisher-vectors.md shows.
POWER = np.float32(0.3)
#: Log of the smallest posterior that counts, relative to the largest of its descriptor. Nearly all are smaller.
LEAST = np.float32(-14)
#: Descriptors whose densities are held at a time: as many as stay in the cache.
BLOCK = 256
#: Numbers compared side by side.
_LANES = 32


def fisher_vector(x: Floats, mixture: Mixture) -> Floats:
    """Gradients by the K means (float32, K x D) of N descriptors (float32, N x D), whitened by the Fisher information.

    sum over n of q_nk (x_n - mean_k) / deviation_k / (N sqrt(weight_k)), with q the posteriors: the first-order half of
    the usual vector.

    >>> one = np.ones((1, 1), np.float32)
    >>> fisher_vector(np.array([[1], [4]], np.float32), Mixture(one[0], one, one * 4))
    array([[0.75]], dtype=float32)
    """
    sizes, moments = np.zeros(len(mixture.weights), np.float32), np.zeros(mixture.means.shape, np.float32)
    for start in range(0, len(x), BLOCK):
        block = x[start : start + BLOCK]
        _accumulate(mixture.log_densities(block), block, LEAST, sizes, moments)
    moments -= sizes[:, None] * mixture.means
    return np.asarray(moments / np.sqrt(mixture.variances * mixture.weights[:, None]) / np.float32(len(x)), np.float32)


def normalised(vector: Floats) -> Floats:
    """Every entry to a power, signs kept, then the whole to length 1 (float32, any shape); zeros stay zeros.

    >>> float(normalised(np.array([-2.0], np.float32))[0])
    -1.0
    """
    powered = np.sign(vector) * np.abs(vector) ** POWER
    length = np.linalg.norm(powered)
    return np.asarray(powered / length if length > 0 else powered, np.float32)


# Rounding may fall otherwise where sums are vectorised, but alike for every sample.
@numba.njit(cache=True, nogil=True, fastmath=True)
def _accumulate(logs: Any, x: Any, least: Any, sizes: Any, moments: Any) -> None:
    """Add the posteriors, and the descriptors weighted by them, of the components that count for each descriptor."""
    count, width = logs.shape[1], x.shape[1]
    lanes, near, q = np.empty(_LANES, np.float32), np.empty(count + 1, np.int64), np.empty(count + 1, np.float32)
    # Bytes of 0 or 1, of which most are 0: eight are looked at together.
    likely = np.zeros((count + 7) // 8 * 8, np.uint8)
    eights = likely.view(np.uint64)
    for n in range(len(logs)):
        top = _largest(logs[n], lanes)
        limit = top + least
        for k in range(count):
            likely[k] = logs[n, k] > limit
        found = 0
        for e in range(len(eights)):
            if eights[e]:
                # Without branches: what is not likely is overwritten by what comes next.
                for k in range(8 * e, min(8 * e + 8, count)):
                    near[found] = k
                    found += int(likely[k])
        total = np.float32(0)
        for i in range(found):
            q[i] = np.exp(logs[n, near[i]] - top)
            total += q[i]
        for i in range(found):
            k, share = near[i], q[i] / total
            sizes[k] += share
            for d in range(width):
                moments[k, d] += share * x[n, d]


@numba.njit(cache=True, nogil=True, fastmath=True)
def _largest(values: Any, lanes: Any) -> Any:
    """The maximum, found in many lanes (float32, overwritten) at once."""
    whole = len(values) // _LANES * _LANES
    lanes[:] = values[0]
    for start in range(0, whole, _LANES):
        for j in range(_LANES):
            value = values[start + j]
            lanes[j] = value if value > lanes[j] else lanes[j]
    found = lanes[0]
    for lane in lanes:
        found = lane if lane > found else found
    for k in range(whole, len(values)):
        found = values[k] if values[k] > found else found
    return found
