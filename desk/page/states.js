/** The states of partners and figures: each has a word, a shape and a place in the order, so that no colour ever says anything alone. */

import { h } from "./dom.js";

/** Outlines within 12 x 12; `line` ones are drawn, not filled. */
const SHAPES = {
  triangle: { d: "M6 1 11.5 11H.5Z" },
  diamond: { d: "M6 .5 11.5 6 6 11.5.5 6Z" },
  "diamond-line": { d: "M6 1.5 10.5 6 6 10.5 1.5 6Z", line: true },
  cross: { d: "M6 1a5 5 0 1 1 0 10A5 5 0 0 1 6 1ZM2.5 9.5l7-7", line: true },
  clock: { d: "M6 1a5 5 0 1 1 0 10A5 5 0 0 1 6 1ZM6 3v3.2l2 1.6", line: true },
  half: { d: "M6 1a5 5 0 0 1 0 10ZM6 1a5 5 0 0 0 0 10", line: true, half: true },
  ring: { d: "M6 2.5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7Z", line: true },
  dash: { d: "M2.5 6h7", line: true },
  dot: { d: "M6 4a2 2 0 1 1 0 4 2 2 0 0 1 0-4Z" },
  scales: { d: "M6 1.5v9M3.5 10.5h5M2.5 3.5 9.5 2M.8 7.2 2.5 3.5 4.2 7.2ZM7.8 5.7 9.5 2l1.7 3.7Z", line: true },
  check: { d: "M2 6.5 4.8 9.2 10 3", line: true },
  bell: { d: "M2.5 9h7l-1-1.6V5a2.5 2.5 0 0 0-5 0v2.4ZM5 10.7h2", line: true },
  muted: { d: "M2.5 9h7l-1-1.6V5a2.5 2.5 0 0 0-5 0v2.4ZM1.5 1.5l9 9", line: true },
  star: { d: "M6 1.2 7.5 4.4l3.4.4-2.5 2.4.7 3.4L6 8.9l-3.1 1.7.7-3.4L1.1 4.8l3.4-.4Z", line: true },
};

/**
 * What a state is called and how it looks; `rank` puts the worst first, `group` is what the counts and the filter put it under.
 *
 * @typedef {{word: string, shape: string, rank: number, class: string, group: string, what: string}} State
 */

/** @type {Object<string, State>} */
export const STATES = {
  critical: state("Critical", "triangle", 0, "critical", "critical", "an alert is critical, or a figure is past its critical bound"),
  silent_feed: state("Silent feed", "cross", 1, "silent", "stale", "it stopped sending: what is shown is not how it stands"),
  warning: state("Warning", "diamond", 2, "warning", "warning", "an alert warns, or a figure misses its target"),
  recovering: state("Recovering", "diamond-line", 3, "warning", "warning", "its alert is ending: figures are good again, and have to stay so"),
  stale: state("Stale", "clock", 4, "stale", "stale", "nobody counts it at the moment: figures and alerts may have changed since"),
  no_data: state("No data", "dash", 5, "unknown", "unknown", "the policy names it, and nothing of it came in this window"),
  insufficient: state("Insufficient", "half", 6, "unknown", "unknown", "too few observations to judge"),
  no_target: state("No target", "ring", 7, "unknown", "unknown", "counted, but the policy has no target to hold it against"),
  not_applicable: state("Not applicable", "dash", 8, "unknown", "unknown", "nothing that its targets are about was counted"),
  ok: state("OK", "dot", 9, "ok", "ok", "every figure that can be judged meets its target, and no alert fires"),
  none: state("No data", "dash", 10, "unknown", "unknown", "no data in this window"),
};

function state(word, shape, rank, css, group, what) {
  return Object.freeze({ word, shape, rank, class: css, group, what });
}

/**
 * A shape as an image that says nothing: a word stands beside it, or in `label`.
 *
 * @param {string} shape
 * @param {string|null} [label]
 */
export function sign(shape, label = null) {
  const { d, line, half } = SHAPES[shape];
  const said = label === null ? { "aria-hidden": "true" } : { role: "img", "aria-label": label };
  return h(
    "svg:svg",
    { class: line ? "sign sign-line" : "sign", viewBox: "0 0 12 12", ...said },
    half ? h("svg:path", { d: "M6 1a5 5 0 0 0 0 10Z", class: "sign-fill" }) : null,
    h("svg:path", { d }),
  );
}

/**
 * Shape and word of a state.
 *
 * @param {string} name
 */
export function mark(name) {
  const { word, shape, class: css } = STATES[name];
  return h("span", { class: `mark mark-${css}` }, sign(shape), h("span", {}, word));
}

const JUDGED = ["critical", "warning"];

/**
 * How a partner stands, and why in words: the worst of its alerts and of its figures against their targets. It is OK only if a figure
 * says so.
 *
 * @param {Object} row of the snapshot
 * @param {Iterable<Object>} alerts of this partner
 * @param {(kpi: string) => string} titleOf
 * @returns {{state: string, why: string}}
 */
export function standing(row, alerts, titleOf) {
  const firing = [...alerts].filter((each) => each.state === "firing" || each.state === "recovering");
  const silent = firing.find((each) => each.evidence?.kpi === "feed_silence" && each.state === "firing");
  if (silent) return { state: "silent_feed", why: silent.explanation };
  if (row.state === "stale") return { state: "stale", why: STATES.stale.what };
  const statuses = new Map();
  for (const [kpi, figure] of Object.entries(row.kpis)) {
    // Too few to judge is what has a target alone: without one, more of them would change nothing.
    const status = figure.status === "insufficient" && figure.target === null ? "no_target" : figure.status;
    if (!statuses.has(status)) statuses.set(status, []);
    statuses.get(status).push(kpi);
  }
  for (const severity of JUDGED) {
    const alert = firing.find((each) => each.state === "firing" && each.severity === severity);
    if (alert) return { state: severity, why: alert.explanation };
    if (statuses.has(severity)) {
      const past = severity === "critical" ? "past the critical bound" : "short of target";
      return { state: severity, why: `${statuses.get(severity).map(titleOf).join(", ")}: ${past}, and no alert of it yet` };
    }
  }
  if (firing.length > 0) return { state: "recovering", why: firing[0].explanation };
  if (row.state === "no_data") return { state: "no_data", why: STATES.no_data.what };
  const found = ["ok", "insufficient", "no_target", "not_applicable"].find((each) => statuses.has(each)) ?? "no_data";
  return { state: found, why: STATES[found].what };
}
