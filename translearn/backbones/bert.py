"""BERT for one text at a time: `minilm` and `bert_base`, with the sizes that the registry gives
them.

Devlin et al. 2018 (arXiv:1810.04805); the layers are KerasHub's. No second segment, no pooled
output.
"""

from translearn.backbones import arrays
from translearn.backbones.conversion import from_bert


def build(record, weights, seed, include_top):
    """See `backbones.load`, which has checked what stands here."""
    # First the file, then the network: a file that is not there is said at once.
    stored = None if weights is None else arrays.pretrained(record, from_bert)
    model = network(record)
    if stored is None:
        arrays.fill_random(model, seed)
    else:
        arrays.fill(model, stored)
    return model


def network(record):
    """The layers, with the weights that Keras gives them."""
    import keras
    import keras_hub

    width = record["width"]
    ids = keras.Input((None,), dtype="int32", name="token_ids")
    mask = keras.ops.cast(keras.ops.not_equal(ids, 0), "int32")
    tokens = keras.layers.Embedding(record["words"], width, name="embed_token")(ids)
    places = keras_hub.layers.PositionEmbedding(record["longest"], name="embed_position")(tokens)
    segments = keras.layers.Embedding(2, width, name="embed_segment")(keras.ops.zeros_like(ids))
    x = keras.layers.Add(name="embed_add")([tokens, places, segments])
    x = keras.layers.LayerNormalization(epsilon=1e-12, name="embed_norm")(x)
    x = keras.layers.Dropout(0.1, name="embed_dropout")(x)
    for number in range(1, record["layers"] + 1):
        # The exact GELU, as in the original. KerasHub's own BertBackbone takes the approximation
        # by a tanh.
        x = keras_hub.layers.TransformerEncoder(
            4 * width,
            record["heads"],
            activation="gelu",
            dropout=0.1,
            layer_norm_epsilon=1e-12,
            name=f"block{number}_encoder",
        )(x, padding_mask=mask)
    return keras.Model(ids, x, name=record["name"])
