"""Learns the verifier's coefficients from labelled pairs and writes them beside its sources.

usage: train.py    with REFRAIN_DATA naming the development data, by default shared/data beside the repository

Only pairs that may be used so are learned from: the templates (adversarial, edits, long texts, preambles), questions of
StackExchange, and the pairs that pairs.py makes. Quora, LCQMC, BQ, MRPC, STS and PAWS are left to measure with.
"""

import json
import sys

import numpy as np

import corpus

import lightgbm

SEED = 1
TEMPLATES = ["adv_en", "adv_zh", "edit_en", "edit_zh", "long_en", "preamble_en"]
STACKEXCHANGE = ["faq_en", "sts16qq_en"]
# Signs of what may only speak for a pair, or only against it. What is not named here is not learned from: the size of an
# edit, for example, tells templates apart rather than meanings. Neither are the guards' conflicts: what they object to is
# refused anyway, and the verifier is to see by itself what they would miss in other words.
FOR = """sameButCourtesy sameWords sameContent wordJaccard weightedJaccard containment containmentOther gramJaccard
    gramContainment orderKept cosine meanLow meanHigh plainLow worst worstSecond differingMean differingWorst sameMean
    sameWorst first mutual contentOverlap orderAgreement commonShare differenceOverlap""".split()
AGAINST = """onlyWeight onlyWeightOther onlyLargest onlyLargestOther onlyCount onlyCountOther questionsDiffer numbersOnly
    worstCost worstCostSecond costLow costHigh differing inversions numberOneSided unitOneSided dateOneSided
    negationOneSided entityOneSided properOneSided quotedOneSided codeOneSided languageOneSided formatOneSided
    substitutions swaps unmatchedNew unmatchedOld unmatchedMost differenceSize""".split()
# What is known beforehand: similarity decides among natural questions, of which few may be learned from, and texts that
# differ in courtesies alone are the same question. The trees move it, by a quarter of what they would: with more they fell
# behind the cosine among StackExchange's questions. Numbers are steps of log odds. Templates are full of opposites; among
# the neighbours of real questions to which no guard objects they are few, and each counts as `opposites` of a case in the
# calibration: more for the words alone, of which no real Chinese question tells. Wrong pairs of real questions count whole.
ENCODER = {
    "file": "encoder.json", "languages": ["en"],
    "start": {"base": -32.0, "linear": {"cosine": 40.0, "sameButCourtesy": 8.0}},
    "rounds": 80, "share": 0.25, "opposites": 0.05,
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
    "languages": ["en", "zh"], "rounds": 80, "share": 0.25, "opposites": 0.2,
}
MADE = 9000
# Cases in a step of the calibration, at least: fewer could not tell one error in a hundred.
STEP = 800


def start(model, values, names):
    return model["base"] + sum(values[:, names.index(name)] * weight for name, weight in model["linear"].items())


def fit(values, labels, weights, offset, signs, rounds):
    data = lightgbm.Dataset(values, label=labels, weight=weights, init_score=offset)
    parameters = {
        "objective": "binary", "learning_rate": 0.05, "num_leaves": 4, "min_data_in_leaf": 25, "lambda_l2": 10.0,
        "max_bin": 63, "monotone_constraints": signs, "monotone_constraints_method": "intermediate", "verbose": -1,
        "num_threads": 1, "deterministic": True, "seed": SEED,
    }
    return lightgbm.train(parameters, data, rounds)


def source_weights(sources):
    """So that a large source does not decide alone: each counts as the root of its size."""
    weights = np.array([1 / np.sqrt(np.sum(sources == source)) for source in sources])
    return weights / weights.mean()


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


def calibrate(scores, labels, sources, opposites):
    """Points of score, probability and lower bound (one-sided, 95 %), none of them falling.

    Steps of the score are pooled with their neighbours until the share of right pairs rises from one to the next (isotonic
    regression, Ayer et al., 1955); the bound is Wilson's.
    """
    weights = np.where((labels == 0) & ~np.isin(sources, STACKEXCHANGE), opposites, 1.0)
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
    signs = [1 if name in FOR else -1 if name in AGAINST else 0 for name in names]
    encoder_only = names[names.index("cosine") : names.index("unknownShare") + 1]
    columns = [
        index for index, name in enumerate(names) if signs[index] and (model is ENCODER or name not in encoder_only)]
    offset = start(model["start"], values, names)
    chosen = [signs[column] for column in columns]

    def trees(rows):
        return fit(
            values[rows][:, columns], labels[rows], source_weights(sources[rows]), offset[rows], chosen, model["rounds"])

    scores = np.zeros(len(labels))
    for fold in range(5):
        held = clusters % 5 == fold
        scores[held] = offset[held] + model["share"] * trees(~held).predict(values[held][:, columns], raw_score=True)
    booster = trees(np.full(len(labels), True))
    flattened = [flat(tree["tree_structure"], model["share"]) for tree in booster.dump_model()["tree_info"]]
    return [names[column] for column in columns], flattened, scores


def write(model, names, table):
    usable = np.isin(table["sources"], TEMPLATES + STACKEXCHANGE + ["generated"])
    usable &= np.isin(table["languages"], model["languages"])
    part = {key: column[usable] for key, column in table.items()}
    columns, trees, scores = learn(
        model, names, part["values"], part["labels"], part["sources"], part["clusters"])
    # Only what no guard objects to is ever judged.
    kept = part["values"][:, names.index("objections")] == 0
    labels, sources = (part[key][kept] for key in ("labels", "sources"))
    counts = {str(source): int(np.sum(part["sources"] == source)) for source in sorted(set(part["sources"]))}
    document = {
        "format": 1,
        "provenance": f"Benchmarks/Semantic/train.py, seed {SEED}, pairs: {json.dumps(counts)}; AUC on clusters held out, "
        f"where no guard objects: {corpus.auc(scores[kept], labels):.3f}",
        **model["start"], "features": columns, "trees": trees,
        "calibration": calibrate(scores[kept], labels, sources, model["opposites"]),
    }
    target = corpus.ROOT / "Sources" / "Semantic" / "Verifier" / model["file"]
    target.write_text(json.dumps(document, separators=(",", ":")) + "\n")
    print(model["file"], document["provenance"], document["calibration"], sep="\n")


def main():
    tables = [corpus.Pairs(corpus.development()), corpus.Pairs(corpus.made(MADE, SEED))]
    names = tables[0].names
    table = {
        key: np.concatenate([getattr(pairs, key) for pairs in tables])
        for key in ("values", "labels", "sources", "languages")}
    table["clusters"] = np.concatenate([tables[0].clusters, tables[1].clusters + tables[0].clusters.max() + 1])
    for model in (ENCODER, LEXICAL):
        write(model, names, table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
