"""GPT-2: `tiny_gpt` and `gpt2`, with the sizes that the registry gives them.

Radford et al. 2019 (*Language Models are Unsupervised Multitask Learners*); the layers are
KerasHub's.
"""

from translearn.backbones import arrays
from translearn.backbones.conversion import from_gpt2


def build(record, weights, seed, include_top):
    """See `backbones.load`, which has checked what stands here."""
    # First the file, then the network: a file that is not there is said at once.
    stored = None if weights is None else arrays.pretrained(record, from_gpt2)
    model = network(record, include_top)
    if stored is None:
        arrays.fill_random(model, seed)
    else:
        arrays.fill(model, stored)
    return model


def network(record, include_top):
    """The layers, with the weights that Keras gives them."""
    import keras
    import keras_hub

    width, dropout = record["width"], record["dropout"]
    gelu = keras.saving.get_registered_object(
        "keras_hub>gelu_approximate"
    )  # by a tanh: so GPT-2 was trained
    ids = keras.Input((None,), dtype="int32", name="token_ids")
    embed = keras_hub.layers.ReversibleEmbedding(record["words"], width, name="embed_token")
    tokens = embed(ids)
    places = keras_hub.layers.PositionEmbedding(record["longest"], name="embed_position")(tokens)
    x = keras.layers.Add(name="embed_add")([tokens, places])
    x = keras.layers.Dropout(dropout, name="embed_dropout")(x)
    for number in range(1, record["layers"] + 1):
        x = keras_hub.layers.TransformerDecoder(
            4 * width,
            record["heads"],
            activation=gelu,
            dropout=dropout,
            layer_norm_epsilon=1e-5,
            normalize_first=True,
            name=f"block{number}_decoder",
        )(x)
    x = keras.layers.LayerNormalization(epsilon=1e-5, name="final_norm")(x)
    return keras.Model(ids, embed(x, reverse=True) if include_top else x, name=record["name"])
