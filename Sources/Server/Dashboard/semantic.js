"use strict";
// Answers by meaning: what was served, how much of it was right, and which near questions were kept apart.

const lookupWords = {
  served: "Served", alias: "Served again", compared: "Compared only", rejected: "Kept apart", none: "Nothing near",
  gone: "Answer gone", unreachable: "Answer out of reach", "too-long": "Too long", late: "Too late", busy: "Encoder busy", failed: "Encoder failed",
};
const witnessWords = { comparison: "Model’s own answer", judge: "Judge", person: "People" };

function showSemantic(semantic) {
  for (const id of ["semantic-card", "rejections-card", "neighbours-card"]) byID(id).hidden = !semantic;
  if (!semantic) return;
  const total = semantic.lookups.reduce((sum, line) => sum + line.count, 0);
  const list = element("dl");
  const add = (title, text) => list.append(element("dt", "", title), element("dd", "", text));
  for (const line of semantic.lookups) add(lookupWords[line.name] ?? line.name, `${count(line.count)} (${percent(line.count / total)})`);
  add("Remembered", `${count(semantic.questions)} questions, ${count(semantic.aliases)} wordings; ${size(semantic.bytes)} of ${size(semantic.capacity)}`);
  for (const [title, line] of [["Search", semantic.search], ["Encoding", semantic.encoding]]) {
    if (line) add(title, `p50 ${duration(line.p50)}, p99 ${duration(line.p99)}`);
  }
  byID("semantic").replaceChildren(list, ...precision(semantic.observed), ...errors(semantic.errors));
  const most = Math.max(...semantic.rejections.map((line) => line.count));
  const rows = [...semantic.rejections].sort((a, b) => b.count - a.count)
    .map((line) => row(line.name, count(line.count), ["", 0, line.count / most]));
  byID("rejections").replaceChildren(...(rows.length
    ? [...rows, element("p", "hint", "By the first objection to the nearest question: a guard’s, or that of the rule.")]
    : [element("p", "empty", "No near question was kept apart yet.")]));
}

/** How much of what was, or would have been, answered by meaning is wrong, by those who know. */
function precision(observed) {
  if (observed.length === 0) return [element("p", "empty", "Nobody has said yet whether such an answer was right.")];
  const most = niceCeiling(Math.max(...observed.map((line) => line.errorHigh)));
  const rows = observed.map((line) => {
    const made = row(
      witnessWords[line.witness] ?? line.witness, `${percent(1 - line.error)} right of ${count(line.right + line.wrong)}`,
      ["span", line.errorLow / most, (line.errorHigh - line.errorLow) / most],
      ["mark", Math.min(line.error / most, 0.985), null]);
    made.append(element("p", "under", `${percent(line.error)} wrong; between ${percent(line.errorLow)} and ${percent(line.errorHigh)}`));
    return made;
  });
  return [...rows, element("p", "hint", `The share of wrong answers by who said so, and the interval that holds it with a confidence of 95 %, on a scale up to ${percent(most)}.`)];
}

/** The same as a share of all answers by meaning and of all requests, by those whose cases were chosen by chance. */
function errors(both) {
  if (!both) return [];
  const list = element("dl");
  for (const [title, line] of [["Wrong of these answers", both.perHit], ["Wrong of all requests", both.perRequest]]) {
    list.append(element("dt", "", title), element("dd", "", `${percent(line.error)}; between ${percent(line.errorLow)} and ${percent(line.errorHigh)}`));
  }
  return [list];
}

/** `add` takes a title and a text. */
function explainMeaning(semantic, add) {
  add("By meaning", semantic.alias ? `${semantic.result}; answered so before` : semantic.result);
  for (const line of semantic.neighbours) {
    const words = [`${line.key.slice(0, 12)}…`, `similarity ${line.similarity.toFixed(3)}`];
    if (line.confidence !== undefined) words.push(`confidence ${line.confidence.toFixed(3)}`);
    words.push(line.accepted ? "may answer" : objections(line.objections));
    if (line.text !== undefined) words.push(line.text);
    add("Neighbour", words.join(" · "));
  }
}

function objections(list) {
  return list.map((line) => (line.detail ? `${line.guard}: ${line.detail}` : line.guard)).join("; ");
}

/** Texts are fetched only when somebody asks to see them. */
async function showNeighbours() {
  try {
    showPairs((await call("/api/neighbours")).pairs);
  } catch (error) {
    byID("neighbours").replaceChildren();
    if (error instanceof Refused) return askForToken();
    byID("neighbours-status").replaceChildren(problem(error.message));
  }
}

function showPairs(pairs) {
  set("neighbours-status", pairs.length ? `The latest ${count(pairs.length)}, the latest first.` : "");
  set("neighbours-show", "Show the latest");
  const rows = pairs.map((pair) => {
    const texts = element("div", "pair");
    texts.append(element("p", "", pair.text), element("p", "near", pair.matchedText));
    const done = [lookupWords[pair.result] ?? pair.result];
    if (pair.right !== undefined) done.push(`${pair.right ? "right" : "wrong"}: ${(witnessWords[pair.witness] ?? pair.witness).toLowerCase()}`);
    return [
      clock(new Date(pair.time)), texts, pair.similarity.toFixed(3), pair.confidence === undefined ? "–" : pair.confidence.toFixed(3),
      element("span", "wrapped", [...done, objections(pair.objections)].filter((word) => word).join("; "))];
  });
  byID("neighbours").replaceChildren(table(
    [["Time", false], ["Asked, and remembered", false], ["Similarity", true], ["Confidence", true], ["What was done", false]], rows,
    "No question had a near one yet."));
}
