/** A KPI over time: which points to ask for, and how they lie on a chart. Pure. */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Widths of points, the narrowest first, as the API names them. */
const STEP_MS = {
  "1m": MINUTE_MS,
  "5m": 5 * MINUTE_MS,
  "15m": 15 * MINUTE_MS,
  "30m": 30 * MINUTE_MS,
  "1h": HOUR_MS,
  "4h": 4 * HOUR_MS,
  "1d": DAY_MS,
};

/** Which kept stretches points of a width are made of, so that their horizon bounds how far back they reach. */
const TIERS = { "1m": "1m", "5m": "1m", "15m": "15m", "30m": "15m", "1h": "15m", "4h": "15m", "1d": "1d" };

const POINTS_WANTED = 240;

/** What may be chosen. @type {{id: string, label: string, spanMs: number, step: string}[]} */
export const RANGES = [
  { id: "1h", label: "1 h", spanMs: HOUR_MS, step: "1m" },
  { id: "8h", label: "8 h", spanMs: 8 * HOUR_MS, step: "5m" },
  { id: "24h", label: "24 h", spanMs: DAY_MS, step: "15m" },
  { id: "7d", label: "7 d", spanMs: 7 * DAY_MS, step: "1h" },
  { id: "30d", label: "30 d", spanMs: 30 * DAY_MS, step: "4h" },
  { id: "13mo", label: "13 months", spanMs: 396 * DAY_MS, step: "1d" },
];

const USUAL = "8h";
const USUAL_OF_PARTS = "30d";

/** @param {string} step @returns {number} ms, of a day without a change of clocks */
export function stepMs(step) {
  return STEP_MS[step];
}

/**
 * The ranges that a scope has: parts of a partner are kept by the day alone.
 *
 * @param {string} scope
 */
export function rangesOf(scope) {
  return scope === "all" ? RANGES : RANGES.filter((each) => each.spanMs >= 7 * DAY_MS).map((each) => ({ ...each, step: "1d" }));
}

/**
 * Which points a URL asks for.
 *
 * @param {{range?: string, from?: string, to?: string}} said of the URL
 * @param {string} scope
 * @param {number} now epoch ms
 * @returns {{range: string|null, step: string, from: number, to: number, live: boolean}} `live`: it ends now, and moves on
 */
export function asked(said, scope, now) {
  const nowMs = Math.floor(now);
  const from = instant(said.from);
  const to = instant(said.to) ?? nowMs;
  if (from !== null && from < to) {
    return { range: null, step: stepFor(from, to, scope, nowMs), from, to, live: instant(said.to) === null };
  }
  const ranges = rangesOf(scope);
  const usual = scope === "all" ? USUAL : USUAL_OF_PARTS;
  const range = ranges.find((each) => each.id === said.range) ?? ranges.find((each) => each.id === usual);
  return { range: range.id, step: range.step, from: nowMs - range.spanMs, to: nowMs, live: true };
}

function instant(said) {
  return said !== undefined && /^\d{1,15}$/.test(said) ? Number(said) : null;
}

const KEPT_MS = { "1m": 48 * HOUR_MS, "15m": 90 * DAY_MS, "1d": Infinity };

/** The narrowest points that are not too many and are still kept that far back. */
function stepFor(from, to, scope, nowMs) {
  if (scope !== "all") return "1d";
  const fits = (step) => (to - from) / STEP_MS[step] <= POINTS_WANTED && nowMs - from <= KEPT_MS[TIERS[step]];
  return Object.keys(STEP_MS).find(fits) ?? "1d";
}

/**
 * @typedef {object} Columns parallel arrays, as a chart takes them; null is a gap
 * @property {number[]} x epoch ms, the middle of each point
 * @property {(number|null)[]} low of the interval
 * @property {(number|null)[]} high
 * @property {(number|null)[]} final what no longer changes
 * @property {(number|null)[]} open what may: it begins at the last final value, so that the line goes on
 * @property {number[]} at which of the points; -1 for a gap
 */

/**
 * Points as columns. Between two that do not touch stands a gap: nothing was counted there, and no line may cross it.
 *
 * @param {{from: number, to: number, value: number|null, ci_low: number|null, ci_high: number|null, final: boolean}[]} points in order
 * @returns {Columns}
 */
export function columns(points) {
  const made = { x: [], low: [], high: [], final: [], open: [], at: [] };
  const put = (x, low, high, final, open, at) => {
    made.x.push(x);
    made.low.push(low);
    made.high.push(high);
    made.final.push(final);
    made.open.push(open);
    made.at.push(at);
  };
  points.forEach((point, at) => {
    const before = points[at - 1];
    if (before && point.from > before.to) put((before.to + point.from) / 2, null, null, null, null, -1);
    const next = points[at + 1];
    const joins = point.final && next !== undefined && !next.final && next.from <= point.to;
    const banded = point.ci_low !== null && point.ci_high !== null;
    const [low, high] = banded ? [point.ci_low, point.ci_high] : [null, null];
    put((point.from + point.to) / 2, low, high, point.final ? point.value : null, point.final && !joins ? null : point.value, at);
  });
  return made;
}

/** The places in a column that stand alone, without a neighbour to draw a line to. @param {(number|null)[]} values */
export function alone(values) {
  const missing = (value) => value === null || value === undefined;
  return values.flatMap((value, at) => (!missing(value) && missing(values[at - 1]) && missing(values[at + 1]) ? [at] : []));
}

/**
 * What a chart's upright axis reaches over: the values and what they are held against, and intervals so far as they do not dwarf them.
 *
 * @param {Columns} columns_
 * @param {(number|null|undefined)[]} lines target, critical, levels, the present figure
 * @param {string} unit
 * @returns {[number, number]}
 */
export function reach({ low, high, final, open }, lines, unit) {
  const values = [...final, ...open].filter((each) => each !== null);
  const held = lines.filter((each) => each !== null && each !== undefined);
  const all = [...values, ...held];
  if (all.length === 0) return [0, 1];
  let least = Math.min(...all);
  let most = Math.max(...all);
  const room = Math.max(most - least, unit === "ratio" ? 0.05 : Math.abs(most) * 0.1, 1e-6);
  least = Math.max(least - room, Math.min(least, ...low.filter((each) => each !== null)));
  most = Math.min(most + room, Math.max(most, ...high.filter((each) => each !== null)));
  const margin = Math.max((most - least) * 0.08, room * 0.08);
  least = unit === "points" || unit === "change" ? least - margin : Math.max(0, least - margin);
  most = unit === "ratio" && most <= 1 ? Math.min(1, most + margin) : most + margin;
  return [least, most];
}

/**
 * The span that whole points cover between two times.
 *
 * @param {{from: number, to: number}[]} points
 * @param {number} fromMs
 * @param {number} toMs
 * @returns {{from: number, to: number}|null} null where there is none
 */
export function spanOf(points, fromMs, toMs) {
  const within = points.filter((each) => each.from < toMs && each.to > fromMs);
  return within.length === 0 ? null : { from: within[0].from, to: within[within.length - 1].to };
}
