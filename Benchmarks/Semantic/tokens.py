"""Compares token ids with the `tokenizers` library: 20,000 texts, and every character of Unicode.

usage: tokens.py [--count N] [--seed N] [--fixture OUT.jsonl]

`--fixture` writes the reference's ids of a small set, made-up texts only, for Tests/SemanticTests.
"""

import argparse
import json
import random

from sidecar_encoder import MODEL, Encoder
from tokenizers import Tokenizer

import texts


def reference():
    tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def write_fixture(path):
    tokenizer = reference()
    chance = random.Random(7)
    chosen = list(texts.EDGES) + [texts.random_text(chance) for _ in range(250)]
    # Of each class of character, some in a word.
    chosen += chance.sample(list(texts.sweep())[:1200], 60)
    with open(path, "w") as out:
        for text in chosen:
            out.write(json.dumps({"text": text, "ids": tokenizer.encode(text).ids}, separators=(",", ":")) + "\n")


def compare(count, seed):
    tokenizer = reference()
    encoder = Encoder()
    wrong = 0
    chosen = texts.some(count, seed)
    for name, group in [("texts", chosen), ("characters, 64 a text", list(texts.sweep()))]:
        for text in group:
            expected = tokenizer.encode(text).ids
            if encoder.ids(text) != expected:
                wrong += 1
                if wrong <= 10:
                    print("differs:", ascii(text[:200]))
        print(f"{len(group)} {name}: {wrong} differ")
    encoder.close()
    return wrong


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--count", type=int, default=20_000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--fixture")
    chosen = arguments.parse_args()
    if chosen.fixture:
        write_fixture(chosen.fixture)
    elif compare(chosen.count, chosen.seed):
        raise SystemExit(1)
