"""The same bits each time, whatever else the machine does meanwhile."""

import time

import keras
import numpy as np
import pytest

from onecycle_cli.engine.repeatable import make_repeatable

SHAPE = (4, 32, 32, 16)
FACTORS = np.float32(1.5), np.float32(2.5), np.float32(1.75), np.float32(1.25)


@pytest.fixture(scope="module")
def tensorflow():
    if keras.backend.backend() != "tensorflow":
        pytest.skip("of TensorFlow's operations")
    import tensorflow as tf

    make_repeatable(0)
    return tf


@pytest.fixture(scope="module")
def numbers():
    random = np.random.default_rng(0)
    return [random.standard_normal(SHAPE, np.float32) for _ in FACTORS]


def chained(tf, terms):
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def at_once(tf, terms):
    return tf.add_n(terms)


def gradient(tf, terms):
    """Return that of a tensor which is used as often as there are terms."""
    x = tf.zeros(SHAPE)
    with tf.GradientTape() as tape:
        tape.watch(x)
        uses = [use(tf, x, term) for term in terms]
        loss = tf.add_n([tf.reduce_sum(used) for used in uses])
    return tape.gradient(loss, x)


def use(tf, x, slope):
    @tf.custom_gradient
    def used(x):
        return tf.identity(x), lambda upstream: slope

    return used(x)


@pytest.fixture(scope="module")
def summed(tensorflow, numbers):
    """Return a function that adds tensors, the last of which comes late.

    The others may still be being read elsewhere when it does, so that the sum may overwrite the
    memory of none but the last.
    """
    tf = tensorflow

    def late(value):
        time.sleep(0.01)
        return value

    def read(value):
        time.sleep(0.05)
        return value.ravel()[:1]

    @tf.function
    def computed(added, is_read, *inputs):
        *first, last = inputs
        last = tf.ensure_shape(tf.numpy_function(late, [last], tf.float32), SHAPE)
        terms = [x * factor for x, factor in zip([*first, last], FACTORS, strict=False)]
        read_too = terms[:-1] if is_read else []
        readers = [tf.numpy_function(read, [term], tf.float32) for term in read_too]
        return added(tf, terms), readers

    def summed(added, count, *, is_read):
        return computed(added, is_read, *(tf.constant(n) for n in numbers[:count]))[0].numpy()

    return summed


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("added", [chained, at_once, gradient])
def test_a_sum_is_the_same_whatever_is_done_with_its_terms(summed, added, count):
    sums = [summed(added, count, is_read=is_read) for is_read in (True, False)]
    assert np.array_equal(*sums)


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("added", [chained, at_once])
def test_tensors_are_added_in_the_order_in_which_they_are_given(summed, numbers, added, count):
    terms = [n * factor for n, factor in zip(numbers[:count], FACTORS, strict=False)]
    found = summed(added, count, is_read=True)
    assert np.array_equal(found, sum(terms[1:], terms[0]))
    if count > 2:
        assert not np.array_equal(found, sum(terms[-2::-1], terms[-1]))


def test_what_is_not_a_number_is_added_as_ever(tensorflow, numbers):
    """The gradient of a list of tensors, as recurrent layers have it, is such a sum."""
    tf = tensorflow
    lists = [tf.raw_ops.TensorListFromTensor(tensor=n, element_shape=SHAPE[1:]) for n in numbers]
    total = tf.raw_ops.TensorListStack(
        input_handle=tf.add_n(lists), element_shape=SHAPE[1:], element_dtype=tf.float32
    )
    np.testing.assert_allclose(total, sum(numbers), rtol=1e-4, atol=1e-5)
