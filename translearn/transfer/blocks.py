"""The blocks of a model: which there are, which of them `fit` would move, where it can be cut."""

import math

from translearn.data.registry import suggest
from translearn.errors import CourseError

# Blocks ------------------------------------------------------------------------------------------


def leaves(model):
    """The layers that are not models themselves, in the order in which pictures pass them."""
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from leaves(layer)
        elif not isinstance(layer, keras.layers.InputLayer):
            yield layer


def models(model):
    """The model itself and all models inside it, outermost first."""
    import keras

    yield model
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from models(layer)


def is_batch_norm(layer):
    import keras

    return isinstance(layer, keras.layers.BatchNormalization)


def blocks(model) -> dict:
    """The blocks of a model, first to last: {name: list of its layers}.

    A block is what stands before the first underscore of a layer's name. Layers of a backbone
    inside the model are listed like the model's own; input layers belong to no block.
    """
    found = {}
    for layer in leaves(model):
        found.setdefault(layer.name.partition("_")[0], []).append(layer)
    return found


def trainable_table(model):
    """What `fit` would move if the model were compiled now: a pandas table, one row a block.

    Columns: block, layers (how many), parameters, trainable (parameters), frozen ("yes", "no",
    "partly"; batch normalisation aside) and batch_norm: the mode in which it works during `fit`,
    "training" or "inference" ("mixed" if its layers differ). "–" stands where a block has no such
    layers. Moving statistics count as parameters but never as trainable: no gradient moves them,
    training mode does.
    """
    import pandas as pd

    moves = {id(weight) for weight in model.trainable_weights}  # what Keras itself says
    rows = []
    for name, layers in blocks(model).items():
        norms = [layer for layer in layers if is_batch_norm(layer)]
        others = [layer for layer in layers if layer.weights and not is_batch_norm(layer)]
        frozen = {not any(id(weight) in moves for weight in layer.weights) for layer in others}
        modes = {"training" if layer.trainable else "inference" for layer in norms}
        rows.append(
            (
                name,
                len(layers),
                sum(_size(weight) for layer in layers for weight in layer.weights),
                sum(
                    _size(weight)
                    for layer in layers
                    for weight in layer.weights
                    if id(weight) in moves
                ),
                "partly"
                if len(frozen) == 2
                else {True: "yes", False: "no", None: "–"}[next(iter(frozen), None)],
                "mixed" if len(modes) == 2 else next(iter(modes), "–"),
            )
        )
    return pd.DataFrame(
        rows, columns=["block", "layers", "parameters", "trainable", "frozen", "batch_norm"]
    )


def _size(weight):
    return math.prod(weight.shape)


def freeze(model, up_to=None, share=None, batch_norm=True):
    """Freeze blocks from the input on: sets `layer.trainable = False` on each of their layers.

    up_to       the last block to freeze, included ("block10").
    share       the share of the blocks to freeze, 0 to 1, counted from the input and rounded to
                whole blocks. A head is a block like any other: to count the backbone's alone, call
                this on the backbone.
    batch_norm  False leaves batch normalisation layers as they are. Those that are trainable go on
                adapting during `fit`: their scale and shift, and their moving statistics.
    Neither `up_to` nor `share`: all blocks (call it on the backbone, or the head is frozen too).
    Blocks after the cut keep whatever they were set to.

    Returns `trainable_table(model)`. **Takes effect at the next `model.compile`**: Keras decides
    what to train when it makes its training step. A frozen batch normalisation layer works in
    inference mode.

    Raises `CourseError` for an unknown block (naming the nearest) or a share outside 0 to 1.
    """
    _switch(model, _cut(model, up_to, share, from_the_end=False), False, batch_norm)
    return trainable_table(model)


def unfreeze(model, from_block=None, share=None, batch_norm=False):
    """Unfreeze blocks up to the output: sets `layer.trainable = True` on each of their layers.

    from_block  the first block to unfreeze, included ("block14").
    share       the share of the blocks to unfreeze, 0 to 1, counted from the output.
    batch_norm  True unfreezes batch normalisation layers as well, and so puts them into training
                mode: they use the statistics of each batch, and the moving ones begin to move.
                False, the usual choice for fine-tuning on little data, leaves them as they are.
    Neither `from_block` nor `share`: all blocks. Blocks before the cut keep whatever they were set
    to.

    Returns `trainable_table(model)`. Takes effect at the next `model.compile`.
    Raises `CourseError` like `freeze`.
    """
    _switch(model, _cut(model, from_block, share, from_the_end=True), True, batch_norm)
    return trainable_table(model)


def _cut(model, name, share, from_the_end):
    """The names of the chosen blocks."""
    found = list(blocks(model))
    if name is not None and share is not None:
        raise CourseError(
            f"Both a block ({name!r}) and a share ({share!r}) were given. Give one of them."
        )
    if name is not None:
        position = found.index(_known(name, found))
        return found[position:] if from_the_end else found[: position + 1]
    if share is None:
        return found
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1:
        raise CourseError(
            f"share={share!r} is not a share. Give a number from 0 (no block) to 1 (every block)."
        )
    count = round(share * len(found))
    return found[len(found) - count :] if from_the_end else found[:count]


def _known(name, found):
    if name not in found:
        raise CourseError(
            f"There is no block called {name!r} in this model. {suggest(name, found)}"
        )
    return name


def _switch(model, chosen, trainable, batch_norm):
    if trainable:
        # A model that was switched off as a whole (`backbone.trainable = False`) hides the setting
        # of its layers. Switching it on would switch on every layer inside, so what they were is
        # put back.
        before = [(layer, layer.trainable) for layer in leaves(model)]
        for part in models(model):
            part.trainable = True
        for layer, was in before:
            layer.trainable = was
    inside = blocks(model)
    for name in chosen:
        for layer in inside[name]:
            if batch_norm or not is_batch_norm(layer):
                layer.trainable = trainable


# Splitting and heads -----------------------------------------------------------------------------


def block_output(backbone, at):
    """The tensor that leaves block `at` of a backbone."""
    return _last_layer(backbone, at).output


def _last_layer(backbone, at):
    inside = blocks(backbone)
    layer = inside[_known(at, list(inside))][-1]
    if not any(layer is own for own in backbone.layers):
        raise CourseError(
            f"Block {at!r} lies in a backbone inside this model. Call this on the backbone "
            "itself: the layer of the model that is a model."
        )
    return layer


def split(backbone, at):
    """Cut a backbone after block `at` into two models: `lower` and `upper`.

    `lower` goes from the pixels to the feature map that leaves block `at`; `upper` takes that
    feature map to the end, and `upper(lower(x))` equals `backbone(x)` exactly. Both *share* the
    backbone's layers and
    weights: training one of them changes the backbone, and freezing a layer freezes it in both.
    For a part of its own, use `keras.models.clone_model` and `set_weights`.

    Raises `CourseError` for an unknown block, for the last block (nothing would be left above it),
    and where a shortcut jumps over the cut, so that one feature map cannot feed the rest.
    """
    import keras

    cut = block_output(backbone, at)
    if at == list(blocks(backbone))[-1]:
        raise CourseError(
            f"{at!r} is the last block, and nothing is left above it. Cut at an earlier block."
        )
    lower = keras.Model(backbone.input, cut, name=f"{backbone.name}_up_to_{at}")
    # Keras follows the layers from the output back until it meets the cut.
    try:
        upper = keras.Model(cut, backbone.output, name=f"{backbone.name}_after_{at}")
    except ValueError:
        raise CourseError(
            f"{at!r} is not a place where {backbone.name} can be cut: "
            "a shortcut jumps over it. Cut at another block."
        ) from None
    return lower, upper
