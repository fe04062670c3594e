"""Made-up documents: 40 word counts, and which of 5 topics each is about, none to all of them."""

import numpy as np
from sklearn.datasets import make_multilabel_classification


def load(*, examples: int = 2000):
    x, y = make_multilabel_classification(
        n_samples=examples, n_features=40, n_classes=5, n_labels=2, random_state=0
    )
    x = np.log1p(x)
    cut = examples * 4 // 5
    return {"train": (x[:cut], y[:cut]), "test": (x[cut:], y[cut:])}
