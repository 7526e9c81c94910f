"""Fisher vectors: the gradient of a mixture's log-likelihood over the descriptors of one image.

Perronnin, Sánchez, Mensink, "Improving the Fisher Kernel for Large-Scale Image Classification" (ECCV 2010).
"""

from __future__ import annotations

import numpy as np

from .mixture import Floats, Mixture

#: Exponent of the signed power; 0.5 in the paper. Chosen on people outside View 2, as docs/fisher-vectors.md shows.
POWER = np.float32(0.3)


def fisher_vector(x: Floats, mixture: Mixture) -> Floats:
    """Gradients by the K means (float32, K x D) of N descriptors (float32, N x D), whitened by the Fisher information.

    sum over n of q_nk (x_n - mean_k) / deviation_k / (N sqrt(weight_k)), with q the posteriors: the first-order half of
    the usual vector.

    >>> one = np.ones((1, 1), np.float32)
    >>> fisher_vector(np.array([[1], [4]], np.float32), Mixture(one[0], one, one * 4))
    array([[0.75]], dtype=float32)
    """
    q = mixture.posteriors(x)
    moments = q.T @ x - q.sum(axis=0)[:, None] * mixture.means
    return np.asarray(moments / np.sqrt(mixture.variances * mixture.weights[:, None]) / np.float32(len(x)), np.float32)


def normalised(vector: Floats) -> Floats:
    """Every entry to a power, signs kept, then the whole to length 1 (float32, any shape); zeros stay zeros.

    >>> float(normalised(np.array([-2.0], np.float32))[0])
    -1.0
    """
    powered = np.sign(vector) * np.abs(vector) ** POWER
    length = np.linalg.norm(powered)
    return np.asarray(powered / length if length > 0 else powered, np.float32)
