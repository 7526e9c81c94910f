"""Speed of the bootstrap against a plain loop over resamples with scikit-learn, and of the visual metrics.

Run: python perf/metrics.py
Prints times of this machine and their ratio from one run; nothing is asserted.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from skimage.metrics import structural_similarity
from sklearn.metrics import roc_curve

from benchmark.metrics.statistics import RESAMPLES, bootstrap, subject_weights
from benchmark.metrics.visual import visual_scores

PAIRS, SUBJECTS, FOLDS = 6000, 4281, 10
#: The plain loop is timed on this many resamples and scaled up.
LOOP = 40


def timed(work: Callable[[], object], repeats: int = 5) -> float:
    """Median seconds after one warm-up call."""
    work()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


def main() -> None:
    random = np.random.default_rng(0)
    genuine = np.arange(PAIRS) % 2 == 0
    fold = np.arange(PAIRS) % FOLDS
    first = random.integers(SUBJECTS, size=PAIRS)
    second = np.where(genuine, first, (first + 1 + random.integers(SUBJECTS - 1, size=PAIRS)) % SUBJECTS)
    scores = (random.normal(size=PAIRS) + 2 * genuine).astype(np.float32)

    def draw() -> np.ndarray:
        return subject_weights(SUBJECTS, generator=np.random.default_rng(1))

    weights = draw()

    def plain_loop() -> None:
        for drawn in weights[:LOOP]:
            times = np.where(genuine, drawn[first], drawn[first] * drawn[second])
            fmr, tmr, _ = roc_curve(genuine, scores, sample_weight=times)
            np.interp(0.0, fmr - (1 - tmr), fmr)  # the EER

    drawing = timed(draw)
    eer_only = timed(lambda: bootstrap(scores, genuine, first, second, weights))
    everything = timed(
        lambda: bootstrap(scores, genuine, first, second, weights, fold=fold, threshold=1.5, fmrs=(0.01, 0.001))
    )
    loop = timed(plain_loop, repeats=3) * RESAMPLES / LOOP
    print(f"{RESAMPLES} resamples of {PAIRS} comparisons, {SUBJECTS} subjects")
    print(f"  draw the resamples (once per protocol)    {drawing:7.3f} s")
    print(f"  EER, AUC, d'                              {eer_only:7.3f} s")
    print(f"  all verification metrics, View 2 included {everything:7.3f} s")
    print(f"  EER alone, loop over sklearn.roc_curve    {loop:7.3f} s (from {LOOP} resamples)")
    print(f"  ratio to the loop: EER {loop / (drawing + eer_only):.1f} x, all {loop / (drawing + everything):.1f} x")

    a = random.integers(0, 256, (64, 112, 112, 3), dtype=np.uint8)
    b = (a // 2 + random.integers(0, 128, a.shape)).astype(np.uint8)
    ours = timed(lambda: visual_scores(a, b)) / len(a)
    peer = timed(lambda: [
        structural_similarity(x, y, channel_axis=-1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
                              data_range=255) for x, y in zip(a, b, strict=True)
    ]) / len(a)  # fmt: skip
    print(f"PSNR + SSIM + MS-SSIM of a 112 x 112 sample {1e3 * ours:7.3f} ms")
    print(f"  scikit-image, SSIM alone                  {1e3 * peer:7.3f} ms ({peer / ours:.1f} x)")


if __name__ == "__main__":
    main()
