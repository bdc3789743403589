/** The counts above the overview: how many partners stand how, and each is a filter. */

import { attribute, h, text } from "./dom.js";
import { sign } from "./states.js";

const COUNTS = [
  ["critical", "critical", "triangle", "An alert is critical, or a figure is past its critical bound"],
  ["warning", "warning", "diamond", "An alert warns, or a figure misses its target"],
  ["stale", "stale or silent", "clock", "Not counted at the moment, or its feed fell silent: what is shown may not hold"],
  ["unknown", "not judged", "ring", "No data, too few observations, or no target: nobody knows whether it is good"],
  ["ok", "on target", "dot", "Every figure that can be judged meets its target, and no alert fires"],
  ["waiting", "contacts waiting", null, "Of all partners, now; shows those where somebody waits"],
];

/**
 * @param {(group: string|null) => void} filter called with what is to be shown alone
 * @returns {{node: Element, update: (counts: Object<string, number|null>, state: string|undefined) => void}}
 */
export function counts(filter) {
  const made = new Map();
  for (const [group, word, shape, what] of COUNTS) {
    const number = h("span", { class: "count-number" });
    const button = h(
      "button", { type: "button", class: `count count-${group}`, title: what, "aria-pressed": "false" },
      number, h("span", { class: "count-word" }, shape ? sign(shape) : null, word),
    );
    button.addEventListener("click", () => filter(button.getAttribute("aria-pressed") === "true" ? null : group));
    made.set(group, { number, button });
  }
  const node = h("div", { class: "counts", role: "group", "aria-label": "How partners stand; each shows these alone" }, [...made.values()].map(({ button }) => button));
  const update = (found, state) => {
    for (const [group, { number, button }] of made) {
      text(number, found[group] ?? "\u2013");
      button.classList.toggle("is-none", !found[group]);
      attribute(button, "aria-pressed", String(state === group));
    }
  };
  return { node, update };
}
