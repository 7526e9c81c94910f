"""What the protocol files on LFW View 2 have in common; the makers of both kinds use it."""

from __future__ import annotations

from pathlib import Path

from benchmark.digest import digest_file

PROTOCOLS = Path(__file__).resolve().parents[1] / "protocols"
#: Of the aligned crops that each split takes from LFW: what `dataset.digest` of a record on them says.
PIXELS = {
    "lfw-view2.csv": "8434e6b4673bf1fede46fcc99ed9bdf5538eac970bb757a43a9c2143df7fb5a4",
    "lfw-view2-dev.csv": "c5a58d0149e865eda149be1a9652abe9a1a3ae17fd5f20e9867ad114d2ac44ed",
}
#: Where a protocol is run, by whether it is a `dev` one.
ON = {True: "1,000 pairs of LFW View 2", False: "LFW View 2"}
#: Recognisers that see FURTHER_ATTACKS beside the three. They are no part of the digests: write the files anew, and
#: `veilbench results` runs what the records lack.
FURTHER_RECOGNISERS = ("mblbp", "fv-sift", "fv-brief", "shufflefacenet-distilled", "arcface-distilled")
#: The attack that anyone can make, and the one that is the strongest without training most often. Of 200 windows, of
#: which the three see every attack, `byte-replacement` lies 2 points and more below both in 16 for LBP and in 7 and 4
#: for the MobileFaceNets: the first 6 % and more, EERs above 41 % (docs/selective-encryption.md has it).
FURTHER_ATTACKS = ("direct-decode", "known-window-erase")
#: The protocols in which they do: a protocol's rows are incomplete from when it is listed until its records are there.
FURTHER_PROTOCOLS = (
    "lfw-jpeg2000-named",
    "lfw-jpeg2000-whole-dev",
    "lfw-jpeg2000-whole",
    "lfw-jpeg2000-increasing-bodies-dev",
    "lfw-jpeg2000-increasing-bodies",
    "lfw-jpeg2000-large-bodies-dev",
    "lfw-jpeg2000-large-bodies",
    "lfw-jpeg2000-increasing-dev",
    "lfw-jpeg2000-increasing",
    "lfw-jpeg2000-small-dev",
    "lfw-jpeg2000-small",
    "lfw-jpeg2000-small-bodies-dev",
    "lfw-jpeg2000-small-bodies",
    "lfw-jpeg2000-large-dev",
    "lfw-jpeg2000-large",
    "lfw-jpeg-increasing-dev",
    "lfw-jpeg-increasing",
)


def write_protocol(
    name: str, title: str, description: str, *, maker: str, protectors: str, attacks: str, dev: bool
) -> None:
    """One protocol file; `dev`: on the first 50 + 50 pairs of each fold. `protectors`, `attacks`: YAML as it stands."""
    further = ""
    if name in FURTHER_PROTOCOLS:
        names, seen = ", ".join(FURTHER_RECOGNISERS), ", ".join(FURTHER_ATTACKS)
        further = f"further_recognisers:\n  recognisers: [{names}]\n  attacks: [{seen}]\n"
    split = "lfw-view2-dev.csv" if dev else "lfw-view2.csv"
    text = f"""\
# Written by tools/{maker}.py; every key is explained in _template.yaml.
id: {name}
title: "{title}"
description: |
  {description}
dataset: {{id: lfw, digest: {PIXELS[split]}}}
pairs: {{file: splits/{split}, sha256: {digest_file(PROTOCOLS / "splits" / split)}}}
comparisons: [protected-protected, protected-original]
keys: {{policy: sample, seed: "veilbench lfw 1"}}
{protectors}
{attacks}
recognisers: [lbp, mobilefacenet-casia, mobilefacenet-ms1m]
{further}metrics: [eer, auc, d_prime, fnmr_at_fmr_0.01, view2_accuracy, attack_success_rate, psnr, ssim, ms_ssim]
bootstrap: {{resamples: 1000}}
recovery: {{samples: {128 if dev else "all"}}}
visual: {{samples: 512}}
limits: {{seconds_per_sample: 1, memory_gib: 4, seconds_to_start: 120}}
"""
    (PROTOCOLS / f"{name}.yaml").write_text(text)
