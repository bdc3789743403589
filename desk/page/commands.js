/** Everything that somebody may ask for, each as a dialog; the workers do it, and the stream tells what came of it. */

import { ask } from "./dialog.js";
import { h } from "./dom.js";
import { at, choice, text, until } from "./fields.js";
import { time } from "./format.js";
import { brief } from "./said.js";
import { covered } from "./troubles.js";

const HOUR_MS = 3_600_000;
const COVERED_SHOWN = 6;

/** @param {string} label @param {boolean} [required] */
const said = (label = "Comment", required = false) => text("comment", label, { rows: 2, required });

/** An alert has a fingerprint, an incident an id. @param {any} of @returns {object} */
const which = (of) => (of.fingerprint ? { alert: of.fingerprint } : { incident: of.id });

/** @param {any} app @param {string} partner */
function named(app, partner) {
  return partner === "*" ? "all partners" : (app.store.partners.get(partner)?.name ?? partner);
}

/** @param {any} app @param {any} of an alert or an incident */
function about(app, of) {
  return brief(of.explanation ?? of.text, named(app, of.partner));
}

/** Look after an alert or an incident. @param {any} app @param {any} of */
export function acknowledge(app, of) {
  return ask(app, {
    title: `Acknowledge ${named(app, of.partner)}`,
    about: about(app, of),
    fields: [until(app, "You look after it", { open: "as long as it is open", partner: of.partner }), said()],
    action: "Acknowledge",
    path: "acknowledge",
    body: (values) => ({ ...which(of), ...values }),
  });
}

/** Have an incident wait. @param {any} app @param {any} incident */
export function snooze(app, incident) {
  return ask(app, {
    title: `Snooze ${named(app, incident.partner)}`,
    about: `Nobody is told of it until then, unless it gets worse. ${about(app, incident)}`,
    fields: [until(app, "Snooze for", { partner: incident.partner }), said()],
    action: "Snooze",
    path: "snooze",
    body: (values) => ({ incident: incident.id, ...values }),
  });
}

/** Have pages of some alerts wait. @param {any} app @param {{partner?: string, rule?: string, scope?: string, severity?: string}} like */
export function silence(app, like = {}) {
  const globs = [
    text("partner", "Partner", { value: like.partner ?? "", required: true, max: 128, hint: "* stands for any letters" }),
    text("rule", "Rule", { value: like.rule ?? "", max: 128 }),
    text("scope", "Part", { value: like.scope ?? "", max: 128, hint: "such as all, queue=billing or channel=*" }),
    choice("severity", "Severity", [
      { value: "", label: "any" },
      { value: "warning", label: "warning" },
      { value: "critical", label: "critical" },
    ], { value: like.severity ?? "" }),
  ];
  return ask(app, {
    title: "Silence alerts",
    about: "They are shown all the same, and page nobody until then.",
    fields: [...globs, until(app, "Silence for", { minutes: 120, partner: like.partner }), said("Why", true)],
    action: "Silence",
    path: "silence",
    body: (values) => values,
    beside: (form) => {
      const values = [...form.querySelectorAll(".field > input, .field > select")].slice(0, globs.length);
      const [partner, rule, scope, severity] = values.map((each) => /** @type {HTMLInputElement} */ (each).value.trim());
      return partner ? coverage(app, covered(app.store, { partner, rule, scope, severity })) : null;
    },
  });
}

/** @param {any} app @param {any[]} alerts */
function coverage(app, alerts) {
  if (alerts.length === 0) return h("p", { class: "help" }, "It covers no alert that fires now.");
  const partners = new Set(alerts.map((each) => each.partner)).size;
  const of = partners > 1 ? ` of ${partners} partners` : "";
  const lines = alerts.slice(0, COVERED_SHOWN).map((each) => h("li", {}, `${named(app, each.partner)}: ${about(app, each)}`));
  if (alerts.length > COVERED_SHOWN) lines.push(h("li", {}, `and ${alerts.length - COVERED_SHOWN} more`));
  return h("div", {}, h("p", {}, `It covers ${alerts.length} ${alerts.length > 1 ? 'alerts that fire' : 'alert that fires'} now${of}:`), h("ul", {}, ...lines));
}

/** End a silence. @param {any} app @param {any} held */
export function expire(app, held) {
  return ask(app, {
    title: `End a silence of ${named(app, held.partner)}`,
    about: `${held.comment} (${held.actor}, until ${time(held.until)}). What fires still pages then.`,
    fields: [],
    action: "End it now",
    path: "expire",
    body: () => ({ silence: held.id }),
  });
}

/** Say something of an alert or an incident. @param {any} app @param {any} of */
export function comment(app, of) {
  return ask(app, {
    title: `Comment on ${named(app, of.partner)}`,
    about: about(app, of),
    fields: [said("Comment", true)],
    action: "Comment",
    path: "comment",
    body: (values) => ({ ...which(of), ...values }),
  });
}

/** Close an incident. @param {any} app @param {any} incident */
export function resolve(app, incident) {
  return ask(app, {
    title: `Resolve ${named(app, incident.partner)}`,
    about: `It is over, whatever its alerts say; one that gets worse, or fires again, opens another. ${about(app, incident)}`,
    fields: [said()],
    action: "Resolve",
    path: "resolve",
    body: (values) => ({ incident: incident.id, ...values }),
  });
}

/** Hand an incident over. @param {any} app @param {any} incident */
export function reassign(app, incident) {
  const kinds = [
    { value: "person", label: "a person" },
    { value: "rotation", label: "whoever is on call of a rotation" },
    { value: "partner", label: "a role on the partner's side" },
    { value: "receiver", label: "a receiver" },
  ];
  const known = app.api.get("oncall/schedule").then((/** @type {any} */ { rotations }) => [
    ...new Set(rotations.flatMap((/** @type {any} */ each) => [each.rotation, ...each.takers.map((/** @type {any} */ taker) => taker.id)])),
  ]);
  return ask(app, {
    title: `Hand over ${named(app, incident.partner)}`,
    about: `They are told at once, and have to acknowledge. ${about(app, incident)}`,
    fields: [choice("kind", "To", kinds), text("to", "Called", { required: true, max: 64, hint: "as the policy calls it", known }), said()],
    action: "Hand over",
    path: "reassign",
    body: ({ kind, to, ...values }) => ({ incident: incident.id, to: { [kind]: to }, ...values }),
  });
}

/** @param {any} app @param {{partner?: string, from?: number, to?: number}} like */
const span = (app, { partner = "*", from, to }) => {
  const now = app.store.streamTime(partner);
  return [at("from", "From", { value: from ?? now - HOUR_MS }), at("to", "To", { value: to ?? now })];
};

/** Say what happened, or will. @param {any} app @param {{partner?: string, kind?: string, from?: number, to?: number}} like */
export function annotate(app, like = {}) {
  const kinds = ["outage", "release", "pilot", "other"].map((each) => ({ value: each, label: each }));
  const partners = [...app.store.partners.values()].map((each) => ({ value: each.partner, label: each.name }));
  return ask(app, {
    title: "Annotate",
    about: "It stands on the charts of that time.",
    fields: [
      choice("partner", "Partner", [{ value: "*", label: "all partners" }, ...partners], { value: like.partner ?? "*" }),
      choice("kind", "Kind", kinds, { value: like.kind ?? "outage" }),
      ...span(app, like),
      text("text", "What happened", { rows: 2, required: true }),
    ],
    action: "Annotate",
    path: "annotate",
    body: (values) => values,
  });
}

/** Say that a figure is not what you count. @param {any} app @param {{partner: string, kpi: string, title?: string, from?: number, to?: number}} like */
export function dispute(app, like) {
  return ask(app, {
    title: `Dispute ${like.title ?? like.kpi} of ${named(app, like.partner)}`,
    about: "It stands beside the figure, for both sides to see, for 760 days.",
    fields: [...span(app, like), text("text", "What you count instead, and how", { rows: 3, required: true })],
    action: "Dispute",
    path: "dispute",
    body: (values) => ({ partner: like.partner, kpi: like.kpi, ...values }),
  });
}

/**
 * Take a shift over: somebody is on call in place of a rotation's own.
 *
 * @param {any} app
 * @param {{rotation: string, takers: {id: string, name: string}[], from?: number | null, to?: number | null}} like
 */
export function override(app, { rotation, takers, from, to }) {
  const people = takers.map(({ id, name }) => ({ value: id, label: name }));
  const self = takers.find((each) => each.id === app.session.name || each.name === app.session.name);
  return ask(app, {
    title: `Take over ${rotation}`,
    about: "Whoever you name is on call instead of those whose shift it is.",
    fields: [
      choice("person", "Who", people, { value: self?.id ?? takers[0]?.id }),
      at("from", "From", { value: from ?? app.now() }),
      at("to", "To", { value: to ?? app.now() + 8 * HOUR_MS }),
      said(),
    ],
    action: "Take over",
    path: "override",
    body: (values) => ({ rotation, ...values }),
  });
}

/** Give back what somebody took over. @param {any} app @param {{id: string, rotation: string, said: string}} held */
export function cancel(app, held) {
  return ask(app, {
    title: `Give back ${held.rotation}`,
    about: `${held.said}. Those whose shift it is are on call again at once.`,
    fields: [],
    action: "Give back",
    path: "cancel",
    body: () => ({ override: held.id }),
  });
}
