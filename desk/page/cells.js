/** What stands in the cells of figures: the same words wherever a figure is shown. */

import { attribute, h, text } from "./dom.js";
import { DASH, figure, quantity, THIN } from "./format.js";
import { sign, STATES } from "./states.js";

const NUMBER = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

function number(value) {
  return (Math.abs(value) < 1_000 ? NUMBER : WHOLE).format(value);
}

/** What it was counted from: `36 / 46`. @param {any} told figure of a record */
export function counted(told) {
  if (!told?.denominator || told.unit === "count") return DASH;
  return `${number(told.numerator)} / ${number(told.denominator)}`;
}

/** How many were observed. @param {any} told */
export function observed(told) {
  return told && told.n !== null && told.n !== undefined && told.unit !== "count" ? WHOLE.format(told.n) : DASH;
}

/** The 95 % interval, its unit once: `62.1–87.3 %`, `4:37–5:02 min`. @param {any} told */
export function interval(told) {
  if (!told || told.unit === "count" || told.ci_low === null || told.ci_low === undefined) return DASH;
  const { ci_low: low, ci_high: high, unit } = told;
  if (high === null) return `from ${quantity(low, unit)}`;
  const [scale, name] = SCALES[unit] ?? spoken(unit, high);
  const say = (value) => (name === "min" ? minutes(value) : NUMBER_1.format(value * scale));
  return `${say(low)}${DASH}${say(high)}${name && THIN}${name}`;
}

const SCALES = { ratio: [100, "%"], change: [100, "%"], points: [1, ""] };
const NUMBER_1 = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** Durations in one unit for both ends: as long as seconds are read well, seconds. */
function spoken(unit, high) {
  if (unit !== "s") return [1, unit];
  return high < 120 ? [1, "s"] : high < 7_200 ? [1 / 60, "min"] : high < 172_800 ? [1 / 3_600, "h"] : [1 / 86_400, "d"];
}

function minutes(seconds) {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** What it should be: `≥ 80 %`. @param {any} told @param {boolean} higher whether more is better */
export function aim(told, higher) {
  if (!told || told.target === null || told.target === undefined) return DASH;
  return `${higher ? "\u2265" : "\u2264"}${THIN}${quantity(told.target, told.unit)}`;
}

/** The state of a figure: nothing told is a state of its own. @param {any} told */
export function stateOf(told) {
  return told ? (told.status in STATES ? told.status : "none") : "none";
}

/**
 * A button that shows a figure and, when it is pressed, explains it.
 *
 * @param {() => void} explain
 */
export function figureButton(explain) {
  return h("button", { type: "button", class: "figure", on: { click: explain } });
}

/**
 * Write a figure into such a button: its value by colour, shape and title.
 *
 * @param {Element} node
 * @param {any} told
 * @param {string} kpi its id
 * @param {string} title of the KPI
 * @param {boolean} [dimmed] its partner is stale
 */
export function showFigure(node, told, kpi, title, dimmed = false) {
  const said = figure(told, kpi);
  const state = dimmed ? "stale" : stateOf(told);
  text(node, said.text);
  attribute(node, "class", `figure figure-${STATES[state].class}`);
  const why = said.why ?? STATES[state].what;
  attribute(node, "title", `${title}: ${said.why === null ? said.text : DASH} \u00b7 ${STATES[state].word.toLowerCase()}: ${why}`);
  attribute(node, "aria-label", `${title}: ${said.why ?? said.text}, ${STATES[state].word}. Explain`);
}

/**
 * Write a state into a cell: shape and word.
 *
 * @param {Element} node
 * @param {string} state
 */
export function showState(node, state) {
  if (node.dataset.state === state) return;
  node.dataset.state = state;
  const { word, shape, class: css } = STATES[state];
  attribute(node, "class", `state state-${css}`);
  node.replaceChildren(sign(shape), h("span", {}, word));
}
