"""Our attacks keep their contracts."""

from __future__ import annotations

import numpy as np
from loaded_baselines import load_baseline
from pictures import make_picture

from benchmark.interfaces import Evidence
from benchmark.jpeg2000 import encode


def test_direct_decode_is_what_a_viewer_shows() -> None:
    attack = load_baseline("attacks/direct-decode")
    sample = make_picture(64, 64)
    images = attack.run(Evidence(protected=[encode(sample), b"ciphertext"]), generator=np.random.default_rng(0))
    assert np.array_equal(images[0], sample)
    assert images[1] is None
    stack = np.stack([sample, sample])
    assert np.array_equal(attack.run(Evidence(protected=stack), generator=np.random.default_rng(0)), stack)
