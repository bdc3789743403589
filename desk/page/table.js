/**
 * The overview as one dense table. A row is made once a partner, and patched where its entry became another.
 *
 * Its rows are boxes of their own rather than of a table layout, so that a browser lays out only those that changed and are seen; the
 * roles that this takes from the elements are said again.
 */

import { attribute, h, keyed, text } from "./dom.js";
import { figure, many, quantity, told } from "./format.js";
import { sharedTarget } from "./columns.js";
import { draw, spark } from "./spark.js";
import { STATES, mark, sign } from "./states.js";
import { titleOf } from "./catalogue.js";

const WRONG = new Set(["critical", "warning"]);
const LIMITS = { higher: "\u2265", lower: "\u2264" };

/** A table in `root`. `on` is told of what is pressed: `sort(column)`, `star(partner)`, `open(partner)`. */
export class Table {
  constructor(root, on) {
    this._on = on;
    this._signature = null;
    this._rows = new Map();
    this._head = h("thead", { role: "rowgroup" });
    /** Where rows are held under pointer and focus. */
    this.body = h("tbody", { role: "rowgroup" });
    this.node = h("table", { class: "partners", role: "table", "aria-label": "Partners" }, this._head, this.body);
    this.body.addEventListener("click", (event) => this._pressed(event));
    this.body.addEventListener("pointerover", (event) => explain(event.target, this._rows));
    root.append(this.node);
  }

  /**
   * @param {import("./roster.js").Entry[]} entries in order
   * @param {{columns: import("./columns.js").Column[], sort: string|undefined, mine: Set<string>, lines: Object<string, (number|null)[]>,
   *   gone: Set<string>}} how
   */
  update(entries, { columns, sort, mine, lines, gone }) {
    this._update_head(columns, sort, entries);
    keyed(
      this.body,
      entries,
      (entry) => entry.id,
      (entry) => this._make(entry, columns),
      (_, entry) => this._patch(entry, mine.has(entry.id), lines[entry.id], gone.has(entry.id)),
    );
    for (const id of this._rows.keys()) {
      if (this._rows.get(id).node.parentNode === null) this._rows.delete(id);
    }
  }

  _update_head(columns, sort, entries) {
    const targets = new Map(columns.map((column) => [column.id, sharedTarget(column, entries)]));
    const signature = columns.map((each) => each.id).join();
    if (signature !== this._signature) {
      this._signature = signature;
      this._rows.clear();
      keyed(this.body, [], String, () => null);
      this._heads = new Map(columns.map((column) => [column.id, this._head_of(column)]));
      this._head.replaceChildren(h("tr", { role: "row" }, [...this._heads.values()].map(({ cell }) => cell)));
      for (const name of ["Efficiency", "Quality"]) {
        const first = columns.find(({ group }) => group === name);
        if (first) this._heads.get(first.id).cell.dataset.group = name;
      }
    }
    for (const column of columns) {
      const { cell, target } = this._heads.get(column.id);
      const aim = targets.get(column.id);
      if (target) text(target, aim === null ? "" : `${LIMITS[column.better]}\u202f${quantity(aim.target, aim.unit)}`);
      const way = sort === column.id ? "descending" : sort === `-${column.id}` ? "ascending" : null;
      attribute(cell, "aria-sort", way);
    }
  }

  _head_of(column) {
    if (column.id === "spark") return { cell: h("th", { role: "columnheader", class: "c-spark", title: column.what }, h("span", { class: "sort" }, column.head)) };
    const target = column.kpi ? h("small") : null;
    const button = h("button", { type: "button", class: "sort", on: { click: () => this._on.sort(column.id) } }, h("span", {}, column.head), target);
    return { cell: h("th", { role: "columnheader", class: `c-${column.id}${column.kpi ? " num" : ""}`, title: column.what }, button), target };
  }

  _make(entry, columns) {
    const star = h("button", { type: "button", class: "star", data: { star: "" } }, sign("star"));
    const link = h("a", { href: `/partner/${encodeURIComponent(entry.id)}`, data: { row: "" } });
    const unnamed = noPolicy();
    const cells = new Map();
    const made = columns.map((column) => {
      const css = `c-${column.id}${column.kpi ? " num" : ""}`;
      let cell;
      if (column.id === "partner") cell = h("th", { role: "rowheader", class: css }, h("div", { class: "partner" }, link, unnamed, star));
      else if (column.id === "spark") cell = h("td", { role: "cell", class: css }, spark());
      else if (column.kpi) cell = h("td", { role: "cell", class: css, data: { kpi: column.kpi } }, h("span", { class: "figure" }), column.n ? h("small", { class: "n" }) : null);
      else cell = h("td", { role: "cell", class: css });
      cells.set(column.id, cell);
      return cell;
    });
    const node = h("tr", { role: "row", data: { partner: entry.id } }, made);
    this._rows.set(entry.id, { node, columns, cells, star, link, unnamed, entry: null, line: null, drawn: null, css: null });
    return node;
  }

  _patch(entry, mine, line, gone) {
    const row = this._rows.get(entry.id);
    const css = `is-${STATES[entry.state].class}${mine ? " is-mine" : ""}${gone ? " is-gone" : ""}`;
    if (row.css !== css) {
      row.css = css;
      attribute(row.node, "class", css);
      attribute(row.star, "aria-pressed", String(mine));
    }
    if (row.entry === entry && row.line === line) return;
    drawn(row, row.cells.get("spark")?.firstChild, line, entry.row.kpis.service_level);
    if (row.entry === entry) return;
    if (row.entry?.state !== entry.state) row.cells.get("state").replaceChildren(mark(entry.state));
    row.entry = entry;
    text(row.link, entry.name);
    attribute(row.star, "aria-label", `${entry.name} is one of my partners`);
    attribute(row.unnamed, "hidden", entry.row.configured !== false);
    attribute(row.cells.get("state"), "title", entry.why);
    for (const column of row.columns) {
      if (column.kpi) patchFigure(row.cells.get(column.id), entry.row.kpis[column.kpi], column);
      else if (column.id === "balance") patchBalance(row.cells.get("balance"), entry.balance);
    }
  }

  _pressed(event) {
    const node = event.target.closest("tr");
    if (node === null) return;
    const id = node.dataset.partner;
    if (event.target.closest("[data-star]")) this._on.star(id);
    else if (!event.target.closest("a, button") && getSelection().isCollapsed) this._on.open(id);
  }
}

/** Write a figure into its cell: what is wrong has a shape beside it, whose name is its word. */
export function patchFigure(cell, found, column) {
  const { text: said, state, n } = figure(found, column.kpi);
  const node = cell.firstChild;
  text(node.lastChild instanceof Text || node.lastChild === null ? node : node.lastChild, said);
  if (column.n) text(cell.lastChild, n === null || n === 0 ? "" : `n\u00a0${many(n)}`);
  if (cell.dataset.state === state) return;
  cell.dataset.state = state;
  node.replaceChildren(...(WRONG.has(state) ? [sign(STATES[state].shape, STATES[state].word)] : []), h("span", {}, said));
}

/** Beside the name of a partner that no policy names. */
export function noPolicy() {
  return h("small", { class: "unnamed", title: "No policy names it: it is counted under the defaults", hidden: true }, "no policy");
}

/** Draw the line of a row or tile if it, or what it is held against, became different. */
export function drawn(made, svg, line, level) {
  made.line = line;
  if (!svg || !line) return;
  const about = `${level?.target}/${level?.unit}/${level?.status}`;
  if (made.drawn?.line === line && made.drawn.about === about) return;
  made.drawn = { line, about };
  draw(svg, line, { target: level?.target ?? null, unit: level?.unit, state: level?.status });
}

function patchBalance(cell, why) {
  attribute(cell, "title", why);
  if ((why !== null) === cell.hasChildNodes()) return;
  cell.replaceChildren(...(why === null ? [] : [h("span", { class: "mark mark-warning" }, sign("scales"), h("span", {}, "Behind"))]));
}

/** What a figure says of itself is put together when somebody points at it, not each second for all. */
function explain(target, rows) {
  const cell = target.closest?.("td[data-kpi]");
  const entry = cell && rows.get(cell.closest("tr").dataset.partner)?.entry;
  if (entry) attribute(cell, "title", told(entry.row.kpis[cell.dataset.kpi], cell.dataset.kpi, titleOf(cell.dataset.kpi)));
}
