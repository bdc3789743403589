/** What the page says in passing: read out as well, and gone by itself unless something went wrong. */

import { h } from "./dom.js";

const SHOWN_MS = 6_000;
const AT_ONCE = 4;

/**
 * @param {Element} region of the shell, `aria-live`
 * @returns {(text: string, level?: "info"|"warning"|"error") => void}
 */
export function messages(region) {
  return (text, level = "info") => {
    const node = h("p", { class: `message message-${level}` }, h("span", {}, text));
    const close = h("button", { type: "button", class: "quiet", "aria-label": "Dismiss" }, "\u00d7");
    close.addEventListener("click", () => node.remove());
    node.append(close);
    region.append(node);
    while (region.children.length > AT_ONCE) region.firstElementChild.remove();
    if (level === "info") setTimeout(() => node.remove(), SHOWN_MS);
  };
}
