/** The parts of a partner: queues, channels and what else the policy asks for, the worst first. */

import { figureButton, interval, aim, counted, showFigure, showState, stateOf } from "./cells.js";
import { DIMENSIONS, scopeWords } from "./contributions.js";
import { attribute, h, keyed, text } from "./dom.js";
import { STATES } from "./states.js";

const SHOWN_MAX = 60;

/**
 * @param {import("./study.js").Study} study
 * @param {{explain: (kpi: string, window?: string, scope?: string) => void}} actions
 * @returns {{node: Element, update: () => void}}
 */
export function scopes(study, { explain }) {
  const search = h("input", { type: "search", placeholder: "Filter parts", "aria-label": "Filter parts by name", on: { input: () => fill() } });
  const choice = h("select", { "aria-label": "Kind of part", on: { change: () => fill() } });
  const title = h("h2");
  const names = ["Figure", "Counted", "95\u202f% interval", "Target"];
  const head = h("tr", {}, h("th", { scope: "col" }, "Part"), h("th", { scope: "col" }, "State"), names.map((each) => h("th", { scope: "col", class: "number" }, each)));
  const body = h("tbody");
  const table = h("table", { class: "figures" }, h("thead", {}, head), body);
  const hint = h("p", { class: "hint" });
  const node = h("section", { class: "panel scopes" }, h("div", { class: "panel-head" }, title, h("div", { class: "filters" }, choice, search)), h("div", { class: "scroll" }, table), hint);
  const rows = new Map();
  let order = [];

  const make = (scope) => {
    const made = row(scope, study, explain);
    rows.set(scope, made);
    return made.node;
  };
  const fill = () => {
    const records = (study.detail?.scopes ?? []).filter((each) => study.kpi in each.kpis);
    dimensions(choice, records);
    // Whoever points at a row, or stands in it, keeps it where it is: the order is taken anew when they leave.
    const held = body.matches(":hover") || body.contains(document.activeElement);
    const sorted = worstFirst(records, study).map((each) => each.scope);
    order = held ? [...order.filter((each) => sorted.includes(each)), ...sorted.filter((each) => !order.includes(each))] : sorted;
    const wanted = search.value.trim().toLowerCase();
    const fits = (scope) => (choice.value === "" || scope.startsWith(`${choice.value}=`)) && scope.toLowerCase().includes(wanted);
    const found = order.filter(fits);
    const shown = found.slice(0, SHOWN_MAX);
    text(title, `${study.entry(study.kpi).title}, by part`);
    keyed(body, shown, (each) => each, make, (_, scope) => rows.get(scope).update());
    const more = found.length > shown.length ? `and ${found.length - shown.length} more: filter by name` : "";
    const none = records.length === 0 ? "Nothing of this is counted by part in this window." : found.length === 0 ? "No part is called so." : "";
    text(hint, none || more);
    attribute(hint, "hidden", !(none || more));
    attribute(table, "hidden", found.length === 0);
  };
  return { node, update: fill };
}

function dimensions(choice, records) {
  const found = [...new Set(records.map((each) => each.scope.split("=")[0]))];
  if (choice.dataset.found === found.join()) return;
  choice.dataset.found = found.join();
  const before = choice.value;
  choice.replaceChildren(h("option", { value: "" }, "all kinds"), ...found.map((each) => h("option", { value: each }, `${DIMENSIONS[each] ?? each}s`)));
  choice.value = found.includes(before) ? before : "";
}

/** By state, then by how far off the target it is, then by name. */
function worstFirst(records, study) {
  const better = study.higher(study.kpi) ? 1 : -1;
  const off = ({ value, target }) => (value === null || target === null ? Infinity : (value - target) * better);
  const rank = (each) => STATES[stateOf(each.kpis[study.kpi])].rank;
  return [...records].sort(
    (a, b) => rank(a) - rank(b) || compare(off(a.kpis[study.kpi]), off(b.kpis[study.kpi])) || a.scope.localeCompare(b.scope),
  );
}

function compare(a, b) {
  return a === b ? 0 : a < b ? -1 : 1;
}

function row(scope, study, explain) {
  const link = h("a");
  const [dimension, ...name] = scope.split("=");
  const state = h("td");
  const button = figureButton(() => explain(study.kpi, study.window, scope));
  const cells = Array.from({ length: 3 }, () => h("td", { class: "number" }));
  link.append(h("span", { class: "dimension" }, `${DIMENSIONS[dimension] ?? dimension} `), name.join("="));
  const node = h("tr", {}, h("th", { scope: "row" }, link), state, h("td", { class: "number" }, button), cells);
  return {
    node,
    update() {
      const told = study.detail.scopes.find((each) => each.scope === scope)?.kpis[study.kpi];
      attribute(link, "href", study.link({ scope: study.scope === scope ? null : scope, explain: null, from: null, to: null }));
      attribute(link, "aria-current", study.scope === scope ? "true" : null);
      attribute(node, "class", study.scope === scope ? "chosen-row" : null);
      const stale = study.row?.state === "stale";
      showState(state, stale ? "stale" : stateOf(told));
      showFigure(button, told, study.kpi, `${study.entry(study.kpi).title}, ${scopeWords(scope)}`, stale);
      [counted(told), interval(told), aim(told, study.higher(study.kpi))].forEach((said, at) => text(cells[at], said));
    },
  };
}
