"""Files that a data set meets, good and bad."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from benchmark.digest import generator


@pytest.fixture(scope="session")
def picture() -> Image.Image:
    """A 112x112 RGB picture with some structure."""
    pixels = generator("tests", "picture").integers(0, 256, (14, 14, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((112, 112), Image.Resampling.BICUBIC)
