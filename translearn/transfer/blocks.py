"""The blocks of a model: which there are, which of them `fit` would move, where it can be cut."""

import collections
import itertools
import math
import re

from translearn.data.registry import suggest
from translearn.errors import CourseError

# Layers ------------------------------------------------------------------------------------------


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


def nested(layer):
    """A layer and all layers that it holds, outermost first."""
    return layer._flatten_layers()  # Keras has no public name for it


def is_batch_norm(layer):
    import keras

    return isinstance(layer, keras.layers.BatchNormalization)


def batch_norms(layers):
    """The batch normalisation layers among these, or inside a layer that somebody wrote."""
    return [each for layer in layers for each in nested(layer) if is_batch_norm(each)]


def _own(layer):
    """The weights of a layer that do not belong to a layer inside it."""
    inside = {id(weight) for each in nested(layer)[1:] for weight in each.weights}
    return [weight for weight in layer.weights if id(weight) not in inside]


# Blocks ------------------------------------------------------------------------------------------


def blocks(model) -> dict:
    """The blocks of a model, first to last: {name: list of its layers}.

    A block is what stands before the first underscore of a layer's name, and a number behind it:
    the block of `block07_project_conv` is `block07`, that of `block_7_project` is `block_7`. A
    layer that Keras named itself, such as `conv2d_5`, is a block of its own. Blocks are runs of
    layers: where others come in between, each run is one, under the name of its first layer, and
    the functions here take the block's name for all of them. Layers of a backbone inside the model
    are listed like the model's own; input layers belong to no block. Those of a model written as a
    class come in the order in which it made them.

    Raises `CourseError` for what is no Keras model.
    """
    import keras

    if not isinstance(model, keras.Model):
        raise CourseError(
            f"A Keras model is needed here, and this is of type {type(model).__name__}. Give a "
            "keras.Model, such as backbones.load(…) returns."
        )
    return {name: layers for name, _, layers in _runs(model)}


def _runs(model) -> list[tuple]:
    """(name, block, layers) of each run of layers that follow each other in one block."""
    within = {id(layer): part.name for part in models(model) for layer in part.layers}
    runs = [
        (block, list(run))
        for block, run in itertools.groupby(
            leaves(model), lambda layer: _block(layer, within[id(layer)])
        )
    ]
    often, found = collections.Counter(block for block, _ in runs), {}
    for block, layers in runs:
        name = block if often[block] == 1 else layers[0].name
        copies = itertools.count(2)
        while name in found:  # two models inside this one, with layers of the same names
            name = f"{layers[0].name}-{next(copies)}"
        found[name] = (name, block, layers)
    return list(found.values())


def _block(layer, model: str) -> str:
    """The block that a layer's name says."""
    kind = re.sub(r"_\d+$", "", layer.name).replace("_", "")
    if kind == type(layer).__name__.lower():  # conv2d_5, batch_normalization: Keras's own name
        return layer.name
    # Some networks repeat their own name: convnext_tiny_stage_0_block_0_layer_scale.
    numbered = re.match(r"[^_]+_\d+(?=_)", layer.name.removeprefix(f"{model}_"))
    return (numbered or re.match(r"[^_]*(_\d+$)?", layer.name))[0]


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
        norms = batch_norms(layers)
        others = [
            _own(each) for layer in layers for each in nested(layer) if not is_batch_norm(each)
        ]
        frozen = {not any(id(weight) in moves for weight in own) for own in others if own}
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
                whole blocks (which are layers, where Keras named them itself). A head is a block
                like any other: to count the backbone's alone, call this on the backbone.
    batch_norm  False leaves batch normalisation layers as they are, also those inside a layer
                that somebody wrote. Those that are trainable go on adapting during `fit`: their
                scale and shift, and their moving statistics.
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
        places = _places(name, model)
        return found[places[0] :] if from_the_end else found[: places[-1] + 1]
    if share is None:
        return found
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1:
        raise CourseError(
            f"share={share!r} is not a share. Give a number from 0 (no block) to 1 (every block)."
        )
    count = round(share * len(found))
    return found[len(found) - count :] if from_the_end else found[:count]


def _places(name, model) -> list[int]:
    """Where a block is among the blocks: once, or as often as others interrupt it."""
    runs = _runs(model)
    places = [at for at, (run, _, _) in enumerate(runs) if run == name] or [
        at for at, (_, block, _) in enumerate(runs) if block == name
    ]
    if not places:
        raise CourseError(
            f"There is no block called {name!r} in this model. "
            f"{suggest(name, [run for run, _, _ in runs])}"
        )
    return places


def _switch(model, chosen, trainable, batch_norm):
    if trainable:
        # A model that was switched off as a whole (`backbone.trainable = False`) hides the setting
        # of its layers. Switching it on would switch on every layer inside, so what they were is
        # put back.
        layers = [each for layer in leaves(model) for each in nested(layer)]
        before = [(each, each.trainable) for each in [*layers, *model.variables]]
        for part in models(model):
            part.trainable = True
        for each, was in before:
            each.trainable = was
    inside = blocks(model)
    for layer in (layer for name in chosen for layer in inside[name]):
        norms = [] if batch_norm else batch_norms([layer])
        if not norms:
            _set(layer, trainable)
        elif trainable:
            before = [(norm, norm.trainable) for norm in norms]
            _set(layer, True)
            for norm, was in before:
                norm.trainable = was
        else:
            # Switched off as a whole, a layer that somebody wrote would freeze the batch
            # normalisation inside it too.
            for each in nested(layer):
                if not is_batch_norm(each):
                    for weight in _own(each):
                        weight.trainable = False


def _set(layer, trainable):
    """Switch a layer and what is inside it."""
    for each in nested(layer):
        # Keras passes on a change only: what has the value already would keep what is inside.
        each.trainable = not trainable
        each.trainable = trainable


# Splitting and heads -----------------------------------------------------------------------------


def graph(model, shape=None):
    """The model as Keras knows it from its one input to its outputs.

    shape: of what will be put in, without the number of examples; a model that has not been told
    yet learns it from here.

    Raises `CourseError` for what is no Keras model, takes several inputs, or is written as a
    class, where Keras cannot see what is inside.
    """
    import keras

    blocks(model)
    found = getattr(model, "_functional", model)  # a Sequential model holds its graph
    if found is None and shape is not None:
        _followed(model, shape, lambda: model.build((None, *shape)))
        found = model._functional
    if found is None:
        raise CourseError(
            f"{model.name} does not know yet what is put in. Let it begin with "
            "keras.Input((height, width, channels))."
        )
    if not hasattr(found, "_nodes_by_depth"):
        if shape is not None:
            inputs = keras.Input(shape)
            return _followed(model, shape, lambda: keras.Model(inputs, model(inputs)))
        raise CourseError(
            f"{model.name} is written as a class, and Keras does not see what is between its "
            "input and its output. Build it from layers, as keras.Model(inputs, outputs) or "
            "keras.Sequential."
        )
    if len(found.inputs) != 1:
        names = ", ".join(tensor.name for tensor in found.inputs)
        raise CourseError(
            f"{model.name} takes {len(found.inputs)} inputs ({names}), and pictures are one. Give "
            "the part of it that sees the pictures, as keras.Model(its input, its output)."
        )
    return found


def _followed(model, shape, call):
    """`call()`, in which Keras follows pictures through a model, whatever that raises."""
    try:
        return call()
    except Exception as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CourseError(
            f"{model.name} cannot be followed from pictures of shape {shape} to its output "
            f"({said[:200]}). Give pictures that fit it, or build it from layers, as "
            "keras.Model(inputs, outputs)."
        ) from None


def block_output(model, at):
    """The tensor that leaves block `at` of a model, as its graph has it."""
    found = graph(model)
    layer = list(blocks(model).values())[_places(at, model)[-1]][-1]
    # `layer.output` is where it was called first, which may have been in another model.
    calls = [
        node.outputs
        for _, nodes in sorted(found._nodes_by_depth.items(), reverse=True)
        for node in nodes
        if node.operation is layer
    ]
    if not calls:
        raise CourseError(
            f"Block {at!r} lies in a backbone inside this model. Call this on the backbone "
            "itself: the layer of the model that is a model."
        )
    if len(calls[0]) != 1:
        raise CourseError(
            f"Block {at!r} of {model.name} gives {len(calls[0])} outputs, and one is needed. Name "
            "another block."
        )
    return calls[0][0]


def one_output(model, found):
    """The tensor that leaves a model, given its graph."""
    if len(found.outputs) != 1:
        raise CourseError(
            f"{model.name} gives {len(found.outputs)} outputs, and one is needed. Choose it: "
            "keras.Model(model.inputs, model.outputs[0])."
        )
    return found.outputs[0]


def split(backbone, at):
    """Cut a backbone after block `at` into two models: `lower` and `upper`.

    `lower` goes from the pixels to the feature map that leaves block `at`; `upper` takes that
    feature map to the end, and `upper(lower(x))` equals `backbone(x)` exactly. Both *share* the
    backbone's layers and weights: training one of them changes the backbone, and freezing a layer
    freezes it in both. For a part of its own, use `keras.models.clone_model` and `set_weights`.

    Raises `CourseError` for an unknown block, for the last block (nothing would be left above it),
    where a shortcut jumps over the cut, so that one feature map cannot feed the rest, and for a
    model with several inputs or written as a class.
    """
    import keras

    cut, found = block_output(backbone, at), graph(backbone)
    if _places(at, backbone)[-1] == len(blocks(backbone)) - 1:
        raise CourseError(
            f"{at!r} is the last block, and nothing is left above it. Cut at an earlier block."
        )
    lower = keras.Model(found.inputs[0], cut, name=f"{backbone.name}_up_to_{at}")
    # Keras follows the layers from the output back until it meets the cut.
    try:
        upper = keras.Model(cut, found.output, name=f"{backbone.name}_after_{at}")
    except ValueError:
        raise CourseError(
            f"{at!r} is not a place where {backbone.name} can be cut: "
            "a shortcut jumps over it. Cut at another block."
        ) from None
    return lower, upper
