"""A model in hand: by the same engine as a configuration, and given back as it was."""

import keras
import numpy as np
import pytest

import onecycle_cli
from onecycle_cli.errors import (
    ConfigError,
    DataError,
    ModelError,
    OptimizerError,
    TrainingError,
)
from onecycle_cli.experiments.asked.in_hand import given

RANDOM = np.random.default_rng(8)
X = RANDOM.normal(size=(120, 4)).astype(np.float32)
SCORES = X @ [1.0, -2.0, 0.5, 0.0] + RANDOM.normal(size=120)
BINARY = (SCORES > 0).astype(int)
LABELS = np.digitize(SCORES, [-1, 1])
QUICK = {
    "batch_size": 16,
    "epochs": 2,
    "settings": {
        "find_lr": {"repeats": 2, "steps": 30},
        "find_wd": {"repeats": 1, "steps": 24, "values": [1e-3, 1e-5], "refine": False},
        "find_momentum": {"repeats": 1, "steps": 24, "values": [0.8, 0.9]},
    },
}


def batches():
    yield from ((X[i : i + 16], BINARY[i : i + 16]) for i in range(0, 96, 16))


def network(units=1, activation="sigmoid", inputs=None):
    keras.utils.set_random_seed(3)
    inputs = inputs or keras.Input((4,))
    hidden = keras.layers.Dense(6, activation="relu")(inputs)
    hidden = keras.layers.Dropout(0.1)(keras.layers.BatchNormalization()(hidden))
    return keras.Model(inputs, keras.layers.Dense(units, activation=activation)(hidden))


def compiled(*end, loss="binary_crossentropy", optimizer=None, **more):
    model = network(*end)
    model.compile(optimizer or keras.optimizers.SGD(0.02, momentum=0.9), loss, **more)
    return model


def everything(model):
    """Return all that a finder might leave changed, the random generators around it included."""
    values = [np.array(v) for v in [*model.variables, *model.optimizer.variables]]
    return [
        *values,
        np.random.get_state()[1].copy(),
        np.array(model.optimizer.learning_rate),
        np.array(keras.random.uniform((3,))),
    ]


@pytest.mark.harness
def test_a_rate_that_was_found_goes_with_the_momentum_that_is_given():
    """Found at 0.9 and trained at 0.75 to 0.65: as at three times the rate, weight for weight."""
    found = onecycle_cli.find_lr(compiled(), X, BINARY, **QUICK)
    lower = {"max": 0.75, "min": 0.65}
    follows, told = compiled(), compiled()
    trained = onecycle_cli.train(follows, X, BINARY, max_lr=found, momentum=lower, **QUICK)
    assert trained.values.max_lr == pytest.approx(3 * found.suggestion.value, rel=0.01)
    number = trained.values.max_lr
    onecycle_cli.train(told, X, BINARY, max_lr=number, momentum=lower, **QUICK)
    for one, other in zip(follows.get_weights(), told.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


class TestEveryFinder:
    @pytest.mark.every_backend
    @pytest.mark.samples(1)
    @pytest.mark.parametrize("is_fresh", [True, False], ids=["fresh", "trained"])
    def test_gives_the_model_back_bit_for_bit_and_writes_nothing(
        self, is_fresh, tmp_path, monkeypatch
    ):
        monkeypatch.chdir(tmp_path)
        once = compiled(), compiled()
        for model in once:
            if not is_fresh:
                keras.utils.set_random_seed(4)  # PyTorch's dropout draws from its one generator
                model.fit(X, BINARY, epochs=1, verbose=0, shuffle=False)
        ours, untouched = once
        state = np.random.get_state()
        keras.utils.set_random_seed(12)
        found = onecycle_cli.find_lr(ours, X, BINARY, **QUICK)
        onecycle_cli.find_weight_decay(ours, X, BINARY, max_lr=0.1, **QUICK)
        onecycle_cli.find_momentum(ours, X, BINARY, max_lr=0.1, **QUICK)
        assert found.folder is None
        assert list(tmp_path.iterdir()) == []
        untouched.optimizer.build(untouched.trainable_variables)
        after = everything(ours)
        keras.utils.set_random_seed(12)
        before = everything(untouched)
        np.random.set_state(state)
        assert found.suggestion.verdict
        assert type(ours.optimizer) is type(untouched.optimizer)
        assert len(after) == len(before)
        for a, b in zip(after, before, strict=True):
            np.testing.assert_array_equal(a, b)
        for model in once:
            model.evaluate(X, BINARY, verbose=0)  # what is built by a first `fit` may draw, too
            keras.utils.set_random_seed(5)
            model.fit(X, BINARY, epochs=1, verbose=0, shuffle=False)
        for a, b in zip(ours.get_weights(), untouched.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)

    def test_writes_where_it_is_told(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        found = onecycle_cli.find_lr(compiled(), X, BINARY, out="kept", name="mine", **QUICK)
        assert found.folder == tmp_path / "kept/mine/find-lr/001"
        assert (found.folder / "curve.csv").is_file()


@pytest.mark.harness
def test_the_curve_is_that_of_the_users_own_steps():
    """What is recorded is what Keras' own `train_on_batch` gives with the same batches."""
    from onecycle_cli.experiments.asked.in_hand import given
    from onecycle_cli.experiments.session import workbench
    from onecycle_cli.observer import Observer

    model, twin = compiled(), compiled()
    for each in (model, twin):
        each.layers[3].rate = 0.0  # its seeds would differ
    found = onecycle_cli.find_lr(model, X, BINARY, **QUICK)
    asked = given(model, X, BINARY, None, **QUICK)
    with workbench(asked.config, Observer(), None, asked.in_hand(to_be_trained=False)) as bench:
        batches = bench._batches(num_steps=10)
        fed = [batches[i] for i in range(10)]
    for step, (x, y) in enumerate(fed):
        twin.optimizer.learning_rate = found.curves[0].lrs[step]
        twin.reset_metrics()
        loss = twin.train_on_batch(x, y)
        assert found.curves[0].losses[step] == pytest.approx(float(loss), rel=1e-5)


@pytest.mark.harness
def test_replicates_start_from_weights_of_their_own():
    model = compiled()
    curves = onecycle_cli.find_lr(model, X, BINARY, **QUICK).curves
    assert abs(curves[0].losses[0] - curves[1].losses[0]) > 1e-3
    model.set_weights([w * 1.5 + 0.1 for w in model.get_weights()])  # as loaded ones would be
    observer = Heard()
    onecycle_cli.find_lr(model, X, BINARY, observer=observer, **QUICK)
    assert any("starts every replicate from the same weights" in text for text in observer.warnings)


class Heard(onecycle_cli.Observer):
    def __init__(self):
        self.warnings = []

    def warn(self, text):
        self.warnings.append(text)


class TestTrain:
    def test_trains_the_model_with_what_was_found(self):
        model = compiled()
        before = model.evaluate(X, BINARY, verbose=0)
        result = onecycle_cli.train(model, X, BINARY, max_lr=0.3, **QUICK | {"epochs": 12})
        assert model.evaluate(X, BINARY, verbose=0) < 0.8 * before
        assert len(result.history) == 12
        assert result.max_lrs == [0.3]
        assert result.test_loss is None
        assert result.history[-1].val_accuracy > 0.7
        assert type(model.optimizer) is keras.optimizers.SGD
        assert "validation" in repr(result)

    @pytest.mark.harness
    def test_takes_what_a_finder_suggests(self):
        found = onecycle_cli.find_lr(compiled(), X, BINARY, **QUICK)
        if found.suggestion.value is None:
            with pytest.raises(ConfigError, match="suggests nothing"):
                onecycle_cli.train(compiled(), X, BINARY, max_lr=found, **QUICK)
        else:
            result = onecycle_cli.train(compiled(), X, BINARY, max_lr=found, **QUICK)
            assert result.max_lrs == [found.suggestion.value]

    @pytest.mark.samples(1)
    @pytest.mark.parametrize(
        ("data", "called"),
        [((X, BINARY), "ndarray"), (((X,), BINARY), "tuple"), ((batches,), "batches")],
    )
    def test_keeps_the_names_of_the_model_and_of_the_class_of_the_data_for_pictures(
        self, data, called
    ):
        inputs = keras.Input((4,))
        end = keras.layers.Dense(1, activation="sigmoid")(inputs)
        model = keras.Model([inputs], end, name="mine")
        model.compile(keras.optimizers.SGD(0.02, momentum=0.9), "binary_crossentropy")
        more = {"steps_per_epoch": 4} if len(data) == 1 else {}
        result = onecycle_cli.train(model, *data, max_lr=0.1, **QUICK | more)
        assert result.record.result["in_hand"] == {"dataset": called, "model": "mine"}

    @pytest.mark.harness
    def test_has_a_picture_in_a_notebook_without_a_file(self):
        found = onecycle_cli.find_lr(compiled(), X, BINARY, **QUICK)
        decay = onecycle_cli.find_wd(compiled(), X, BINARY, max_lr=0.1, **QUICK)
        result = onecycle_cli.train(compiled(), X, BINARY, max_lr=0.1, **QUICK)
        for each in (found, decay, result):
            assert each.folder is None
            assert type(each.plot()).__name__ == "Figure"
            assert "data:image/png;base64," in each._repr_html_()

    def test_takes_down_the_metrics_of_its_task_after_each_epoch(self, tmp_path):
        model = compiled(metrics=[keras.metrics.MeanSquaredError("own")])
        held_out = (X[:50], BINARY[:50])
        given = QUICK | {"max_lr": 0.1, "out": tmp_path, "validation_data": held_out}
        result = onecycle_cli.train(model, X, BINARY, name="mine", **given)
        header = (result.folder / "history.csv").read_text().splitlines()[0]
        assert header == "epoch,cycle,loss,val_loss,val_accuracy,val_own,val_auc,val_f1"
        expected = model.evaluate(*held_out, verbose=0, return_dict=True)["own"]
        assert result.history[-1].scores.keys() == {"own", "auc", "f1"}
        assert result.history[-1].scores["own"] == pytest.approx(expected, rel=1e-5)

    @pytest.mark.harness
    def test_takes_down_the_models_own_metrics_where_only_it_knows_its_loss(self):
        model = compiled(loss=keras.losses.Huber(0.3), metrics=["accuracy", "mae"])
        held_out = (X[:50], BINARY[:50, None])
        result = onecycle_cli.train(
            model, X, BINARY[:, None], max_lr=0.1, validation_data=held_out, **QUICK
        )
        expected = model.evaluate(*held_out, verbose=0, return_dict=True)
        assert result.history[-1].val_accuracy == pytest.approx(expected["accuracy"])
        assert result.history[-1].scores == {"mae": pytest.approx(expected["mae"], rel=1e-5)}

    def test_needs_a_learning_rate(self):
        with pytest.raises(ConfigError, match="max_lr"):
            onecycle_cli.train(compiled(), X, BINARY, **QUICK)

    @pytest.mark.every_backend
    def test_validates_on_what_is_given(self):
        model = compiled()
        given = (X[:40], BINARY[:40])
        result = onecycle_cli.train(model, X, BINARY, max_lr=0.1, validation_data=given, **QUICK)
        expected = model.evaluate(*given, verbose=0)
        assert result.history[-1].val_loss == pytest.approx(expected, rel=1e-5)

    def test_divides_no_group(self):
        groups = np.repeat(np.arange(12), 10)
        asked = given(compiled(), X, BINARY, None, groups=groups, **QUICK)
        dataset = asked.in_hand(to_be_trained=True).dataset
        train, validation = (set(groups[r]) for r in (dataset.train, dataset.validation))
        assert not train & validation
        assert len(train | validation) == 12

    @pytest.mark.harness
    def test_keeps_momentum_at_zero_where_the_model_has_none(self):
        model = compiled(optimizer=keras.optimizers.SGD(0.02))
        result = onecycle_cli.train(model, X, BINARY, max_lr=0.1, **QUICK)
        assert result.values.momentum == {"max": 0, "min": 0}

    @pytest.mark.harness
    def test_is_resumed_to_the_same_bits(self, tmp_path):
        settings = QUICK | {"epochs": 4, "max_lr": 0.2, "name": "mine"}
        whole = compiled()
        onecycle_cli.train(whole, X, BINARY, **settings)

        class Stop(onecycle_cli.Observer):
            def note(self, text):
                if text.startswith("epoch 2"):
                    raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            onecycle_cli.train(compiled(), X, BINARY, out=tmp_path, observer=Stop(), **settings)
        again = compiled()
        (folder,) = (tmp_path / "mine/train").iterdir()
        result = onecycle_cli.train(again, X, BINARY, resume=folder, out=tmp_path, **settings)
        assert len(result.history) == 4
        for a, b in zip(again.get_weights(), whole.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


STRUCTURES = (list, tuple, dict)
EACH_PAIR_OF_STRUCTURES = [
    (STRUCTURES[i], STRUCTURES[j], STRUCTURES[(i + j) % 3]) for i in range(3) for j in range(3)
]
"""A Latin square: any two of the three meet in every combination."""

REGRESSION = np.stack([SCORES, -SCORES], axis=1).astype(np.float32)


class TestWhatTheModelWasCompiledWith:
    @pytest.mark.samples(1)
    @pytest.mark.parametrize(
        ("end", "loss", "y", "chance", "accurate"),
        [
            ((1,), "binary_crossentropy", BINARY, "entropy", True),
            ((1,), "binary_crossentropy", BINARY[:, None] == 1, "entropy", True),
            ((1,), keras.losses.BinaryCrossentropy(), BINARY.astype(float), "entropy", True),
            ((3, "softmax"), "sparse_categorical_crossentropy", LABELS, "entropy", True),
            (
                (3, None),
                keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                LABELS,
                "entropy",
                True,
            ),
            ((3, "softmax"), "categorical_crossentropy", np.eye(3)[LABELS], "entropy", True),
            ((2, None), "mse", REGRESSION, "variance", False),
            ((2, None), keras.losses.Huber(2.0), REGRESSION, None, False),
            ((2, None), lambda y, p: keras.ops.mean((y - p) ** 2) - 5, REGRESSION, None, False),
        ],
        ids=[
            *("binary", "column", "float labels", "sparse", "logits", "one-hot", "mse"),
            *("huber", "a function"),
        ],
    )
    def test_is_what_it_is_judged_by(self, end, loss, y, chance, accurate):
        model = compiled(*end, loss=loss)
        held_out = (X[:30], y[:30])
        result = onecycle_cli.train(
            model, X[30:], y[30:], max_lr=0.05, validation_data=held_out, **QUICK
        )
        expected = model.evaluate(*held_out, verbose=0)
        assert result.history[-1].val_loss == pytest.approx(expected, rel=1e-4)
        if accurate:
            labels = np.asarray(y[:30], float)
            labels = labels.argmax(1) if labels.shape[1:] == (3,) else labels.reshape(-1)
            outputs = model.predict(X[:30], verbose=0)
            answers = outputs.argmax(1) if outputs.shape[1] > 1 else outputs[:, 0] >= 0.5
            assert result.history[-1].val_accuracy == pytest.approx((answers == labels).mean())
        else:
            assert result.history[-1].val_accuracy is None

    @pytest.mark.harness
    def test_may_be_a_loss_below_zero(self):
        """A log-likelihood has no lower end."""
        model = compiled(
            1, None, loss=lambda y, p: (y - p) ** 2 - 100.0, optimizer=keras.optimizers.Adam(0.01)
        )
        settings = QUICK["settings"] | {"find_lr": {"repeats": 2, "steps": 60}}
        y = SCORES[:, None].astype(np.float32)
        found = onecycle_cli.find_lr(model, X, y, **QUICK | {"settings": settings})
        assert found.curves[0].losses[0] < -50
        result = onecycle_cli.train(model, X, y, max_lr=0.02, **QUICK | {"epochs": 6})
        assert result.history[-1].loss < result.history[0].loss < -50

    @pytest.mark.harness
    def test_may_be_several_inputs_and_outputs_with_weights(self):
        a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
        joined = keras.layers.Concatenate()([a, b])
        ends = {
            "kind": keras.layers.Dense(1, activation="sigmoid", name="kind")(joined),
            "score": keras.layers.Dense(1, name="score")(joined),
        }
        model = keras.Model({"a": a, "b": b}, ends)
        model.compile(
            keras.optimizers.Adam(0.01),
            {"kind": "binary_crossentropy", "score": "mse"},
            loss_weights={"kind": 1.0, "score": 0.1},
        )
        x = {"a": X[:, :2], "b": X[:, 2:]}
        y = {"kind": BINARY[:, None], "score": SCORES[:, None].astype(np.float32)}
        assert onecycle_cli.find_lr(model, x, y, **QUICK).curves[0].losses
        held_out = ({k: v[:30] for k, v in x.items()}, {k: v[:30] for k, v in y.items()})
        result = onecycle_cli.train(model, x, y, max_lr=0.02, validation_data=held_out, **QUICK)
        expected = model.evaluate(*held_out, verbose=0, return_dict=True)["loss"]
        assert result.history[-1].val_loss == pytest.approx(expected, rel=1e-4)

    @pytest.mark.samples(1)
    @pytest.mark.filterwarnings("ignore::UserWarning")  # Keras', that it had to rearrange them
    @pytest.mark.parametrize(("inputs", "outputs", "given"), EACH_PAIR_OF_STRUCTURES)
    def test_may_be_structured_otherwise_than_its_data_as_for_fit(self, inputs, outputs, given):
        def structured(kind, named):
            return dict(named) if kind is dict else kind(named.values())

        a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
        joined = keras.layers.Concatenate()([a, b])
        ends = {
            "kind": keras.layers.Dense(1, activation="sigmoid", name="kind")(joined),
            "score": keras.layers.Dense(1, name="score")(joined),
        }
        model = keras.Model(structured(inputs, {"a": a, "b": b}), structured(outputs, ends))
        model.compile(keras.optimizers.Adam(0.01), ["binary_crossentropy", "mse"])
        x = structured(given, {"a": X[:, :2], "b": X[:, 2:]})
        y = structured(
            given, {"kind": BINARY[:, None], "score": SCORES[:, None].astype(np.float32)}
        )
        result = onecycle_cli.train(
            model, x, y, max_lr=0.02, validation_data=(x, y), **QUICK | {"epochs": 1}
        )
        expected = model.evaluate(x, y, verbose=0, return_dict=True)["loss"]
        assert result.history[-1].val_loss == pytest.approx(expected, rel=1e-4)

    @pytest.mark.samples(1)
    @pytest.mark.parametrize("by", ["class_weight", "sample_weight"])
    def test_may_be_weighted(self, by):
        weights = {0: 1.0, 1: 5.0}
        given = weights if by == "class_weight" else np.where(BINARY, 5.0, 1.0)
        model = compiled()
        found = onecycle_cli.find_lr(model, X, BINARY, **{by: given}, **QUICK)
        plain = onecycle_cli.find_lr(model, X, BINARY, **QUICK)
        assert found.curves[0].losses[0] > 1.5 * plain.curves[0].losses[0]

    @pytest.mark.harness
    def test_may_be_text(self):
        words = RANDOM.choice(["good", "bad", "dull", "great"], (120, 4))
        texts = np.array([" ".join(row) for row in words])
        vocabulary = keras.layers.TextVectorization(max_tokens=20, output_sequence_length=4)
        vocabulary.adapt(texts)
        inputs = keras.Input((1,), dtype="string")
        hidden = keras.layers.Flatten()(keras.layers.Embedding(20, 4)(vocabulary(inputs)))
        model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(hidden))
        model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
        y = (words == "good").any(axis=1).astype(int)
        found = onecycle_cli.find_lr(model, texts[:, None], y, **QUICK)
        assert found.curves[0].losses[0] == pytest.approx(np.log(2), abs=0.05)
        result = onecycle_cli.train(model, texts[:, None], y, max_lr=0.05, **QUICK | {"epochs": 8})
        assert result.history[-1].val_loss < 0.5

    @pytest.mark.harness
    def test_may_run_several_steps_together_before_and_after(self):
        model = compiled(steps_per_execution=4)
        onecycle_cli.find_lr(model, X, BINARY, **QUICK)
        assert model.steps_per_execution == 4
        onecycle_cli.train(model, X, BINARY, max_lr=0.1, **QUICK)
        assert model.steps_per_execution == 4
        model.fit(X, BINARY, batch_size=15, epochs=1, verbose=0)

    @pytest.mark.harness
    def test_may_learn_without_targets(self):
        inputs = keras.Input((4,))

        class Away(keras.layers.Layer):
            def call(self, x):
                self.add_loss(keras.ops.mean(x**2))
                return x

        model = keras.Model(inputs, Away()(keras.layers.Dense(2)(inputs)))
        model.compile(keras.optimizers.Adam(0.01))
        assert onecycle_cli.find_lr(model, X, **QUICK).curves[0].losses

    def test_may_be_a_training_step_of_its_own(self):
        class Own(keras.Model):
            def train_step(self, data):
                import tensorflow as tf

                x, y = data
                with tf.GradientTape() as tape:
                    loss = self.compute_loss(x=x, y=y, y_pred=self(x, training=True))
                grads = tape.gradient(loss, self.trainable_variables)
                self.optimizer.apply(grads, self.trainable_variables)
                return {"loss": loss}

        inner = network(1, "sigmoid")
        model = Own(inner.input, inner.output)
        model.compile(keras.optimizers.SGD(0.02, momentum=0.9), "binary_crossentropy")
        losses = onecycle_cli.find_lr(model, X, BINARY, **QUICK).curves[0].losses
        assert losses[0] == pytest.approx(np.log(2), abs=0.3)

    def test_may_be_a_training_step_that_takes_inputs_alone_as_fit_hands_them_over(self):
        class Autoencoder(keras.Model):
            def train_step(self, data):
                return super().train_step((data, 1.0 * data))  # no tuple can do that

        inputs = keras.Input((4,))
        model = Autoencoder(inputs, keras.layers.Dense(4)(inputs))
        model.compile(keras.optimizers.SGD(0.02), "mse")
        expected = model.evaluate(X, X, verbose=0)
        losses = onecycle_cli.find_lr(model, X, **QUICK).curves[0].losses
        assert losses[0] == pytest.approx(expected, rel=0.5)


def test_a_training_step_that_hides_its_loss_is_refused_in_a_sentence():
    class Hidden(keras.Model):
        def train_step(self, data):
            import tensorflow as tf

            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((self(data[0]) - 1.0) ** 2)
            grads = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply(grads, self.trainable_variables)
            return {"loss": loss}

    inner = network()
    model = Hidden(inner.input, inner.output)
    model.compile(keras.optimizers.SGD(0.02))
    with pytest.raises(TrainingError, match=r"train_step of Hidden does not call self\.compute_l"):
        onecycle_cli.find_lr(model, X, BINARY, **QUICK)


def test_an_interrupted_search_is_a_sentence_in_a_notebook_and_leaves_the_model():
    class Impatient(onecycle_cli.Observer):
        def advance(self, **shown):
            raise KeyboardInterrupt

    model = compiled()
    before = model.get_weights()
    with pytest.raises(KeyboardInterrupt) as caught:
        onecycle_cli.find_lr(model, X, BINARY, observer=Impatient(), **QUICK)
    assert caught.value._render_traceback_() == [
        "KeyboardInterrupt: find-lr was interrupted, and the model is as it was before."
    ]
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


class TestConstantInTheLoss:
    """It changes no answer: what is learned is learned, and what can't be is refused."""

    RANDOM = np.random.default_rng(0)
    X = RANDOM.normal(size=(1500, 8)).astype(np.float32)
    Y = np.tanh(X @ RANDOM.normal(size=8)).astype(np.float32)[:, None]

    def found(self, loss, x, y, *, frozen=False):
        keras.utils.set_random_seed(1)
        hidden = keras.layers.Dense(32, activation="relu")
        last = keras.layers.Dense(1)
        model = keras.Sequential([keras.Input((8,)), hidden, last])
        hidden.trainable = not frozen
        if frozen:
            last.kernel.assign(keras.ops.zeros_like(last.kernel))
            last.kernel.trainable = False
        model.compile(keras.optimizers.SGD(0.01, momentum=0.9), loss)
        settings = {"find_lr": {"repeats": 1}}
        return onecycle_cli.find_lr(model, x, y, epochs=5, settings=settings).suggestion

    def test_does_not_hide_that_something_is_learned(self):
        known = self.found("mse", self.X, self.Y)
        moved = self.found(lambda y, p: (y - p) ** 2 + 1000.0, self.X, self.Y)
        assert (known.verdict, moved.verdict) == ("ok", "ok")
        assert moved.value == pytest.approx(known.value, rel=0.2)

    @pytest.mark.harness
    @pytest.mark.parametrize("control", ["random labels", "constant inputs", "frozen"])
    @pytest.mark.parametrize("constant", [1000.0, -1000.0])
    def test_lets_no_negative_control_pass(self, control, constant):
        x = np.ones_like(self.X) if control == "constant inputs" else self.X
        y = np.random.default_rng(1).permutation(self.Y) if control == "random labels" else self.Y
        found = self.found(lambda y, p: (y - p) ** 2 + constant, x, y, frozen=control == "frozen")
        assert found.verdict == "never_descended"


@pytest.mark.samples(2)
@pytest.mark.parametrize(
    ("make", "arguments", "error", "message"),
    [
        (network, {}, ModelError, "not compiled; call model.compile"),
        (compiled, {"y": BINARY[:50]}, DataError, "same number of examples, got x 120, y 50"),
        (compiled, {"sample_weight": X}, DataError, "a number for each example"),
        (compiled, {"validation_data": X}, DataError, "must be .x, y. or .x, y, sample_weight."),
        (compiled, {"groups": [1, 2]}, DataError, "groups must be one for each of the 120"),
        (
            compiled,
            {"bogus": 3},
            ConfigError,
            "no argument bogus; the known ones are batch_size, class_",
        ),
        (compiled, {"validation_split": 1.5}, ConfigError, "^validation_split must be less"),
        (
            *(compiled, {"settings": {"train": {"log_to": "tensorboard"}}}, ConfigError),
            "train.log_to is for a run that is kept; say where, such as out='runs'",
        ),
        (compiled, {"y": None}, DataError, "y is missing: the model is compiled with a loss"),
        (lambda: keras.layers.Dense(1), {}, ConfigError, "the first argument is of type Dense"),
        (
            lambda: compiled(optimizer=keras.optimizers.Adafactor()),
            {},
            OptimizerError,
            "Adafactor never takes a learning rate",
        ),
    ],
)
def test_what_will_not_do_is_one_sentence(make, arguments, error, message):
    arguments = {"y": BINARY} | arguments
    with pytest.raises(error, match=message) as caught:
        onecycle_cli.find_lr(make(), X, **QUICK | arguments)
    assert "\n" not in str(caught.value)


def test_data_do_not_go_with_a_configuration():
    with pytest.raises(ConfigError, match=r"x, batch_size can be given with a compiled keras\.Mod"):
        given("some.yaml", X, None, None, batch_size=3)


def test_a_run_in_memory_is_not_resumed_by_its_configuration(tmp_path):
    found = onecycle_cli.find_lr(compiled(), X, BINARY, out=tmp_path, name="mine", **QUICK)
    with pytest.raises(ConfigError, match="handed over in Python; call the same function with"):
        onecycle_cli.find_lr(found.folder / "config.yaml", out=None)
