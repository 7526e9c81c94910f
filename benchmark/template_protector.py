"""The contract of template-domain protectors that compare many protected templates at once.

A protector may derive from `Protector` alone: the harness then compares row by row, which all pairs of thousands of
samples make slow.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmark.interfaces import Protector, Scores, Templates


class TemplateProtector(Protector):
    """A protector of domain `template` that compares every template of one set with every one of another."""

    def compare_all(self, a: Templates, b: Templates) -> Scores:
        """Scores (N x M) of every protected template of a (N) against every one of b (M), as `compare` scores a pair.

        Override it where there is a faster way than rows: a matrix product, a compiled loop.
        """
        return compare_rows(self.compare, a, b)


def compare_rows(compare: Callable[[Templates, Templates], Scores], a: Templates, b: Templates) -> Scores:
    """Scores (N x M) by a row-wise `compare`: each template of a (N x L), as often as needed, against all of b (M x L).

    >>> compare_rows(lambda a, b: (a * b).sum(axis=1), np.eye(2), np.array([[1.0, 2.0]])).tolist()
    [[1.0], [2.0]]
    """
    rows = [compare(np.repeat(a[row : row + 1], len(b), axis=0), b) for row in range(len(a))]
    return np.stack(rows)
