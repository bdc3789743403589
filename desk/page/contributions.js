/** Which parts of a partner make a figure what it is: exact for whatever is a sum over a sum. Pure. */

/** The dimensions of parts as words. */
export const DIMENSIONS = {
  queue: "queue",
  channel: "channel",
  site: "site",
  team: "team",
  reason: "reason",
  activity: "activity",
  segment: "segment",
};

const WHOLE_FROM = 0.98;

/** A scope as a person says it: `queue billing`. @param {string} scope */
export function scopeWords(scope) {
  if (scope === "all") return "whole partner";
  const [dimension, ...name] = scope.split("=");
  return `${DIMENSIONS[dimension] ?? dimension} ${name.join("=")}`;
}

/**
 * @typedef {object} Contribution
 * @property {string} scope
 * @property {any} figure of the part
 * @property {number} share of all that was counted, 0 to 1
 * @property {number} effect by how much the part moves the figure of the whole off `against`, in the figure's unit
 */

/**
 * How far each part takes the whole from what it is held against. With w a part's share of the denominator and r its own figure, its
 * effect is w (r - against); they add up to the figure of the whole less `against` where the parts cover all of it.
 *
 * @param {any} whole figure
 * @param {any[]} scopes records of parts
 * @param {string} kpi
 * @param {number} against the target, or where there is none the figure of the whole
 * @returns {{dimension: string, covered: number, parts: Contribution[]}[]} the dimension that explains most first; none for a figure that
 *   is no sum over a sum, as of a percentile
 */
export function contributions(whole, scopes, kpi, against) {
  const scale = scaleOf(whole);
  if (scale === null) return [];
  const dimensions = new Map();
  for (const record of scopes) {
    const figure = record.kpis[kpi];
    if (!figure?.denominator || scaleOf(figure) === null) continue;
    const share = figure.denominator / whole.denominator;
    const effect = share * (figure.value - against);
    const [dimension] = record.scope.split("=");
    if (!dimensions.has(dimension)) dimensions.set(dimension, []);
    dimensions.get(dimension).push({ scope: record.scope, figure, share, effect });
  }
  const found = [...dimensions].map(([dimension, parts]) => ({
    dimension,
    covered: parts.reduce((sum, each) => sum + each.share, 0),
    parts: parts.sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect)),
  }));
  return found.sort((a, b) => explains(b) - explains(a));
}

/** A dimension that covers the whole comes before one that does not, and one whose largest part stands out before an even one. */
function explains({ covered, parts }) {
  const moved = parts.reduce((sum, each) => sum + Math.abs(each.effect), 0);
  return (Math.abs(covered - 1) <= 1 - WHOLE_FROM ? 1 : 0) + (parts.length > 1 && moved > 0 ? Math.abs(parts[0].effect) / moved : 0);
}

/** What numerator over denominator is multiplied by to be the value; null where the value is something else. */
function scaleOf({ value, numerator, denominator, unit }) {
  if (value === null || !denominator || unit === "count") return null;
  const plain = numerator / denominator;
  const near = (scale) => Math.abs(scale * plain - value) <= 1e-6 * Math.max(1, Math.abs(value));
  return [1, 100].find(near) ?? null;
}
