"""Arguments of `encode` from a codestream: they write the same codestream again."""

from __future__ import annotations

from typing import Any

import pytest
from pictures import make_picture

from benchmark.errors import CodestreamError
from benchmark.jpeg2000 import encode
from benchmark.jpeg2000.coder import coder_of, declared_coder
from benchmark.jpeg2000.encoder import BYPASS, PTERM, RESET, TERMALL, VSC

SAMPLE = make_picture(112, 112)
FOREIGN: dict[str, Any] = {
    "levels": 99, "layers": "many", "code_block": "big", "progression": ["LRCP"], "segmentation_symbols": "yes"
}  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"layers": "jj2000", "progression": "resolution"},
        {"layers": "16", "code_block": 32, "segmentation_symbols": True},
        {"layers": 5, "code_block": (16, 64), "levels": 2, "progression": "CPRL", "style": BYPASS | VSC},
        {"precincts": [(64, 64), (32, 16)], "levels": 4, "progression": "RPCL", "style": RESET | TERMALL | PTERM},
        {"tile": (64, 40), "sop": True, "eph": True, "levels": 3, "progression": "PCRL"},
        {"reversible": False},
        {"levels": 0, "code_block": 4},
    ],
    ids=str,
)
def test_the_same_codestream_again(arguments: dict[str, Any]) -> None:
    codestream = encode(SAMPLE, **arguments)
    coder = coder_of(codestream, arguments)
    hash(tuple(coder.items()))
    assert encode(SAMPLE, **coder) == codestream
    if arguments.get("layers") != "jj2000":  # in the headers there is no difference to other ratios
        assert encode(SAMPLE, **coder_of(codestream, FOREIGN)) == codestream


def test_layers_that_mean_another_number_are_not_taken() -> None:
    codestream = encode(SAMPLE, layers=5)
    for declared in ({"layers": "jj2000"}, {"layers": [20, 5, 0]}, {}):
        assert coder_of(codestream, declared)["layers"] == 5


@pytest.mark.parametrize("name", list(FOREIGN))
def test_what_another_protector_means_is_left_out(name: str) -> None:
    assert declared_coder(FOREIGN) == {}
    sound = {"levels": 3, "layers": "12", "code_block": 16, "progression": "RLCP", "segmentation_symbols": True}
    assert declared_coder(sound | {name: FOREIGN[name], "offset": 5}) == {
        key: value for key, value in sound.items() if key != name
    }


def test_what_is_no_codestream() -> None:
    with pytest.raises(CodestreamError):
        coder_of(b"ciphertext", {})
