/** Silences that hold: what each covers, of whom and why, until when; who may ends one. */

import { expire } from "./commands.js";
import { attribute, h, keyed, text } from "./dom.js";
import { duration, moment, time } from "./format.js";
import { may } from "./session.js";

/**
 * @param {any} app
 * @param {string | null} partner of one partner alone, and of all
 * @returns {{root: Element, update(): void}}
 */
export function silences(app, partner) {
  const list = h("ul", { class: "silences" });
  const root = h("details", { class: "rail-silences" }, h("summary", {}), list);
  return { root, update };

  function update() {
    const found = held(app, partner);
    /** @type {any} */ (root).hidden = found.length === 0;
    text(/** @type {Node} */ (root.firstChild), `${found.length} ${found.length === 1 ? "silence" : "silences"}`);
    keyed(list, found, (each) => each.id, make, (node, each) => show(node, each));
  }

  /** @param {any} each */
  function make(each) {
    const end = h("button", { type: "button", class: "quiet", "aria-label": `End the silence of ${covers(each)}`, on: { click: () => expire(app, each) } }, "End …");
    return h("li", {}, h("p", {}), h("p", { class: "help" }), may(app.session, "expire") ? end : null);
  }

  /** @param {Element} node @param {any} each */
  function show(node, each) {
    const left = Math.max(0, each.until - app.store.streamTime(each.partner)) / 1000;
    const [what, why] = node.children;
    text(what, covers(each));
    text(why, `until ${time(each.until)}, ${duration(Math.ceil(left / 60) * 60)} left · ${each.actor}: ${each.comment}`);
    attribute(why, "title", `until ${moment(each.until)}`);
  }
}

/** Those that hold, the first to end first. @param {any} app @param {string | null} partner @returns {any[]} */
function held(app, partner) {
  return [...app.store.silences.values()]
    .filter((each) => each.until > app.store.streamTime(each.partner))
    .filter((each) => partner === null || each.partner === partner || each.partner === "*")
    .sort((a, b) => a.until - b.until);
}

/** @param {any} silence */
function covers({ partner, matchers }) {
  const { partner: whose, rule, scope, severity } = matchers;
  const parts = [whose ?? (partner === "*" ? "all partners" : partner), rule && `rule ${rule}`, scope && scope.replace("=", " "), severity];
  return parts.filter(Boolean).join(" · ");
}
