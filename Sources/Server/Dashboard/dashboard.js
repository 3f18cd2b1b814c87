"use strict";
// Asks the admin port and shows what it says. Text from outside is only ever set as text.

const byID = (id) => document.getElementById(id);
const outcomes = ["hit", "hit-semantic", "stale", "coalesced", "miss", "bypass"];
const parts = [
  ["memory", "Memory"], ["redis", "Redis"], ["objects", "Object store"], ["coalesced", "Shared call"],
  ["semantic", "By meaning"], ["stale", "Stale"],
];
const tokenName = "refrain-admin-token";
const pollInterval = 2000;
let minutes = 5;
let names = "models";
let before = null;
let current = null;

class Refused extends Error {}

async function call(path, options = {}) {
  const headers = new Headers(options.headers);
  const token = sessionStorage.getItem(tokenName);
  if (token) headers.set("Authorization", `Bearer ${token}`);
  const answer = await fetch(path, { ...options, headers, cache: "no-store" });
  if (answer.status === 401) throw new Refused();
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.error?.message ?? `The sidecar answered ${answer.status}.`);
  return content;
}

// Numbers for people

function duration(seconds) {
  const units = [[1e-3, 1e6, "µs"], [1, 1e3, "ms"], [120, 1, "s"], [7200, 1 / 60, "min"], [172800, 1 / 3600, "h"]];
  for (const [below, factor, unit] of units) if (seconds < below) return `${round(seconds * factor)} ${unit}`;
  return `${round(seconds / 86400)} d`;
}

function round(value) { return value >= 100 ? Math.round(value).toString() : value.toFixed(value >= 10 ? 1 : 2).replace(/\.?0+$/, ""); }

function size(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (bytes >= 1024 && unit < units.length - 1) { bytes /= 1024; unit += 1; }
  return `${unit === 0 ? bytes : round(bytes)} ${units[unit]}`;
}

function dollars(amount) {
  if (amount === 0) return "$0";
  return `$${amount.toFixed(amount >= 100 ? 0 : amount >= 1 ? 2 : amount >= 0.01 ? 4 : 6)}`;
}

function count(value) { return value.toLocaleString("en"); }
function percent(share) { return share === null || share === undefined ? "–" : `${(share * 100).toFixed(1)} %`; }

// The parts of the page

function set(id, text) { byID(id).textContent = text; }

function showTiles(stats) {
  const seconds = before ? stats.uptimeSeconds - before.uptimeSeconds : 0;
  const sum = (from, which) => from.requests.filter((row) => which(row.outcome)).reduce((all, row) => all + row.count, 0);
  const total = sum(stats, () => true);
  set("tile-hit-rate", percent(stats.hitRate));
  set("tile-hit-rate-note", "since the start");
  if (before && seconds > 0) {
    const recent = (which) => sum(stats, which) - sum(before, which);
    const cacheable = recent((outcome) => outcome !== "bypass");
    set("tile-rate", `${round(recent(() => true) / seconds)}/s`);
    if (cacheable > 0) {
      set("tile-hit-rate-note", `${percent((cacheable - recent((outcome) => outcome === "miss")) / cacheable)} just now`);
    }
  }
  set("tile-rate-note", `${count(total)} in all`);
  set("tile-cost", dollars(stats.savedCostUSD));
  set("tile-cost-note", `${count(stats.savedTokens.prompt + stats.savedTokens.completion)} tokens`);
  set("tile-time", stats.savedSeconds === null ? "–" : duration(stats.savedSeconds));
  set("tile-time-note", stats.savedSeconds === null ? "no call made yet" : "that clients did not wait, about");
  set("tile-live", count(stats.inflightRequests));
  set("tile-live-note", `${count(stats.connections)} connections`);
}

/** The samples of the time shown, joined so that a chart has at most about ninety points. */
function inView(history) {
  const column = Object.fromEntries(history.columns.map((name, index) => [name, index]));
  const interval = history.intervalSeconds * 1000;
  const needed = Math.ceil((minutes * 60000) / interval) + 1;
  const rows = history.rows.slice(-needed);
  const step = Math.max(1, Math.ceil(needed / 90));
  const points = [];
  for (let index = rows.length - 1; index - step >= 0; index -= step) {
    const [from, to] = [rows[index - step], rows[index]];
    const grown = (name) => Math.max(0, to[column[name]] - from[column[name]]);
    points.unshift({ from: from[column.time], to: to[column.time], grown, cost: to[column.savedUSD] });
  }
  if (points.length === 0) return points;
  const first = rows[0][column.savedUSD];
  const filled = points.map((point) => ({ ...point, ...shares(point.grown), value: point.cost - first }));
  // The time before the sidecar's first sample is shown empty, so that a chart's width always means the same.
  for (let end = points[0].from; filled.length < Math.floor((needed - 1) / step); end -= step * interval) {
    filled.unshift({ from: end - step * interval, to: end, parts: [], asked: 0, rate: null, value: null });
  }
  return filled;
}

function shares(grown) {
  const saved = outcomes.slice(0, 4).reduce((sum, name) => sum + grown(name), 0);
  const asked = saved + grown("miss");
  if (asked === 0) return { parts: [], asked, rate: null };
  const tiers = ["memory", "redis", "objects"];
  const found = tiers.reduce((sum, name) => sum + grown(`tier-${name}`), 0);
  const list = tiers.map((name) => [name, found > 0 ? (grown("hit") * grown(`tier-${name}`)) / found / asked : 0]);
  list.push(["coalesced", grown("coalesced") / asked], ["semantic", grown("hit-semantic") / asked],
    ["stale", grown("stale") / asked]);
  return { parts: list, asked, rate: saved / asked };
}

let points = [];
const shareReader = new ChartReader(byID("share-chart"), byID("share-text"), (index) => {
  const point = points[index];
  const lines = [`${clock(new Date(point.from))} to ${clock(new Date(point.to))}`];
  if (point.rate === null) return [...lines, "no requests"];
  lines.push(`${percent(point.rate)} of ${count(point.asked)} requests`);
  for (const [name, title] of parts) {
    const share = point.parts.find(([part]) => part === name)[1];
    if (share > 0) lines.push(`${title} ${percent(share)}`);
  }
  return lines;
});
const costReader = new ChartReader(byID("cost-chart"), byID("cost-text"), (index) => [
  clock(new Date(points[index].to)),
  points[index].value === null ? "nothing known yet" : `${dollars(points[index].value)} since the chart begins`]);

function showHistory(history) {
  points = inView(history);
  const used = parts.filter(([name]) => points.some((point) => point.parts.some(([part, share]) => part === name && share > 0)));
  byID("share-legend").replaceChildren(...used.map(([name, title]) => {
    const item = element("span");
    item.append(element("span", `swatch bg-${name}`), title);
    return item;
  }));
  if (points.length === 0) {
    for (const id of ["share-chart", "cost-chart"]) byID(id).replaceChildren(element("p", "empty", "The first figures come in a few seconds."));
    return;
  }
  shareReader.update(drawColumns(byID("share-chart"), points), points.length);
  costReader.update(drawLine(byID("cost-chart"), points, dollars), points.length);
  const asked = points.reduce((sum, point) => sum + point.asked, 0);
  byID("share-chart").setAttribute("aria-label", `Hit rate by tier over ${minutes} minutes, ${count(asked)} requests; arrow keys read it`);
  byID("cost-chart").setAttribute("aria-label", `Saved cost, ${dollars(points[points.length - 1].value)} in ${minutes} minutes; arrow keys read it`);
}

function row(title, value, ...bars) {
  const made = element("div", "row");
  const track = element("div", "track");
  for (const [className, left, width] of bars) {
    const bar = element("div", `bar ${className}`);
    bar.style.left = `${(left * 100).toFixed(2)}%`;
    if (width !== null) bar.style.width = `${(Math.max(width, 0) * 100).toFixed(2)}%`;
    track.append(bar);
  }
  made.append(element("span", "", title), track, element("span", "value", value));
  return made;
}

function showLatency(stats) {
  // From ten microseconds to a hundred seconds, a decade each.
  const place = (seconds) => Math.max(0, Math.min(1, Math.log10(Math.max(seconds, 1e-5) / 1e-5) / 7));
  const rows = stats.latency.map((line) => row(
    line.outcome, `p50 ${duration(line.p50)}, p99 ${duration(line.p99)}`,
    ["span", place(line.p50), place(line.p99) - place(line.p50)], ["mark", Math.min(place(line.p50), 0.985), null]));
  const note = element("p", "hint", "From the median to the 99th percentile since the start, on a scale from 10 µs to 100 s that grows tenfold with each seventh of its length.");
  byID("latency").replaceChildren(...(rows.length ? [...rows, note] : [element("p", "empty", "Nothing was answered yet.")]));
}

function showTiers(stats) {
  const rows = [];
  for (const tier of stats.tiers) {
    const full = tier.capacity ? tier.bytes / tier.capacity : null;
    const value = full !== null ? `${size(tier.bytes)} of ${size(tier.capacity)}`
      : tier.bytes !== undefined ? size(tier.bytes) : "size not known";
    const made = row(tier.tier, value, ...(full !== null ? [[full > 0.97 ? "full" : "", 0, full]] : []));
    const facts = [`${percent(tier.hitShare)} of ${count(tier.lookups)} look-ups hit`];
    if (tier.entries !== undefined) facts.push(`${count(tier.entries)} answers`);
    if (tier.lower) {
      facts.push(`${count(tier.lower.queued)} queued`, `${count(tier.lower.dropped)} dropped`);
      if (tier.lower.p99 !== null) facts.push(`p99 ${duration(tier.lower.p99)}`);
    }
    const under = element("p", "under", facts.join(" · "));
    if (tier.lower) under.append(" · breaker ", state(tier.lower.breaker, tier.lower.breaker === "closed"));
    made.append(under);
    rows.push(made);
  }
  byID("tiers").replaceChildren(...rows);
}

function state(text, isGood) { return element("span", `state ${isGood ? "good" : "bad"}`, text); }

function showUpstream(stats) {
  const list = element("dl");
  const add = (title, ...content) => {
    const value = element("dd");
    value.append(...content);
    list.append(element("dt", "", title), value);
  };
  const total = stats.upstream.reduce((sum, line) => sum + line.count, 0);
  const failed = stats.upstream.filter((line) => !["ok", "client-error", "cancelled"].includes(line.name));
  const failures = failed.reduce((sum, line) => sum + line.count, 0);
  add("Health", total === 0 ? "not asked yet" : state(failures / total > 0.05 ? "failing" : "healthy", failures / total <= 0.05));
  add("Calls", count(total));
  if (stats.upstreamLatency) {
    add("Latency", `p50 ${duration(stats.upstreamLatency.p50)}, p90 ${duration(stats.upstreamLatency.p90)}, p99 ${duration(stats.upstreamLatency.p99)}`);
  }
  for (const line of stats.upstream) if (line.name !== "ok") add(line.name, `${count(line.count)} (${percent(line.count / total)})`);
  add("Under way", `${count(stats.flights)} that others may join`);
  byID("upstream").replaceChildren(list);
}

function showFleet(stats) {
  const rows = stats.upstreams.map((line) => {
    const isUp = line.healthy && line.breaker !== "open";
    const condition = line.breaker === "open" ? "breaker open" : line.healthy ? line.breaker === "closed" ? "healthy" : "on trial" : "unhealthy";
    return [line.name, state(condition, isUp), `${count(line.inflight)} of ${count(line.limit)}`, count(line.calls), count(line.failed),
      line.p95 === undefined ? "–" : duration(line.p95), line.ratePerSecond === undefined ? "–" : `${round(line.ratePerSecond)}/s`];
  });
  byID("fleet").replaceChildren(table(
    [["Upstream", false], ["State", false], ["In flight", true], ["Calls", true], ["Failed", true], ["p95", true], ["Held to", true]],
    rows, "There is no upstream."));
  const named = (counts) => counts.map((line) => `${count(line.count)} ${line.name}`).join(" · ");
  const list = [["Waiting", named(stats.queue)], ["Shed", named(stats.shed) || "none"], ["Further calls", named(stats.furtherCalls)]];
  byID("queue").replaceChildren(...list.flatMap(([title, text]) => [element("dt", "", title), element("dd", "", text)]));
}

/** `columns` are [title, isNumber]; cells are texts or elements. */
function table(columns, rows, nothing) {
  if (rows.length === 0) return element("p", "empty", nothing);
  const made = element("table");
  const head = made.createTHead().insertRow();
  for (const [title, isNumber] of columns) {
    const cell = element("th", isNumber ? "number" : "", title);
    cell.scope = "col";
    head.append(cell);
  }
  const content = made.createTBody();
  for (const cells of rows) {
    const line = content.insertRow();
    cells.forEach((cell, index) => {
      const made = element("td", columns[index][1] ? "number" : "name");
      made.append(cell);
      if (typeof cell === "string" && !columns[index][1]) made.title = cell;
      line.append(made);
    });
  }
  return made;
}

function showNames(stats) {
  const rows = stats[names].slice(0, 12).map((line) => [
    // A name may be the same as the word for all others.
    line.isRest || line.name !== "(other)" ? line.name || "(none)" : `"${line.name}"`, count(line.requests), percent((line.requests - line.misses) / Math.max(line.requests, 1)),
    count(line.savedTokens.prompt + line.savedTokens.completion), dollars(line.savedCostUSD)]);
  byID("names").replaceChildren(table(
    [["Name", false], ["Requests", true], ["Hit rate", true], ["Tokens saved", true], ["Cost saved", true]], rows,
    "No cacheable request yet."));
}

function showKeys(answer) {
  const focused = document.activeElement?.dataset.key;
  const rows = answer.keys.map((line) => {
    const key = element("button", "mono key", `${line.key.slice(0, 12)}…`);
    key.type = "button";
    key.dataset.key = line.key;
    key.title = `Purge ${line.key}`;
    key.addEventListener("click", () => choosePurge("key", line.key));
    return [key, count(line.requests), count(line.saved), line.bytes === undefined ? "–" : size(line.bytes), line.model ?? "–"];
  });
  byID("keys").replaceChildren(table(
    [["Key", false], ["Requests", true], ["Saved", true], ["Size", true], ["Model", false]], rows, "No key was asked for yet."));
  // Drawing anew must not take the keyboard's place away.
  if (focused) byID("keys").querySelector(`[data-key="${focused}"]`)?.focus({ preventScroll: true });
}

function showLive(answer) {
  const rows = answer.requests.slice(0, 20).map((line) => [
    line.endpoint, line.model || "–", line.key ? element("span", "mono", `${line.key.slice(0, 12)}…`) : "–",
    line.tenant ? element("span", "mono", line.tenant) : "–", duration(line.seconds)]);
  byID("live").replaceChildren(table(
    [["Endpoint", false], ["Model", false], ["Key", false], ["Tenant", false], ["For", true]], rows,
    "Nothing is waiting for an answer."));
}

// Forms

function problem(text) { return element("p", "problem", text); }

byID("explain-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const path = byID("explain-path").value;
  const headers = { "Content-Type": "application/json" };
  const key = byID("explain-key").value;
  if (key && path === "/v1/messages") headers["x-explain-x-api-key"] = key;
  else if (key) headers["x-explain-authorization"] = `Bearer ${key}`;
  try {
    const answer = await call(`/api/explain?path=${encodeURIComponent(path)}`, { method: "POST", headers, body: byID("explain-body").value });
    byID("explanation").replaceChildren(explanation(answer));
  } catch (error) {
    byID("explanation").replaceChildren(problem(error.message));
  }
});

function explanation(answer) {
  const list = element("dl");
  const add = (title, content) => list.append(element("dt", "", title), content);
  const text = (value, className) => element("dd", className, value);
  if (!answer.cacheable) {
    add("Answer", text(`passed on, never cached: ${answer.reason}`));
    add("Because", text(answer.meaning));
    return list;
  }
  const held = answer.held.map((line) => `${line.tier}, ${duration(line.ageSeconds)} old, ${line.ttlSeconds > 0 ? `fresh for ${duration(line.ttlSeconds)}` : "expired"}`);
  add("Answer", text(held.length ? `held: ${held.join("; ")}` : "not held: the upstream would be asked"));
  add("Key", text(answer.key, "mono"));
  add("Tenant", text(answer.tenant, "mono"));
  if (answer.namespace) add("Namespace", text(answer.namespace));
  if (answer.leftOut.length) add("Left out", text(answer.leftOut.join(", ")));
  add("Canonical", text(answer.canonical, "mono"));
  if (answer.semantic) explainMeaning(answer.semantic, (title, words) => add(title, text(words)));
  return list;
}

const subjects = { key: "Key", model: "Model", tag: "Tag", namespace: "Namespace", tenant: "Tenant", olderThan: "Age, such as 24h" };
let counted = null;

function choosePurge(kind, subject) {
  byID("purge-kind").value = kind;
  byID("purge-subject").value = subject;
  renewPurge();
  byID("purge-subject").focus();
}

/** What is being counted for the form as it stands. */
let asked = null;

/** What was counted is not what would be purged any more. */
function renewPurge() {
  asked = null;
  counted = null;
  byID("purge-now").disabled = true;
  set("purge-now", "Purge");
  set("purge-result", "");
  const kind = byID("purge-kind").value;
  byID("purge-subject-field").hidden = kind === "all";
  if (kind !== "all") set("purge-subject-label", subjects[kind]);
}

byID("purge-kind").addEventListener("change", renewPurge);
byID("purge-subject").addEventListener("input", renewPurge);

async function purge(request) {
  return call("/api/purge", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(request) });
}

byID("purge-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  renewPurge();
  const kind = byID("purge-kind").value;
  const request = kind === "all" ? { all: true } : { [kind]: byID("purge-subject").value.trim() };
  asked = request;
  try {
    const answer = await purge({ ...request, dryRun: true });
    if (asked !== request) return;
    counted = request;
    const what = `${count(answer.purged)} answer${answer.purged === 1 ? "" : "s"}`;
    set("purge-result", `Memory holds ${what} of these; lower tiers may hold more. Nothing was purged yet.`);
    set("purge-now", `Purge ${what}`);
    byID("purge-now").disabled = false;
  } catch (error) {
    if (asked === request) byID("purge-result").replaceChildren(problem(error.message));
  }
});

byID("purge-now").addEventListener("click", async () => {
  const request = counted;
  if (!request) return;
  renewPurge();
  try {
    const answer = await purge(request);
    set("purge-result", `Purged ${count(answer.purged)} in memory${answer.shared ? "; the other sidecars were told" : ""}.`);
  } catch (error) {
    byID("purge-result").replaceChildren(problem(error.message));
  }
});

function press(buttons, pressed) {
  for (const button of buttons) button.setAttribute("aria-pressed", String(button === pressed));
}

for (const button of document.querySelectorAll("[data-minutes]")) {
  button.addEventListener("click", () => {
    minutes = Number(button.dataset.minutes);
    press(document.querySelectorAll("[data-minutes]"), button);
    if (current) showHistory(current.history);
  });
}
for (const button of document.querySelectorAll("[data-names]")) {
  button.addEventListener("click", () => {
    names = button.dataset.names;
    press(document.querySelectorAll("[data-names]"), button);
    if (current) showNames(current.stats);
  });
}

byID("neighbours-show").addEventListener("click", showNeighbours);

byID("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(tokenName, byID("token").value);
  byID("token").value = "";
  refresh();
});

// Around and around

function askForToken() {
  const isWrong = sessionStorage.getItem(tokenName) !== null;
  sessionStorage.removeItem(tokenName);
  byID("main").hidden = true;
  byID("token-form").hidden = false;
  set("token-problem", isWrong ? "That is not the token." : "");
  setStatus("Locked", "down");
  byID("token").focus();
}

function setStatus(text, className) {
  if (byID("status").textContent !== text) set("status", text);
  byID("status").className = className;
}

function show(answers) {
  byID("token-form").hidden = true;
  byID("main").hidden = false;
  // A link cannot send the token.
  byID("links").hidden = sessionStorage.getItem(tokenName) !== null;
  current = answers;
  const { stats } = answers;
  setStatus(`${stats.version}, up ${duration(stats.uptimeSeconds)}`, "up");
  if (before && before.uptimeSeconds > stats.uptimeSeconds) before = null;
  showTiles(stats);
  showHistory(answers.history);
  showLatency(stats);
  showTiers(stats);
  showUpstream(stats);
  showFleet(stats);
  showSemantic(stats.semantic);
  showNames(stats);
  showKeys(answers.keys);
  showLive(answers.live);
  before = stats;
}

let timer = null;

async function refresh() {
  clearTimeout(timer);
  try {
    const [stats, history, keys, live] = await Promise.all(
      ["/api/stats", "/api/history", "/api/keys?top=10", "/api/live"].map((path) => call(path)));
    show({ stats, history, keys, live });
  } catch (error) {
    // A wrong token will not become right by asking again.
    if (error instanceof Refused) return askForToken();
    setStatus("No answer from the sidecar; trying again", "down");
  }
  timer = setTimeout(refresh, pollInterval);
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(timer);
  else if (byID("token-form").hidden) refresh();
});
addEventListener("resize", () => { if (current) showHistory(current.history); });
renewPurge();
refresh();
