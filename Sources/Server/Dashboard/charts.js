"use strict";
// Charts out of SVG elements. Nothing here knows where the figures come from.

const svgSpace = "http://www.w3.org/2000/svg";

function svg(name, attributes, ...children) {
  const element = document.createElementNS(svgSpace, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

/** A frame with a grid, labelled on the left and below, and room to draw in. */
class ChartFrame {
  constructor(host, height) {
    this.host = host;
    this.width = Math.max(280, host.clientWidth);
    this.height = height;
    this.left = 46;
    this.top = 10;
    this.right = this.width - 6;
    this.bottom = height - 22;
    this.root = svg("svg", { viewBox: `0 0 ${this.width} ${height}`, "aria-hidden": "true" });
  }

  x(share) { return this.left + share * (this.right - this.left); }
  y(share) { return this.bottom - share * (this.bottom - this.top); }

  /** `ticks` are [share of the height, text]. */
  levels(ticks) {
    for (const [share, text] of ticks) {
      const y = this.y(share);
      this.root.append(
        svg("line", { class: share === 0 ? "axis" : "grid", x1: this.left, x2: this.right, y1: y, y2: y }),
        svg("text", { x: this.left - 8, y: y + 4, "text-anchor": "end" }, text));
    }
  }

  /** `from` and `to` in milliseconds. */
  times(from, to) {
    const count = this.width < 500 ? 2 : 5;
    for (let index = 0; index <= count; index += 1) {
      const anchor = index === 0 ? "start" : index === count ? "end" : "middle";
      const time = new Date(from + ((to - from) * index) / count);
      this.root.append(
        svg("text", { x: this.x(index / count), y: this.height - 5, "text-anchor": anchor }, clock(time)));
    }
  }

  /** Replaces what the host shows, but for the tip, which stays where the reader is. */
  show() { this.host.replaceChildren(this.root, ...this.host.querySelectorAll(".tip")); }
}

function clock(time) {
  return time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
}

/** Lets a pointer or the arrow keys walk over the points of a chart. `describe` gives lines for a point's index. */
class ChartReader {
  constructor(host, spoken, describe) {
    this.host = host;
    this.spoken = spoken;
    this.describe = describe;
    this.index = null;
    this.frame = null;
    this.count = 0;
    host.addEventListener("pointermove", (event) => this.point(event.clientX));
    host.addEventListener("pointerdown", (event) => this.point(event.clientX));
    host.addEventListener("pointerleave", () => this.leave());
    host.addEventListener("blur", () => this.leave());
    host.addEventListener("keydown", (event) => this.key(event));
  }

  /** After the chart was drawn anew. */
  update(frame, count) {
    this.frame = frame;
    this.count = count;
    if (this.index !== null && count > 0) this.move(Math.min(this.index, count - 1), false);
  }

  point(clientX) {
    if (!this.frame || this.count === 0) return;
    const box = this.host.getBoundingClientRect();
    const x = ((clientX - box.left) / box.width) * this.frame.width;
    const share = (x - this.frame.left) / (this.frame.right - this.frame.left);
    this.move(Math.max(0, Math.min(this.count - 1, Math.floor(share * this.count))), false);
  }

  key(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
    if (event.key === "Escape") return this.leave();
    if (!(event.key in steps) || this.count === 0) return;
    event.preventDefault();
    const from = this.index === null ? this.count - (event.key === "ArrowLeft" ? 0 : 1) : this.index;
    this.move(Math.max(0, Math.min(this.count - 1, from + steps[event.key])), true);
  }

  move(index, isSpoken) {
    this.index = index;
    this.host.querySelectorAll(".tip, .cursor").forEach((old) => old.remove());
    const lines = this.describe(index);
    const step = (this.frame.right - this.frame.left) / this.count;
    this.frame.root.append(svg("rect", {
      class: "cursor", x: this.frame.left + index * step, width: step, y: this.frame.top,
      height: this.frame.bottom - this.frame.top,
    }));
    const tip = element("div", "tip");
    lines.forEach((line, at) => tip.append(element("p", at === 0 ? "when" : "", line)));
    this.host.append(tip);
    const middle = ((this.frame.left + (index + 0.5) * step) / this.frame.width) * this.host.clientWidth;
    const room = this.host.clientWidth - tip.offsetWidth;
    tip.style.left = `${Math.max(0, Math.min(room, middle < room / 2 ? middle + 14 : middle - tip.offsetWidth - 14))}px`;
    if (isSpoken) this.spoken.textContent = lines.join(", ");
  }

  leave() {
    this.index = null;
    this.host.querySelectorAll(".tip, .cursor").forEach((old) => old.remove());
  }
}

/** Columns of stacked shares; `points` are {from, to, parts: [[name, share]]}, with no parts where nothing happened. */
function drawColumns(host, points) {
  const frame = new ChartFrame(host, 200);
  frame.levels([[0, "0 %"], [0.25, "25 %"], [0.5, "50 %"], [0.75, "75 %"], [1, "100 %"]]);
  frame.times(points[0].from, points[points.length - 1].to);
  const step = (frame.right - frame.left) / points.length;
  const gap = step > 5 ? 2 : step > 3 ? 1 : 0;
  points.forEach((point, index) => {
    let base = 0;
    for (const [name, share] of point.parts) {
      if (share <= 0) continue;
      const [low, high] = [frame.y(base), frame.y(base + share)];
      frame.root.append(svg("rect", {
        class: `fill-${name}`, x: frame.left + index * step + gap / 2, width: Math.max(step - gap, 0.5), y: high,
        height: Math.max(low - high, 0.5),
      }));
      base += share;
    }
  });
  frame.show();
  return frame;
}

/** A line that only rises; `points` are {from, to, value}, the first ones perhaps without a value. */
function drawLine(host, points, format) {
  const frame = new ChartFrame(host, 200);
  const start = points.findIndex((point) => point.value !== null);
  const most = niceCeiling(Math.max(...points.map((point) => point.value ?? 0)));
  frame.levels([0, 0.25, 0.5, 0.75, 1].map((share) => [share, format(most * share)]));
  frame.times(points[0].from, points[points.length - 1].to);
  const across = (index) => frame.x((index + 0.5) / points.length);
  const place = (point, index) => `${across(start + index).toFixed(1)} ${frame.y(point.value / most).toFixed(1)}`;
  const path = "M" + points.slice(start).map(place).join("L");
  const [first, last] = [across(start), across(points.length - 1)];
  frame.root.append(
    svg("path", { class: "area", d: `${path}L${last} ${frame.bottom}L${first} ${frame.bottom}Z` }),
    svg("path", { class: "line", d: path }),
    svg("circle", { class: "dot", cx: last, cy: frame.y(points[points.length - 1].value / most), r: 4.5 }));
  frame.show();
  return frame;
}

/** The next of 1, 2, 4, 5 and 10 times a power of ten, so that quarters are short numbers. */
function niceCeiling(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 5, 10].find((step) => step * power >= value) * power;
}
