/** A button that opens a list of others: the arrows go through them, Esc and a click elsewhere close it. */

import { h } from "./dom.js";

const GAP_PX = 4;

/**
 * @param {string} label of the button
 * @param {string | null} name says more to who does not see beside what it stands
 * @param {() => ({label: string, act: () => void} | null)[]} entries asked for anew at each opening; null is left out
 * @returns {HTMLElement} the button with its list
 */
export function menu(label, name, entries) {
  const list = h("div", { class: "menu-list", role: "menu", "aria-label": name ?? label, popover: "auto", on: { keydown: move, toggle } });
  const button = h("button", { type: "button", class: "quiet", "aria-haspopup": "menu", "aria-expanded": "false", "aria-label": name, on: { click: open } }, label);
  const root = h("span", { class: "menu" }, button, list);

  function open() {
    const items = entries().filter((each) => each !== null);
    list.replaceChildren(...items.map(({ label: says, act }) => h("button", { type: "button", role: "menuitem", on: { click: () => chosen(act) } }, says)));
    list.togglePopover();
  }

  /** @param {() => void} act */
  function chosen(act) {
    list.hidePopover();
    button.focus();
    act();
  }

  /** @param {any} event */
  function toggle(event) {
    const shown = event.newState === "open";
    button.setAttribute("aria-expanded", String(shown));
    if (!shown) return;
    const at = button.getBoundingClientRect();
    const { width, height } = list.getBoundingClientRect();
    const below = at.bottom + GAP_PX + height <= innerHeight;
    list.style.left = `${Math.max(GAP_PX, Math.min(at.right - width, innerWidth - width - GAP_PX))}px`;
    list.style.top = `${below ? at.bottom + GAP_PX : Math.max(GAP_PX, at.top - GAP_PX - height)}px`;
    /** @type {HTMLElement | null} */ (list.firstElementChild)?.focus();
  }

  /** @param {KeyboardEvent} event */
  function move(event) {
    const items = [...list.children];
    const at = items.indexOf(/** @type {Element} */ (document.activeElement));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (event.key === "Tab") list.hidePopover();
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    /** @type {HTMLElement} */ (items.at(to % items.length)).focus();
  }

  return /** @type {HTMLElement} */ (root);
}
