/** One trouble as a card: what is wrong, for how long, who was told and who is next, who looks after it, and what can be done. */

import * as commands from "./commands.js";
import { attribute, h, keyed, text } from "./dom.js";
import { age, moment } from "./format.js";
import { countLines, history } from "./log.js";
import { menu } from "./menu.js";
import { brief, heldWords, progress, safeLink, sentence, takenWords } from "./said.js";
import { may } from "./session.js";
import { STATES, mark } from "./states.js";
import { subject, taker } from "./troubles.js";

const MEMBERS_SHOWN = 4;

/** @typedef {import("./troubles.js").Trouble} Trouble */

/** The present trouble of each card, which its buttons are about. @type {WeakMap<Element, {trouble: Trouble, parts: any}>} */
const CARDS = new WeakMap();

/**
 * @param {any} app
 * @param {Trouble} trouble
 * @param {{named: boolean}} how `named`: with the partner's name, which links to its page
 * @returns {Element}
 */
export function makeCard(app, trouble, { named }) {
  const parts = {
    state: h("span", { class: "trouble-state" }),
    name: h(named ? "a" : "span", { class: "trouble-name" }),
    age: h("time", { class: "trouble-age" }),
    text: h("p", { class: "trouble-text" }),
    members: h("ul", { class: "trouble-members" }),
    told: h("p", { class: "trouble-told" }),
    taken: h("p", { class: "trouble-taken" }),
    held: h("p", { class: "trouble-held" }),
    action: h("p", { class: "trouble-action" }),
    runbook: h("a", { class: "trouble-runbook", target: "_blank", rel: "noopener noreferrer" }, "Runbook"),
    acknowledge: h("button", { type: "button", class: "trouble-ack", on: { click: () => acknowledge(app, node) } }, "Acknowledge"),
    open: h("button", { type: "button", class: "quiet", "aria-expanded": "false", on: { click: () => unfold(node) } }, "Log"),
    log: h("ol", { class: "trouble-log", hidden: true }),
  };
  const more = menu("More", "More", () => entries(app, of(node)));
  more.hidden = entries(app, trouble).every((each) => each === null);
  const acts = h("div", { class: "trouble-acts" }, parts.acknowledge, more, parts.open, parts.runbook);
  const node = h(
    "li",
    { class: "trouble", tabindex: -1, data: { row: "" }, on: { keydown: (/** @type {KeyboardEvent} */ event) => opened(event) } },
    h("div", { class: "trouble-head" }, parts.state, parts.name, parts.age),
    ...[parts.text, parts.members, parts.taken, parts.told, parts.held, parts.action, acts, parts.log],
  );
  CARDS.set(node, { trouble, parts: { ...parts, more } });
  return node;

  /** @param {KeyboardEvent} event */
  function opened(event) {
    if (event.key === "Enter" && event.target === node && named) parts.name.click();
  }
}

/** The trouble that a card shows. @param {Element} node @returns {Trouble} */
export function of(node) {
  return /** @type {{trouble: Trouble}} */ (CARDS.get(node)).trouble;
}

/** Ask to acknowledge what a card shows, where that may be. @param {any} app @param {Element} node */
export function acknowledge(app, node) {
  const trouble = of(node);
  if (mayAcknowledge(app.session, trouble)) commands.acknowledge(app, subject(trouble));
}

/**
 * Bring a card to what stands now.
 *
 * @param {any} app
 * @param {Element} node
 * @param {Trouble} trouble
 * @param {boolean} over whether it ended, and stands there only because somebody is about to use it
 */
export function updateCard(app, node, trouble, over) {
  const known = /** @type {{trouble: Trouble, parts: any, shown: any[]}} */ (CARDS.get(node));
  const name = app.store.partners.get(trouble.partner)?.name ?? trouble.incident?.partner_name ?? trouble.partner;
  const now = app.store.streamTime(trouble.partner);
  const taken = taker(trouble);
  const shown = [name, over, trouble.incident, ...trouble.alerts];
  if (known.shown?.length !== shown.length || shown.some((each, at) => each !== known.shown[at])) {
    Object.assign(known, { trouble, shown });
    draw(app, node, known.parts, { trouble, over, name, taken });
  }
  const { parts } = known;
  text(parts.age, age(now - trouble.since));
  line(parts.told, taken === null && trouble.held.length === 0 ? told(trouble, now) : null);
}

/** Who was told, and whose rule it is. @param {Trouble} trouble @param {number} now */
function told({ incident, alerts }, now) {
  const owner = alerts[0]?.rule.owner;
  return [incident && progress(incident, now), owner && `owner ${owner}`].filter(Boolean).join(" · ") || null;
}

/**
 * What of a card does not change by itself.
 *
 * @param {any} app
 * @param {Element} node
 * @param {any} parts
 * @param {{trouble: Trouble, over: boolean, name: string, taken: any}} stands
 */
function draw(app, node, parts, { trouble, over, name, taken }) {
  const worst = trouble.alerts[0] ?? null;
  attribute(node, "class", `trouble ${over ? "over" : trouble.held.length > 0 ? "held" : trouble.severity}${taken ? " taken" : ""}`);
  standing(parts.state, over ? null : trouble.severity);
  naming(app, parts.name, trouble, name, worst);
  attribute(parts.age, "title", `fires since ${moment(trouble.since)}`);
  text(parts.text, worst === null ? brief(trouble.incident.text, name) : sentence(worst, name));
  attribute(parts.text, "title", worst?.explanation ?? null);
  several(parts.members, trouble, name);
  line(parts.taken, taken && takenWords(taken));
  line(parts.held, trouble.held.length > 0 ? `Nobody is told: ${heldWords(trouble.held)}` : null);
  line(parts.action, taken === null && trouble.held.length === 0 ? (worst?.rule.suggested_action ?? null) : null);
  attribute(parts.action, "title", worst?.rule.suggested_action ?? null);
  const runbook = safeLink(worst?.rule.runbook);
  parts.runbook.hidden = runbook === null;
  attribute(parts.runbook, "href", runbook);
  parts.acknowledge.hidden = over || taken !== null || !mayAcknowledge(app.session, trouble);
  for (const each of parts.more.children) attribute(each, "aria-label", `More for ${trouble.incident?.text ?? worst.explanation}`);
  attribute(parts.acknowledge, "aria-label", `Acknowledge ${name}: ${worst === null ? trouble.incident.text : sentence(worst, name)}`);
  show(node);
}

/** @param {any} node @param {string | null} severity null: it is over */
function standing(node, severity) {
  if (node.dataset.severity === String(severity)) return;
  node.dataset.severity = String(severity);
  node.replaceChildren(severity === null ? "Over" : mark(severity));
}

/** A partner acknowledges what its own people were told of. @param {{role: string}} session @param {Trouble} trouble */
function mayAcknowledge(session, { incident }) {
  return may(session, "acknowledge") && (session.role !== "partner" || incident?.addressed === true);
}

/** @param {any} app @param {Element} node @param {Trouble} trouble @param {string} name @param {any} worst */
function naming(app, node, trouble, name, worst) {
  const scope = worst !== null && worst.scope !== "all" && trouble.alerts.length === 1 ? worst.scope.replace("=", " ") : "";
  if (node.matches("a")) {
    attribute(node, "href", app.url.link(`/partner/${encodeURIComponent(trouble.partner)}`, { alert: worst?.fingerprint ?? null }));
    text(node, scope ? `${name}, ${scope}` : name);
  } else {
    text(node, scope);
  }
}

/** @param {Element} list @param {Trouble} trouble @param {string} name */
function several(list, trouble, name) {
  const others = trouble.alerts.slice(1);
  const lines = others.slice(0, MEMBERS_SHOWN).map((each) => ({ key: each.fingerprint, says: `${STATES[each.severity].word}: ${sentence(each, name)}` }));
  if (others.length > MEMBERS_SHOWN) lines.push({ key: "more", says: `and ${others.length - MEMBERS_SHOWN} more` });
  /** @type {any} */ (list).hidden = lines.length === 0;
  keyed(list, lines, (each) => each.key, () => h("li"), (node, each) => {
    text(node, each.says);
    attribute(node, "title", each.says);
  });
}

/** @param {any} node @param {string | null} said */
function line(node, said) {
  node.hidden = !said;
  text(node, said ?? "");
}

/** @param {Element} node */
function unfold(node) {
  const { parts } = /** @type {{parts: any}} */ (CARDS.get(node));
  parts.log.hidden = !parts.log.hidden;
  attribute(parts.open, "aria-expanded", String(!parts.log.hidden));
  show(node);
}

/** @param {Element} node */
function show(node) {
  const { trouble, parts } = /** @type {{trouble: Trouble, parts: any}} */ (CARDS.get(node));
  const count = countLines(trouble);
  parts.open.hidden = count === 0;
  text(parts.open, `Log ${count}`);
  if (parts.log.hidden) return;
  keyed(parts.log, history(trouble), (each) => each.key, () => h("li", {}, h("time"), h("span")), (item, each) => {
    text(/** @type {Node} */ (item.firstChild), each.at);
    attribute(item, "title", each.title);
    text(/** @type {Node} */ (item.lastChild), each.says);
  });
}

/** What else can be done. @param {any} app @param {Trouble} trouble */
function entries(app, trouble) {
  const { incident, alerts, partner } = trouble;
  const worst = alerts[0] ?? null;
  const like = worst === null ? { partner } : { partner, rule: worst.rule.id, scope: worst.scope };
  const entry = (/** @type {string} */ what, /** @type {string} */ label, /** @type {any} */ act, needed = true) =>
    needed && may(app.session, what) ? { label, act } : null;
  return [
    entry("comment", "Comment …", () => commands.comment(app, subject(trouble))),
    entry("snooze", "Snooze …", () => commands.snooze(app, incident), incident !== null),
    entry("reassign", "Hand over …", () => commands.reassign(app, incident), incident !== null),
    entry("silence", "Silence …", () => commands.silence(app, like)),
    entry("annotate", "Annotate …", () => commands.annotate(app, { partner })),
    entry("resolve", "Resolve …", () => commands.resolve(app, incident), incident !== null),
  ];
}
