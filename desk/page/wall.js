/** The wall: a big screen that nobody touches, read from across the room. The worst first and largest; it never needs a hand. */

import { arranged } from "./arrange.js";
import { learn, titleOf } from "./catalogue.js";
import { attribute, h, keyed, text } from "./dom.js";
import { age, figure, time, zone } from "./format.js";
import { mosaic } from "./mosaic.js";
import { Roster } from "./roster.js";
import { brief, takenWords } from "./said.js";
import { STATES, mark } from "./states.js";
import { taker, troubles } from "./troubles.js";

const TILES = 60;
const PAGE_MS = 12_000;
const OLD_MS = 15_000;
const POINTER_MS = 3_000;
const SESSION_MS = 3_600_000;
/** Nothing stands at one place for longer, so that nothing burns in. */
const DRIFT_MS = 60_000;
const DRIFT_PX = [[0, 0], [3, 1], [5, 4], [2, 5], [-2, 4], [-5, 2], [-4, -2], [-1, -4], [3, -3]];
const LOUD = new Set(["critical", "warning", "silent_feed"]);
const FIGURES = ["service_level", "service_level_now"];

/**
 * @param {Element} root
 * @param {any} app
 */
export function mount(root, app) {
  document.title = "outwatch";
  const clock = h("time", { class: "wall-clock" });
  const old = h("p", { class: "wall-old", role: "status" });
  const counts = h("p", { class: "wall-counts" });
  const page = h("p", { class: "wall-page" });
  const grid = h("ol", { class: "wall-grid" });
  const head = h("div", { class: "wall-head" }, h("h1", {}, "outwatch"), counts, page, old, h("p", { class: "wall-now" }, clock, h("span", {}, zone())));
  const node = /** @type {HTMLElement} */ (h("div", { class: "wall", on: { pointermove: moved } }, head, grid));
  let roster = new Roster(app.store);
  let release = app.store.version;
  const began = performance.now();
  const theme = document.documentElement.dataset.theme;
  // A lit wall in a dark room is the wrong way round, unless somebody chose so.
  document.documentElement.dataset.theme = theme ?? "dark";
  root.append(node);
  let pointer = setTimeout(rest, POINTER_MS);
  // Its session would end by and by: that of a viewer begins anew where it is asked for.
  const session = setInterval(() => app.api.get("session").catch(() => {}), SESSION_MS);
  const sized = new ResizeObserver(() => render());
  sized.observe(grid);
  render();
  // What is said of KPIs is said by their names once these are known.
  learn().then(() => (roster = new Roster(app.store)), () => {});
  return { update, tick: render, unmount };

  /** @param {any} change */
  function update(change) {
    roster.update(change);
    render();
  }

  function unmount() {
    clearTimeout(pointer);
    clearInterval(session);
    sized.disconnect();
    if (theme === undefined) delete document.documentElement.dataset.theme;
    node.remove();
  }

  /** Nobody is there to load a newer release. */
  function renew() {
    const { version } = app.store;
    if (release !== null && version !== release) location.reload();
    release = version;
  }

  function render() {
    renew();
    const all = tiles(app, roster);
    const pages = Math.max(1, Math.ceil(all.length / TILES));
    const passed = performance.now() - began;
    const at = Math.floor(passed / PAGE_MS) % pages;
    show(all.slice(at * TILES, (at + 1) * TILES));
    text(page, pages > 1 ? `${at + 1} / ${pages}` : "");
    summary(all);
    text(clock, time(app.now()));
    const [x, y] = DRIFT_PX[Math.floor(passed / DRIFT_MS) % DRIFT_PX.length];
    node.style.translate = `${x}px ${y}px`;
  }

  /** @param {Tile[]} some */
  function show(some) {
    const loud = some.filter((each) => LOUD.has(each.state)).length;
    const { width, height } = grid.getBoundingClientRect();
    const { columns, rows, large } = mosaic(loud, some.length - loud, width, height);
    const { style } = /** @type {HTMLElement} */ (grid);
    style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
    style.gridTemplateRows = `repeat(${rows}, minmax(0, 1fr))`;
    grid.classList.toggle("mixed", large);
    keyed(grid, some, (each) => each.partner, make, (tile, each) => fill(tile, each));
  }

  /** @param {Tile[]} all */
  function summary(all) {
    const found = new Map();
    for (const { state } of all) found.set(state, (found.get(state) ?? 0) + 1);
    const parts = Object.keys(STATES).filter((each) => found.has(each));
    keyed(counts, parts, (each) => each, (each) => h("span", {}, h("strong"), " ", mark(each)), (part, each) => text(/** @type {Node} */ (part.firstChild), found.get(each)));
    const ms = app.store.age();
    const stale = app.store.told && (ms === null || ms > OLD_MS);
    node.classList.toggle("stale", stale || app.stream.state !== "live");
    text(old, !stale ? (app.stream.state === "live" ? "" : "No connection to the desk") : ms === null ? "No worker reports" : `Data is ${age(ms)} old`);
  }

  function moved() {
    node.classList.remove("rests");
    clearTimeout(pointer);
    pointer = setTimeout(rest, POINTER_MS);
  }

  function rest() {
    node.classList.add("rests");
  }
}

/** @typedef {{partner: string, name: string, state: string, value: string, unit: string, says: string, waiting: string}} Tile */

/** All partners, the worst first. @param {any} app @param {Roster} roster @returns {Tile[]} */
function tiles(app, roster) {
  const wrong = new Map();
  for (const each of troubles(app.store)) if (!wrong.has(each.partner)) wrong.set(each.partner, each);
  return arranged([...roster.entries.values()], undefined, []).map((each) => tile(each, wrong.get(each.id) ?? null));
}

/** @param {import("./roster.js").Entry} entry @param {import("./troubles.js").Trouble | null} trouble @returns {Tile} */
function tile({ id, name, row, state, why }, trouble) {
  const kpi = FIGURES.find((each) => row.kpis[each]?.value != null) ?? Object.keys(row.kpis).find((each) => row.kpis[each].target !== null);
  const waiting = row.kpis.in_queue?.value;
  const taken = trouble && taker(trouble);
  const worst = trouble?.alerts[0]?.explanation ?? trouble?.incident?.text ?? why;
  return {
    partner: id,
    name,
    state,
    value: kpi ? figure(row.kpis[kpi], kpi).text : "",
    unit: kpi ? titleOf(kpi) : "",
    says: taken ? takenWords(taken) : brief(worst, name),
    waiting: waiting ? `${waiting} waiting` : "",
  };
}

function make() {
  const mid = h("p", { class: "slab-value" }, h("strong"), h("span", { class: "slab-unit" }));
  return h("li", { class: "slab" }, h("p", { class: "slab-state" }), h("p", { class: "slab-name" }), mid, h("p", { class: "slab-waiting" }), h("p", { class: "slab-says" }));
}

/** @param {any} node @param {Tile} tile */
function fill(node, tile) {
  const [state, name, value, waiting, says] = node.children;
  if (node.dataset.state !== tile.state) {
    node.dataset.state = tile.state;
    attribute(node, "class", `slab slab-${STATES[tile.state].class}${LOUD.has(tile.state) ? " loud" : ""}`);
    state.replaceChildren(mark(tile.state));
  }
  text(name, tile.name);
  text(value.firstChild, tile.value);
  text(value.lastChild, tile.unit);
  text(waiting, tile.waiting);
  text(says, tile.says);
}
