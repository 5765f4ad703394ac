"""From the names and shapes of the published originals of BERT and GPT-2 to those of the course's
networks.

`heads` is how many heads of attention a block has; it cannot be read off the arrays.
"""

import numpy as np


def from_bert(state: dict, heads: int) -> dict:
    """A BERT's arrays, from the names and shapes of its PyTorch original to those of `load`; the
    pooler is left out.
    """
    state = {key.removeprefix("bert."): array for key, array in state.items()}
    gain, shift = (
        ("gamma", "beta") if "embeddings.LayerNorm.gamma" in state else ("weight", "bias")
    )
    width = state["embeddings.LayerNorm." + shift].size
    found = {
        "embed_token/embeddings": state["embeddings.word_embeddings.weight"],
        "embed_position/embeddings": state["embeddings.position_embeddings.weight"],
        "embed_segment/embeddings": state["embeddings.token_type_embeddings.weight"],
        "embed_norm/gamma": state["embeddings.LayerNorm." + gain],
        "embed_norm/beta": state["embeddings.LayerNorm." + shift],
    }
    for number in range(sum(key.endswith("attention.self.query.weight") for key in state)):
        block, here = f"block{number + 1}_encoder", f"encoder.layer.{number}."
        for part in ("query", "key", "value"):
            found[f"{block}/self_attention_layer/{part}/kernel"] = state[
                f"{here}attention.self.{part}.weight"
            ].T.reshape(width, heads, -1)
            found[f"{block}/self_attention_layer/{part}/bias"] = state[
                f"{here}attention.self.{part}.bias"
            ].reshape(heads, -1)
        found[f"{block}/self_attention_layer/attention_output/kernel"] = state[
            here + "attention.output.dense.weight"
        ].T.reshape(heads, -1, width)
        found[f"{block}/self_attention_layer/attention_output/bias"] = state[
            here + "attention.output.dense.bias"
        ]
        for ours, theirs in (
            ("feedforward_intermediate_dense", "intermediate.dense"),
            ("feedforward_output_dense", "output.dense"),
        ):
            found[f"{block}/{ours}/kernel"] = state[f"{here}{theirs}.weight"].T
            found[f"{block}/{ours}/bias"] = state[f"{here}{theirs}.bias"]
        for ours, theirs in (
            ("self_attention_layer_norm", "attention.output.LayerNorm."),
            ("feedforward_layer_norm", "output.LayerNorm."),
        ):
            found[f"{block}/{ours}/gamma"] = state[here + theirs + gain]
            found[f"{block}/{ours}/beta"] = state[here + theirs + shift]
    return found


def from_gpt2(state: dict, heads: int) -> dict:
    """GPT-2's arrays, from the names and shapes of its PyTorch original to those of `load`."""
    state = {key.removeprefix("transformer."): array for key, array in state.items()}
    width = state["ln_f.bias"].size
    found = {
        "embed_token/embeddings": state["wte.weight"],
        "embed_position/embeddings": state["wpe.weight"],
        "final_norm/gamma": state["ln_f.weight"],
        "final_norm/beta": state["ln_f.bias"],
    }
    for number in range(sum(key.endswith("attn.c_attn.weight") for key in state)):
        block, here = f"block{number + 1}_decoder", f"h.{number}."
        # Query, key and value lie side by side in one array.
        kernels = np.split(state[here + "attn.c_attn.weight"], 3, axis=1)
        biases = np.split(state[here + "attn.c_attn.bias"], 3)
        for part, kernel, bias in zip(("query", "key", "value"), kernels, biases):
            found[f"{block}/self_attention/{part}/kernel"] = kernel.reshape(width, heads, -1)
            found[f"{block}/self_attention/{part}/bias"] = bias.reshape(heads, -1)
        found[f"{block}/self_attention/attention_output/kernel"] = state[
            here + "attn.c_proj.weight"
        ].reshape(heads, -1, width)
        found[f"{block}/self_attention/attention_output/bias"] = state[here + "attn.c_proj.bias"]
        for ours, theirs in (
            ("feedforward_intermediate_dense", "mlp.c_fc"),
            ("feedforward_output_dense", "mlp.c_proj"),
        ):
            found[f"{block}/{ours}/kernel"] = state[f"{here}{theirs}.weight"]
            found[f"{block}/{ours}/bias"] = state[f"{here}{theirs}.bias"]
        for ours, theirs in (
            ("self_attention_layer_norm", "ln_1"),
            ("feedforward_layer_norm", "ln_2"),
        ):
            found[f"{block}/{ours}/gamma"] = state[f"{here}{theirs}.weight"]
            found[f"{block}/{ours}/beta"] = state[f"{here}{theirs}.bias"]
    return found
