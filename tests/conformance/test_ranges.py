"""What `veilbench validate` says of ranges: held against what has changed, in whatever files."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_submissions import WINDOW, WINDOW_CODE, failed_checks, replaced

OPAQUE = """
class Method(Protector):
    def prepare(self, samples):
        return [sample.tobytes() for sample in samples]
    def protect(self, prepared, keys, *, generator):
        return [item[:8] + bytes(255 - b for b in item[8:16]) + item[16:20] + key + item[52:]
                for item, key in zip(prepared, keys)]
    def render(self, protected):
        return [None] * len(protected)
    def encrypted_ranges(self, protected):
        return np.array([RANGE] * len(protected), np.int64)
"""


@pytest.mark.parametrize(
    ("found", "message"),
    [("[8, 52, 40]", None), ("[9, 52, 40]", "outside its range 9..52"), ("[8, 52, 30]", "but it says 30")],
)
def test_ranges_are_held_against_what_has_changed(tmp_path: Path, found: str, message: str | None) -> None:
    changed = {"domain": "codestream", "reversible": False, "prepare": []}
    failed = failed_checks(tmp_path, OPAQUE.replace("RANGE", found), **changed)
    assert (message in failed["encrypted ranges"]) if message else not failed


def test_a_comment_in_between_hides_nothing(tmp_path: Path) -> None:
    code = replaced(WINDOW_CODE, "return encrypt(item", "return self.commented(encrypt(item")
    code = replaced(code, "key=key, **self.window)\n    def recover", "key=key, **self.window))\n    def recover")
    assert not failed_checks(tmp_path / "honest", code, WINDOW)
    lying = replaced(code, "return encrypted_ranges(item, **self.window)", "return len(item) - 3, len(item) - 2, 1")
    assert "outside its range" in failed_checks(tmp_path / "lying", lying, WINDOW)["encrypted ranges"]


def test_a_range_that_lies_in_one_preset_is_found(tmp_path: Path) -> None:
    lying = "return (len(item) - 3, len(item) - 2, 1) if self.size == 4 else encrypted_ranges(item, **self.window)"
    code = replaced(WINDOW_CODE, "return encrypted_ranges(item, **self.window)", lying)
    failed = failed_checks(tmp_path, code, WINDOW, presets={"longer": {"size": 6}, "shorter": {"size": 4}})
    assert set(failed) == {"encrypted ranges"}
    assert "(shorter)" in failed["encrypted ranges"]


@pytest.mark.parametrize(
    ("claimed", "message"),
    [
        ("0, len(item), encrypted_ranges(item, **self.window)[2]", "but bytes differ in"),
        ("0, len(item), 5 * encrypted_ranges(item, **self.window)[2]", "ever differ from the plain file"),
    ],
)
def test_a_range_that_claims_too_much_is_found(tmp_path: Path, claimed: str, message: str) -> None:
    """Attacks that erase the window would erase what is in clear, and the board would praise the share."""
    code = replaced(WINDOW_CODE, "return encrypted_ranges(item, **self.window)", f"return {claimed}")
    assert message in failed_checks(tmp_path, code, WINDOW)["encrypted ranges"]
