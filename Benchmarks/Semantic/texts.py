"""Texts that a tokenizer may trip over, the same ones for the same seed."""

import json
import os
import random
import string
from pathlib import Path

SHARED = Path(os.environ.get("REFRAIN_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))

EDGES = [
    "", " ", "\t\n\r", "\x00", "\ufffd", "a\x00b", "a\u200bb", "\ufeffbom", "\u00ad soft\u00adhyphen", "\x0b\x0c\x85\u2028\u2029x",
    "Café NAÏVE ÅNGSTRÖM ﬁ ﬃ Straße İstanbul ΣΑΣ ﷺ", "e\u0301 o\u0308\u0323 a\u0323\u0308 q\u0307\u0323", "각각 한국어 カタカナ ﾊﾝｶｸ が か\u3099",
    "你好，世界！今天天气怎么样？", "㐀𠀀𫝀𫠠豈﨑丽", "中文English混排123", "👍🏽👨‍👩‍👧‍👦🇩🇪❤️ ok", "don't can't it's 'quoted' “curly” — dash… –",
    "[CLS] [SEP] [MASK] [UNK] [PAD]", "a[SEP]b[MASK]c", "[cls] [ SEP ] [[SEP]]", "x" * 100, "x" * 101, "é" * 100, "é" * 101, "你" * 120,
    "a" * 10_000, "1234567890" * 1000, "\U0001f600" * 200, "##ing ##s #hash", "http://example.com/a?b=c&d=%20#f", "f(x) = ∑ᵢ xᵢ² ≤ ½",
    "हिन्दी में लिखा हुआ", "ภาษาไทยไม่มีช่องว่าง", "العَرَبِيَّة", "עִבְרִית", "Ελληνικά Ω Ω", "Tiếng Việt có dấu", "\u1e9b\u0323", "\u0344\u0345", "ǅ ǆ Ǆ",
    "\u302e\u302f\u0301 \u302f\u302e", "\U0001d165\U0001d16e\U0001d15e", "\u16fe4", "\ue000\uf8ff\U000f0000", "\u180e\u2060\u2061\u00a0\u3000x", "\u1734\u1885\ua9bd\U000111c9",
]

RANGES = [
    (0x00, 0x7F), (0x80, 0x24F), (0x250, 0x36F), (0x370, 0x5FF), (0x600, 0x8FF), (0x900, 0xDFF), (0xE00, 0x11FF),
    (0x1200, 0x1FFF), (0x2000, 0x2BFF), (0x2E80, 0x33FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA000, 0xABFF),
    (0xAC00, 0xD7A3), (0xF900, 0xFFFD), (0x10000, 0x1FFFF), (0x1D100, 0x1D24F), (0x1F300, 0x1FAFF), (0x20000, 0x2FA1F),
    (0xE0000, 0xE01EF),
]


def random_text(chance):
    kind = chance.random()
    if kind < 0.1:
        letters = string.printable
        return "".join(chance.choice(letters) for _ in range(chance.randint(1, 200)))
    if kind < 0.2:
        # Marks on marks: their order matters.
        return "".join(
            chr(chance.choice([chance.randint(0x300, 0x36F), chance.randint(0x61, 0x7A), chance.randint(0x1DC0, 0x1DFF)]))
            for _ in range(chance.randint(1, 60))
        )
    spans = [chance.choice(RANGES) for _ in range(chance.randint(1, 4))]
    points = []
    for _ in range(chance.randint(1, 120)):
        if chance.random() < 0.15:
            points.append(0x20)
            continue
        point = chance.randint(*chance.choice(spans))
        points.append(point if not 0xD800 <= point <= 0xDFFF else 0x41)
    return "".join(map(chr, points))


def real_texts():
    """From the development data, where it is there."""
    texts = []
    for name, members in [("pairs_dev.jsonl", ("a", "b")), ("stream_dev.jsonl", ("text",))]:
        path = SHARED / name
        if not path.exists():
            print(f"{path} is absent: measuring without it")
            continue
        with path.open() as lines:
            for line in lines:
                record = json.loads(line)
                texts += [record[member] for member in members]
    return texts


def sweep():
    """Every character there is, in a word."""
    for start in range(0, 0x110000, 64):
        if 0xD800 <= start <= 0xDFFF:
            continue
        yield " ".join("a" + chr(point) + "b" for point in range(start, start + 64))


def some(count, seed):
    """So many texts: half of them real, as far as there are any."""
    chance = random.Random(seed)
    real = real_texts()
    chance.shuffle(real)
    texts = list(EDGES) + real[: count // 2]
    while len(texts) < count:
        texts.append(random_text(chance))
    for index in range(len(EDGES), len(texts), 500):
        texts[index] = "".join(chance.choice("abcdefgé中") for _ in range(10_000))
    return texts[:count]
