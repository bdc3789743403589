/** Keys of the whole page, and the help that lists them. */

import { h } from "./dom.js";

const NAMED = { Escape: "Esc", ArrowDown: "\u2193", ArrowUp: "\u2191", Enter: "Enter" };

/** Listens to keys where nothing is typed. `?` lists them. */
export class Keys {
  constructor() {
    this._known = new Map();
    this.on("?", "Show these keys", () => this.help());
    this.on("/", "Search", () => focusOn(document.querySelector("[data-search]")));
    this.on("j", "Next row", () => step(1));
    this.on("k", "Row before", () => step(-1));
    this.on("ArrowDown", null, (event) => !scrolls(event.target) && step(1));
    this.on("ArrowUp", null, (event) => !scrolls(event.target) && step(-1));
    document.addEventListener("keydown", (event) => this._pressed(event));
  }

  /**
   * Listen to a key.
   *
   * @param {string} key as `KeyboardEvent.key` has it
   * @param {string|null} what it does, for the help; null: nothing that must be said
   * @param {(event: KeyboardEvent) => boolean|void} run `false`: it was not for this one
   * @returns {() => void} listens no more
   */
  on(key, what, run) {
    const before = this._known.get(key);
    this._known.set(key, { what, run });
    return () => (before ? this._known.set(key, before) : this._known.delete(key));
  }

  /** Open the list. */
  help() {
    const rows = [...this._known].filter(([, { what }]) => what !== null);
    const dialog = h(
      "dialog",
      { class: "dialog help-dialog", "aria-labelledby": "help-title" },
      h("h2", { id: "help-title" }, "Keys"),
      h("dl", { class: "keys" }, rows.map(([key, { what }]) => h("div", {}, h("dt", {}, h("kbd", {}, NAMED[key] ?? key)), h("dd", {}, what)))),
      h("dl", { class: "keys" }, [["Enter", "Open the row"], ["Tab", "To whatever can be pressed"], ["Esc", "Close"]].map(
        ([key, what]) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)))),
      h("form", { method: "dialog" }, h("button", { class: "primary" }, "Close")),
    );
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }

  _pressed(event) {
    const typing = event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable], dialog");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const known = this._known.get(event.key);
    if (known && known.run(event) !== false) event.preventDefault();
  }
}

function focusOn(node) {
  if (node === null) return false;
  node.focus();
  node.select?.();
  return true;
}

/** Whether what has the focus is a list that the arrows scroll. */
function scrolls(node) {
  return node.scrollHeight > node.clientHeight && ["auto", "scroll"].includes(getComputedStyle(node).overflowY);
}

/** To the next of what views mark as `data-row`; from nowhere to the first. */
function step(by) {
  const rows = [...document.querySelectorAll("[data-row]")].filter((each) => each.checkVisibility());
  if (rows.length === 0) return false;
  const here = rows.findIndex((each) => each === document.activeElement || each.contains(document.activeElement));
  const next = here < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, here + by));
  rows[next].focus();
  rows[next].scrollIntoView({ block: "nearest" });
  return true;
}
