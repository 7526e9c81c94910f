"""PolyProtect: each few consecutive numbers of a template become one value of a polynomial of the user's.

Hahn and Marcel, Towards protecting face embeddings in mobile face verification scenarios, IEEE T-BIOM 4(1), 2022.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmark.errors import InvalidInputError
from benchmark.interfaces import Templates
from benchmark.template_schemes.keyed import keyed_generator


def polynomial(key: bytes, m: int, bound: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The key's (C, E): m different non-zero coefficients from -bound..bound, and the exponents 1..m in some order.

    Raises InvalidInputError where there are not that many different coefficients.

    >>> coefficients, exponents = polynomial(bytes(32), 5, 50)
    >>> sorted(exponents.tolist()), len(set(coefficients.tolist()) - {0})
    ([1, 2, 3, 4, 5], 5)
    """
    if not 1 <= m <= 2 * bound:
        raise InvalidInputError(f"m different non-zero coefficients within ±{bound} are at most {2 * bound}, not {m}")
    random = keyed_generator(key, "coefficients and exponents")
    values = np.concatenate((np.arange(-bound, 0), np.arange(1, bound + 1)))
    return random.choice(values, m, replace=False), random.permutation(m) + 1


def polyprotect(
    templates: Templates,
    coefficients: npt.NDArray[np.int64],
    exponents: npt.NDArray[np.int64],
    overlap: int,
) -> Templates:
    """Protected values (float32, N x L), one for each window of m numbers; windows share `overlap` of them.

    P = c_1 v_1^e_1 + ... + c_m v_m^e_m. A last window that is not full is filled up with zeros, so
    L = ceil((D - m) / (m - overlap)) + 1. Raises InvalidInputError where 0 <= overlap < m does not hold.

    >>> c, e = np.array([2, -1]), np.array([1, 2])
    >>> polyprotect(np.array([[1, 2, 3]], np.float32), c, e, 1).tolist()  # 2 - 4, 4 - 9
    [[-2.0, -5.0]]
    """
    m = len(coefficients)
    if not 0 <= overlap < m:
        raise InvalidInputError(f"windows of {m} numbers share 0 to {m - 1} of them, not {overlap}")
    step, surplus = m - overlap, max(templates.shape[1] - m, 0)
    count = -(-surplus // step) + 1
    filled = np.zeros((len(templates), (count - 1) * step + m))
    filled[:, : templates.shape[1]] = templates
    out = np.zeros((len(templates), count))
    for place, (coefficient, exponent) in enumerate(zip(coefficients, exponents, strict=True)):
        value = filled[:, place : place + (count - 1) * step + 1 : step]
        power = value.copy()
        for _ in range(exponent - 1):  # products are exactly the same on every machine; powers need not be
            power *= value
        out += coefficient * power
    return out.astype(np.float32)
