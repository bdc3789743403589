/** Why a figure is what it is and is judged as it is, in words. Pure. */

import { quantity } from "./format.js";

const LETTERS = {
  A: "answered",
  A_X: "answered within X seconds",
  B: "abandoned in the queue",
  B_X: "abandoned within X seconds",
  B_S: "abandoned within the short-abandon limit S",
  W: "the span within which the same customer's next contact is a repeat",
};

const POISSON = /^response_rate_|^forecast_deviation$/;

/**
 * The formula of a KPI: of a service level that of the variant which the contract chose.
 *
 * @param {(kpi: string) => any} entryOf the catalogue
 * @param {string} kpi
 * @param {{definition: string}} told
 */
export function formulaOf(entryOf, kpi, told) {
  const variant = entryOf(`${kpi}_${(told?.definition ?? "").split(",")[0].trim()}`);
  return variant.formula || entryOf(kpi).formula;
}

/**
 * What stands above and below the line of a formula; null where it is none that can be taken apart.
 *
 * @param {string} formula such as `A_X / (A + B)`
 * @returns {{numerator: string, denominator: string}|null}
 */
export function fraction(formula) {
  const at = formula.indexOf(" / ");
  if (at < 0 || formula.indexOf(" / ", at + 3) >= 0 || /^1 - /.test(formula)) return null;
  const bare = (text) => (/^\(([^()]*)\)$/.exec(text)?.[1] ?? text).replace(/^100 x /, "");
  return { numerator: bare(formula.slice(0, at)), denominator: bare(formula.slice(at + 3)) };
}

/** What the letters of a formula stand for, those that it has. @param {string} formula @returns {[string, string][]} */
export function letters(formula) {
  return Object.entries(LETTERS).filter(([letter]) => new RegExp(`(^|[^A-Za-z_])${letter}(?![A-Za-z_])`).test(formula));
}

/**
 * How the interval of a figure was made.
 *
 * @param {string} kpi
 * @param {any} told
 * @param {any} entry of the catalogue
 */
export function method(kpi, told, entry) {
  if (told.unit === "count" || entry.live) return "A count of what is so now is exact.";
  if (told.ci_low === null) return "There is none: too little was observed.";
  if (/^\d+ % of/.test(entry.formula)) return "The durations of two ranks around the percentile, which hold it with 95 %.";
  if (POISSON.test(kpi)) return "That of a Poisson count, with 95 %.";
  if (told.unit === "ratio" && told.n === told.denominator) return "Wilson\u2019s, with 95 %: it stays honest with few observations.";
  return "The value \u00b1 1.96 standard errors (95 %), from the spread of the observations.";
}

/**
 * Why a figure is judged as it is.
 *
 * @param {any} told
 * @param {{stale: boolean, minSamples: number|null}} about
 * @returns {string} a sentence
 */
export function verdict(told, { stale, minSamples }) {
  const value = quantity(told.value, told.unit);
  if (stale) return "Nobody counts it at the moment, so nobody knows how it stands now.";
  const missed = (bound) => `${value} is ${told.value < told[bound] ? "under" : "over"} the ${bound} of ${quantity(told[bound], told.unit)}.`;
  switch (told.status) {
    case "critical":
      return missed("critical").replace("the critical of", "the critical bound of");
    case "warning":
      return missed("target");
    case "ok":
      return `${value} meets the target of ${quantity(told.target, told.unit)}.`;
    case "no_target":
      return "The policy has no target to hold it against.";
    case "not_applicable":
      return "Nothing that it is made of was counted in this window: there is no value, which is not 0.";
    case "insufficient":
      if (told.n === null) return "Fewer than 5 employees answered, so that nothing is told of it.";
      if (told.holds_from != null) return "The window reaches before its present definition: what was counted under the old one cannot be judged by the new.";
      if (minSamples !== null && told.n < minSamples) return `${told.n} were observed, and the policy judges from ${minSamples} on.`;
      return told.value === null ? "It is known some time after what it is of: a value will come." : "What was observed is too little to judge.";
    default:
      return told.status.replaceAll("_", " ");
  }
}

/** A word of a shell that means itself. @param {string} text */
function word(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * What recomputes a figure out of the log.
 *
 * @param {{partner: string, kpi: string, window: string, scope: string}} of
 */
export function command({ partner, kpi, window, scope }) {
  const parts = ["outwatch", "explain", partner, kpi, "--window", window, ...(scope === "all" ? [] : ["--scope", scope])];
  return parts.map(word).join(" ");
}
