import numpy as np
import pytest

from onecycle_cli.data.batches.augment import Augment
from onecycle_cli.data.batches.batching import batch
from onecycle_cli.data.batches.resize import Resize, shrink
from onecycle_cli.errors import DataError

keras = pytest.importorskip("keras")

from onecycle_cli.data.batches.feed import Batches, EvaluationBatches  # noqa: E402

AUGMENT = Augment(flip=True, crop=2, cutout=2)


@pytest.fixture
def dataset(make_dataset):
    return make_dataset(train=50, validation=13)


@pytest.fixture
def feed(dataset):
    def make(num_steps=12, start=0, augment=AUGMENT):
        return Batches(
            dataset, seed=4, batch_size=16, num_steps=num_steps, start=start, augment=augment
        )

    return make


def expected(dataset, steps):
    return [
        batch(dataset, seed=4, epoch=i // 4, step=i % 4, batch_size=16, augment=AUGMENT)
        for i in steps
    ]


def assert_same(batches, others):
    batches, others = list(batches), list(others)
    assert len(batches) == len(others)
    for ours, theirs in zip(batches, others, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)


def test_items_are_numbered_through_the_epochs(dataset, feed):
    assert len(feed()) == 12
    assert feed().steps_per_epoch == 4
    assert_same(feed(), expected(dataset, range(12)))
    assert_same([feed()[11], feed()[3], feed()[11]], expected(dataset, [11, 3, 11]))


def test_a_start_skips_without_history(dataset, feed):
    assert_same(feed(num_steps=5, start=7), expected(dataset, range(7, 12)))


def test_fit_sees_exactly_these_batches_in_order(dataset, feed, seen_by_fit):
    seen = seen_by_fit(feed(), epochs=3, steps=4, shuffle=False)
    assert [len(y) for _, y in seen] == [16, 16, 16, 2] * 3
    assert_same(seen, expected(dataset, range(12)))


def test_fit_with_epochs_of_its_own_length_goes_on_where_it_was(dataset, feed, seen_by_fit):
    seen = seen_by_fit(feed(), epochs=2, steps=5, shuffle=False)
    assert_same(seen, expected(dataset, range(10)))


def test_a_single_step_is_enough(dataset, feed, seen_by_fit):
    seen = seen_by_fit(feed(num_steps=1, start=3), steps=1, shuffle=False)
    assert_same(seen, expected(dataset, [3]))


def test_shuffling_is_refused_by_keras_itself(dataset, feed, seen_by_fit):
    with pytest.warns(UserWarning, match="`shuffle=True` was passed, but will be ignored"):
        seen = seen_by_fit(feed(), epochs=1, steps=4)
    assert_same(seen, expected(dataset, range(4)))


def linear_model(dataset):
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input(dataset.input_shape),
            keras.layers.Flatten(),
            keras.layers.Dense(5, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), "sparse_categorical_crossentropy")
    return model


def test_in_graph_mode_the_weights_are_those_of_a_plain_loop(dataset, feed):
    fitted, looped = linear_model(dataset), linear_model(dataset)
    fitted.fit(feed(), epochs=3, steps_per_epoch=4, shuffle=False, verbose=0)
    for x, y in expected(dataset, range(12)):
        looped.train_on_batch(x, y)
    for a, b in zip(fitted.get_weights(), looped.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_does_not_fit_is_refused_at_once(dataset, make_dataset):
    with pytest.raises(DataError, match="batch_size must be at most the 50"):
        Batches(dataset, seed=0, batch_size=51, num_steps=1)
    with pytest.raises(DataError, match="needs images"):
        Batches(make_dataset(shape=(4,)), seed=0, batch_size=8, num_steps=1, augment=AUGMENT)


def test_evaluation_keeps_the_order_and_the_pixels(dataset):
    batches = EvaluationBatches(dataset, dataset.validation, batch_size=5)
    assert len(batches) == 3
    x, y = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    np.testing.assert_array_equal(x, dataset.normalise(dataset.x[dataset.validation]))
    np.testing.assert_array_equal(y, dataset.y[dataset.validation])
    with pytest.raises(IndexError, match=r"0\.\.2, got 3"):
        batches[3]


def test_evaluation_of_other_examples_reads_those(dataset):
    x, y = dataset.x[:9] + 1, dataset.y[:9]
    batches = EvaluationBatches(dataset, np.arange(2, 9), batch_size=4, examples=(x, y))
    found, labels = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    np.testing.assert_array_equal(found, dataset.normalise(x[2:]))
    np.testing.assert_array_equal(labels, y[2:])


def test_keras_evaluates_and_predicts_every_example_once(dataset):
    model = linear_model(dataset)
    batches = EvaluationBatches(dataset, dataset.validation, batch_size=5)
    x = dataset.normalise(dataset.x[dataset.validation])
    probabilities = model.predict(batches, verbose=0)
    np.testing.assert_allclose(probabilities, model.predict_on_batch(x), rtol=1e-5, atol=1e-7)
    loss = -np.log(probabilities[np.arange(13), dataset.y[dataset.validation]]).mean()
    assert model.evaluate(batches, verbose=0) == pytest.approx(loss, rel=1e-5)


def test_labels_can_be_rows_of_a_matrix(dataset):
    plain = Batches(dataset, seed=4, batch_size=16, num_steps=4)
    one_hot = Batches(dataset, seed=4, batch_size=16, num_steps=4, one_hot=True)
    for (x, labels), (same, rows) in zip(plain, one_hot, strict=True):
        np.testing.assert_array_equal(x, same)
        assert rows.dtype == np.float32
        assert rows.shape == (len(labels), 5)
        np.testing.assert_array_equal(rows.argmax(1), labels)
        np.testing.assert_array_equal(rows.sum(1), 1)


def test_the_mirror_of_an_evaluation(dataset):
    batches = EvaluationBatches(dataset, dataset.validation, batch_size=5)
    for (x, y), (mirrored, same) in zip(batches, batches.mirror(), strict=True):
        np.testing.assert_array_equal(mirrored, x[:, :, ::-1])
        np.testing.assert_array_equal(same, y)
    np.testing.assert_array_equal(batches.mirror().mirror()[1][0], batches[1][0])


def test_sizes_go_by_the_global_step(dataset):
    resize = Resize((2, 6), (2, 3))
    options = {"seed": 4, "batch_size": 16, "num_steps": 6, "start": 1}
    plain, resized = Batches(dataset, **options), Batches(dataset, **options, resize=resize)
    for i, size in enumerate([2, 3, 3, 3, 3, None]):
        x, y = resized[i]
        whole, labels = plain[i]
        np.testing.assert_array_equal(x, whole if size is None else shrink(whole, size))
        np.testing.assert_array_equal(y, labels)
