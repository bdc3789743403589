/** What is wrong and who was told of it, in words. Pure, but for the viewer's zone. */

import { THIN, duration, time } from "./format.js";

/** Why pages wait, as a person says it. */
const HELD = {
  silenced: "silenced",
  maintenance: "in maintenance",
  inhibited: "explained by another alert",
  out_of_hours: "outside its hours",
  flapping: "flapping",
  feed_silent: "its feed is silent",
  late: "noticed long after its time",
  absorbed: "told of with a storm",
};

const SINCE = /,? since (?:\d{1,2} [A-Z][a-z]{2} )?\d{2}:\d{2} UTC/;

/** A figure and its unit stay on one line. */
const UNITS = /(?<=\d) (?=(?:%|s|min|h)(?![a-z]))/g;

/** @param {string[]} reasons @returns {string} */
export function heldWords(reasons) {
  return reasons.map((each) => HELD[/** @type {keyof typeof HELD} */ (each)] ?? each.replaceAll("_", " ")).join(", ");
}

/**
 * The sentence of an alert beside the partner's name and its age: without both, which stand there already.
 *
 * @param {any} alert
 * @param {string} name the partner's
 * @returns {string}
 */
export function sentence(alert, name) {
  return brief(alert.explanation, name);
}

/** @param {string} text @param {string} name */
export function brief(text, name) {
  const bare = (text.startsWith(`${name}: `) ? text.slice(name.length + 2) : text).replace(SINCE, "").replace(UNITS, THIN);
  return bare.charAt(0).toUpperCase() + bare.slice(1);
}

/**
 * How far its escalation is: who was told, and when the next is.
 *
 * @param {any} incident
 * @param {number} nowMs
 * @returns {string}
 */
export function progress(incident, nowMs) {
  const parts = [];
  if (incident.stage === "wait_group") parts.push("waiting for others of its group");
  else if (incident.step === null) parts.push("nobody told yet");
  else parts.push(step(incident));
  const told = last(incident);
  if (told.length > 0) parts.push(`told ${told.map(receiver).join(', ')} at ${time(told[0].at)}`);
  if (incident.stage === "exhausted") parts.push("nobody else to tell");
  else if (incident.stage !== "paused" && incident.due_at !== null) parts.push(due(incident.due_at, nowMs));
  const said = parts.join(" · ");
  return said.charAt(0).toUpperCase() + said.slice(1);
}

/** @param {any} incident */
function step(incident) {
  if (incident.step === -2) return "handed over";
  if (incident.step === -1) return "fallback";
  return `step ${incident.step + 1}${incident.loop > 0 ? `, round ${incident.loop + 1}` : ''}`;
}

/** Whom the present step told; a partner is not told who else was. @param {any} incident @returns {any[]} */
function last(incident) {
  return (incident.told ?? []).filter((/** @type {any} */ each) => each.step === incident.step && each.loop === incident.loop);
}

/** @param {any} told */
function receiver({ target, receiver: { type, id }, outcome }) {
  const whom = target.person ?? target.id;
  const failed = outcome === "rejected" || outcome === "expired" ? ", which failed" : "";
  return `${whom}${target.kind === 'receiver' && whom === id ? ` (${type}${failed})` : ` by ${type}${failed}`}`;
}

/** @param {number} dueMs @param {number} nowMs */
function due(dueMs, nowMs) {
  const seconds = Math.round((dueMs - nowMs) / 1000);
  return seconds <= 0 ? "next is being told" : `next in ${duration(seconds)}`;
}

/**
 * Who looks after it.
 *
 * @param {{what: string, by: string, until: number | null, comment: string | null}} taker
 * @returns {string}
 */
export function takenWords({ what, by, until, comment }) {
  const whose = what === "snoozed" ? `Snoozed by ${by}` : `Taken by ${by}`;
  return `${whose}${until === null ? '' : ` until ${time(until)}`}${comment ? `: ${comment}` : ''}`;
}

/** A link of a policy, if it is one that a browser may open; null otherwise. @param {string | null | undefined} said */
export function safeLink(said) {
  if (!said) return null;
  try {
    const url = new URL(said);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}
