/** A line of 30 points beside its figure: gaps where nothing was counted, and the target it should be above. */

import { attribute, h } from "./dom.js";
import { quantity } from "./format.js";

const WIDTH = 72;
const HEIGHT = 22;
const PAD = 3;
const SPAN_MIN = { ratio: 0.1 };

/** An empty line; `draw` it. */
export function spark() {
  return h(
    "svg:svg",
    { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, role: "img", "aria-label": "Nothing yet" },
    h("svg:line", { class: "spark-target", x1: 0, x2: WIDTH }),
    h("svg:path", { class: "spark-line" }),
    h("svg:circle", { class: "spark-last", r: 2 }),
  );
}

/**
 * Draw values, oldest first; null is a gap.
 *
 * @param {SVGElement} node of `spark`
 * @param {(number|null)[]} values
 * @param {{target?: number|null, unit?: string, state?: string}} [about]
 */
export function draw(node, values, { target = null, unit = "ratio", state = "" } = {}) {
  const known = values.filter((each) => each !== null);
  const [line, path, last] = node.children;
  attribute(line, "visibility", target === null || known.length === 0 ? "hidden" : null);
  attribute(last, "visibility", known.length === 0 || values.at(-1) === null ? "hidden" : null);
  if (known.length === 0) {
    attribute(path, "d", null);
    attribute(node, "aria-label", "Nothing was counted");
    return;
  }
  const bounds = target === null ? known : [...known, target];
  const middle = (Math.min(...bounds) + Math.max(...bounds)) / 2;
  const span = Math.max(Math.max(...bounds) - Math.min(...bounds), SPAN_MIN[unit] ?? 1);
  const x = (index) => (PAD + (index * (WIDTH - 2 * PAD)) / Math.max(1, values.length - 1)).toFixed(1);
  const y = (value) => (HEIGHT / 2 - ((value - middle) / span) * (HEIGHT - 2 * PAD)).toFixed(1);
  let steps = "";
  values.forEach((value, index) => {
    if (value === null) return;
    const begins = index === 0 || values[index - 1] === null;
    // A point between two gaps is drawn as a short dash, for else it would not be seen at all.
    const alone = begins && (index + 1 >= values.length || values[index + 1] === null);
    steps += `${begins ? "M" : "L"}${x(index)} ${y(value)}${alone ? "h1" : ""}`;
  });
  attribute(path, "d", steps);
  if (target !== null) {
    attribute(line, "y1", y(target));
    attribute(line, "y2", y(target));
  }
  if (values.at(-1) !== null) {
    attribute(last, "cx", x(values.length - 1));
    attribute(last, "cy", y(values.at(-1)));
  }
  attribute(node, "data-state", state);
  const said = `Service level from ${quantity(Math.min(...known), unit)} to ${quantity(Math.max(...known), unit)}`;
  attribute(node, "aria-label", target === null ? said : `${said}, target ${quantity(target, unit)}`);
}
