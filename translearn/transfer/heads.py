"""A new head on a backbone, and a model that many runs can start from. Nothing here compiles or
fits.
"""

from translearn.errors import CourseError
from translearn.transfer.blocks import batch_norms, graph, leaves, one_output


def attach_head(
    backbone, classes, dropout=0.0, pooling="avg", batch_norm="inference", seed=None, name=None
):
    """A classifier on a backbone: the feature map is pooled, and one dense layer gives the logits.

    classes     number of classes; the output is (n, classes), also for two. They are **logits**:
                compile with `SparseCategoricalCrossentropy(from_logits=True)`, and use
                `keras.ops.softmax` to get probabilities.
    dropout     share of the pooled features dropped in training.
    pooling     "avg" (mean over the map), "max", or "flatten" (every position keeps its own
                weights). A backbone that pools by itself, to (n, channels), is taken as it is.
    batch_norm  "inference": the backbone's batch normalisation layers, also those inside a layer
                that somebody wrote, are frozen (`trainable = False`) and so keep the moving
                statistics, scale and shift they came with, whatever else is trained. "training":
                they are left as they are; those that are not frozen use the statistics of each
                batch, and their moving ones move. What starts from random weights needs
                "training".
    seed        for the head's first weights and its dropout: the same seed gives the same head.

    Freezing is the only way that works: Keras's guides call `backbone(x, training=False)`, but
    when `fit` calls the whole model with `training=True`, Keras 3 passes that on to every layer of
    a functional model and the False is lost (https://github.com/keras-team/keras/issues/20285).

    The backbone is one layer of the model (`model.get_layer(backbone.name)`) and is shared, not
    copied. The new layers form the block `classifier`: `classifier_pool`, `classifier_dropout`,
    `classifier_logits`. Raises `CourseError` for a number of classes below two, for another
    pooling or mode, for "inference" on a backbone whose batch normalisation has no statistics yet,
    and for a backbone that has several inputs or outputs, gives no feature map, or is written as a
    class.
    """
    import keras
    from keras import layers

    if isinstance(classes, bool) or not hasattr(classes, "__index__") or classes < 2:
        raise CourseError(
            f"A classifier needs two classes or more, and classes={classes!r} is not a whole "
            "number above 1."
        )
    if not 0 <= dropout < 1:
        raise CourseError(
            f"dropout={dropout!r} is not a share. Give a number from 0 up to, but not, 1."
        )
    if batch_norm not in ("inference", "training"):
        raise CourseError(
            f'batch_norm={batch_norm!r} is not a mode. Choose "inference" or "training".'
        )
    pools = {
        "avg": layers.GlobalAveragePooling2D,
        "max": layers.GlobalMaxPooling2D,
        "flatten": layers.Flatten,
    }
    if pooling not in pools:
        raise CourseError(f'pooling={pooling!r} is not known. Choose "avg", "max" or "flatten".')

    known = graph(backbone)
    features = one_output(backbone, known).shape[1:]
    pool = pools[pooling]
    if len(features) == 1:
        pool = layers.Flatten  # which leaves a vector as it is
    elif pooling != "flatten" and len(features) != 3:
        raise CourseError(
            f"{backbone.name} gives {features} for a picture, which is no map of features. Choose "
            'pooling="flatten", or a backbone that gives (height, width, channels).'
        )
    elif pooling == "flatten" and None in features:
        raise CourseError(
            f'pooling="flatten" needs pictures of one size, and {backbone.name} takes any. Build '
            "it for one size, or choose another pooling."
        )
    norms = batch_norms(leaves(backbone))
    if batch_norm == "inference":
        if norms and all(_fresh(layer) for layer in norms):
            raise CourseError(
                f"The batch normalisation of {backbone.name} has no statistics yet, as after "
                "weights=None, and in inference mode it would do nothing. "
                'Pass batch_norm="training".'
            )
        for layer in norms:
            layer.trainable = False
    inputs = keras.Input(known.inputs[0].shape[1:], dtype=known.inputs[0].dtype, name="inputs")
    x = backbone(inputs)
    x = pool(name="classifier_pool")(x)
    if dropout:
        x = layers.Dropout(dropout, seed=seed, name="classifier_dropout")(x)
    initial = keras.initializers.GlorotUniform(seed=seed)
    x = layers.Dense(classes, kernel_initializer=initial, name="classifier_logits")(x)
    return keras.Model(inputs, x, name=name or f"{backbone.name}_classifier")


def _fresh(layer):
    """Has this batch normalisation layer never seen a picture?"""
    return not layer.moving_mean.numpy().any() and bool((layer.moving_variance.numpy() == 1).all())


def reusable(model):
    """Remember a compiled model as it is now; returns `fresh(seed=None, rate=None)`, which starts
    it again.

    Building and compiling a model for every run would have Keras trace its graph anew each time,
    which takes longer than a short training. `fresh` gives the same model back, with weights,
    optimiser state and learning rate as they were when it was remembered; and then

    seed   sets the seeds of Python, NumPy and Keras, and draws the first weights of a head
           (`classifier_logits`, see `attach_head`) as `attach_head(seed=seed)` would.
    rate   sets the optimiser's learning rate.

    A schedule that was set on the optimiser in the meantime is taken off again: Keras ignores it
    in a model that has trained before, and refuses a number afterwards.

    Raises `CourseError` when the model is not compiled or has no weights yet; and from `fresh`
    when it was compiled anew since, or a rate is given but the optimiser was made with a schedule,
    where Keras would ignore it without a word.
    """
    if getattr(model, "optimizer", None) is None:
        raise CourseError(
            "This model has no optimiser yet. Call model.compile(…) before "
            "transfer.reusable(model)."
        )
    if not model.built:
        raise CourseError(
            "This model has no weights yet. Let it begin with keras.Input(…), or call it once, "
            "before transfer.reusable(model)."
        )
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    optimizer, rate_kept = model.optimizer, getattr(model.optimizer, "_learning_rate", None)
    variables = [*model.variables, *optimizer.variables]
    kept = [(variable, variable.numpy().copy()) for variable in variables]

    def fresh(seed=None, rate=None):
        if model.optimizer is not optimizer:
            raise CourseError(
                "This model was compiled again after transfer.reusable(model), so its start is no "
                "longer known. Run the cell that made it once more, and compile a model of your "
                "own."
            )
        if getattr(optimizer, "_learning_rate", None) is not rate_kept:
            optimizer._learning_rate = rate_kept
            model.train_function = None  # it may have been traced with the other one
        for variable, value in kept:
            variable.assign(value)
        if seed is not None:
            _draw_anew(model, seed)
        if rate is not None:
            _set_rate(model.optimizer, rate)
        return model

    return fresh


def _draw_anew(model, seed):
    import keras

    keras.utils.set_random_seed(seed)
    for layer in leaves(model):
        if layer.name == "classifier_logits":
            initial = keras.initializers.GlorotUniform(seed=seed)
            layer.kernel.assign(initial(layer.kernel.shape))


def _set_rate(optimizer, rate):
    import keras

    if isinstance(optimizer._learning_rate, keras.optimizers.schedules.LearningRateSchedule):
        raise CourseError(
            "This optimiser follows a schedule, so a rate would be ignored. Compile the model "
            "with a number, such as keras.optimizers.Adam(0.001), before transfer.reusable(model)."
        )
    optimizer.learning_rate = rate
