"""Pretrains the course's small GPT on five novels of Jane Austen and measures it on the sixth.

    python data/build/tiny_gpt.py vocabulary     # chooses the 1,024 pieces:
    data/weights/tiny_gpt_vocabulary.json python data/build/tiny_gpt.py pretrain       # trains;
    writes data/weights/tiny_gpt.npz python data/build/tiny_gpt.py write          # only writes
    what the last kept step has learned, without training on python data/build/tiny_gpt.py measure
    # bits per byte of what was written, as the card states them

Run in the course's environment, after data/build/prose.py. Training can be cut off at any time:
the same command carries on from the last step that was kept (in .cache/tiny_gpt, every 100 steps)
and comes to the same end, because what a step sees depends on its number only. The test novel is
not read before `measure`.
"""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]
WEIGHTS = ROOT / "data" / "weights" / "tiny_gpt.npz"
VOCABULARY = ROOT / "data" / "weights" / "tiny_gpt_vocabulary.json"

PIECES = 1_024
CONTEXT, BATCH, STEPS, WARM_UP = 128, 16, 2_000, 100
RATE, DECAY, SEED = 2e-3, 0.1, 0
KEEP, LOOK = (
    100,
    500,
)  # steps between two states kept, and between two looks at the validation text


def documents(part):
    from translearn import data

    return getattr(data.load_text("prose"), part).documents


def vocabulary():
    """Byte-pair encoding (Sennrich et al. 2016, arXiv:1508.07909) over bytes, as in GPT-2."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.train_from_iterator(
        documents("train"),
        trainers.BpeTrainer(
            vocab_size=PIECES,
            special_tokens=["<|endoftext|>"],
            show_progress=False,
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        ),
    )  # every byte, so that any text can be spelled
    VOCABULARY.parent.mkdir(exist_ok=True)
    VOCABULARY.write_text(
        json.dumps(json.loads(made.to_str()), ensure_ascii=False, separators=(",", ":")),
        encoding="utf-8",
        newline="\n",
    )
    describe(VOCABULARY)


def tokens(part):
    """All documents of a part as one row of ids, the sign for an end (0) after each."""
    from tokenizers import Tokenizer

    library = Tokenizer.from_file(str(VOCABULARY))
    return np.concatenate(
        [each.ids + [0] for each in library.encode_batch(documents(part))]
    ).astype(np.int32)


def rate(step):
    """Up in a straight line, then down along a cosine to a tenth."""
    if step < WARM_UP:
        return RATE * (step + 1) / WARM_UP
    done = (step - WARM_UP) / (STEPS - WARM_UP)
    return RATE * (0.1 + 0.9 * 0.5 * (1 + np.cos(np.pi * done)))


def bits_per_byte(model, row, characters):
    """Over windows of the context's length side by side: a token is predicted from what stands
    before it in its window.
    """
    import keras

    length = (len(row) - 1) // CONTEXT * CONTEXT
    seen, wanted = row[:length].reshape(-1, CONTEXT), row[1 : length + 1].reshape(-1, CONTEXT)
    nats = 0.0
    for at in range(0, len(seen), 32):
        logits = model.predict_on_batch(seen[at : at + 32])
        nats += float(
            keras.ops.sum(
                keras.losses.sparse_categorical_crossentropy(
                    wanted[at : at + 32], logits, from_logits=True
                )
            )
        )
    # The few tokens after the last whole window are left out, of the text too.
    return nats / np.log(2) / (characters * length / len(row))


def kept_state():
    from translearn import paths

    folder = paths.cache() / "tiny_gpt"
    folder.mkdir(exist_ok=True)
    return folder / "state.npz"


def write(model):
    import packed

    # Matrices at half precision; gains and biases as they are: together they are small.
    packed.write(
        WEIGHTS,
        {
            v.path: v.numpy().astype(np.float16)
            if v.name in ("kernel", "embeddings")
            else v.numpy()
            for v in model.weights
        },
    )


def write_kept():
    from translearn import backbones

    model = backbones.load("tiny_gpt", weights=None, seed=SEED, include_top=True)
    with np.load(kept_state()) as state:
        for number, variable in enumerate(model.weights):
            variable.assign(state[f"v{number}"])
        print(f"step {state['step']} of {STEPS}: {state['story']}")
    write(model)


def pretrain():
    import keras

    from translearn import backbones

    kept = kept_state()
    keras.utils.set_random_seed(SEED)
    model = backbones.load("tiny_gpt", weights=None, seed=SEED, include_top=True)
    # Gains, biases and the embeddings are not pulled towards zero, as is usual.
    optimiser = keras.optimizers.AdamW(RATE, weight_decay=DECAY, beta_2=0.95, global_clipnorm=1.0)
    optimiser.exclude_from_weight_decay(
        var_list=[v for v in model.trainable_variables if v.name != "kernel"]
    )
    model.compile(optimiser, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    optimiser.build(model.trainable_variables)
    variables = [*model.weights, *optimiser.variables]
    step, story = 0, []
    if kept.exists():
        with np.load(kept) as state:
            step, story = int(state["step"]), json.loads(str(state["story"]))
            for number, variable in enumerate(variables):
                variable.assign(state[f"v{number}"])
    row, looked = tokens("train"), tokens("validation")
    characters = sum(map(len, documents("validation")))
    print(
        f"{model.count_params():,} parameters, {len(row):,} tokens, "
        f"{sum(map(len, documents('train'))) / len(row):.2f} "
        f"characters a token, from step {step}",
        flush=True,
    )
    began, first, losses = time.time(), step, []
    while step < STEPS:
        starts = np.random.default_rng([SEED, step]).integers(0, len(row) - CONTEXT, BATCH)
        window = row[starts[:, None] + np.arange(CONTEXT + 1)]
        optimiser.learning_rate = rate(step)
        losses.append(float(model.train_on_batch(window[:, :-1], window[:, 1:])))
        step += 1
        if step % LOOK == 0 or step == STEPS:
            story.append([step, float(np.mean(losses)), bits_per_byte(model, looked, characters)])
            print(
                "step, training loss, bits per byte on the validation text:",
                *story[-1],
                flush=True,
            )
        if step % KEEP == 0 or step == STEPS:
            unfinished = kept.with_name("unfinished.npz")
            np.savez(
                unfinished,
                step=step,
                story=json.dumps(story),
                **{f"v{n}": v.numpy() for n, v in enumerate(variables)},
            )
            os.replace(unfinished, kept)
            speed = (step - first) * CONTEXT * BATCH / (time.time() - began)
            print(f"step {step}: loss {np.mean(losses):.3f}, {speed:,.0f} tokens/s", flush=True)
            losses = []
    write(model)


def measure():
    from translearn import backbones

    model = backbones.load("tiny_gpt", include_top=True)
    random = backbones.load("tiny_gpt", weights=None, seed=SEED, include_top=True)
    for part in ("validation", "test"):
        row, characters = tokens(part), sum(map(len, documents(part)))
        print(
            f"{part}: {characters:,} characters, {len(row):,} tokens, "
            f"{bits_per_byte(model, row, characters):.3f} bits per byte, "
            f"random weights {bits_per_byte(random, row, characters):.3f}"
        )


def describe(file):
    import hashlib

    print(
        f"{file.name}: {file.stat().st_size:,} bytes, sha256 "
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}"
    )


if __name__ == "__main__":
    commands = {
        "vocabulary": vocabulary,
        "pretrain": pretrain,
        "write": write_kept,
        "measure": measure,
    }
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        raise SystemExit(__doc__)
    commands[sys.argv[1]]()
