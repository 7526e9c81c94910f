"""A keystream that repeats is found, whatever it was added by; one that does not passes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmark.conformance import validate
from benchmark.conformance.keystream import Encryption, find_agreement, find_repeat
from benchmark.conformance.trial import Unmet
from benchmark.protocol_schema import Limits
from benchmark.submission import load_submission

SECURITY = Path(__file__).resolve().parents[1] / "security/protectors"
BASELINES = Path(__file__).resolve().parents[2] / "baselines/protectors"
GENERATOR = np.random.default_rng(5)


def noise(count: int) -> np.ndarray:
    return GENERATOR.integers(0, 256, count, np.uint8)


def encryption(label: str, sample: int, plain: np.ndarray, cipher: np.ndarray, start: int = 0) -> Encryption:
    return Encryption(label, sample, plain, cipher.astype(np.uint8), start)


WAYS = {
    "by xor": lambda plain, stream: plain ^ stream,
    "modulo 256": lambda plain, stream: plain + stream,
    "modulo 255": lambda plain, stream: np.where(plain == 255, 255, (plain.astype(int) + stream) % 255),
}


@pytest.mark.parametrize("way", list(WAYS))
def test_a_stream_that_serves_two_files_is_found_wherever_it_starts(way: str) -> None:
    stream, a, b = noise(2000), noise(1000), noise(1000)
    apart = [encryption("a", 0, a, WAYS[way](a, stream[:1000])), encryption("b", 1, b, WAYS[way](b, stream[1000:]))]
    find_repeat(apart)
    shared = [apart[0], encryption("b", 1, b, WAYS[way](b, np.r_[noise(700), stream[100:400]]))]
    with pytest.raises(Unmet, match=r"repeats .* in a and b"):
        find_repeat(shared)


def test_a_short_period_is_found_in_one_file() -> None:
    plain = noise(1000)
    with pytest.raises(Unmet, match=r"repeats \(by xor\) in a:"):
        find_repeat([encryption("a", 0, plain, plain ^ np.resize(noise(100), 1000))])


@pytest.mark.parametrize("shared", [False, True])
def test_single_bits_of_a_shared_stream_agree_too_often(shared: bool) -> None:
    masks, stream = [noise(2000) & noise(2000) for _ in range(2)], [noise(2000) for _ in range(2)]
    found = []
    for sample in range(2):
        plain = noise(2000)
        for key in range(2):
            used = stream[key] if shared else noise(2000)
            found.append(encryption(f"{sample}", sample, plain, plain ^ (used & masks[sample])))
    if shared:
        with pytest.raises(Unmet, match="agree too often"):
            find_agreement(found)
    else:
        find_agreement(found)


def test_validate_finds_the_broken_variant_and_passes_ours() -> None:
    limits = Limits(seconds_to_start=120)
    findings = validate(SECURITY / "keystream-reused", limits=limits).findings
    assert next(one for one in findings if one.name == "keystream").status == "fail"
    for name in ("jpeg2000-window", "aes-full", "jpeg-window"):
        found = {one.name: one for one in validate(BASELINES / name, limits=limits).findings}
        assert found["keystream"].status == "pass", found["keystream"].message


def test_a_stream_that_forgets_which_file_it_is_for_is_found(tmp_path: Path) -> None:
    """Under one key for all; with a key for each sample it is sound, and the other checks see nothing wrong with it."""
    folder = tmp_path / "keystream-reused"
    folder.mkdir()
    for file in (SECURITY / "keystream-reused").glob("*.*"):
        (folder / file.name).write_text(file.read_text().replace("default: no-key", "default: no-label"))
    assert load_submission(folder).protector.parameters["flaw"].default == "no-label"
    report = validate(folder, limits=Limits(seconds_to_start=120))
    assert {one.name for one in report.findings if one.status == "fail"} == {"keystream"}
    (folder / "submission.yaml").write_text(
        (folder / "submission.yaml").read_text().replace("keys: [sample, system]", "keys: [sample]")
    )
    assert validate(folder, limits=Limits(seconds_to_start=120)).passed
