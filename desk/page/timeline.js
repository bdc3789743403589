/** The timeline of a partner: what fired, who was told, what was said and noted, the newest first. */

import { attribute, h, keyed, text } from "./dom.js";
import { day, time } from "./format.js";
import { asideOf, classOf, episodes, KINDS, saidOf, shapeOf, wordOf } from "./happened.js";
import { brief } from "./said.js";
import { sign } from "./states.js";

const EVERY_MS = 15_000;
const SOON_MS = 1_500;
const PAGE = 60;
const SHOWN_MAX = 1_000;

/**
 * @param {any} app
 * @param {import("./study.js").Study} study
 * @returns {{node: Element, update: (change: Object<string, Set<string>>) => void, episodes: () => any[], close: () => void}}
 */
export function timeline(app, study) {
  const list = h("ol", { class: "happened", tabindex: "0", "aria-label": "What happened, the newest first" });
  const hint = h("p", { class: "hint" });
  const older = h("button", { type: "button", class: "quiet", hidden: true, on: { click: () => load(true) } }, "Older");
  const buttons = KINDS.map(({ id, title }) => h("button", { type: "button", class: "quiet", "aria-pressed": String(id === ""), on: { click: () => narrow(id) } }, title));
  const filters = h("div", { class: "ranges", role: "group", "aria-label": "Narrow the timeline" }, buttons);
  const node = h("section", { class: "panel timeline" }, h("div", { class: "panel-head" }, h("h2", {}, "Timeline"), filters), hint, list, older);
  const state = { entries: [], more: false, problem: null, kind: "", told: false };
  let soon = null;
  const aborted = new AbortController();

  const load = async (further = false) => {
    const before = further ? state.entries[state.entries.length - 1]?.at : null;
    try {
      const path = `partners/${encodeURIComponent(study.partner)}/timeline`;
      const told = await app.api.get(path, { limit: further ? PAGE : Math.min(200, Math.max(PAGE, state.entries.length)), before }, aborted.signal);
      // What was asked for page by page stays; the newest page is put in front of what is older than it.
      const last = told.entries[told.entries.length - 1]?.at ?? -Infinity;
      const kept = further ? state.entries : state.entries.filter((each) => told.more && each.at < last);
      state.entries = (further ? [...kept, ...told.entries] : [...told.entries, ...kept]).slice(0, SHOWN_MAX);
      if (further || kept.length === 0) state.more = told.more && state.entries.length < SHOWN_MAX;
      state.problem = null;
      state.told = true;
    } catch (error) {
      if (error.name === "AbortError") return;
      state.problem = error;
    }
    show();
    study.dispatchEvent(new Event("change"));
  };
  const narrow = (kind) => {
    state.kind = kind;
    buttons.forEach((button, at) => attribute(button, "aria-pressed", String(KINDS[at].id === kind)));
    show();
  };
  const show = () => {
    const found = state.entries.filter((each) => state.kind === "" || each.kind === state.kind);
    const empty = state.kind === "" ? "Nothing happened that is still known." : "Nothing of this kind is known.";
    const words = state.problem !== null ? `It cannot be read: ${state.problem.message}` : !state.told ? "Reading \u2026" : found.length === 0 ? empty : "";
    text(hint, words);
    attribute(hint, "hidden", words === "");
    attribute(older, "hidden", !state.more);
    keyed(list, dated(found), (each) => each.key, line, (item, each) => writeLine(item, each, study.name));
  };
  const timer = setInterval(() => document.visibilityState === "visible" && load(), EVERY_MS);
  load();
  return {
    node,
    episodes: () => episodes(state.entries),
    update(change) {
      const changed = ["alerts", "incidents", "annotations", "silences"].some((kind) => [...(change[kind] ?? [])].some((id) => isOf(app, kind, id, study.partner)));
      if (changed && soon === null) {
        soon = setTimeout(() => {
          soon = null;
          load();
        }, SOON_MS);
      }
    },
    close() {
      clearInterval(timer);
      clearTimeout(soon);
      aborted.abort();
    },
  };
}

/** Whether a change may be of the partner: of what is gone nobody knows whose it was. */
function isOf(app, kind, id, partner) {
  const found = app.store[kind].get(id);
  return found === undefined || found.partner === partner || found.partner === "*";
}

/** Entries with the first of each day marked. */
function dated(entries) {
  let before = null;
  return entries.map((entry) => {
    const named = day(entry.at);
    const first = named !== before;
    before = named;
    return { key: `${entry.kind} ${entry.id}`, entry, day: first ? named : "" };
  });
}

function line() {
  const parts = ["day", "at", "what", "words"].map((name) => h("span", { class: `happened-${name}` }));
  parts[3].append(h("span"), h("span", { class: "aside" }));
  return h("li", {}, parts);
}

function writeLine(node, { entry, day: named }, name) {
  const [dayOf, at, what, words] = node.children;
  text(dayOf, named);
  attribute(node, "class", named === "" ? null : "first");
  text(at, time(entry.at));
  const key = `${shapeOf(entry)} ${classOf(entry)} ${wordOf(entry)}`;
  if (what.dataset.key !== key) {
    what.dataset.key = key;
    attribute(what, "class", `happened-what ${classOf(entry)}`);
    what.replaceChildren(sign(shapeOf(entry)), wordOf(entry));
  }
  text(words.firstChild, entry.what === "told" ? saidOf(entry) : brief(entry.text, name));
  text(words.lastChild, asideOf(entry, (ms) => (day(ms) === day(entry.at) ? time(ms) : `${day(ms)} ${time(ms)}`)));
}
