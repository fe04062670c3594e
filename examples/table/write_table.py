"""Write the wine data as a table: wine.csv, with the cultivar in the last column."""

from pathlib import Path

from sklearn.datasets import load_wine

HERE = Path(__file__).parent


def main(path: Path = HERE / "wine.csv") -> None:
    wine = load_wine()
    names = [name.replace("/", "_") for name in wine.feature_names]
    lines = [",".join([*names, "cultivar"])]
    for features, label in zip(wine.data, wine.target, strict=True):
        lines.append(",".join([*map(str, features), wine.target_names[label]]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
