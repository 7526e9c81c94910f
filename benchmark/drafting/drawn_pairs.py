"""Comparisons drawn by a seed over samples of one's own: subject-disjoint folds, as many genuine as impostor pairs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from benchmark.datasets.pairs import Row
from benchmark.digest import digest, generator
from benchmark.errors import InvalidInputError

#: Sample ids by subject.
People = Mapping[str, Sequence[str]]


def deal_folds(ids: Iterable[str], *, folds: int, seed: int) -> dict[str, int]:
    """{sample id: fold, 1 or more}: subjects are dealt out in an order drawn by `seed`, each to one fold.

    At most `folds`, fewer where there are not two subjects for each, one of which has two samples. Raises
    InvalidInputError where not even one fold can be had.

    >>> sorted(deal_folds(["a/1", "a/2", "b/1", "c/1", "c/2", "d/1"], folds=10, seed=1).values())
    [1, 1, 1, 2, 2, 2]
    """
    people = _people(ids)
    repeated = [name for name, own in people.items() if len(own) > 1]
    count = min(folds, len(repeated), len(people) // 2)
    if count < 1:
        raise InvalidInputError(
            f"no comparisons can be drawn: {len(people)} identities, {len(repeated)} with more than one image; there "
            "must be two, one of them with two images"
        )
    # Those that can be compared with themselves are dealt out first, so that every fold gets some.
    order = sorted(people, key=lambda name: (len(people[name]) < 2, digest("folds", seed, name)))
    return {sample_id: place % count + 1 for place, name in enumerate(order) for sample_id in people[name]}


def draw_pairs(folds: Mapping[str, int], *, most: int, seed: int) -> list[Row]:
    """Up to `most` genuine and as many impostor pairs in each fold, all folds alike, drawn by `seed`.

    `folds`: {sample id: fold}; no subject is in two. Subjects take turns in genuine pairs, so that one with many
    samples does not count for more than others. Rows are ordered as `read_lfw_pairs_txt` has them: every prefix is
    balanced. Raises InvalidInputError where a fold has no genuine or no impostor pair.
    """
    found = {}
    for fold in sorted(set(folds.values())):
        people = _people(sample_id for sample_id, own in folds.items() if own == fold)
        found[fold] = (
            _first(_genuine(people, seed, fold), most),
            _first(_impostor(people, seed, fold, most), most),
        )
    count = min(len(pairs) for kinds in found.values() for pairs in kinds)
    if not count:
        raise InvalidInputError("no comparisons can be drawn: a fold has no genuine or no impostor pair")
    return [
        Row(fold, kind == 0, *found[fold][kind][position])
        for position in range(count)
        for fold in found
        for kind in (0, 1)
    ]


def _people(ids: Iterable[str]) -> People:
    people: dict[str, list[str]] = defaultdict(list)
    for sample_id in sorted(ids):
        people[sample_id.rpartition("/")[0]].append(sample_id)
    return people


def _first(pairs: Iterator[tuple[str, str]], most: int) -> list[tuple[str, str]]:
    return [pair for pair, _ in zip(pairs, range(most), strict=False)]


def _genuine(people: People, seed: int, fold: int) -> Iterator[tuple[str, str]]:
    """Every pair once: one of each subject in turn, until none has any left."""
    draw = generator("genuine pairs", seed, fold)
    waiting = [_own_pairs(people[name], draw) for name in draw.permutation(sorted(people)).tolist()]
    while waiting:
        left = []
        for pairs in waiting:
            pair = next(pairs, None)
            if pair is not None:
                yield pair
                left.append(pairs)
        waiting = left


def _own_pairs(samples: Sequence[str], draw: np.random.Generator) -> Iterator[tuple[str, str]]:
    """All pairs of one subject's samples, in an order that is drawn when the first is asked for."""
    first, second = np.triu_indices(len(samples), 1)
    for number in draw.permutation(len(first)).tolist():
        yield samples[first[number]], samples[second[number]]


def _impostor(people: People, seed: int, fold: int, most: int) -> Iterator[tuple[str, str]]:
    """Pairs of two subjects, each pair once: subjects are drawn alike, then a sample of each."""
    draw = generator("impostor pairs", seed, fold)
    names = sorted(people)
    sizes = np.array([len(people[name]) for name in names])
    total = int(sizes.sum() ** 2 - (sizes**2).sum()) // 2
    if total <= 4 * most:  # few enough to list; drawing would soon meet the same ones again
        every = [(a, b) for one, other in combinations(names, 2) for a in people[one] for b in people[other]]
        yield from (every[number] for number in draw.permutation(len(every)).tolist())
        return
    seen: set[tuple[str, str]] = set()
    for _ in range(100 * most):  # an end, even where one subject has nearly all samples
        one, other = draw.choice(len(names), 2, replace=False).tolist()
        a, b = (people[names[who]][int(draw.integers(sizes[who]))] for who in (one, other))
        pair = (a, b) if a < b else (b, a)
        if pair not in seen:
            seen.add(pair)
            yield pair
