/** The overview: every partner, the worst first. */

import { learn } from "./catalogue.js";
import { arranged, counted, held, wanted } from "./arrange.js";
import { Present } from "./columns.js";
import { counts } from "./counts.js";
import { attribute, h, text } from "./dom.js";
import { emptiness, history } from "./emptiness.js";
import * as rail from "./rail.js";
import { Roster } from "./roster.js";
import { Table } from "./table.js";
import { Tiles } from "./tiles.js";
import { toolbar } from "./toolbar.js";

const TILES_MAX = 12;
const SPARKS_MS = 60_000;
const SPARKS_SOON_MS = 5_000;

/**
 * @param {Element} root
 * @param {import("./main.js").App} app
 * @returns {import("./main.js").Mounted}
 */
export function mount(root, app) {
  document.title = "outwatch";
  return new Overview(root, app);
}

class Overview {
  constructor(root, app) {
    this._app = app;
    this._roster = new Roster(app.store);
    this._present = new Present();
    this._shown = [];
    this._last = new Map();
    this._lines = {};
    this._read = 0;
    this._every = SPARKS_SOON_MS;
    this._pointed = false;
    this._asked = "";
    this._moved = h("button", { type: "button", class: "moved", hidden: true, on: { click: () => this.update({}, true) } });
    this._history = h("div", { class: "history", hidden: true });
    this._counts = counts((group) => app.url.set({ state: group }));
    this._tools = toolbar(app);
    this._empty = h("div", { class: "empty", role: "status", hidden: true });
    const on = {
      sort: (column) => this._sort(column),
      star: (partner) => this._star(partner),
      open: (partner) => app.url.go(`/partner/${encodeURIComponent(partner)}`, { window: app.url.current().params.window }),
    };
    this._body = h("section", { class: "board-body panel", "aria-label": "Partners" });
    this._table = new Table(this._body, on);
    this._tiles = new Tiles(this._body, on);
    this._board = h("div", { class: "board" }, this._tools.node, this._history, this._body, this._empty, this._moved);
    const side = h("aside", { class: "side" });
    root.append(h("h1", { class: "sr" }, "Overview"), this._counts.node, h("div", { class: "overview" }, this._board, side));
    this._rail = rail.mount(side, app);
    this._watch(this._table.body);
    this._watch(this._tiles.node);
    this._timer = setInterval(() => document.hidden || performance.now() - this._read < this._every || this._sparks(), SPARKS_SOON_MS);
    this._sparks();
    learn().then(() => this._again(), () => {});
    this._redraw = () => this.update({});
    app.prefs.addEventListener("change", this._redraw);
  }

  unmount() {
    this._rail.unmount();
    clearInterval(this._timer);
    this._app.prefs.removeEventListener("change", this._redraw);
  }

  /** Rows stay where they are while somebody points at one, or has the focus in one. */
  _watch(body) {
    // Later, since a browser that moves the focus from row to row has it nowhere in between.
    const freed = () => setTimeout(() => this._isHeld() || this._moved.hidden || this.update({}));
    body.addEventListener("pointerenter", () => (this._pointed = true));
    body.addEventListener("pointerleave", () => {
      this._pointed = false;
      freed();
    });
    body.addEventListener("focusout", freed);
  }

  _isHeld() {
    const focused = document.activeElement;
    return this._pointed || this._table.body.contains(focused) || this._tiles.node.contains(focused);
  }

  update(change, apply = false) {
    this._rail.update(change);
    const { store, url, prefs } = this._app;
    this._roster.update(change);
    const { params } = url.current();
    const entries = [...this._roster.entries.values()];
    const mine = new Set(prefs.get("mine", []));
    const columns = this._present.of(entries, store.window);
    const ids = arranged(wanted(entries, params, mine), params.sort, columns).map((entry) => entry.id);
    const asked = JSON.stringify([params, prefs.get("mine")]);
    // What the viewer asked for anew is shown at once, wherever the pointer is.
    const hold = !apply && asked === this._asked && this._isHeld();
    this._asked = asked;
    const { ids: shown, moved } = hold ? held(this._shown, ids) : { ids, moved: 0 };
    this._shown = shown;
    for (const entry of entries) this._last.set(entry.id, entry);
    const gone = new Set(shown.filter((id) => !this._roster.entries.has(id)));
    const tiles = (params.view ?? (entries.length <= TILES_MAX ? "tiles" : "table")) === "tiles";
    const how = { columns, sort: params.sort, mine, lines: this._lines, gone };
    const rows = shown.map((id) => this._last.get(id));
    attribute(this._table.node, "hidden", tiles || rows.length === 0);
    attribute(this._tiles.node, "hidden", !tiles || rows.length === 0);
    attribute(this._body, "hidden", rows.length === 0);
    this._body.classList.toggle("panel", !tiles);
    (tiles ? this._tiles : this._table).update(rows, how);
    this._counts.update(store.told ? counted(entries) : {}, params.state);
    this._tools.update({ params, tiles, shown: rows.length, all: store.told ? entries.length : null });
    text(this._moved, `${moved} ${moved === 1 ? "row" : "rows"} moved: put in order`);
    attribute(this._moved, "hidden", moved === 0);
    emptiness(this._empty, this._app, rows.length, entries.length);
    history(this._history, store.projector.get(""));
  }

  /** Worst first, then the other way, then as before. */
  _sort(column) {
    const { sort } = this._app.url.current().params;
    this._app.url.set({ sort: sort === column ? `-${column}` : sort === `-${column}` ? null : column }, { replace: true });
  }

  _star(partner) {
    const mine = new Set(this._app.prefs.get("mine", []));
    if (!mine.delete(partner)) mine.add(partner);
    this._app.prefs.set("mine", [...mine].sort());
  }

  /** Names became known: what was made of ids is made anew. */
  _again() {
    this._roster = new Roster(this._app.store);
    this.update({});
  }

  async _sparks() {
    this._read = performance.now();
    try {
      this._lines = (await this._app.api.get("sparks", { kpi: "service_level", window: "1m", points: 30 })).partners;
      this._every = SPARKS_MS;
      this.update({});
    } catch {
      // The lines stay as they are; that the desk does not answer is said in the bar.
      this._every = SPARKS_SOON_MS;
    }
  }
}
