"""What `veilbench validate` says of files: as declared, read by our decoders, accepted by those of others."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_submissions import WINDOW, WINDOW_CODE, failed_checks, replaced

ENCRYPT = "return encrypt(item, key=key, **self.window)"


def test_a_sound_protector_passes(tmp_path: Path) -> None:
    assert not failed_checks(tmp_path, WINDOW_CODE, WINDOW, presets={"short": {"size": 1}, "nothing": {"size": 0}})


def test_the_declared_format_is_held_against_the_files(tmp_path: Path) -> None:
    failed = failed_checks(tmp_path, WINDOW_CODE, WINDOW, format="opaque")
    assert set(failed) == {"format"}
    assert "says `format: opaque`, but these files are jpeg2000" in failed["format"]


def test_a_preset_of_another_format_is_found(tmp_path: Path) -> None:
    code = replaced(WINDOW_CODE, ENCRYPT, f"{ENCRYPT} if self.size < 5 else key + item[::-1]")
    opaque = {"format": "opaque", "reversible": False, "presets": {"light": {"size": 4}}}
    sealed = "return encrypted_ranges(item, **self.window) if self.size < 5 else (32, len(item), len(item) - 32)"
    code = replaced(code, "return encrypted_ranges(item, **self.window)", sealed)
    said = failed_checks(tmp_path, code, WINDOW, **opaque)["format"]
    assert said == "light: the manifest says `format: opaque`, but these files are jpeg2000"


def test_a_preset_that_forgets_the_key_is_found(tmp_path: Path) -> None:
    code = replaced(WINDOW_CODE, ENCRYPT, ENCRYPT.replace("key=key", "key=key if self.size > 4 else bytes(32)"))
    failed = failed_checks(tmp_path, code, WINDOW, reversible=False, presets={"light": {"size": 4}})
    assert failed == {"presets": "light: protect() gave the same under two keys for sample 0"}


def test_files_without_plain_ones_are_not_believed(tmp_path: Path) -> None:
    code = replaced(WINDOW_CODE, "item, key in zip(prepared", "item, key in zip(self.prepare(prepared)")
    failed = failed_checks(tmp_path, code, {name: value for name, value in WINDOW.items() if name != "prepare"})
    assert set(failed) == {"format", "encrypted ranges", "keystream"}
    assert "encode them in prepare()" in failed["format"]


@pytest.mark.parametrize(
    ("prepared", "message"),
    [
        ("encode(255 - sample, layers=6)", "the plain file 0 that prepare() gives is not exactly its sample"),
        ("key_less(encode(sample, layers=6))", "the plain file 0 that prepare() gives is not exactly its sample"),
    ],
)
def test_plain_files_must_show_their_samples(tmp_path: Path, prepared: str, message: str) -> None:
    """Else a fixed key could hide them before the comparison begins."""
    code = replaced(WINDOW_CODE, "encode(sample, layers=6)", prepared)
    code += "\ndef key_less(item): return encrypt(item, key=bytes(32), offset=0, size=50, window_base='codestream')\n"
    failed = failed_checks(tmp_path, code, WINDOW, reversible=False)
    assert set(failed) == {"format"}
    assert message in failed["format"]


def test_what_only_our_parser_refuses_is_refused(tmp_path: Path) -> None:
    """Otherwise a redundant segment would keep every attack away that reads packets."""
    redundant = """
        hidden = encrypt(item, key=key, **self.window)
        header, at = len(main_header_bytes(item)), item.index(bytes.fromhex("ff52"))
        style = item[at + 9 : at + 2 + int.from_bytes(item[at + 2 : at + 4])]
        segment = bytes.fromhex("ff53") + (len(style) + 4).to_bytes(2) + bytes([0, item[at + 4] & 1]) + style
        return hidden[:header] + segment + hidden[header:]
    """
    code = replaced(WINDOW_CODE, ENCRYPT, redundant.strip())
    code = replaced(code, "return encrypted_ranges(item, **self.window)", "return 0, len(item), len(item)")
    failed = failed_checks(tmp_path, code, WINDOW, reversible=False)
    assert "our decoder, by which attacks read jpeg2000, refuses it" in failed["format"]
    assert "COC" in failed["format"]


def test_what_other_decoders_refuse_is_refused(tmp_path: Path) -> None:
    """What looks like a marker within a body: ours goes by lengths and does not mind."""
    marked = """
        from benchmark.jpeg2000 import packets
        table = packets(item)
        at = int(table["body"][np.argmax(table["end"] - table["body"])]) + 10
        return item[:at] + bytes([255, 147 + key[0] % 64]) * 4 + item[at + 8:]
    """
    code = replaced(WINDOW_CODE, ENCRYPT, marked.strip())
    code = replaced(code, "return encrypted_ranges(item, **self.window)", "return 0, len(item), len(item)")
    failed = failed_checks(tmp_path, code, WINDOW, reversible=False)
    assert "default: marker-codes ISO/IEC 15444-1 refuses 6 of 6 files" in failed["format"]
