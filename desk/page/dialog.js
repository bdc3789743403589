/** A form in a dialog that asks for a command: it says what is wrong beside each field, that it was sent, and then what came of it. */

import { h } from "./dom.js";
import { FieldError } from "./fields.js";
import { outcomeOf } from "./outcomes.js";

/** So long a dialog that is done stays, for its last word to be read. */
const DONE_MS = 900;

/**
 * @typedef {object} Form
 * @property {string} title what is asked for, and of what
 * @property {string} [about] what it does
 * @property {import('./fields.js').Field[]} fields
 * @property {string} action the word on the button
 * @property {string} path where it is sent to
 * @property {(values: Record<string, any>) => object} body of the values by field, those that were said
 * @property {(form: Element) => Element | null} [beside] stands under the fields, and is asked for anew when something was typed
 */

/**
 * Ask; resolves when the dialog is closed.
 *
 * @param {any} app
 * @param {Form} asked
 * @returns {Promise<import('./outcomes.js').Outcome | null>} what came of it, if that was known by then
 */
export function ask(app, asked) {
  const status = h("p", { class: "dialog-status", role: "status" });
  const send = /** @type {HTMLButtonElement} */ (h("button", { class: "primary", type: "submit" }, asked.action));
  const cancel = h("button", { type: "button", on: { click: () => dialog.close() } }, "Cancel");
  const form = h(
    "form",
    { novalidate: true, on: { submit } },
    h("h2", { id: "dialog-title" }, asked.title),
    asked.about ? h("p", { class: "dialog-about" }, asked.about) : null,
    ...asked.fields.map((each) => each.root),
    asked.beside ? h("div", { class: "dialog-beside" }) : null,
    status,
    h("div", { class: "dialog-actions" }, cancel, send),
  );
  const dialog = /** @type {HTMLDialogElement} */ (h("dialog", { class: "dialog ask", "aria-labelledby": "dialog-title" }, form));
  /** @type {import('./outcomes.js').Outcome | null} */
  let outcome = null;
  const stop = asked.beside ? beside(app, form, asked.beside) : () => {};
  document.body.append(dialog);
  dialog.showModal();
  asked.fields[0]?.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      stop();
      dialog.remove();
      resolve(outcome);
    });
  });

  /** @param {string} text @param {'busy' | 'bad' | 'good' | ''} mood */
  function say(text, mood) {
    status.textContent = text;
    status.dataset.mood = mood;
  }

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    if (send.disabled) return;
    const values = read(asked.fields);
    if (values === null) return;
    send.disabled = true;
    say("Sending …", "busy");
    try {
      const accepted = await app.api.post(asked.path, asked.body(values));
      await follow(accepted);
    } catch (error) {
      say(problem(error, asked.fields), "bad");
      send.disabled = false;
    }
  }

  /** @param {{id: string, partner: string}} accepted */
  async function follow(accepted) {
    say("Sent. The workers do it within a second or two.", "busy");
    cancel.textContent = "Close";
    const late = "Sent, and not answered for 15 s: are the workers busy, or away? Whoever reads it later does it. This goes on watching.";
    outcome = await outcomeOf(app, accepted, () => (dialog.open ? say(late, "busy") : app.say(`${asked.title}: ${late}`, "warning")));
    if (outcome === null) say("Nothing was heard of it for 10 minutes.", "bad");
    else if (outcome.applied) done(outcome.reason);
    else refused(outcome.reason);
  }

  /** @param {string} reason */
  function done(reason) {
    app.say(`${asked.title}: ${reason}`);
    say(`Done: ${reason}.`, "good");
    send.hidden = true;
    cancel.focus();
    setTimeout(() => dialog.close(), DONE_MS);
  }

  /** @param {string} reason */
  function refused(reason) {
    if (!dialog.open) app.say(`${asked.title}: not done, since ${reason}`, "error");
    say(`Not done: ${reason}.`, "bad");
    send.disabled = false;
  }
}

/**
 * The values of all fields, or null where one holds nothing that can be sent; the first of these has the focus then.
 *
 * @param {import('./fields.js').Field[]} fields
 */
function read(fields) {
  /** @type {Record<string, any>} */
  const values = {};
  let wrong = null;
  for (const field of fields) {
    field.fail("");
    try {
      const value = field.read();
      if (value !== undefined) values[field.name] = value;
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      wrong ??= field;
    }
  }
  wrong?.focus();
  return wrong === null ? values : null;
}

/**
 * What the desk said against it: beside the fields that it is about, the rest as a sentence.
 *
 * @param {any} error
 * @param {import('./fields.js').Field[]} fields
 * @returns {string}
 */
function problem(error, fields) {
  if (!error.problem) throw error;
  if (error.status === 0) return "The desk does not answer. It may have been sent all the same: look at what stands before you send it again.";
  const said = error.problem;
  let first = null;
  for (const { field: where, message } of said.errors ?? []) {
    const field = fields.find((each) => where.split(".").includes(each.name));
    field?.fail(`${message}.`);
    first ??= field ?? null;
  }
  first?.focus();
  return first === null ? `Not sent: ${error.message}.` : "Not sent: see above.";
}

/** @param {any} app @param {Element} form @param {(form: Element) => Element | null} make */
function beside(app, form, make) {
  const place = /** @type {Element} */ (form.querySelector(".dialog-beside"));
  const show = () => place.replaceChildren(...[make(form)].filter((each) => each !== null));
  form.addEventListener("input", show);
  app.store.addEventListener("change", show);
  show();
  return () => app.store.removeEventListener("change", show);
}
