"""Write the split files under protocols/splits/: LFW View 2 (from LFW's own pairs.txt) and the demos'.

Lists of samples are for all-pairs protocols: those of View 2's pairs, and for attacks that learn every crop of
everybody who is in no pair of View 2 (1,549 of 1,468 people, 52 of whom have several).

    python tools/make_splits.py --data ../shared/data

Rerunning gives the same bytes; protocols name the files by their digest, so a change here is a new protocol version.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterable
from itertools import combinations, product
from pathlib import Path

from benchmark.datasets.pairs import Row, read_lfw_pairs_txt, write_pairs
from benchmark.digest import generator

SPLITS = Path(__file__).resolve().parents[1] / "protocols" / "splits"
DEV_PAIRS = 50  # genuine and impostor pairs of each fold in the development prefix of View 2

DEMO_FOLDS = 10
DEMO_IDENTITIES = 5  # per fold; a fold's identities are in no other
DEMO_SAMPLES = 5  # per identity
DEMO_PAIRS = 30  # genuine and impostor pairs of each fold
HELD_OUT_STRANGERS = 170  # people with one photograph, beside all with several, who make the held-out impostor pairs
HELD_OUT_IMPOSTORS = 5000

DEMO_LEARNED = 32  # persons that an attacker may learn from, one photograph each; none is in the pairs


def demo_rows() -> list[Row]:
    """The demo's comparisons of drawn faces: 10 subject-disjoint folds, in the order of `read_lfw_pairs_txt`."""
    folds = [_demo_fold(fold) for fold in range(DEMO_FOLDS)]
    return [row for position in zip(*folds, strict=True) for pair in position for row in pair]


def _demo_fold(fold: int) -> list[tuple[Row, Row]]:
    first = fold * DEMO_IDENTITIES
    samples = [[f"s{first + i:04d}/{j}" for j in range(DEMO_SAMPLES)] for i in range(DEMO_IDENTITIES)]
    genuine = [pair for own in samples for pair in combinations(own, 2)]
    impostor = [pair for one, other in combinations(samples, 2) for pair in product(one, other)]
    draw = generator("splits", "demo", fold)
    chosen = [draw.choice(len(pairs), DEMO_PAIRS, replace=False) for pairs in (genuine, impostor)]
    return [
        (Row(fold + 1, True, *genuine[g]), Row(fold + 1, False, *impostor[i])) for g, i in zip(*chosen, strict=True)
    ]


def held_out_rows(view2: list[Row], photographs: list[str]) -> list[Row]:
    """Comparisons of people who are in no pair of View 2, for choices that must not be made on it.

    All that have several photographs, every genuine pair of theirs, and impostor pairs among them and some others.
    """
    tested = {sample.partition("/")[0] for row in view2 for sample in (row.a, row.b)}
    own: dict[str, list[str]] = defaultdict(list)
    for photograph in sorted(photographs):
        if (name := photograph.partition("/")[0]) not in tested:
            own[name].append(photograph)
    genuine = [pair for samples in own.values() for pair in combinations(samples, 2)]
    draw = generator("splits", "lfw-held-out")
    alone = [samples[0] for samples in own.values() if len(samples) == 1]
    strangers = [alone[i] for i in sorted(draw.choice(len(alone), HELD_OUT_STRANGERS, replace=False))]
    faces = strangers + [sample for samples in own.values() if len(samples) > 1 for sample in samples]
    impostor = [(a, b) for a, b in combinations(faces, 2) if a.partition("/")[0] != b.partition("/")[0]]
    chosen = sorted(draw.choice(len(impostor), HELD_OUT_IMPOSTORS, replace=False))
    return [Row(1, True, *pair) for pair in genuine] + [Row(1, False, *impostor[i]) for i in chosen]


def attacker_ids(view2: list[Row], photographs: list[str]) -> list[str]:
    """Every crop of everybody who is in no pair of View 2, sorted."""
    tested = {sample.partition("/")[0] for row in view2 for sample in (row.a, row.b)}
    return sorted(photograph for photograph in photographs if photograph.partition("/")[0] not in tested)


def write_ids(name: str, ids: Iterable[str]) -> None:
    (SPLITS / name).write_text("".join(f"{sample}\n" for sample in ids), newline="\n")


def samples_of(rows: list[Row]) -> list[str]:
    """The samples of a pair list, in the order of first appearance."""
    return list(dict.fromkeys(sample for row in rows for sample in (row.a, row.b)))


def main() -> None:
    """Write every split file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with lfw/pairs.txt and crops")
    folder = parser.parse_args().data / "lfw"
    rows = read_lfw_pairs_txt(folder / "pairs.txt")
    SPLITS.mkdir(parents=True, exist_ok=True)
    write_pairs(SPLITS / "lfw-view2.csv", rows)
    write_pairs(SPLITS / "lfw-view2-dev.csv", rows[: 2 * 10 * DEV_PAIRS])
    photographs = [f"{file.parent.name}/{file.stem}" for file in (folder / "aligned112_extra").glob("*/*.jpg")]
    write_pairs(SPLITS / "lfw-held-out.csv", held_out_rows(rows, photographs))
    write_ids("lfw-view2-samples.txt", samples_of(rows))
    write_ids("lfw-view2-dev-samples.txt", samples_of(rows[: 2 * 10 * DEV_PAIRS]))
    write_ids("lfw-attacker.txt", attacker_ids(rows, photographs))
    write_pairs(SPLITS / "demo.csv", demo_rows())
    first = DEMO_FOLDS * DEMO_IDENTITIES
    write_ids("demo-attacker.txt", [f"s{first + number:04d}/0" for number in range(DEMO_LEARNED)])
    write_ids("demo-cancelable-samples.txt", samples_of(demo_rows()))
    people = range(first, first + DEMO_LEARNED)
    write_ids("demo-cancelable-attacker.txt", [f"s{n:04d}/{sample}" for n in people for sample in range(DEMO_SAMPLES)])


if __name__ == "__main__":
    main()
