"""Token ids by transformers' CLIPTokenizer of awkward texts: test/fixtures/token-ids.json."""

from __future__ import annotations

import json
from pathlib import Path

import transformers

from tiny_tokenizer import tiny_tokenizer

FIXTURE = Path(__file__).resolve().parents[2] / "test" / "fixtures" / "token-ids.json"
LENGTH = 32
TEXTS = [
    "",
    " ",
    "visual",
    "a red ball",
    "A RED BALL",
    "  dark\t\tgreen \n cup  ",
    "don't, can't; it's (we'll) they've",
    "person,wearing/red-shirt!!!",
    "3 balls and 42 cubes, 1.5 m",
    "ball…ball—ball “ball”",
    "crème brûlée, Ångström, ÇA",
    "cre\u0300me bru\u0302le\u0301e",
    "ΟΔΟΣ ΟΔΥΣΣΕΥΣ σοφός",
    "İstanbul Iğdır DŽ ẞ ﬁne ſharp",
    "красный мяч",
    "赤いボール 红球 빨간 공",
    "कुर्सी ๒ ٣ Ⅷ ½ ²",
    "🦊 fox 👩‍👩‍👧‍👦 🇪🇺 ☃",
    "zero\u200bwidth\u00a0space\u0085next\ufeffbom\u3000wide\u2028line\u180emvs",
    "tab\u0000null\u0007bell\u001fsep\u007f",
    "lone <|endoftext|> and <|startoftext|> inside",
    "<|ENDOFTEXT|> in capitals",
    "<|endoftext|",
    "\ud7ff\ue000\uffff\U0010ffff",
    "x" * 300,
    "ball " * 29,
    "ball " * 30,
    "ball " * 31,
    "ball " * 10_000,
    "'S 'T 'RE 'Ve",
    "under_score snake_case __init__",
    "a'b''c'sd",
]


def main() -> None:
    """Write the fixture: long texts as a word and how often it is repeated."""
    tokenizer = tiny_tokenizer()
    cases = []
    for text in TEXTS:
        encoded = tokenizer(text, padding="max_length", truncation=True, max_length=LENGTH)
        count = sum(encoded["attention_mask"])
        ids = encoded["input_ids"]
        if ids[count:] != [tokenizer.eos_token_id] * (LENGTH - count):
            raise ValueError(f"{text[:40]!r} is not padded with EOS")
        word = text[:5]
        repeat = len(text) // 5 if len(text) > 200 else 1
        if repeat > 1 and text != word * repeat:
            raise ValueError(f"{text[:40]!r} is long and not one word repeated")
        cases.append({"text": word if repeat > 1 else text, "repeat": repeat, "ids": ids[:count]})
    lines = ",\n".join(f"    {json.dumps(case, ensure_ascii=True)}" for case in cases)
    versions = json.dumps({"transformers": transformers.__version__})
    FIXTURE.write_text(f'{{\n  "versions": {versions},\n  "cases": [\n{lines}\n  ]\n}}\n')


if __name__ == "__main__":
    main()
