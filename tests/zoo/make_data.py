"""Makes symgen/zoo/data/*.npz from their sources: scikit-learn's packaged copies, and a CSV of Old Faithful.

    python tests/zoo/make_data.py geyser.csv          # geyser.csv: columns duration, waiting (minutes)

Run once, by hand; the files it writes are packaged, so that nothing is downloaded when symgen runs.
"""

import csv
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits

DATA = Path(__file__).parents[2] / "symgen" / "zoo" / "data"


def standardised(columns: np.ndarray) -> np.ndarray:
    """Every column with mean 0 and variance 1, as float32."""
    return ((columns - columns.mean(axis=0)) / columns.std(axis=0)).astype(np.float32)


def main(geyser: str) -> None:
    digits = load_digits()
    ink = (digits.data / 16).astype(np.float32)  # exact: a pixel counts 0..16 dots
    np.savez_compressed(DATA / "digits.npz", X=ink, Y=np.eye(10, dtype=np.uint8)[digits.target])
    np.savez_compressed(DATA / "binary_digits.npz", x=(ink >= 1 / 2).astype(np.uint8))

    diabetes = load_diabetes(scaled=False)
    np.savez_compressed(DATA / "diabetes.npz", X=standardised(diabetes.data), y=standardised(diabetes.target))

    cells = load_breast_cancer()
    np.savez_compressed(DATA / "cells.npz", X=standardised(cells.data), y=(cells.target == 0).astype(np.uint8))

    with Path(geyser).open() as file:
        rows = [(float(row["duration"]), float(row["waiting"])) for row in csv.DictReader(file)]
    np.savez_compressed(DATA / "geyser.npz", X=standardised(np.array(rows)), minutes=np.array(rows, dtype=np.float32))


if __name__ == "__main__":
    main(*sys.argv[1:])
