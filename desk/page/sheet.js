/** The figures of a partner in one window: how quick it is beside how good it is. */

import { aim, counted, figureButton, showFigure, showState, stateOf } from "./cells.js";
import { attribute, h, keyed, text } from "./dom.js";
import { DASH } from "./format.js";
import { GROUPS, groupOf } from "./study.js";

const FIRST_MAX = 8;
const COLUMNS = ["State", "KPI", "Now", "Target", "Counted"];

/**
 * @param {import("./study.js").Study} study
 * @param {{explain: (kpi: string, window?: string, scope?: string) => void}} actions
 * @returns {{node: Element, update: () => void}}
 */
export function sheet(study, { explain }) {
  const node = h("div", { class: "sheets" });
  const groups = new Map();

  const make = (group) => {
    const made = panelOf(group, study, explain);
    groups.set(group.id, made);
    return made.node;
  };
  return {
    node,
    update() {
      const found = new Map(GROUPS.map((each) => [each.id, []]));
      for (const kpi of Object.keys(study.kpis)) found.get(groupOf(study.entry(kpi))).push(kpi);
      // Efficiency never stands alone: where nothing says how good it was, that is said in its place.
      const shown = GROUPS.filter((each) => found.get(each.id).length > 0 || each.id === "efficiency" || each.id === "quality");
      keyed(node, shown, (each) => each.id, make, (_, group) => groups.get(group.id).update(found.get(group.id)));
    },
  };
}

function panelOf(group, study, explain) {
  const body = h("tbody");
  const empty = h("p", { class: "hint", hidden: true }, `Nothing of ${group.title.toLowerCase()} was counted in this window.`);
  const head = h("tr", {}, COLUMNS.map((each) => h("th", { scope: "col", class: columnClass(each) }, each)));
  const table = h("table", { class: "figures" }, h("caption", { class: "sr" }, group.title), h("thead", {}, head), body);
  let all = false;
  let last = [];
  const more = h("button", { type: "button", class: "quiet more", "aria-expanded": "false", on: { click: () => toggle() } });
  const toggle = () => {
    all = !all;
    attribute(more, "aria-expanded", String(all));
    update(last);
  };
  const rows = new Map();
  const make = (kpi) => {
    const made = row(kpi, study, explain);
    rows.set(kpi, made);
    return made.node;
  };
  const update = (kpis) => {
    last = kpis;
    const { kpis: told } = study;
    const aimed = kpis.filter((kpi) => told[kpi].target !== null && told[kpi].target !== undefined);
    const rest = kpis.filter((kpi) => !aimed.includes(kpi));
    const ordered = [...aimed, ...rest];
    const shown = all ? ordered : ordered.slice(0, Math.max(FIRST_MAX, aimed.length));
    if (!shown.includes(study.kpi) && ordered.includes(study.kpi)) shown.push(study.kpi);
    attribute(more, "hidden", ordered.length === shown.length && !all);
    text(more, all ? "Show fewer" : `Show ${ordered.length - shown.length} more`);
    attribute(table, "hidden", kpis.length === 0);
    attribute(empty, "hidden", kpis.length > 0);
    keyed(body, shown, (kpi) => kpi, make, (_, kpi) => rows.get(kpi).update());
  };
  const node = h("section", { class: "panel" }, h("h2", {}, group.title), h("div", { class: "scroll" }, table), empty, more);
  return { node, update };
}

function row(kpi, study, explain) {
  const state = h("td", { class: "state" });
  const link = h("a", { class: "pick" });
  const button = figureButton(() => explain(kpi));
  const cells = { aim: h("td", { class: "number" }), counted: h("td", { class: "number quiet" }) };
  const node = h("tr", {}, state, h("th", { scope: "row" }, link), h("td", { class: "number" }, button), ...Object.values(cells));
  return {
    node,
    update() {
      const told = study.kpis[kpi];
      const entry = study.entry(kpi);
      const stale = study.row?.state === "stale";
      showState(state, stale ? "stale" : stateOf(told));
      text(link, entry.title);
      attribute(link, "href", study.link({ kpi, explain: null, from: null, to: null }));
      attribute(link, "aria-current", study.kpi === kpi ? "true" : null);
      attribute(node, "class", study.kpi === kpi ? "chosen-row" : null);
      attribute(link, "title", entry.traps ? `${entry.formula}\nMind: ${entry.traps}` : entry.formula);
      showFigure(button, told, kpi, entry.title, stale);
      text(cells.aim, aim(told, study.higher(kpi)));
      // What is so now is counted from nothing: it is there, or it is not.
      text(cells.counted, entry.live && told.denominator === 1 ? DASH : counted(told));
    },
  };
}

function columnClass(name) {
  return name === "State" || name === "KPI" ? null : name === "Counted" ? "number quiet" : "number";
}
