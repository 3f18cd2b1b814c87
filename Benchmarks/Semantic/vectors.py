"""Writes the vectors of the development data's English texts, for `IndexBench graph`: 384 numbers of 32 bits each.

usage: vectors.py OUT
"""

import array
import sys

import texts
import tokens
from sidecar_encoder import Encoder


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    encoder = Encoder()
    tokenizer = tokens.reference()
    chosen = sorted({text for text in texts.real_texts() if text.isascii()})
    count = 0
    with open(sys.argv[1], "wb") as out:
        for text in chosen:
            ids = tokenizer.encode(text).ids
            if len(ids) <= encoder.window:
                array.array("f", encoder.vector(ids)).tofile(out)
                count += 1
    print(f"{count} vectors")


if __name__ == "__main__":
    sys.exit(main())
