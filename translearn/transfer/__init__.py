"""Freezing, splitting, remembering features, attaching a head. Nothing here compiles or fits.

Everything works on plain Keras models, the reader's own too. Best are names of layers that start
with their block, as those of `translearn.backbones` do: the block of `block07_project_conv` is
`block07`; layers that Keras named itself are blocks of their own. Models made by `attach_head`
hold the backbone as one layer; the functions here look inside.
"""

from translearn.transfer.blocks import blocks, freeze, split, trainable_table, unfreeze
from translearn.transfer.features import cache_features, clear_cache
from translearn.transfer.heads import attach_head, reusable

NUMERICS = 1  # raise it when numbers change: every result that was measured so far is then stale

__all__ = [
    "attach_head",
    "blocks",
    "cache_features",
    "clear_cache",
    "freeze",
    "reusable",
    "split",
    "trainable_table",
    "unfreeze",
]
