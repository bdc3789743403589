/** Fields of forms: each has a label, says beside itself what is wrong with it, and gives its value. */

import { h } from "./dom.js";
import { time, zone } from "./format.js";
import { ends, moment, shown } from "./moments.js";

const MINUTE_MS = 60_000;
let made = 0;

/**
 * @typedef {object} Field
 * @property {string} name as the API calls it
 * @property {Element} root
 * @property {() => any} read its value; undefined where nothing was said
 * @property {(why: string) => void} fail says what is wrong; an empty text takes that back
 * @property {() => void} focus
 */

/**
 * A line, or several.
 *
 * @param {string} name
 * @param {string} label
 * @param {{value?: string, required?: boolean, rows?: number, hint?: string, max?: number, known?: Promise<string[]>}} about `known`: what may be
 *   meant, to choose from while typing
 * @returns {Field}
 */
export function text(name, label, { value = "", required = false, rows = 1, hint = "", max = 500, known } = {}) {
  const input = h(rows > 1 ? "textarea" : "input", { rows: rows > 1 ? rows : null, maxlength: max, autocomplete: "off", spellcheck: rows > 1 });
  /** @type {HTMLInputElement} */ (input).value = value;
  const found = field(name, label, input, { hint, required }, () => /** @type {HTMLInputElement} */ (input).value.trim() || undefined);
  if (known) offer(found.root, input, known);
  return found;
}

/**
 * One of several.
 *
 * @param {string} name
 * @param {string} label
 * @param {{value: string, label: string}[]} options
 * @param {{value?: string, hint?: string}} about
 * @returns {Field}
 */
export function choice(name, label, options, { value, hint = "" } = {}) {
  const input = h("select", {}, ...options.map((each) => h("option", { value: each.value }, each.label)));
  if (value !== undefined) /** @type {HTMLSelectElement} */ (input).value = value;
  return field(name, label, input, { hint, required: false }, () => /** @type {HTMLSelectElement} */ (input).value || undefined);
}

/**
 * A moment, in the viewer's zone.
 *
 * @param {string} name
 * @param {string} label
 * @param {{value?: number | null}} about epoch ms
 * @returns {Field}
 */
export function at(name, label, { value = null } = {}) {
  const input = /** @type {HTMLInputElement} */ (h("input", { type: "datetime-local" }));
  if (value !== null) input.value = shown(value);
  return field(name, label, input, { hint: zone(), required: true }, () => moment(input.value) ?? undefined);
}

/**
 * Until when, by quick choices or by the clock.
 *
 * @param {any} app
 * @param {string} label
 * @param {{open?: string, minutes?: number, partner?: string}} about `open`: what it means to say no end, if that may be; `partner`: by
 *   whose stream time, which is that of the clock but for a replay
 * @returns {Field}
 */
export function until(app, label, { open, minutes = 30, partner = "*" } = {}) {
  const now = () => Math.floor(app.store.streamTime(partner));
  const group = `until-${(made += 1)}`;
  const input = /** @type {HTMLInputElement} */ (h("input", { type: "datetime-local", "aria-label": `${label}, at` }));
  input.value = shown(now() + 60 * MINUTE_MS);
  /** @type {Map<HTMLInputElement, () => number | null | undefined>} */
  const meant = new Map();
  const option = (/** @type {string} */ says, /** @type {() => number | null | undefined} */ ms, on = false) => {
    const radio = /** @type {HTMLInputElement} */ (h("input", { type: "radio", name: group }));
    radio.checked = on;
    meant.set(radio, ms);
    return h("label", { class: "chip" }, radio, h("span", {}, says));
  };
  const from = (/** @type {number} */ span) => () => now() + span * MINUTE_MS;
  const other = option("at a time", () => moment(input.value));
  const choices = h("div", { class: "chips" }, open ? option(open, () => undefined, true) : null);
  choices.append(option("30 min", from(30), !open && minutes === 30), option("2 h", from(120), !open && minutes === 120), other);
  const picked = h("div", { class: "picked" }, input, h("span", { class: "help" }, zone()));
  const show = () => (picked.hidden = !(/** @type {HTMLInputElement} */ (other.firstChild).checked));
  choices.addEventListener("change", show);
  show();
  app.api.get("oncall", { at: now() }).then(
    ({ rotations }) => ends(now(), rotations, time).forEach((each) => other.before(option(each.label, each.ms))),
    () => {}, // Without it the ends of shifts are no choice; what was asked for goes on.
  );
  const root = h("fieldset", { class: "field" }, h("legend", {}, label), choices, picked);
  const wrong = whatIsWrong(root, input);
  return {
    name: "until",
    root,
    read: () => {
      const radio = [...meant.keys()].find((each) => each.checked);
      const ms = radio ? meant.get(radio)?.() : null;
      if (ms === null) wrong("Say a date and a time.");
      else if (ms !== undefined && ms <= now()) wrong("That is over already.");
      else return ms;
      throw new FieldError();
    },
    fail: wrong,
    focus: () => (input.closest("[hidden]") ? /** @type {HTMLElement} */ (choices.querySelector(":checked")) : input)?.focus(),
  };
}

/** Raised when a field holds nothing that can be sent; it says so itself. */
export class FieldError extends Error {}

/**
 * @param {string} name
 * @param {string} label
 * @param {Element} input
 * @param {{hint: string, required: boolean}} about
 * @param {() => any} value
 * @returns {Field}
 */
function field(name, label, input, { hint, required }, value) {
  input.id = `field-${(made += 1)}`;
  const optional = required || input.matches("select") ? null : h("span", { class: "help" }, " optional");
  const root = h("div", { class: "field" }, h("label", { for: input.id }, label, optional), input);
  if (hint) {
    root.append(h("span", { class: "help", id: `${input.id}-hint` }, hint));
    input.setAttribute("aria-describedby", `${input.id}-hint`);
  }
  if (required) input.setAttribute("aria-required", "true");
  const wrong = whatIsWrong(root, input);
  const read = () => {
    const found = value();
    if (found !== undefined || !required) return found;
    wrong("This is needed.");
    throw new FieldError();
  };
  return { name, root, read, fail: wrong, focus: () => /** @type {HTMLElement} */ (input).focus() };
}

/** @param {Element} root @param {Element} input @param {Promise<string[]>} known */
function offer(root, input, known) {
  const list = h("datalist", { id: `${input.id}-known` });
  input.setAttribute("list", list.id);
  root.append(list);
  // Without them everything can be typed all the same.
  known.then((names) => list.replaceChildren(...names.map((each) => h("option", { value: each }))), () => {});
}

/** @param {Element} root @param {Element} input */
function whatIsWrong(root, input) {
  const line = h("p", { class: "field-error", id: `wrong-${(made += 1)}` });
  line.hidden = true;
  root.append(line);
  return (/** @type {string} */ why) => {
    line.textContent = why;
    line.hidden = why === "";
    input.setAttribute("aria-invalid", String(why !== ""));
    if (why) input.setAttribute("aria-errormessage", line.id);
    else input.removeAttribute("aria-errormessage");
  };
}
