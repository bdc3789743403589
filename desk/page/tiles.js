/** The overview as tiles, for few partners: the same figures with more room. */

import { titleOf } from "./catalogue.js";
import { attribute, h, keyed, text } from "./dom.js";
import { quantity, told } from "./format.js";
import { spark } from "./spark.js";
import { STATES, mark, sign } from "./states.js";
import { drawn, noPolicy, patchFigure } from "./table.js";

/** Tiles in `root`; `on` as of the table. */
export class Tiles {
  constructor(root, on) {
    this._on = on;
    this._made = new Map();
    this._signature = null;
    this.node = h("ul", { class: "tiles" });
    this.node.addEventListener("click", (event) => this._pressed(event));
    this.node.addEventListener("pointerover", (event) => this._explain(event));
    root.append(this.node);
  }

  /** As `Table.update`. */
  update(entries, { columns, mine, lines, gone }) {
    const signature = columns.map((each) => each.id).join();
    if (signature !== this._signature) {
      this._signature = signature;
      this._made.clear();
      keyed(this.node, [], String, () => null);
    }
    keyed(
      this.node,
      entries,
      (entry) => entry.id,
      (entry) => this._make(entry, columns),
      (_, entry) => this._patch(entry, mine.has(entry.id), lines[entry.id], gone.has(entry.id)),
    );
  }

  _make(entry, columns) {
    const made = {
      state: h("div", { class: "tile-state" }),
      link: h("a", { href: `/partner/${encodeURIComponent(entry.id)}`, data: { row: "" } }),
      unnamed: noPolicy(),
      star: h("button", { type: "button", class: "star", data: { star: "" } }, sign("star")),
      level: h("div", { class: "tile-level", data: { kpi: "service_level" } }, h("span", { class: "figure" })),
      target: h("p", { class: "tile-target" }),
      spark: spark(),
      balance: h("p", { class: "tile-balance" }),
      cells: columns
        .filter(({ kpi, id }) => kpi && id !== "service_level")
        .map((column) => [column, h("dd", { data: { kpi: column.kpi } }, h("span", { class: "figure" }), column.n ? h("small", { class: "n" }) : null)]),
    };
    made.node = h(
      "li", { class: "tile panel", data: { partner: entry.id } },
      h("div", { class: "tile-head" }, made.state, made.star),
      h("h2", {}, made.link, made.unnamed),
      h("div", { class: "tile-main" }, h("div", {}, made.level, made.target), made.spark),
      h("dl", {}, made.cells.map(([column, cell]) => h("div", {}, h("dt", { title: column.what }, column.head), cell))),
      made.balance,
    );
    this._made.set(entry.id, made);
    return made.node;
  }

  _patch(entry, mine, line, gone) {
    const made = this._made.get(entry.id);
    const css = `tile panel is-${STATES[entry.state].class}${gone ? " is-gone" : ""}`;
    attribute(made.node, "class", css);
    attribute(made.star, "aria-pressed", String(mine));
    attribute(made.star, "aria-label", `${entry.name} is one of my partners`);
    if (made.entry === entry && made.line === line) return;
    const level = entry.row.kpis.service_level;
    drawn(made, made.spark, line, level);
    if (made.entry === entry) return;
    if (made.entry?.state !== entry.state) made.state.replaceChildren(mark(entry.state));
    attribute(made.state, "title", entry.why);
    made.entry = entry;
    text(made.link, entry.name);
    attribute(made.unnamed, "hidden", entry.row.configured !== false);
    patchFigure(made.level, level, { kpi: "service_level" });
    const aim = level?.target ?? null;
    text(made.target, aim === null ? "Service level, no target" : `Service level, target ${quantity(aim, level.unit)}`);
    for (const [column, cell] of made.cells) patchFigure(cell, entry.row.kpis[column.kpi], column);
    attribute(made.balance, "hidden", entry.balance === null);
    if (entry.balance !== null && made.balance.title !== entry.balance) {
      made.balance.title = entry.balance;
      made.balance.replaceChildren(h("span", { class: "mark mark-warning" }, sign("scales"), h("span", {}, "Quality does not keep up")));
    }
  }

  _pressed(event) {
    const tile = event.target.closest("li");
    if (tile === null) return;
    if (event.target.closest("[data-star]")) this._on.star(tile.dataset.partner);
    else if (!event.target.closest("a, button") && getSelection().isCollapsed) this._on.open(tile.dataset.partner);
  }

  _explain(event) {
    const cell = event.target.closest("[data-kpi]");
    const entry = cell && this._made.get(cell.closest("li").dataset.partner)?.entry;
    if (entry) attribute(cell, "title", told(entry.row.kpis[cell.dataset.kpi], cell.dataset.kpi, titleOf(cell.dataset.kpi)));
  }
}
