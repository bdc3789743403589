/** Marks over a chart: alerts and annotations, as buttons that say what they are when they are looked at. */

import { attribute, h, keyed } from "./dom.js";

/**
 * @typedef {object} Mark
 * @property {string} key
 * @property {"critical"|"warning"|"dispute"|"annotation"} kind
 * @property {number} from epoch ms
 * @property {number} to the same as `from` for an instant
 * @property {string} text what it says, in a sentence
 */

const SHAPES = { critical: "\u25b2", warning: "\u25c6", dispute: "\u2260", annotation: "\u25cf" };
const RANKS = ["critical", "warning", "dispute", "annotation"];
const APART_PX = 18;
const GROUPS_MAX = 40;
const TEXTS_MAX = 5;

/**
 * Alerts and annotations that a chart of a KPI shows.
 *
 * @param {{alerts: Iterable<any>, episodes: Iterable<any>, annotations: Iterable<any>}} told present alerts, those of the past, annotations
 * @param {{partner: string, kpi: string, scope: string, from: number, to: number}} of
 * @returns {Mark[]} in order of time
 */
export function marksOf({ alerts, episodes, annotations }, { partner, kpi, scope, from, to }) {
  const found = new Map();
  const fired = (each) => {
    if (each.kpi !== kpi || each.scope !== scope) return;
    const kind = each.severity === "critical" ? "critical" : "warning";
    found.set(`alert ${each.fingerprint} ${each.from}`, { kind, from: each.from, to: each.to ?? to, text: each.text });
  };
  for (const each of episodes) fired(each);
  for (const alert of alerts) {
    if (alert.partner !== partner || alert.fired_at === null) continue;
    const { evidence, fired_at: began, ended_at: ended, explanation, severity, fingerprint } = alert;
    fired({ kpi: evidence.kpi, scope: alert.scope, severity, fingerprint, from: began, to: ended, text: explanation });
  }
  for (const note of annotations) {
    if (note.partner !== partner && note.partner !== "*") continue;
    if (note.kpi && note.kpi !== kpi) continue;
    const kind = note.kind === "dispute" ? "dispute" : "annotation";
    const word = note.kind === "other" ? "note" : note.kind;
    found.set(`note ${note.id}`, { kind, from: note.from, to: note.to, text: `${word}: ${note.text} (${note.actor})` });
  }
  return [...found]
    .map(([key, mark]) => ({ key, ...mark }))
    .filter((mark) => mark.from <= to && mark.to >= from)
    .sort((a, b) => a.from - b.from);
}

/**
 * Marks that would overlap, as one with the gravest shape.
 *
 * @param {(Mark & {x: number})[]} marks with where they stand, in order
 * @returns {{key: string, x: number, kind: string, marks: Mark[]}[]}
 */
export function grouped(marks) {
  const groups = [];
  for (const mark of marks) {
    const last = groups[groups.length - 1];
    if (last && mark.x - last.x < APART_PX) {
      last.marks.push(mark);
      if (RANKS.indexOf(mark.kind) < RANKS.indexOf(last.kind)) last.kind = mark.kind;
    } else {
      groups.push({ key: mark.key, x: mark.x, kind: mark.kind, marks: [mark] });
    }
  }
  return groups.slice(-GROUPS_MAX);
}

/** What a group says. @param {{marks: Mark[]}} group @param {(mark: Mark) => string} when */
export function saidOf({ marks }, when) {
  const told = marks.slice(0, TEXTS_MAX).map((mark) => `${when(mark)} ${mark.text}`);
  return marks.length > TEXTS_MAX ? [...told, `and ${marks.length - TEXTS_MAX} more`].join("; ") : told.join("; ");
}

/**
 * Keep the buttons over a chart where their times are.
 *
 * @param {HTMLElement} lane
 * @param {any} plot of uPlot
 * @param {{data: any}} state
 * @param {(group: any|null) => void} onMark
 * @returns {() => void} places them anew
 */
export function laneOf(lane, plot, state, onMark) {
  const groups = new Map();
  const make = (group) => {
    const key = group.key;
    const look = () => onMark(groups.get(key) ?? null);
    const leave = () => onMark(null);
    return h("button", { type: "button", on: { mouseenter: look, focus: look, mouseleave: leave, blur: leave } });
  };
  const update = (node, group) => {
    groups.set(group.key, group);
    attribute(node, "class", `mark ${group.kind}`);
    node.textContent = `${SHAPES[group.kind]}${group.marks.length > 1 ? group.marks.length : ""}`;
    attribute(node, "aria-label", group.marks.slice(0, TEXTS_MAX).map((mark) => mark.text).join("; "));
    node.style.left = `${group.x}px`;
  };
  return () => {
    const left = plot.bbox.left / devicePixelRatio;
    const width = plot.bbox.width / devicePixelRatio;
    const standing = (state.data?.marks ?? []).map((mark) => ({ ...mark, x: left + Math.min(width, Math.max(0, plot.valToPos(mark.from, "x"))) }));
    groups.clear();
    keyed(lane, grouped(standing), (group) => group.key, make, update);
  };
}
