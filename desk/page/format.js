/** Figures and times as a person reads them. What is not known is a dash that says why, and never 0. */

/** A no-break space that is narrow: between a figure and its unit. */
export const THIN = "\u202f";
export const DASH = "\u2013";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const WHY = {
  insufficient: "too few observations to judge",
  not_applicable: "nothing was counted in this window",
  stale: "not known since its worker fell silent",
};

const locale = document.documentElement.lang || "en";
const ONE = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const TWO = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const WHOLE = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const COMPACT = new Intl.NumberFormat(locale, { notation: "compact", maximumSignificantDigits: 3 });
const TIME = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const EXACT = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const DAY = new Intl.DateTimeFormat(locale, { weekday: "short", day: "numeric", month: "short" });

/**
 * A value in its unit: ratios are percent with one decimal.
 *
 * @param {number|null|undefined} value
 * @param {string} unit as figures say it: `ratio`, `change`, `s`, `count`, `points`, or a currency
 * @returns {string} a dash for none
 */
export function quantity(value, unit) {
  if (value === null || value === undefined) return DASH;
  switch (unit) {
    case "ratio":
      return `${ONE.format(value * 100)}${THIN}%`;
    case "change":
      return `${value > 0 ? "+" : ""}${ONE.format(value * 100)}${THIN}%`;
    case "s":
      return duration(value);
    case "count":
      return WHOLE.format(value);
    case "points":
      return ONE.format(value);
    default:
      return unit ? `${ONE.format(value)}${THIN}${unit}` : ONE.format(value);
  }
}

/** A count where there is little room: 9,812, then 12.3K. @param {number} count */
export function many(count) {
  return count < 10_000 ? WHOLE.format(count) : COMPACT.format(count);
}

/**
 * A figure of a record.
 *
 * @param {Object|null|undefined} kpiFigure as records have it
 * @param {string} [kpi] its id
 * @returns {{text: string, unit: string, state: string, n: number|null, why: string|null}} `why`: of a dash
 */
export function figure(kpiFigure, kpi = "") {
  if (!kpiFigure) return { text: DASH, unit: "", state: "none", n: null, why: "no data in this window" };
  const { value, unit, status, n } = kpiFigure;
  const why = value === null ? (kpi === "longest_wait" ? "nobody waits" : (WHY[status] ?? "no value")) : null;
  return { text: missed(kpiFigure) ?? quantity(value, unit), unit, state: status, n, why };
}

/** A share that misses a bound and would read as if it met it: 74.97 %, not 75.0 %. */
function missed({ value, unit, status, target, critical }) {
  const bound = status === "critical" ? critical : status === "warning" ? target : null;
  if (unit !== "ratio" || bound === null || bound === undefined || quantity(value, unit) !== quantity(bound, unit)) return null;
  return `${TWO.format(value * 100)}${THIN}%`;
}

/**
 * All that a figure says of itself, a line each, for a tooltip.
 *
 * @param {Object|null|undefined} kpiFigure
 * @param {string} kpi its id
 * @param {string} title of the KPI
 */
export function told(kpiFigure, kpi, title) {
  if (!kpiFigure) return `${title}: no data in this window`;
  const { value, unit, n, ci_low: low, ci_high: high, target, critical, status, definition, numerator, denominator } = kpiFigure;
  const said = figure(kpiFigure, kpi);
  const lines = [`${title}: ${value === null ? (said.why ?? DASH) : said.text}`];
  if (target !== null && target !== undefined) {
    lines.push(`target ${quantity(target, unit)}${critical === null || critical === undefined ? "" : `, critical ${quantity(critical, unit)}`}`);
  }
  if (unit !== "count" && n !== null) {
    const parts = unit === "ratio" && Number.isInteger(numerator) ? ` (${WHOLE.format(numerator)} of ${WHOLE.format(denominator)})` : "";
    lines.push(`n ${WHOLE.format(n)}${parts}`);
    if (low !== null && high !== null) lines.push(`95${THIN}% interval ${quantity(low, unit)} to ${quantity(high, unit)}`);
  }
  if (status === "insufficient" && value !== null) lines.push("too few observations to judge");
  if (definition) lines.push(definition);
  return lines.join("\n");
}

/**
 * How long, in at most two units: `48 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`.
 *
 * @param {number} seconds
 */
export function duration(seconds) {
  if (seconds < 0) return `-${duration(-seconds)}`;
  if (seconds < 9.95 && !Number.isInteger(seconds)) return `${ONE.format(seconds)}${THIN}s`;
  const whole = Math.round(seconds);
  if (whole < 120) return `${whole}${THIN}s`;
  if (whole < 7_200) return two(Math.floor(whole / 60), "min", whole % 60, "s");
  if (whole < 172_800) return two(Math.floor(whole / 3_600), "h", Math.floor((whole % 3_600) / 60), "min");
  return two(Math.floor(whole / 86_400), "d", Math.floor((whole % 86_400) / 3_600), "h");
}

function two(many, unit, rest, less) {
  return rest === 0 ? `${many}${THIN}${unit}` : `${many}${THIN}${unit} ${rest}${THIN}${less}`;
}

/**
 * How long ago, in one unit.
 *
 * @param {number|null} ms
 */
export function age(ms) {
  if (ms === null) return DASH;
  const past = Math.max(0, ms);
  if (past < 2 * MINUTE_MS) return `${Math.floor(past / 1_000)}${THIN}s`;
  if (past < 2 * HOUR_MS) return `${Math.floor(past / MINUTE_MS)}${THIN}min`;
  if (past < 2 * DAY_MS) return `${Math.floor(past / HOUR_MS)}${THIN}h`;
  return `${Math.floor(past / DAY_MS)}${THIN}d`;
}

/** The time of day in the viewer's zone, as 14:05. @param {number} ms epoch */
export function time(ms) {
  return TIME.format(ms);
}

/** The day in the viewer's zone, as Mon 23 Nov. @param {number} ms epoch */
export function day(ms) {
  return DAY.format(ms);
}

/** Day, time and zone, for where nothing else says them. @param {number} ms epoch */
export function moment(ms) {
  return `${day(ms)}, ${EXACT.format(ms)} ${zone()}`;
}

/** The viewer's zone, as Europe/Lisbon. */
export function zone() {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
