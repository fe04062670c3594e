import numpy as np
import pytest

from onecycle_cli.errors import ModelError
from onecycle_cli.workbench.scoring.compiled import OTHER
from onecycle_cli.workbench.scoring.fit_of_loss import check_loss
from onecycle_cli.workbench.scoring.objective import BINARY_CROSS_ENTROPY, CROSS_ENTROPY, Objective

LABELS = np.arange(60) % 3
HOT = np.eye(3)[LABELS]
NUMBERS = np.random.default_rng(0).normal(size=60)
OUTPUTS = np.full((8, 3), 1 / 3)
LOGITS = np.random.default_rng(1).normal(size=(8, 3))

SPARSE = Objective("multiclass", CROSS_ENTROPY)
CATEGORICAL = Objective("multiclass", CROSS_ENTROPY, one_hot=True)
SQUARES = Objective("regression", "mse")
OF_LOGITS = Objective("multiclass", CROSS_ENTROPY, from_logits=True)
LABELLED = Objective("multilabel", BINARY_CROSS_ENTROPY)


@pytest.mark.parametrize(
    ("objective", "outputs", "y"),
    [
        (SPARSE, OUTPUTS, LABELS),
        (SPARSE, OUTPUTS, LABELS[:, None].astype(float)),
        (CATEGORICAL, OUTPUTS, HOT),
        (SQUARES, OUTPUTS, np.stack([NUMBERS] * 3, axis=1)),
        (SQUARES, OUTPUTS[:, :1], NUMBERS),
        (SQUARES, OUTPUTS[:, :1], np.arange(60)),
        (OF_LOGITS, LOGITS, LABELS),
        (LABELLED, 1 / (1 + np.exp(-LOGITS)), HOT),
        (SPARSE, np.full((8, 3), np.nan), LABELS),
        (OTHER, OUTPUTS, LABELS),
        (SPARSE, OUTPUTS, (LABELS, LABELS)),
        (SPARSE, OUTPUTS, np.array(["a"] * 60, object)),
    ],
)
def test_a_loss_that_suits(objective, outputs, y):
    assert check_loss(objective, outputs, y) is None


@pytest.mark.parametrize(
    ("objective", "y", "message"),
    [
        (SPARSE, HOT, "takes one label .* y has rows of 3; compile it with categorical_crossentr"),
        (CATEGORICAL, LABELS, "takes one-hot rows of 3, .* one label for each example; compile it"),
        (CATEGORICAL, np.eye(5)[LABELS], "takes one-hot rows of 3, .* but y has rows of 5"),
        (SPARSE, LABELS + 1, "labels go from 1 to 3, but a model with 3 outputs takes 0 to 2"),
        (SPARSE, LABELS - 1, "labels go from -1 to 1"),
        (SQUARES, NUMBERS, "has 3 outputs and is compiled with mse, .* end it with one output"),
    ],
)
def test_a_loss_that_can_t_be_computed(objective, y, message):
    with pytest.raises(ModelError, match=message):
        check_loss(objective, OUTPUTS, y)


@pytest.mark.parametrize(
    ("outputs", "y", "what"),
    [
        (OUTPUTS, HOT, "one-hot rows of 3"),
        (OUTPUTS[:, :1], LABELS, "whole numbers of 3 values"),
        (OUTPUTS[:, :1], LABELS.astype(float), "whole numbers of 3 values"),
    ],
)
def test_classes_that_are_taken_for_numbers_are_warned_of(outputs, y, what):
    doubt = check_loss(SQUARES, outputs, y)
    assert f"look like classes ({what})" in doubt and "compile it with a cross-entropy" in doubt


@pytest.mark.parametrize(
    ("objective", "outputs", "y", "said"),
    [
        (SPARSE, LOGITS, LABELS, "End it with a softmax, or compile it with a loss that has from_"),
        (SPARSE, 1 / (1 + np.exp(-LOGITS)), LABELS, "not probabilities: they range from 0."),
        (
            CATEGORICAL,
            LOGITS,
            HOT,
            "that takes probabilities, but its outputs are not probabilities: they range from -",
        ),
        (LABELLED, LOGITS, HOT, "End it with a sigmoid"),
        (OF_LOGITS, OUTPUTS, LABELS, "probabilities already; leave out from_logits, or the softma"),
    ],
)
def test_logits_and_probabilities_that_are_taken_for_each_other_are_warned_of(
    objective, outputs, y, said
):
    assert said in check_loss(objective, outputs, y)
