"""Write handwritten digits as a folder of coloured images of mixed sizes: images/<class>/*.png."""

from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

HERE = Path(__file__).parent
SMALLEST, LARGEST = 16, 40


def main(folder: Path = HERE / "images", count: int = 1000) -> None:
    rng = np.random.default_rng(0)
    digits = load_digits()
    for number in range(count):
        label = digits.target[number]
        ink = digits.images[number][..., None] / 16
        colour = rng.uniform(128, 255, 3)
        width, height = rng.integers(SMALLEST, LARGEST, 2)
        image = Image.fromarray((ink * colour).astype(np.uint8)).resize((width, height))
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        image.save(folder / str(label) / f"{number:04}.png")


if __name__ == "__main__":
    main()
