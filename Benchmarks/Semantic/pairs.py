"""Writes labelled pairs of questions, English and Chinese, made from the wordings in pairs_english.py and
pairs_chinese.py. They are our own and may be shipped in what is learned from them.

    python3 pairs.py --seed 1 --count 30000 > pairs.jsonl

A line has a, b, same, lang, kind, source ("generated") and frame; split by frame, so that what is measured was never
seen in the same words.
"""
import argparse
import json
import random
import re
import sys

import pairs_chinese
import pairs_english

LANGUAGES = {"en": pairs_english, "zh": pairs_chinese}
NUMBER_SLOTS = {"n", "m", "amount", "hundreds", "degrees", "port", "height"}
KINDS = {
    "year": "year", "version": "version", "month": "year", "weekday": "year", "holiday": "entity",
    "language": "language", "format": "format", "piece": "format", "unitoflength": "format",
    "length": "unit", "mass": "unit", "volume": "unit", "money": "unit", "span": "unit", "period": "unit",
    "file": "code", "flag": "code", "command": "code", "phrase": "quoted", "word": "quoted",
}
ENGLISH_NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve".split()
CHINESE_DIGITS = "零一二三四五六七八九"


def slots_of(text):
    return re.findall(r"\{(\w+)\}", text)


def base(slot):
    return slot.rstrip("2") if slot not in NUMBER_SLOTS else slot


def number(random_source, slot):
    if slot == "n":
        return random_source.choice([2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 15, 20, 25, 30, 40])
    if slot == "m":
        return random_source.randint(2, 60)
    if slot == "amount":
        return random_source.choice([12, 25, 40, 75, 90, 120, 150, 180, 240, 300, 365, 480, 500, 750, 1000, 1200, 2500, 4000, 15000])
    if slot == "hundreds":
        return random_source.choice([100, 150, 200, 250, 300, 400, 500, 600, 800, 1000, 1200, 1500])
    if slot == "degrees":
        return random_source.choice([150, 160, 175, 180, 190, 200, 210, 220, 325, 350, 375, 400, 425])
    if slot == "height":
        return random_source.randint(140, 185)
    return random_source.choice([8080, 3000, 5432, 9000, 443, 8888, 6000, 7001, 9090, 1883])


class Maker:
    """Pairs of one language."""

    def __init__(self, lang, random_source):
        self.lang = lang
        self.data = LANGUAGES[lang]
        self.random = random_source
        self.by_aspect = {}
        for frame in self.data.FRAMES:
            if "aspect" in frame[2]:
                self.by_aspect.setdefault(frame[2]["aspect"], []).append(frame)

    # Slots

    def value(self, slot, taken=()):
        name = base(slot)
        for _ in range(50):
            if name in NUMBER_SLOTS:
                found = str(number(self.random, name))
            elif name == "year":
                found = str(self.random.randint(1950, 2025))
            else:
                found = self.random.choice(self.data.SLOTS[name])
            if found not in taken:
                return found
        raise ValueError(f"no other value for {slot}")

    def fill(self, frame, wordings):
        """Values for every slot in any of the wordings, sides apart."""
        values = {}
        for slot in sorted({slot for wording in wordings for slot in slots_of(wording)}):
            if slot in frame[2].get("sides", {}):
                continue
            values[slot] = self.value(slot, [v for s, v in values.items() if base(s) == base(slot)])
        return values

    def say(self, wording, values, frame=None, side=0):
        def replace(match):
            slot = match.group(1)
            if frame and slot in frame[2].get("sides", {}):
                return self.random.choice(frame[2]["sides"][slot][side])
            return values[slot]

        return re.sub(r"\{(\w+)\}", replace, wording)

    # Rewordings that keep the sense

    def reword(self, text, strength=2):
        edits = [self.polite, self.thank, self.punctuation, self.case, self.contract, self.synonym, self.slip,
                 self.space, self.numeral]
        for _ in range(self.random.randint(0, strength)):
            text = self.random.choice(edits)(text)
        return text

    def polite(self, text):
        head = text
        if self.lang == "en" and len(text) > 1 and text[1].islower() and not text.startswith("I "):
            head = text[0].lower() + text[1:]
        return self.random.choice(self.data.BEFORE).replace("{q}", head)

    def thank(self, text):
        return self.random.choice(self.data.AFTER).replace("{q}", text)

    def punctuation(self, text):
        stripped = text.rstrip("?!.？！。")
        marks = ["", "?", "!", "??", "...", "?!"] if self.lang == "en" else ["", "？", "！", "？？", "。", "?", "～"]
        return stripped + self.random.choice(marks)

    def case(self, text):
        if self.lang == "zh":
            return text
        return self.random.choice([text.lower(), text[0].upper() + text[1:], text.lower()])

    def contract(self, text):
        for short, long in self.random.sample(self.data.CONTRACTIONS, len(self.data.CONTRACTIONS)):
            if short in text:
                return text.replace(short, self.random.choice([long, short.replace("'", "’")]))
            if long in text:
                return text.replace(long, short)
        return text

    def synonym(self, text):
        for one, other in self.random.sample(self.data.SYNONYMS, len(self.data.SYNONYMS)):
            if one in text:
                return text.replace(one, other, 1)
        return text

    def slip(self, text):
        """A typing error in a lower-case word of some length."""
        if self.lang == "zh":
            return text
        # Never inside quotation marks, where a letter counts.
        words = [m for m in re.finditer(r"\b[a-z]{6,}\b", text) if text[:m.start()].count("'") % 2 == 0]
        if not words:
            return text
        word = self.random.choice(words)
        at = self.random.randint(1, len(word.group()) - 3)
        letters = list(word.group())
        kind = self.random.randint(0, 2)
        if kind == 0:
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
        elif kind == 1:
            del letters[at]
        else:
            letters.insert(at, letters[at])
        return text[:word.start()] + "".join(letters) + text[word.end():]

    def space(self, text):
        if self.lang == "zh":
            return self.random.choice([text + " ", " " + text, re.sub(r"([A-Za-z0-9]+)", r" \1 ", text).strip()])
        return self.random.choice([text + " ", "  " + text, text + "\n", text.replace(" ", "  ", 1)])

    def numeral(self, text):
        """A small number in words, a large one with a separator."""
        def english(match):
            value = int(match.group())
            if value <= 12:
                return ENGLISH_NUMBERS[value]
            return f"{value:,}" if value >= 2200 else match.group()

        def chinese(match):
            value = int(match.group())
            if value < 10:
                return CHINESE_DIGITS[value]
            if value < 100:
                tens, ones = divmod(value, 10)
                return (CHINESE_DIGITS[tens] if tens > 1 else "") + "十" + (CHINESE_DIGITS[ones] if ones else "")
            if value < 1000 and value % 100 == 0:
                return CHINESE_DIGITS[value // 100] + "百"
            return match.group()

        pattern = r"(?<![\w.:,-])\d+(?![\w.:,%-])" if self.lang == "en" else r"(?<![A-Za-z0-9.])\d+(?![A-Za-z0-9.%年])"
        return re.sub(pattern, english if self.lang == "en" else chinese, text, count=1, flags=re.ASCII)

    # Pairs

    def same(self, frame):
        values = self.fill(frame, frame[1])
        side = self.random.randint(0, 1)
        first, second = self.random.sample(frame[1], 2)
        roll = self.random.random()
        if roll < 0.35:
            second = first
        a, b = self.say(first, values, frame, side), self.say(second, values, frame, side)
        a, b = self.reword(a, 1), self.reword(b, 3)
        return (a, b, True, "benign" if first == second else "paraphrase") if a != b else None

    def other_value(self, frame):
        values = self.fill(frame, frame[1])
        if not values:
            return None
        # Names are in almost every frame; what else may change is rarer and chosen more often.
        slots = sorted(values)
        weights = [3 if base(s) in NUMBER_SLOTS or base(s) in KINDS else 1 for s in slots]
        slot = self.random.choices(slots, weights)[0]
        changed = dict(values)
        name = base(slot)
        taken = [v for s, v in values.items() if base(s) == name]
        if name in NUMBER_SLOTS and self.random.random() < 0.4:
            changed[slot] = str(max(1, int(values[slot]) + self.random.choice([-1, 1, 10, -2, 2])))
        elif name == "year" and self.random.random() < 0.5:
            changed[slot] = str(int(values[slot]) + self.random.choice([-1, 1, 4, -4, 10]))
        else:
            changed[slot] = self.value(slot, taken)
        if changed[slot] in taken:
            return None
        kind = "number" if name in NUMBER_SLOTS else KINDS.get(name, "entity")
        return self.pair(frame, values, changed, kind)

    def pair(self, frame, values, changed, kind):
        side = self.random.randint(0, 1)
        first = self.random.choice(frame[1])
        second = first if self.random.random() < 0.5 else self.random.choice(frame[1])
        a = self.reword(self.say(first, values, frame, side), 1)
        b = self.reword(self.say(second, changed, frame, side), 1)
        return (a, b, False, kind) if a != b else None

    def swapped(self, frame):
        if "swap" not in frame[2]:
            return None
        values = self.fill(frame, frame[1])
        one, other = frame[2]["swap"]
        changed = dict(values)
        changed[one], changed[other] = values[other], values[one]
        return self.pair(frame, values, changed, "direction")

    def opposite(self, frame):
        changes = frame[2]
        if "sides" in changes:
            values = self.fill(frame, frame[1])
            first = self.random.choice(frame[1])
            second = first if self.random.random() < 0.5 else self.random.choice(frame[1])
            side = self.random.randint(0, 1)
            a, b = self.say(first, values, frame, side), self.say(second, values, frame, 1 - side)
            return self.reword(a, 1), self.reword(b, 1), False, "antonym"
        for key, kind in (("opposite", "antonym"), ("denied", "negation")):
            if key in changes:
                values = self.fill(frame, frame[1] + changes[key])
                texts = [self.say(self.random.choice(frame[1]), values), self.say(self.random.choice(changes[key]), values)]
                self.random.shuffle(texts)
                return self.reword(texts[0], 1), self.reword(texts[1], 1), False, kind
        return None

    def contrary_same(self, frame):
        """Two wordings of the contrary are the same question."""
        for key in ("opposite", "denied"):
            wordings = frame[2].get(key, [])
            if len(wordings) > 1:
                values = self.fill(frame, wordings)
                first, second = self.random.sample(wordings, 2)
                return self.reword(self.say(first, values), 1), self.reword(self.say(second, values), 2), True, "paraphrase"
        return None

    def other_question(self, frame):
        aspect = frame[2].get("aspect")
        if not aspect:
            return None
        values = self.fill(frame, frame[1])
        if self.random.random() < 0.3:
            b = self.random.choice(self.data.ASKS).replace("{x}", values[aspect])
        else:
            others = [other for other in self.by_aspect[aspect] if other is not frame]
            if not others:
                return None
            other = self.random.choice(others)
            b = self.say(self.random.choice(other[1]), {**self.fill(other, other[1]), aspect: values[aspect]}, other)
        a = self.say(self.random.choice(frame[1]), values, frame)
        return self.reword(a, 1), self.reword(b, 1), False, "other_question"

    # Long texts

    def document(self):
        count = self.random.randint(4, 10)
        sentences = self.random.sample(self.data.SENTENCES, count)
        return [(sentence, self.fill(("", [], {}), [sentence])) for sentence in sentences]

    def text(self, document):
        glue = " " if self.lang == "en" else ""
        return glue.join(self.say(sentence, values) for sentence, values in document)

    def long_pair(self):
        document = self.document()
        names = sorted(self.data.TASKS)
        task = self.random.choice(names)
        wordings = self.data.TASKS[task]
        values = self.fill(("", [], {}), wordings)
        body = self.text(document)
        first, second = self.random.sample(wordings, 2)
        roll = self.random.random()
        if roll < 0.35:
            second = first if self.random.random() < 0.3 else second
            a = body + "\n\n" + self.say(first, values)
            b = self.reword(body + "\n\n" + self.say(second, values), 1) if first == second else body + "\n\n" + self.say(second, values)
            return (a, b, True, "long_same") if a != b else None
        if roll < 0.6:
            other = self.random.choice([name for name in names if name != task])
            wording = self.random.choice(self.data.TASKS[other])
            b = body + "\n\n" + self.say(wording, self.fill(("", [], {}), [wording]))
            return body + "\n\n" + self.say(first, values), b, False, "long_other_task"
        if roll < 0.7 and values:
            slot = self.random.choice(sorted(values))
            changed = {**values, slot: self.value(slot, [values[slot]])}
            if slot not in slots_of(first):
                return None
            return body + "\n\n" + self.say(first, values), body + "\n\n" + self.say(first, changed), False, "long_task_detail"
        at = self.random.randrange(len(document))
        sentence, inner = document[at]
        if not inner:
            return None
        slot = self.random.choice(sorted(inner))
        changed = list(document)
        changed[at] = (sentence, {**inner, slot: self.value(slot, [inner[slot]])})
        tail = "\n\n" + self.say(first, values)
        return body + tail, self.text(changed) + tail, False, "long_one_detail"

    def preamble_pair(self):
        preamble = self.random.choice(self.data.PREAMBLES)
        head = self.say(preamble, self.fill(("", [], {}), [preamble])) + "\n"
        frame = self.random.choice(self.data.FRAMES)
        if self.random.random() < 0.5:
            found = self.same(frame)
        else:
            makers = [self.other_value, self.opposite, self.swapped, self.unrelated]
            found = self.random.choice(makers)(frame)
        if not found:
            return None
        return head + found[0], head + found[1], found[2], "preamble_same" if found[2] else "preamble_other"

    def unrelated(self, frame):
        other = self.random.choice([f for f in self.data.FRAMES if f[0] != frame[0]])
        a = self.say(self.random.choice(frame[1]), self.fill(frame, frame[1]), frame)
        b = self.say(self.random.choice(other[1]), self.fill(other, other[1]), other)
        return self.reword(a, 1), self.reword(b, 1), False, "unrelated"

    def make(self):
        frame = self.random.choice(self.data.FRAMES)
        roll = self.random.random()
        if roll < 0.36:
            return frame[0], self.same(frame)
        if roll < 0.40:
            return frame[0], self.contrary_same(frame)
        if roll < 0.57:
            return frame[0], self.other_value(frame)
        if roll < 0.64:
            return frame[0], self.swapped(frame)
        if roll < 0.77:
            return frame[0], self.opposite(frame)
        if roll < 0.82:
            return frame[0], self.other_question(frame)
        if roll < 0.84:
            return frame[0], self.unrelated(frame)
        if roll < 0.95:
            return "long", self.long_pair()
        return "preamble", self.preamble_pair()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=30000)
    arguments = parser.parse_args()
    random_source = random.Random(arguments.seed)
    makers = [Maker("en", random_source), Maker("zh", random_source)]
    seen = set()
    misses = 0
    while len(seen) < arguments.count:
        maker = makers[random_source.random() < 0.42]
        frame, found = maker.make()
        if not found or (found[0], found[1]) in seen:
            # Wordings run out only if far more pairs are asked for than there are.
            misses += 1
            if misses > 50 * arguments.count:
                sys.exit(f"only {len(seen)} different pairs can be made")
            continue
        seen.add((found[0], found[1]))
        a, b, same, kind = found
        print(json.dumps({"a": a, "b": b, "same": same, "source": "generated", "lang": maker.lang, "kind": kind, "frame": frame}, ensure_ascii=False))


if __name__ == "__main__":
    main()
