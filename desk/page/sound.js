/** Alarms beside the picture: a sound for what is new, and a count in the title. Both are off until somebody wants them. */

import { text } from "./dom.js";
import { menu } from "./menu.js";
import { taker, troubles } from "./troubles.js";

/** By severity: the notes, Hz, and how long each is. */
const NOTES = { critical: { hz: [880, 660, 880, 660], seconds: 0.16 }, warning: { hz: [523], seconds: 0.3 } };
const LOUD = 0.2;
const HEARD_MAX = 2_000;
const COUNT = /^\(\d+\) /;

/**
 * @param {any} app
 * @returns {Element} a menu with both switches
 */
export function alarms(app) {
  const voice = new Voice();
  /** @type {Set<string> | null} */
  let heard = null;
  let fires = 0;
  const on = (/** @type {string} */ name) => app.prefs.get(name, false);
  const root = menu("Alarms", null, () => [entry("sound", "Sound"), entry("title", "Title count")]);
  app.prefs.addEventListener("change", look);
  new MutationObserver(name).observe(/** @type {Node} */ (document.querySelector("title")), { childList: true });
  // A browser lets a page be heard only once somebody touched it.
  for (const gesture of ["pointerdown", "keydown"]) document.addEventListener(gesture, wake);
  // Not by way of the view: a browser draws nothing of a page that is behind others, and that is when somebody has to hear of it.
  app.store.addEventListener("change", (/** @type {any} */ { detail }) => (detail.alerts || detail.incidents) && look());
  return root;

  function look() {
    const open = troubles(app.store).filter((each) => each.held.length === 0 && taker(each) === null);
    listen(open);
    fires = open.length;
    name();
    const waits = on("sound") && !voice.ready;
    text(/** @type {Node} */ (root.firstChild), `Alarms: ${waits ? "click to be heard" : on("sound") ? "sound" : on("title") ? "title" : "off"}`);
  }

  /** A view names the page, and may do so at any time. */
  function name() {
    const count = on("title") && fires > 0 ? `(${fires}) ` : "";
    const named = `${count}${document.title.replace(COUNT, "")}`;
    if (document.title !== named) document.title = named;
  }

  /** What stood there at first is known, and nothing is heard twice, but what fires again another time. @param {import("./troubles.js").Trouble[]} open */
  function listen(open) {
    if (!app.store.told) return;
    const keys = new Map(open.map((each) => [`${each.episode} ${each.severity}`, each.severity]));
    const fresh = heard === null ? [] : [...keys].filter(([key]) => !(/** @type {Set<string>} */ (heard).has(key)));
    heard = new Set([...keys.keys(), ...(heard ?? [])].slice(0, HEARD_MAX));
    if (fresh.length === 0 || !on("sound")) return;
    voice.play(fresh.some(([, severity]) => severity === "critical") ? NOTES.critical : NOTES.warning);
  }

  function wake() {
    if (on("sound")) voice.wake().then(look, () => {});
  }

  /** @param {string} name @param {string} label */
  function entry(name, label) {
    const act = () => {
      app.prefs.set(name, !on(name));
      wake();
    };
    return { label: `${label}: ${on(name) ? "on" : "off"}`, act };
  }
}

/** Plays notes, once a browser lets it. */
class Voice {
  constructor() {
    /** @type {AudioContext | null} */
    this._context = null;
  }

  get ready() {
    return this._context?.state === "running";
  }

  async wake() {
    this._context ??= new AudioContext();
    await this._context.resume();
  }

  /** @param {{hz: number[], seconds: number}} notes */
  play({ hz, seconds }) {
    const context = this._context;
    if (context === null || !this.ready) return;
    hz.forEach((each, place) => {
      const from = context.currentTime + place * seconds;
      const tone = new OscillatorNode(context, { frequency: each });
      const gain = new GainNode(context, { gain: 0 });
      // It swells and fades within a few milliseconds, since a note that is cut cracks.
      gain.gain.setValueAtTime(0, from);
      gain.gain.linearRampToValueAtTime(LOUD, from + 0.02);
      gain.gain.setValueAtTime(LOUD, from + seconds - 0.05);
      gain.gain.linearRampToValueAtTime(0, from + seconds - 0.01);
      tone.connect(gain).connect(context.destination);
      tone.start(from);
      tone.stop(from + seconds);
    });
  }
}
