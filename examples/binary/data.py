"""Breast cancer: 30 measurements of a tumour, and whether it is benign."""

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


def load():
    x, y = load_breast_cancer(return_X_y=True)
    x, x_test, y, y_test = train_test_split(x, y, test_size=0.2, random_state=0, stratify=y)
    scaler = StandardScaler().fit(x)
    return {"train": (scaler.transform(x), y), "test": (scaler.transform(x_test), y_test)}
