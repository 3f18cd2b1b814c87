"""Learns the verifier's coefficients from labelled pairs and writes them beside its sources.

usage: train.py    with REFRAIN_DATA naming the development data, by default shared/data beside the repository

Only pairs that may be used so are learned from: the templates (adversarial, edits, long texts, preambles), questions of
StackExchange, the groups in questions/, and the pairs that pairs.py makes. Quora, LCQMC, BQ, MRPC, STS and PAWS are left to measure with.
"""

import json
import sys

import numpy as np

import corpus

import lightgbm

SEED = 1
TEMPLATES = ["adv_en", "adv_zh", "edit_en", "edit_zh", "long_en", "preamble_en"]
STACKEXCHANGE = ["faq_en", "sts16qq_en"]
# Signs of what may only speak for a pair, or only against it; by the words alone nothing else is learned from, since few
# changed words are what templates are made of.
FOR = """sameButCourtesy sameWords sameContent wordJaccard weightedJaccard containment containmentOther gramJaccard
    gramContainment orderKept contentOverlap orderAgreement commonShare differenceOverlap""".split()
AGAINST = """onlyWeight onlyWeightOther onlyLargest onlyLargestOther onlyCount onlyCountOther questionsDiffer numbersOnly
    numberOneSided unitOneSided dateOneSided negationOneSided entityOneSided properOneSided quotedOneSided codeOneSided
    languageOneSided formatOneSided substitutions swaps unmatchedNew unmatchedOld unmatchedMost differenceSize""".split()
# Never learned from: what guards object to is refused anyway, and the verifier is to see by itself what they would miss in
# other words; the rest says what kind of text it is.
UNUSED = "objections unknownShare hanShare isLong".split()
# How alike two texts look. Who writes questions that differ takes those that look alike, and those that mean the same are
# written differently: among real neighbours it is the other way round. So each written or made pair counts by how often
# its like would be met among real ones: the start's odds by the odds that looks give within its source (propensity, as in
# Rosenbaum and Rubin, 1983). What is then learned is what looks do not tell.
LOOKS = """cosine sameContent wordJaccard weightedJaccard containment gramJaccard gramContainment lengthRatio length
    onlyWeight onlyWeightOther sharedWeight changedSpan changedSpanOther meanLow""".split()
# Numbers of a start are steps of log odds: similarity decides among natural questions, and the trees move it. Templates
# are full of opposites; among the neighbours of real questions to which no guard objects they are few, and each counts as
# `opposites` of a case in the calibration: more for the words alone, of which no real Chinese question tells.
ENCODER = {
    "file": "encoder.json", "languages": ["en"],
    "start": {"base": -32.0, "linear": {"cosine": 40.0}},
    "weights": {"written": 1.0, "generated": 0.5, "faq_en": 2.0, "sts16qq_en": 2.0}, "weighed": ["written", "generated"],
    "leaves": 6, "case": 50, "rounds": 200, "share": 1.0, "opposites": 0.03,
}
LEXICAL = {
    "file": "lexical.json",
    "start": {
        "base": -22.0,
        "linear": {
            "contentOverlap": 12.0, "weightedJaccard": 6.0, "gramJaccard": 6.0, "numberOneSided": -2.0,
            "negationOneSided": -2.0, "entityOneSided": -2.0, "properOneSided": -2.0, "formatOneSided": -2.0,
            "quotedOneSided": -2.0, "sameButCourtesy": 8.0,
        },
    },
    "weights": dict.fromkeys(TEMPLATES + STACKEXCHANGE + ["generated"]), "weighed": [],
    "languages": ["en", "zh"], "leaves": 4, "case": 25, "rounds": 80, "share": 0.25, "opposites": 0.12,
}
MADE = 9000
# As in Verifier.swift.
PROBE = "How do I turn off the lights in the kitchen?"
# Cases in a step of the calibration, at least: fewer could not tell one error in a hundred.
STEP = 800


def start(model, values, names):
    return model["base"] + sum(values[:, names.index(name)] * weight for name, weight in model["linear"].items())


def fit(model, values, labels, weights, offset, signs):
    data = lightgbm.Dataset(values, label=labels, weight=weights, init_score=offset)
    parameters = {
        "objective": "binary", "learning_rate": 0.05, "num_leaves": model["leaves"], "min_data_in_leaf": model["case"],
        "lambda_l2": 10.0, "max_bin": 63, "monotone_constraints": signs, "monotone_constraints_method": "intermediate",
        "verbose": -1, "num_threads": 1, "deterministic": True, "seed": SEED,
    }
    return lightgbm.train(parameters, data, model["rounds"])


def propensity(values, labels, clusters):
    """How likely pairs that look so are right within their source, told by pairs of other clusters."""
    chances = np.zeros(len(labels))
    parameters = {
        "objective": "binary", "learning_rate": 0.05, "num_leaves": 8, "min_data_in_leaf": 100, "verbose": -1,
        "num_threads": 1, "deterministic": True, "seed": SEED,
    }
    for fold in range(4):
        held = clusters % 4 == fold
        booster = lightgbm.train(parameters, lightgbm.Dataset(values[~held], label=labels[~held]), 150)
        chances[held] = booster.predict(values[held])
    return np.clip(chances, 0.01, 0.99)


def case_weights(model, names, values, labels, sources, clusters, offset):
    """What each pair counts. Where a model names no weight a source counts as the root of its size: a large one does not
    decide alone."""
    weights = np.zeros(len(labels))
    for source, weight in model["weights"].items():
        part = sources == source
        if not part.any():
            continue
        weights[part] = 1 / np.sqrt(part.sum()) if weight is None else weight
        if source in model["weighed"]:
            looks = values[part][:, [names.index(name) for name in LOOKS]]
            met = 1 / (1 + np.exp(-offset[part]))
            here = propensity(looks, labels[part], clusters[part])
            weights[part] *= np.clip(np.where(labels[part] == 1, met / here, (1 - met) / (1 - here)), 0, 15)
    return weights if model["weighed"] else weights / weights.mean()


def flat(tree, share):
    """Nodes with parents first; the children of a node stand side by side."""
    nodes = [tree]
    rows = []
    at = 0
    while at < len(nodes):
        node = nodes[at]
        at += 1
        if "leaf_value" in node:
            rows.append([round(share * node["leaf_value"], 5)])
        else:
            rows.append([node["split_feature"], float(np.float32(node["threshold"])), len(nodes)])
            nodes += [node["left_child"], node["right_child"]]
    return rows


def calibrate(scores, labels, weights):
    """Points of score, probability and lower bound (one-sided, 95 %), none of them falling.

    Steps of the score are pooled with their neighbours until the share of right pairs rises from one to the next (isotonic
    regression, Ayer et al., 1955); the bound is Wilson's.
    """
    order = np.argsort(scores, kind="stable")
    blocks = []
    for step in np.array_split(order, max(2, len(order) // STEP)):
        blocks.append([scores[step].sum(), len(step), weights[step].sum(), (weights * labels)[step].sum()])
        while len(blocks) > 1 and blocks[-2][3] * blocks[-1][2] >= blocks[-1][3] * blocks[-2][2]:
            last = blocks.pop()
            blocks[-1] = [one + other for one, other in zip(blocks[-1], last)]
    points = []
    bound = 0.0
    for total, count, weight, right in blocks:
        share = (right + 0.5) / (weight + 1)
        square = 1.645**2 / weight
        spread = 1.645 / (1 + square) * np.sqrt(share * (1 - share) / weight + square / (4 * weight))
        bound = max(bound, (share + square / 2) / (1 + square) - spread)
        probability = max(share, bound, points[-1][1] if points else 0)
        points.append([round(float(value), 5) for value in (total / count, probability, bound)])
    return points


def learn(model, names, values, labels, sources, clusters):
    """Trees over the starting point, and scores that each cluster got without being learned from."""
    encoder_only = names[names.index("cosine") : names.index("unknownShare") + 1]
    if model is ENCODER:
        used = [name for name in names if name not in UNUSED and not name.endswith("Conflict")]
    else:
        used = [name for name in names if name in FOR + AGAINST and name not in encoder_only]
    columns = [names.index(name) for name in used]
    signs = [0 if model is ENCODER else 1 if name in FOR else -1 for name in used]
    offset = start(model["start"], values, names)
    weights = case_weights(model, names, values, labels, sources, clusters, offset)

    def trees(rows):
        return fit(model, values[rows][:, columns], labels[rows], weights[rows], offset[rows], signs)

    scores = np.zeros(len(labels))
    for fold in range(5):
        held = clusters % 5 == fold
        learned = trees(~held & (weights > 0)).predict(values[held][:, columns], raw_score=True)
        scores[held] = offset[held] + model["share"] * learned
    booster = trees(weights > 0)
    flattened = [flat(tree["tree_structure"], model["share"]) for tree in booster.dump_model()["tree_info"]]
    return used, flattened, scores


def probe():
    """The first numbers of a vector, by which a sidecar knows the encoder that was learned with."""
    return [round(float(number), 4) for number in corpus.Texts([PROBE]).vector(0)[:32]]


def write(model, names, table):
    usable = np.isin(table["sources"], TEMPLATES + STACKEXCHANGE + ["generated", "written"])
    usable &= np.isin(table["languages"], model["languages"])
    # Only what no guard objects to is ever judged.
    if model is ENCODER:
        usable &= table["values"][:, names.index("objections")] == 0
    part = {key: column[usable] for key, column in table.items()}
    columns, trees, scores = learn(model, names, part["values"], part["labels"], part["sources"], part["clusters"])
    kept = (part["values"][:, names.index("objections")] == 0) & (part["sources"] != "written")
    labels, sources = (part[key][kept] for key in ("labels", "sources"))
    weights = np.where((labels == 0) & ~np.isin(sources, STACKEXCHANGE), model["opposites"], 1.0)
    learned = np.isin(part["sources"], list(model["weights"]))
    counts = {
        str(source): int(np.sum(part["sources"] == source)) for source in sorted(set(part["sources"][learned]))}
    document = {
        "format": 1,
        "provenance": f"Benchmarks/Semantic/train.py, seed {SEED}, pairs: {json.dumps(counts)}; AUC on clusters held out, "
        f"where no guard objects: {corpus.auc(scores[kept], labels):.3f}",
        **({"probe": probe()} if model is ENCODER else {}), **model["start"], "features": columns, "trees": trees, "calibration": calibrate(scores[kept], labels, weights),
    }
    target = corpus.ROOT / "Sources" / "Semantic" / "Verifier" / model["file"]
    target.write_text(json.dumps(document, separators=(",", ":")) + "\n")
    print(model["file"], document["provenance"], document["calibration"], sep="\n")


def main():
    tables = [corpus.Pairs(pairs) for pairs in (corpus.development(), corpus.made(MADE, SEED), corpus.written())]
    names = tables[0].names
    table = {
        key: np.concatenate([getattr(pairs, key) for pairs in tables])
        for key in ("values", "labels", "sources", "languages")}
    table["clusters"] = np.concatenate([pairs.clusters + 100_000 * place for place, pairs in enumerate(tables)])
    for model in (ENCODER, LEXICAL):
        write(model, names, table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
