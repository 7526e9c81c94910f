"""Writes protocols/lfw-cancelable-v1.yaml and lfw-cancelable-dev.yaml: cancelable biometrics on LFW View 2.

    python tools/make_lfw_cancelable_protocols.py

Every two samples are compared, in the key scenarios of ISO/IEC 24745 and 30136. Published protocols are frozen: run
this to add protectors or attacks, never to change what can change a result of one whose records are on the board.
"""

from __future__ import annotations

from lfw_protocol_file import PIXELS, PROTOCOLS

from benchmark.digest import digest_file
from benchmark.submission import discover

#: {protector: presets}: sample domain, de-identification that people use, template domain.
PROTECTORS = {
    "block-warping": ("warp_8_4", "warp_16_6", "warp_20_9", "warp_20_25"),
    "block-remapping": ("remap_16_0", "remap_16_25", "remap_16_50", "remap_8_25"),
    "gaussian-blur": ("sigma-4", "sigma-8"),
    "pixelation": ("block-8", "block-16"),
    "eye-mask": ("narrow", "wide"),
    "biohashing": ("m64", "m128"),
    "iom-hashing": ("grp", "urp"),
    "polyprotect": ("overlap0", "overlap4"),
    "mlp-hash": ("one-hidden",),
    "random-projection": ("orthonormal-64", "orthonormal-128"),
    "bloom-filter": ("h4w8",),
}
ATTACKS = (
    "direct-comparison", "linkage", "unwarp", "remap-invert", "key-guess", "template-inversion", "template-key-guess",
)  # fmt: skip
RECOGNISERS = (
    "lbp", "mblbp", "fv-sift", "fv-brief",
    "mobilefacenet-ms1m", "mobilefacenet-casia", "shufflefacenet-distilled", "arcface-distilled",
)  # fmt: skip
#: {list of samples: pair list of the same samples in the same order}, which have the same pixels.
PAIRS = {"lfw-view2-samples.txt": "lfw-view2.csv", "lfw-view2-dev-samples.txt": "lfw-view2-dev.csv"}


def setting(protector: str, preset: str) -> str:
    """One line under `protectors:`, with every parameter written out."""
    parameters = discover()["protector", protector].resolve({}, preset)
    written = ", ".join(f"{name}: {value}" for name, value in parameters.items())
    return f"  - {{id: {protector}, name: {preset}, parameters: {{{written}}}}}"


def split(name: str) -> str:
    return f"{{file: splits/{name}, sha256: {digest_file(PROTOCOLS / 'splits' / name)}}}"


def write(name: str, samples: str, on: str) -> None:
    """One protocol file on a list of samples."""
    settings = "\n".join(setting(protector, preset) for protector, some in PROTECTORS.items() for preset in some)
    attacks = "\n".join(f"  - {{id: {attack}}}" for attack in ATTACKS)
    text = f"""\
# Written by tools/make_lfw_cancelable_protocols.py; every key is explained in _template.yaml.
id: {name}
title: "Cancelable biometrics, every two of {on}"
description: |
  Performance preservation, protection strength, unlinkability, revocability and irreversibility of protected faces and
  templates (ISO/IEC 24745, 30136). Attacks learn from everybody who is in no pair of View 2.
dataset: {{id: lfw, parameters: {{folders: [aligned112, aligned112_extra]}}, digest: {PIXELS[PAIRS[samples]]}}}
samples: {split(samples)}
attacker: {split("lfw-attacker.txt")}
scenarios: [same-key, key-per-subject, different-keys, stolen-key, protected-original]
keys: {{seed: "veilbench lfw cancelable 1"}}
protectors:
{settings}
attacks:
{attacks}
recognisers: [{", ".join(RECOGNISERS)}]
metrics: [eer, fnmr_at_fmr_0.001, d_sys, maximal_linkability, attack_success_rate, revoked_match_rate, key_sensitivity]
bootstrap: {{resamples: 1000}}
limits: {{seconds_per_sample: 5, memory_gib: 4, seconds_to_start: 120}}
"""
    (PROTOCOLS / f"{name}.yaml").write_text(text)


def main() -> None:
    write("lfw-cancelable-v1", "lfw-view2-samples.txt", "the 7,701 images of LFW View 2")
    write("lfw-cancelable-dev", "lfw-view2-dev-samples.txt", "1,485 images of LFW View 2")


if __name__ == "__main__":
    main()
