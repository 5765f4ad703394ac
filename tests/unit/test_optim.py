"""The NumPy optimisers and schedules against their Keras namesakes, and the range test."""

import numpy as np
import pytest

from translearn import optim
from translearn.errors import CourseError

# Keras 3.15 with NumPy 2: its own conversion, not ours.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")

PAIRS = {
    "gradient descent": (lambda: optim.SGD(0.1), lambda k: k.SGD(0.1)),
    "momentum": (lambda: optim.SGD(0.05, momentum=0.9), lambda k: k.SGD(0.05, momentum=0.9)),
    "Nesterov": (
        lambda: optim.SGD(0.05, momentum=0.9, nesterov=True),
        lambda k: k.SGD(0.05, momentum=0.9, nesterov=True),
    ),
    "RMSProp": (lambda: optim.RMSProp(0.01), lambda k: k.RMSprop(0.01)),
    # At larger rates Keras strays from the paper: its bias correction rounds 0.999 to single
    # precision, whatever the floatx.
    "Adam": (lambda: optim.Adam(0.001), lambda k: k.Adam(0.001)),
    "Adam, other numbers": (
        lambda: optim.Adam(0.02, beta_1=0.8, beta_2=0.99, epsilon=1e-4),
        lambda k: k.Adam(0.02, beta_1=0.8, beta_2=0.99, epsilon=1e-4),
    ),
    "AdamW": (
        lambda: optim.AdamW(0.001, weight_decay=0.5),
        lambda k: k.AdamW(0.001, weight_decay=0.5),
    ),
    "a schedule": (
        lambda: optim.SGD(optim.exponential_decay(0.1, 10, 0.5), momentum=0.9),
        lambda k: k.SGD(k.schedules.ExponentialDecay(0.1, 10, 0.5), momentum=0.9),
    ),
}


def gradients(steps=50, shape=(4, 3), seed=0):
    """Noisy gradients of a bowl with a different steepness in each direction; they depend on the
    weights.
    """
    rng = np.random.default_rng(seed)
    steepness, noise = rng.uniform(0.1, 3, shape), rng.normal(0, 0.3, (steps, *shape))
    return lambda step, weights: steepness * weights + noise[step]


def run_keras(optimiser, gradient, start, steps):
    import keras

    weights = keras.Variable(start)
    optimiser.build([weights])
    path = [np.asarray(weights.value)]
    for step in range(steps):
        optimiser.apply(
            [keras.ops.convert_to_tensor(gradient(step, path[-1]), "float64")], [weights]
        )
        path.append(np.asarray(weights.value))
    return np.array(path)


@pytest.fixture
def double():
    """Keras in double precision, so that what is compared is the rule and not the rounding of 50
    steps.
    """
    import keras

    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx("float32")


@pytest.mark.parametrize("name", PAIRS)
def test_an_optimiser_equals_its_keras_namesake_over_50_steps(name, double):
    import keras

    ours, theirs = PAIRS[name]
    ours, gradient = ours(), gradients()
    start = np.random.default_rng(1).normal(0, 1, (4, 3))
    path = [start]
    for step in range(50):
        path.append(ours.step(path[-1], gradient(step, path[-1])))
    difference = np.abs(
        np.array(path) - run_keras(theirs(keras.optimizers), gradient, start, 50)
    ).max()
    assert difference < 1e-6
    assert np.abs(path[-1] - start).max() > 0.03, "it moved, so that equality says something"


def test_every_optimiser_differs_from_every_other():
    start, gradient = np.ones((4, 3)), gradients()
    ends = []
    for ours, _ in PAIRS.values():
        optimiser, weights = ours(), start
        for step in range(50):
            weights = optimiser.step(weights, gradient(step, weights))
        ends.append(weights)
    for i, a in enumerate(ends):
        assert all(np.abs(a - b).max() > 1e-4 for b in ends[i + 1 :])


def test_a_step_changes_neither_argument_and_reset_forgets():
    weights, gradient = np.ones(3), np.full(3, 0.5)
    opt = optim.Adam(0.1)
    first = opt.step(weights, gradient)
    second = opt.step(weights, -gradient)
    assert np.array_equal(weights, np.ones(3)) and np.array_equal(gradient, np.full(3, 0.5))
    assert opt.steps == 2 and not np.allclose(second - 1, 1 - first)
    opt.reset()
    assert opt.steps == 0 and np.array_equal(opt.step(weights, gradient), first)


def test_the_first_step_of_adam_is_the_rate_and_three_times_too_long_without_bias_correction():
    gradient = np.array([0.1, 5.0])
    assert np.allclose(optim.Adam(0.1).step(np.zeros(2), gradient), -0.1, atol=1e-4)
    # 0.1 g / sqrt(0.001 g²)
    assert np.allclose(
        optim.Adam(0.1, bias_correction=False).step(np.zeros(2), gradient),
        -0.1 * 0.1 / np.sqrt(0.001),
        rtol=0.01,
    )


def test_shapes_that_do_not_fit_are_refused():
    opt = optim.SGD(0.1, momentum=0.9)
    with pytest.raises(CourseError, match="do not fit"):
        opt.step(np.zeros(3), np.zeros(2))
    opt.step(np.zeros(3), np.ones(3))
    with pytest.raises(CourseError, match="an optimiser of its own"):
        opt.step(np.zeros(2), np.ones(2))


def test_descend_returns_the_path_and_stays_silent_when_it_diverges(recwarn):
    path = optim.descend(optim.SGD(0.5), lambda w: w, [1.0, 2.0], 3)
    assert np.allclose(path, [[1, 2], [0.5, 1], [0.25, 0.5], [0.125, 0.25]])
    wild = optim.descend(optim.SGD(1e200), lambda w: w * 1e200, [1.0], 5)
    assert not np.isfinite(wild[-1]).all() and len(recwarn) == 0


SCHEDULES = {
    "exponential": (
        optim.exponential_decay(0.1, 30, 0.5),
        lambda s: s.ExponentialDecay(0.1, 30, 0.5),
    ),
    "staircase": (
        optim.exponential_decay(0.1, 30, 0.5, staircase=True),
        lambda s: s.ExponentialDecay(0.1, 30, 0.5, staircase=True),
    ),
    "step": (
        optim.step_decay(0.1, [20, 50, 90], 0.3),
        lambda s: s.PiecewiseConstantDecay([20, 50, 90], [0.1, 0.03, 0.009, 0.0027]),
    ),
    "cosine": (
        optim.cosine_decay(0.1, 80, alpha=0.05),
        lambda s: s.CosineDecay(0.1, 80, alpha=0.05),
    ),
    "warm-up and cosine": (
        optim.cosine_decay(0.01, 60, warmup_steps=15, warmup_target=0.2),
        lambda s: s.CosineDecay(0.01, 60, warmup_steps=15, warmup_target=0.2),
    ),
    "warm-up, composed": (
        optim.warmup(0.2, 15, then=optim.cosine_decay(0.2, 60)),
        lambda s: s.CosineDecay(0.0, 60, warmup_steps=15, warmup_target=0.2),
    ),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_equals_its_keras_namesake_at_every_step(name):
    import keras

    ours, theirs = SCHEDULES[name]
    theirs = theirs(keras.optimizers.schedules)
    steps = np.arange(120)
    right = np.array([float(theirs(step)) for step in steps])
    assert np.abs(ours(steps) - right).max() < 1e-7
    assert np.abs([ours(int(step)) for step in steps] - right).max() < 1e-7
    assert np.ptp(right) > 0.01


def test_warm_up_alone_stays_at_its_target():
    rates = optim.warmup(0.4, 4)(np.arange(7))
    assert np.allclose(rates, [0, 0.1, 0.2, 0.3, 0.4, 0.4, 0.4])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"patience": 2, "factor": 0.5},
        {"patience": 1, "cooldown": 3, "factor": 0.3},
        {"patience": 3, "min_delta": 0.05},
        {"patience": 1, "factor": 0.2, "min_rate": 0.01},
        {"patience": 2, "mode": "max"},
    ],
)
def test_reduce_on_plateau_equals_the_keras_callback(options):
    import keras

    rng = np.random.default_rng(3)
    for _ in range(5):
        losses = np.abs(np.linspace(1, 0.3, 60) + rng.normal(0, 0.15, 60))
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(0.1), "mse")
        renamed = {{"min_rate": "min_lr"}.get(key, key): value for key, value in options.items()}
        theirs = keras.callbacks.ReduceLROnPlateau(monitor="loss", **({"mode": "min"} | renamed))
        theirs.set_model(model)
        theirs.on_train_begin()
        ours = optim.ReduceOnPlateau(0.1, **options)
        for epoch, loss in enumerate(losses):
            theirs.on_epoch_end(epoch, {"loss": loss})
            assert ours.update(loss) == pytest.approx(
                float(model.optimizer.learning_rate), rel=1e-6
            )
    assert ours.rate < 0.1, "it was lowered, so that equality says something"


def test_reduce_on_plateau_refuses_what_makes_no_sense():
    with pytest.raises(CourseError, match="would not lower"):
        optim.ReduceOnPlateau(0.1, factor=1.0)
    with pytest.raises(CourseError, match='"min"'):
        optim.ReduceOnPlateau(0.1, mode="auto")


# ---- The range test ----


@pytest.fixture(scope="module")
def problem():
    import keras

    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, (400, 10)).astype("float32")
    y = (x @ rng.normal(0, 1, (10, 3))).argmax(axis=1)
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((10,)), keras.layers.Dense(3)])
    model.compile(
        keras.optimizers.SGD(0.1, momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model, x, y


def test_the_range_test_finds_the_fall_and_the_edge_and_puts_everything_back(problem):
    model, x, y = problem
    before = model.get_weights()
    found = optim.lr_range_test(model, x, y, low=1e-5, high=1e4, progress=False)
    assert found.diverged and not found.warning and len(found.rates) < 100
    edge = found.rates[-1]
    assert 1e-3 < found.suggestion < edge / 3
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    assert (
        float(model.optimizer.learning_rate) == pytest.approx(0.1)
        and int(model.optimizer.iterations) == 0
    )
    assert np.allclose(
        found.losses, optim.lr_range_test(model, x, y, low=1e-5, high=1e4, progress=False).losses
    ), "the same seed, the same test"


def test_the_losses_are_those_of_each_batch_not_a_running_mean(problem):
    model, x, y = problem
    found = optim.lr_range_test(
        model, x, y, low=1e-12, high=1e-11, steps=10, batch_size=40, progress=False
    )
    batches = list(optim._batches(len(x), 40, 10, 0))
    logits = model.predict(x, verbose=0)
    each = -(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))[np.arange(len(y)), y]
    assert np.allclose(
        found.losses, [each[b].mean() for b in batches], atol=1e-4
    )  # the rates are too small to move
    assert sorted(np.concatenate(batches)) == list(range(400)), "one pass sees every example once"


def test_the_range_test_says_why_it_has_no_suggestion(problem):
    model, x, y = problem
    low = optim.lr_range_test(model, x, y, low=1e-9, high=1e-8, progress=False)
    assert low.suggestion is None and "never fell" in low.warning and not low.diverged
    short = optim.lr_range_test(model, x, y, low=1e-4, high=0.1, progress=False)
    assert short.suggestion and "never exploded" in short.warning
    high = optim.lr_range_test(model, x, y, low=1e3, high=1e5, progress=False)
    assert high.suggestion is None


def test_the_range_test_refuses_what_it_cannot_test(problem):
    import keras

    model, x, y = problem
    with pytest.raises(CourseError, match="at least 10 steps"):
        optim.lr_range_test(model, x, y, steps=3)
    with pytest.raises(CourseError, match="400 rows and y has 3"):
        optim.lr_range_test(model, x, y[:3])
    before = model.get_weights()
    with pytest.raises(CourseError, match="not a number at the very first batch"):
        optim.lr_range_test(model, x * np.nan, y, progress=False)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    fresh = keras.Sequential([keras.Input((10,)), keras.layers.Dense(3)])
    with pytest.raises(CourseError, match="no optimiser yet"):
        optim.lr_range_test(fresh, x, y)
    fresh.compile(
        keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)), "mse"
    )
    with pytest.raises(CourseError, match="is a schedule"):
        optim.lr_range_test(fresh, x, y)
