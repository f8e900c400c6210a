"""A tokenizer of CLIP's kind with 600 entries: bytes, bytes at a word's end, a few merges."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from tokenizers import pre_tokenizers
from transformers import CLIPTokenizer

VOCABULARY = 600
WORDS = (
    "red orange yellow green blue purple pink brown black white grey dark light round square "
    "flat small large ball box cube cone ring stick plate cup bottle can book bag chair table lamp "
    "tree wood metal glass plastic paper stone cloth rubber the a an of with and on in left right "
    "visual person dog cat car truck bird horse house road sky sun cloud grass field water mountain"
)
BEGIN, END = "<|startoftext|>", "<|endoftext|>"


def learn_merges(count: int) -> list[tuple[str, str]]:
    """Learn byte pair merges from WORDS: the commonest pair first, ties by the alphabet.

    The tokenizers library breaks ties differently in every run.
    """
    words = [[*word[:-1], f"{word[-1]}</w>"] for word in WORDS.split()]
    merges: list[tuple[str, str]] = []
    while len(merges) < count:
        pairs = Counter(pair for word in words for pair in pairwise(word))
        first, second = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append((first, second))
        for word in words:
            for index in range(len(word) - 2, -1, -1):
                if word[index : index + 2] == [first, second]:
                    word[index : index + 2] = [first + second]
    return merges


def tiny_tokenizer() -> CLIPTokenizer:
    """Build transformers' CLIPTokenizer over the tiny vocabulary."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    entries = [*letters, *(f"{letter}</w>" for letter in letters)]
    merges = learn_merges(VOCABULARY - len(entries) - 2)
    entries += [first + second for first, second in merges]
    entries += [BEGIN, END]
    if len(set(entries)) != VOCABULARY:
        raise ValueError(f"{len(set(entries))} distinct entries instead of {VOCABULARY}")
    vocabulary = {entry: index for index, entry in enumerate(entries)}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=32)
