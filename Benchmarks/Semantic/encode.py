"""Compares the encoder with ONNX Runtime on the same weights: how alike the vectors are, and what a text costs.

usage: encode.py [--rounds N] [--core C] [--pairs N] [--fixture OUT.jsonl]

Both run on one core, in turns, one text at a time. Ratios are of medians over all rounds.
`--fixture` writes ONNX Runtime's vectors of a few made-up texts, for Tests/SemanticTests.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import QuantType, quantize_dynamic

import export_onnx
import texts
import tokens
from sidecar_encoder import MODEL, Encoder

LENGTHS = (8, 32, 128)

SAMPLES = [
    "Hello world", "How do I turn on the lights in the kitchen?", "How do I turn off the lights in the kitchen?",
    "Convert 32 degrees Celsius to Fahrenheit.", "What was the population of Lisbon in 2014?", "", "¿Dónde está la biblioteca?",
    "Write a function that sorts a list of numbers in Python, and explain how long it takes on 10,000 elements.",
    "你好，世界", "Translate the following sentence into French: the cat sat on the mat, and then it slept.",
    "a [SEP] b", "Summarise: " + "the quick brown fox jumps over the lazy dog, and nobody is surprised. " * 12,
]


class Peer:
    def __init__(self, path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def vector(self, ids):
        return self.session.run(None, {"ids": np.array([ids], dtype=np.int64)})[0][0]

    def times(self, count, ids):
        batch = {"ids": np.array([ids], dtype=np.int64)}
        times = []
        for _ in range(count):
            start = time.perf_counter()
            self.session.run(None, batch)
            times.append((time.perf_counter() - start) * 1e3)
        return times


def peers(folder):
    exported, quantized = folder / "fp32.onnx", folder / "int8.onnx"
    onnx.save(export_onnx.build(MODEL), exported)
    quantize_dynamic(exported, quantized, weight_type=QuantType.QInt8)
    return {"ONNX Runtime fp32": Peer(exported), "ONNX Runtime int8": Peer(quantized)}


def agreement(names, encoders, reference, chosen):
    tokenizer = tokens.reference()
    for name in names:
        cosines = []
        for text in chosen:
            ids = tokenizer.encode(text).ids[:256]
            cosines.append(float(np.dot(encoders[name].vector(ids), reference.vector(ids))))
        print(f"{name:20} cosine with fp32 of {len(chosen)} texts: mean {np.mean(cosines):.6f} least {min(cosines):.6f}")


def area(scores, labels):
    """The chance that a pair of the same meaning scores above one of different meanings."""
    order = np.argsort(np.argsort(scores, kind="stable"), kind="stable") + 1.0
    positive = np.array(labels, dtype=bool)
    count = positive.sum()
    return (order[positive].sum() - count * (count + 1) / 2) / (count * (len(labels) - count))


def rank_quality(encoders, count):
    path = texts.SHARED / "pairs_dev.jsonl"
    if not path.exists():
        print(f"{path} is absent: no rank quality")
        return
    pairs = [json.loads(line) for line in path.open()]
    pairs = [pair for pair in pairs if pair["lang"] == "en"]
    pairs = pairs[:: max(1, len(pairs) // count)]
    tokenizer = tokens.reference()
    for name, encoder in encoders.items():
        scores = [
            np.dot(*(encoder.vector(tokenizer.encode(pair[side]).ids[:256]) for side in ("a", "b"))) for pair in pairs
        ]
        print(f"{name:20} area under the curve on {len(pairs)} English pairs: "
              f"{area(scores, [pair['same'] for pair in pairs]):.4f}")


def speed(encoders, rounds):
    for length in LENGTHS:
        ids = [101] + [2000 + 7 * index for index in range(length - 2)] + [102]
        times = {name: [] for name in encoders}
        for encoder in encoders.values():
            encoder.times(5, ids)
        for _ in range(rounds):
            for name, encoder in encoders.items():
                times[name] += encoder.times(10, ids)
        medians = {name: statistics.median(values) for name, values in times.items()}
        for name, median in medians.items():
            ratios = ", ".join(
                f"{median / medians[peer]:.2f} of {peer}" for peer in medians if peer.startswith("ONNX") and peer != name
            )
            print(f"{length:4} tokens {name:20} p50 {median:6.2f} ms  {ratios}")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=12)
    arguments.add_argument("--core", type=int, default=1)
    arguments.add_argument("--pairs", type=int, default=3000)
    arguments.add_argument("--fixture")
    chosen = arguments.parse_args()
    os.sched_setaffinity(0, {chosen.core})
    with tempfile.TemporaryDirectory() as folder:
        encoders = peers(Path(folder))
        reference = encoders["ONNX Runtime fp32"]
        if chosen.fixture:
            write_fixture(chosen.fixture, reference)
            return
        shipped = Encoder(core=chosen.core)
        exact = Encoder("fp32", core=chosen.core)
        name = f"Refrain {shipped.precision}"
        encoders = {name: shipped, "Refrain fp32": exact, **encoders}
        real = [text for text in texts.real_texts() if text.isascii()][::97][:300]
        agreement([name, "Refrain fp32", "ONNX Runtime int8"], encoders, reference, SAMPLES + real)
        rank_quality({name: shipped, "Refrain fp32": exact}, chosen.pairs)
        speed(encoders, chosen.rounds)
        print(f"{name} holds {shipped.resident():.1f} MB")


def write_fixture(path, reference):
    tokenizer = tokens.reference()
    with open(path, "w") as out:
        for text in SAMPLES:
            ids = tokenizer.encode(text).ids
            vector = [round(float(number), 6) for number in reference.vector(ids)]
            out.write(json.dumps({"text": text, "ids": ids, "vector": vector}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    sys.exit(main())
