"""Writes protocols/lfw-jpeg-increasing.yaml and -dev: increasing windows of JPEG files on LFW View 2.

    python tools/make_lfw_jpeg_protocols.py

Published protocols are frozen: run this to add one, or further recognisers to all (FURTHER_RECOGNISERS of
`lfw_protocol_file`), never to change what can change a result of one whose records are on the board.
"""

from __future__ import annotations

from lfw_protocol_file import ON, write_protocol

#: Those of the baselines that work on JPEG files.
ATTACKS = ["direct-decode", "known-window-erase"]
#: What is encrypted, and of which kind of file.
FAMILIES = {
    "amplitude": "{mode: amplitude-bits, progressive: false, quality: 95, subsampling: '4:2:0', restart: 0}",
    "raw": "{mode: raw-scan, progressive: false, quality: 95, subsampling: '4:2:0', restart: 0}",
    "progressive": "{mode: raw-scan, progressive: true, quality: 95, subsampling: '4:2:0', restart: 0}",
}
#: In percent; 100 shows what codes, lengths and markers in clear still give away.
SIZES = [*range(1, 16), 100]


def setting(family: str, size: int) -> str:
    return f"  - {{id: jpeg-window, name: {family}-w{size}o0, parameters: {{<<: *{family}, size: {size}, offset: 0}}}}"


def write(name: str, *, dev: bool) -> None:
    """One protocol file; `dev`: on the first 50 + 50 pairs of each fold."""
    anchors = "\n".join(f"  - &{family} {parameters}" for family, parameters in FAMILIES.items())
    settings = "\n".join(setting(family, size) for family in FAMILIES for size in SIZES)
    head = f"""
# What is encrypted, with the coder settings that belong to it.
x-families:
{anchors}

protectors:
  - {{id: identity}}
"""
    write_protocol(
        name,
        f"Selective JPEG encryption, increasing window: the first 1 to 15 %, {ON[dev]}",
        "Amplitude bits of baseline files, raw bytes of baseline and of progressive ones; percent of the entropy-coded "
        "bytes.\n  For comparison all of them (100 %).",
        maker="make_lfw_jpeg_protocols",
        protectors=head + settings,
        attacks=f"attacks: [{', '.join(f'{{id: {attack}}}' for attack in ATTACKS)}]",
        dev=dev,
    )


def main() -> None:
    write("lfw-jpeg-increasing-dev", dev=True)
    write("lfw-jpeg-increasing", dev=False)


if __name__ == "__main__":
    main()
