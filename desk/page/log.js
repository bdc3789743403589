/** What happened to a trouble and what was said of it, newest first. */

import { moment, time } from "./format.js";

const SHOWN = 12;

const WORDS = {
  opened: "opened",
  joined: "another alert joined",
  worse: "got worse",
  eased: "eased",
  ended: "an alert ended",
  told: "told",
  empty_shift: "nobody was on call",
  passed_over: "a step was passed over",
  failed: "a page failed",
  exhausted: "all steps passed",
  acknowledged: "acknowledged",
  snoozed: "snoozed",
  ack_ended: "nobody looks after it any more",
  reassigned: "handed over",
  commented: "said",
  absorbed: "told of with a storm",
  resolved: "resolved",
};

/**
 * How many lines there are, those that nobody kept among them.
 *
 * @param {import("./troubles.js").Trouble} trouble
 */
export function countLines({ incident, alerts }) {
  const said = alerts.reduce((sum, each) => sum + (each.comments?.length ?? 0), 0);
  return said + (incident?.timeline?.length ?? 0) + (incident?.timeline_dropped ?? 0);
}

/**
 * The lines of an incident's timeline and the comments on its alerts.
 *
 * @param {import("./troubles.js").Trouble} trouble
 * @returns {{key: string, at: string, title: string | null, says: string}[]}
 */
export function history({ incident, alerts }) {
  const lines = (incident?.timeline ?? []).map((/** @type {any} */ each) => ({ at: each.at, says: happened(each) }));
  for (const alert of alerts) {
    for (const { at, actor, text } of alert.comments ?? []) lines.push({ at, says: `${actor}: ${text}` });
  }
  lines.sort((/** @type {any} */ a, /** @type {any} */ b) => b.at - a.at);
  const line = (/** @type {any} */ { at, says }, /** @type {number} */ place) => ({ key: `${at}/${place}/${says}`, at: time(at), title: moment(at), says });
  const shown = lines.slice(0, SHOWN).map(line);
  const dropped = countLines({ incident, alerts }) - shown.length;
  return dropped > 0 ? [...shown, { key: "earlier", at: "", title: null, says: `${dropped} earlier` }] : shown;
}

/** @param {{what: string, by?: string | null, text: string}} entry */
function happened({ what, by, text }) {
  const word = WORDS[/** @type {keyof typeof WORDS} */ (what)] ?? what.replaceAll("_", " ");
  return `${by ? `${by} ` : ""}${word}${text ? `: ${text}` : ""}`;
}
