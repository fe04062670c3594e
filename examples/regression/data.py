"""A made-up regression with three targets, each a sum of some of 20 features, with noise."""

from sklearn.datasets import make_regression


def load(*, examples: int = 2000):
    x, y = make_regression(
        n_samples=examples, n_features=20, n_informative=8, n_targets=3, noise=20, random_state=0
    )
    cut = examples * 4 // 5
    y = (y - y[:cut].mean(axis=0)) / y[:cut].std(axis=0)
    return {"train": (x[:cut], y[:cut]), "test": (x[cut:], y[cut:])}
