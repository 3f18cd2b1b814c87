"""Labelled pairs and streams with their features, as the program TrustBench computes them."""

import hashlib
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / ".build" / "release" / "TrustBench"
MODEL = Path(os.environ.get("REFRAIN_MODEL", "~/.cache/refrain/models/all-MiniLM-L6-v2")).expanduser()
DATA = Path(os.environ.get("REFRAIN_DATA", ROOT.parent / "shared" / "data"))
FOLDER = ROOT / "artifacts" / "trust"


def lines(path):
    with open(path, encoding="utf8") as file:
        return [json.loads(line) for line in file]


def auc(scores, labels):
    """The chance that a right pair scores above a wrong one."""
    order = np.argsort(scores, kind="stable")
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(1, len(scores) + 1)
    for score in np.unique(scores):
        same = scores == score
        ranks[same] = ranks[same].mean()
    right = labels == 1
    return (ranks[right].sum() - right.sum() * (right.sum() + 1) / 2) / (right.sum() * (~right).sum())


class Texts:
    """Each text once, encoded once: the vectors are kept in a file that is named after the texts and the encoder."""

    def __init__(self, texts):
        self.index = {text: number for number, text in enumerate(dict.fromkeys(texts))}
        FOLDER.mkdir(parents=True, exist_ok=True)
        document = "".join(json.dumps(text, ensure_ascii=False) + "\n" for text in self.index).encode()
        digest = hashlib.sha256(document + str(MODEL).encode()).hexdigest()[:16]
        self.path = FOLDER / f"{digest}.jsonl"
        self.encoded = FOLDER / f"{digest}.vectors"
        self.path.write_bytes(document)
        if not self.encoded.exists():
            unfinished = self.encoded.with_suffix(".unfinished")
            with open(self.path, "rb") as source, open(unfinished, "wb") as target:
                subprocess.run([PROGRAM, "encode", MODEL], stdin=source, stdout=target, check=True)
            unfinished.rename(self.encoded)

    def vector(self, number):
        """Of the text with this number, counted from 0."""
        content = self.encoded.read_bytes()
        width = json.loads((MODEL / "config.json").read_text())["hidden_size"]
        at = 0
        for _ in range(number + 1):
            count = int(np.frombuffer(content, np.int32, 1, at)[0])
            start = at + 8 + 4 * count
            at = start + (count > 0) * (4 * width + (4 + width) * count)
        return np.frombuffer(content, np.float32, width, start)

    def ask(self, what, questions):
        """What the program answers to lines about these texts."""
        return subprocess.run(
            [PROGRAM, what, MODEL, self.path, self.encoded], input="\n".join(questions).encode() + b"\n",
            stdout=subprocess.PIPE, check=True).stdout


class Pairs:
    """Labelled pairs with their features."""

    def __init__(self, pairs):
        self.all = pairs
        self.texts = Texts([pair[side] for pair in self.all for side in "ab"])
        self.names = subprocess.run([PROGRAM, "names"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
        index = self.texts.index
        answer = self.texts.ask("features", [f"{index[pair['b']]} {index[pair['a']]}" for pair in self.all])
        self.values = np.frombuffer(answer, np.float32).reshape(-1, len(self.names)).astype(float)
        self.labels = np.array([int(pair["same"]) for pair in self.all])
        self.sources = np.array([pair["source"] for pair in self.all])
        self.languages = np.array([pair["lang"] for pair in self.all])
        self.clusters = self._clusters()

    def _clusters(self):
        """Pairs that share a text or a frame belong together: none is both learned from and measured."""
        parent = {}

        def root(member):
            parent.setdefault(member, member)
            while parent[member] != member:
                parent[member] = parent[parent[member]]
                member = parent[member]
            return member

        for pair in self.all:
            parent[root(pair["a"])] = root(pair["b"])
            if "frame" in pair:
                parent[root(pair["a"])] = root((pair["lang"], pair["frame"]))
        numbers = {}
        return np.array([numbers.setdefault(root(pair["a"]), len(numbers)) for pair in self.all])


def development():
    return lines(DATA / "pairs_dev.jsonl")


def made(count, seed):
    """What pairs.py makes."""
    program = ROOT / "Benchmarks" / "Semantic" / "pairs.py"
    answer = subprocess.run(
        [sys.executable, program, "--seed", str(seed), "--count", str(count)], stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in answer.stdout.splitlines()]


def written():
    """Groups of questions that were written for this: `=` ask the same, each `-` asks something else than all others."""
    pairs = []
    for path in sorted((ROOT / "Benchmarks" / "Semantic" / "questions").glob("*.txt")):
        for group in path.read_text(encoding="utf8").strip().split("\n\n"):
            marked = [line.split(" ", 1) for line in group.split("\n")]
            same = [text for mark, text in marked if mark == "="]
            other = [text for mark, text in marked if mark == "-"]
            found = [(pair, True) for pair in itertools.combinations(same, 2)]
            found += [(pair, False) for pair in itertools.product(same, other)]
            found += [(pair, False) for pair in itertools.combinations(other, 2)]
            for (a, b), is_same in found:
                pairs.append(
                    {"a": a, "b": b, "same": is_same, "lang": path.name[:2], "source": "written", "kind": "written"})
    return pairs
