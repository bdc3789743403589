/** One KPI in every window that is kept, the narrowest first. */

import { aim, counted, figureButton, interval, observed, showFigure, showState, stateOf } from "./cells.js";
import { attribute, h, keyed, text } from "./dom.js";
import { moment, quantity, THIN } from "./format.js";

/** Windows as a person says them. */
export const WINDOW_WORDS = {
  "5m": "5 min",
  "15m": "15 min",
  "30m": "30 min",
  "1h": "1 h",
  "4h": "4 h",
  "24h": "24 h",
  "7d": "7 d",
  "30d": "30 d",
  today: "Today",
  month: "This month",
};

const COLUMNS = ["Window", "State", "Figure", "Counted", "n", "95\u202f% interval"];

/**
 * @param {import("./study.js").Study} study
 * @param {{explain: (kpi: string, window?: string, scope?: string) => void}} actions
 * @returns {{node: Element, update: () => void}}
 */
export function windows(study, { explain }) {
  const body = h("tbody");
  const title = h("h2");
  const target = h("span", { class: "hint" });
  const hint = h("p", { class: "hint", hidden: true }, "It is counted in none of the windows that the policy keeps.");
  const head = COLUMNS.map((each) => h("th", { scope: "col", class: each === "Window" || each === "State" ? null : "number" }, each));
  const table = h("table", { class: "figures" }, h("thead", {}, h("tr", {}, head)), body);
  const node = h("section", { class: "panel windows" }, h("div", { class: "panel-head" }, title, target), h("div", { class: "scroll" }, table), hint);
  const rows = new Map();
  const make = (window) => {
    const made = row(window, study, explain);
    rows.set(window, made);
    return made.node;
  };
  return {
    node,
    update() {
      text(title, `${study.entry(study.kpi).title}, in every window`);
      const { aims } = study;
      const higher = study.higher(study.kpi);
      const worst = aims.critical === null ? "" : `, critical ${higher ? "<" : ">"}${THIN}${quantity(aims.critical, aims.unit)}`;
      text(target, aims.target === null ? "no target" : `target ${aim(aims, higher)}${worst}`);
      const kept = study.figures?.figures.filter((each) => study.kpi in each.kpis).map((each) => each.window) ?? [];
      attribute(hint, "hidden", study.figures === null || kept.length > 0);
      attribute(table, "hidden", kept.length === 0);
      keyed(body, kept, (window) => window, make, (_, window) => rows.get(window).update());
    },
  };
}

function row(window, study, explain) {
  const state = h("td", { class: "state" });
  const link = h("a", {}, WINDOW_WORDS[window] ?? window);
  const button = figureButton(() => explain(study.kpi, window));
  const cells = Array.from({ length: 3 }, () => h("td", { class: "number" }));
  const node = h("tr", {}, h("th", { scope: "row" }, link), state, h("td", { class: "number" }, button), cells);
  return {
    node,
    update() {
      const record = study.record(window);
      const told = record?.kpis[study.kpi];
      attribute(link, "href", study.link({ window, explain: null }));
      attribute(link, "aria-current", window === study.window ? "true" : null);
      attribute(link, "title", record?.from === undefined ? null : `from ${moment(record.from)}\nto ${moment(record.to)}`);
      attribute(node, "class", window === study.window ? "chosen-row" : null);
      const stale = study.row?.state === "stale";
      showState(state, stale ? "stale" : stateOf(told));
      showFigure(button, told, study.kpi, `${study.entry(study.kpi).title}, ${WINDOW_WORDS[window] ?? window}`, stale);
      [counted(told), observed(told), interval(told)].forEach((said, at) => text(cells[at], said));
    },
  };
}
