"""Text to token ids and back, by the `tokenizers` library.

Below the class stand the functions that the registry names: each makes the library's tokeniser for
a network's record.
"""

from dataclasses import dataclass

import numpy as np

from translearn.backbones import arrays
from translearn.data import registry
from translearn.errors import CourseError


@dataclass(frozen=True, repr=False)
class Tokenizer:
    """Text to token ids and back.

    name: the network it belongs to
    vocabulary_size: how many different ids there are
    longest: the longest text that the network takes, in tokens
    """

    name: str
    vocabulary_size: int
    longest: int
    _library: "tokenizers.Tokenizer"  # noqa: F821 (imported late)

    def __repr__(self):
        return f"Tokenizer({self.name}: {self.vocabulary_size:,} tokens)"

    def __call__(self, texts, length: int = 64) -> np.ndarray:
        """Texts as a table of ids, int32, (n, length): cut after `length` tokens, filled up with
        0.

        For a BERT each text stands between its two signs, [CLS] and [SEP], which count towards the
        length. Raises CourseError for a single string, for what is not a string, and for a length
        out of range.
        """
        if isinstance(texts, str):
            raise CourseError(
                "A list of texts was expected, not one text. Write tokenizer([text])."
            )
        texts = list(texts)
        if wrong := [each for each in texts if not isinstance(each, str)]:
            raise CourseError(f"Every text must be a string, and {wrong[0]!r} is not.")
        if (
            isinstance(length, bool)
            or not isinstance(length, (int, np.integer))
            or not 3 <= length <= self.longest
        ):
            raise CourseError(
                f"{self.name} takes lengths from 3 to {self.longest}, and length={length!r} is "
                "not one."
            )
        ids = np.zeros((len(texts), length), np.int32)
        signs = self._library.num_special_tokens_to_add(False) > 0  # two for a BERT
        for row, found in enumerate(self._library.encode_batch(texts, add_special_tokens=signs)):
            kept = found.ids
            if len(kept) > length:
                kept = kept[: length - 1] + kept[-1:] if signs else kept[:length]
            ids[row, : len(kept)] = kept
        return ids

    def encode(self, text: str) -> np.ndarray:
        """One text of any length as ids, int32, (tokens,), with no signs added and nothing cut
        off.
        """
        if not isinstance(text, str):
            raise CourseError(
                f"One text was expected, and {type(text).__name__} is none. For several, call "
                "tokenizer(texts)."
            )
        return np.array(self._library.encode(text, add_special_tokens=False).ids, np.int32)

    def decode(self, ids) -> str:
        """The text of some ids, (tokens,), without signs and padding. For a BERT that is lower
        case, without accents.
        """
        return self._library.decode(
            [int(each) for each in np.asarray(ids).ravel()], skip_special_tokens=True
        )

    def pieces(self, text: str) -> list[str]:
        """The pieces a text is cut into, as the vocabulary spells them ("##" joins on to the piece
        before, "Ġ" is a space).
        """
        return self._library.encode(text, add_special_tokens=False).tokens


def wordpiece(record):
    """BERT's, from a vocabulary with one piece a line: lower case, no accents, [CLS] and [SEP]
    around each text.
    """
    import tokenizers

    words = registry.path(record["vocabulary"]).read_text(encoding="utf-8").splitlines()
    table = {word: number for number, word in enumerate(words)}
    made = tokenizers.Tokenizer(
        tokenizers.models.WordPiece(table, unk_token="[UNK]", max_input_chars_per_word=100)
    )
    made.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    made.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True, strip_accents=True)
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    made.post_processor = tokenizers.processors.BertProcessing(
        ("[SEP]", table["[SEP]"]), ("[CLS]", table["[CLS]"])
    )
    made.decoder = tokenizers.decoders.WordPiece()
    return made


def saved(record):
    """One that the library wrote into a file itself."""
    import tokenizers

    return tokenizers.Tokenizer.from_file(str(registry.path(record["vocabulary"])))


def byte_pairs(record):
    """GPT-2's, from its two published files, which are downloaded."""
    import tokenizers

    vocabulary, merges = (
        str(arrays.original(record, file)) for file in ("vocab.json", "merges.txt")
    )
    made = tokenizers.Tokenizer(tokenizers.models.BPE.from_file(vocabulary, merges))
    made.add_special_tokens(["<|endoftext|>"])
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    return made
