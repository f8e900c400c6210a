"""The tokenizer: CLIP's byte pairs, with one token for each word that the model knows."""

import json
from itertools import pairwise

from tokenizers import pre_tokenizers
from transformers import CLIPTokenizer

import vocabulary

BEGIN, END = '<|startoftext|>', '<|endoftext|>'
LENGTH = 32


def merges():
    """Merges that make a single token of every known word, in a fixed order.

    Words share their merges from the left, so that the pieces of other words stay what they are.
    """
    found = []
    for word in vocabulary.words():
        parts = [*word[:-1], f'{word[-1]}</w>']
        while len(parts) > 1:
            known = [pair for pair in pairwise(parts) if pair in found]
            pair = min(known, key=found.index) if known else (parts[0], parts[1])
            if not known:
                found.append(pair)
            at = next(k for k, p in enumerate(pairwise(parts)) if p == pair)
            parts[at:at + 2] = [pair[0] + pair[1]]
    return found


def tokenizer():
    """transformers' CLIPTokenizer over bytes, bytes at a word's end and the merges."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    entries = [*letters, *(f'{letter}</w>' for letter in letters)]
    pairs = merges()
    entries += dict.fromkeys(a + b for a, b in pairs)
    entries += [BEGIN, END]
    table = {entry: index for index, entry in enumerate(dict.fromkeys(entries))}
    return CLIPTokenizer(vocab=table, merges=pairs, model_max_length=10**6)


def encode(tool, texts):
    """Ids and mask, lists of LENGTH: BOS, tokens, EOS, padded with EOS, EOS last where cut."""
    rows, masks = [], []
    for ids in tool(list(texts), add_special_tokens=True)['input_ids']:
        if len(ids) > LENGTH:
            ids = [*ids[:LENGTH - 1], tool.eos_token_id]
        masks.append([1] * len(ids) + [0] * (LENGTH - len(ids)))
        rows.append([*ids, *[tool.eos_token_id] * (LENGTH - len(ids))])
    return rows, masks


def save(tool, path):
    """Write tokenizer.json without needless spaces."""
    data = json.loads(tool.backend_tokenizer.to_str())
    path.write_text(json.dumps(data, ensure_ascii=False, separators=(',', ':'), sort_keys=False))
