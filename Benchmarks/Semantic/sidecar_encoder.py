"""The encoder as a program that answers lines."""

import json
import os
import subprocess
from pathlib import Path

PROGRAM = Path(__file__).resolve().parents[2] / ".build" / "release" / "EncoderBench"
MODEL = Path(os.environ.get("REFRAIN_MODEL", "~/.cache/refrain/models/all-MiniLM-L6-v2")).expanduser()


class Encoder:
    def __init__(self, precision=None, core=None):
        command = [str(PROGRAM), str(MODEL)] + ([precision] if precision else [])
        if core is not None:
            command = ["taskset", "-c", str(core)] + command
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        words = self.line().split()
        if not words or words[0] != "ready":
            raise SystemExit("the encoder does not start")
        self.precision, self.window = words[1], int(words[2])

    def line(self):
        return self.process.stdout.readline().rstrip("\n")

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.line()

    def ids(self, text):
        return [int(word) for word in self.ask("ids " + json.dumps(text)).split()]

    def vector(self, ids):
        return [float(word) for word in self.ask("vector " + " ".join(map(str, ids))).split()]

    def times(self, count, ids):
        """Milliseconds of each of so many runs."""
        return [int(word) / 1e6 for word in self.ask(f"time {count} " + " ".join(map(str, ids))).split()]

    def resident(self):
        """Megabytes."""
        return int(self.ask("memory")) / 1024

    def close(self):
        self.process.stdin.close()
        self.process.wait()
