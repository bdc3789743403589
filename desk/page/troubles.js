/** What is wrong now, as a list: incidents with their alerts, and alerts that are of none. Pure. */

import { fits } from "./glob.js";

const OPEN = new Set(["firing", "recovering"]);
const SEVERITIES = ["warning", "critical"];

/**
 * @typedef {object} Trouble
 * @property {string} key stays the same while it lasts
 * @property {string} episode differs each time: an alert that fires again has the same key
 * @property {string} partner
 * @property {any} incident null for an alert that is of none
 * @property {any[]} alerts open ones, what matters most first
 * @property {'critical' | 'warning'} severity
 * @property {number} order what matters most has the highest
 * @property {number} since epoch ms: when the first of its alerts fired
 * @property {string[]} held why nobody is told of any of it; empty where nothing holds it back
 */

/**
 * All that is wrong, what matters most first.
 *
 * @param {{alerts: Map<string, any>, incidents: Map<string, any>}} store
 * @param {string | null} partner of one partner alone
 * @returns {Trouble[]}
 */
export function troubles(store, partner = null) {
  const of = (/** @type {any} */ each) => partner === null || each.partner === partner;
  const alone = new Map([...store.alerts].filter(([, alert]) => OPEN.has(alert.state) && of(alert)));
  const found = [];
  for (const incident of store.incidents.values()) {
    if (incident.ended_at !== null || !of(incident)) continue;
    const members = incident.members.filter((/** @type {any} */ each) => each.ended_at == null);
    const alerts = members.map((/** @type {any} */ each) => store.alerts.get(each.fingerprint)).filter((/** @type {any} */ each) => each && OPEN.has(each.state));
    for (const alert of alerts) alone.delete(alert.fingerprint);
    found.push(ofIncident(incident, members, alerts));
  }
  for (const alert of alone.values()) found.push(ofAlert(alert));
  return found.sort(before);
}

/** @param {any} incident @param {any[]} members @param {any[]} alerts @returns {Trouble} */
function ofIncident(incident, members, alerts) {
  const fired = members.map((each) => each.fired_at);
  const held = members.every((each) => (each.suppressed_by ?? []).length > 0) ? members.flatMap((each) => each.suppressed_by) : [];
  if (incident.absorbed_by != null) held.push("absorbed");
  return {
    key: incident.id,
    episode: incident.id,
    partner: incident.partner,
    incident,
    alerts: alerts.sort(graver),
    severity: incident.severity,
    order: Math.max(0, ...alerts.map((each) => each.order ?? 0)),
    since: Math.min(...(fired.length > 0 ? fired : [incident.opened_at])),
    held: [...new Set(held)],
  };
}

/** @param {any} alert @returns {Trouble} */
function ofAlert(alert) {
  return {
    key: alert.fingerprint,
    episode: alert.episode,
    partner: alert.partner,
    incident: null,
    alerts: [alert],
    severity: alert.severity,
    order: alert.order ?? 0,
    since: alert.fired_at ?? alert.since,
    held: [...(alert.suppressed_by ?? [])],
  };
}

/** @param {Trouble} a @param {Trouble} b */
function before(a, b) {
  return b.order - a.order || rank(b.severity) - rank(a.severity) || a.since - b.since || (a.key < b.key ? -1 : 1);
}

/** @param {any} a @param {any} b */
function graver(a, b) {
  return (b.order ?? 0) - (a.order ?? 0) || rank(b.severity) - rank(a.severity) || a.fired_at - b.fired_at;
}

/** @param {string} severity */
function rank(severity) {
  return SEVERITIES.indexOf(severity);
}

/**
 * Who looks after it; null while nobody does.
 *
 * @param {Trouble} trouble
 * @returns {{what: "acked" | "snoozed", by: string, until: number | null, comment: string | null} | null}
 */
export function taker({ incident, alerts }) {
  const ack = alerts.length > 0 && alerts.every((each) => each.ack) ? alerts[0].ack : null;
  if (incident?.held?.what === "acked" || incident?.held?.what === "snoozed") {
    const { what, by, until = null } = incident.held;
    return { what, by, until, comment: ack?.comment ?? null };
  }
  return ack && { what: "acked", by: ack.actor, until: ack.until ?? null, comment: ack.comment ?? null };
}

/**
 * What a command about it names: the alert, if it is one alone, since the incident that it is of goes with it; else the incident.
 *
 * @param {Trouble} trouble
 * @returns {any}
 */
export function subject({ incident, alerts }) {
  return alerts.length === 1 || incident === null ? alerts[0] : incident;
}

/**
 * The alerts that a silence would cover now.
 *
 * @param {{alerts: Map<string, any>}} store
 * @param {{partner?: string, rule?: string, scope?: string, severity?: string}} matchers globs; what is left out fits all
 * @returns {any[]}
 */
export function covered(store, matchers) {
  const said = Object.entries(matchers).filter(([, glob]) => glob);
  const told = (/** @type {any} */ alert) => ({ ...alert, rule: alert.rule.id, severity: alert.severity ?? "" });
  return [...store.alerts.values()].filter(
    (alert) => OPEN.has(alert.state) && said.every(([name, glob]) => fits(/** @type {string} */ (glob), told(alert)[name])),
  );
}
