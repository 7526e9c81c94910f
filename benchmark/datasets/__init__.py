"""Where samples come from: LFW crops, drawn faces, folders of images; and the exact pairs that are compared."""

from benchmark.datasets.base import Dataset, Loaded, SampleRef
from benchmark.datasets.lfw_folders import lfw_crops_status
from benchmark.datasets.pairs import Pairs, read_lfw_pairs_txt, read_pairs, write_pairs
from benchmark.datasets.registry import dataset_ids, open_dataset

__all__ = [
    "Dataset",
    "Loaded",
    "Pairs",
    "SampleRef",
    "dataset_ids",
    "lfw_crops_status",
    "open_dataset",
    "read_lfw_pairs_txt",
    "read_pairs",
    "write_pairs",
]
