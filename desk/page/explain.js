/** "Explain this number": what a figure counts, how sure it is, and why it is judged as it is. */

import { showState, stateOf, counted, interval } from "./cells.js";
import { annotate, dispute } from "./commands.js";
import { contributions, DIMENSIONS, scopeWords } from "./contributions.js";
import { h, text } from "./dom.js";
import { DASH, figure, moment, quantity } from "./format.js";
import { command, formulaOf, fraction, letters, method, verdict } from "./reasons.js";
import { may } from "./session.js";
import { WINDOW_WORDS } from "./windows.js";

const PARTS_MAX = 8;
const NOTES_MAX = 5;

/** What the address says of it: `KPI`, `KPI:WINDOW` or `KPI:WINDOW:SCOPE`. @param {string} said */
function parsed(said) {
  const [kpi, window, ...scope] = said.split(":");
  return { kpi, window: window || null, scope: scope.join(":") || null };
}

/** The inverse. @param {string} kpi @param {string} window @param {string} scope */
export function written(kpi, window, scope) {
  return [kpi, window, scope].join(":");
}

/**
 * The panel; it is open while the address has `explain`.
 *
 * @param {any} app
 * @param {import("./study.js").Study} study
 * @returns {{node: Element, update: () => void, close: () => void}}
 */
export function explanation(app, study) {
  const title = h("h2", { id: "explain-title", tabindex: "-1" });
  const body = h("div");
  // What can be pressed stands apart from what is written anew with every figure, so that the focus stays.
  const foot = h("div");
  const leave = h("button", { type: "button", class: "quiet", "aria-label": "Close", on: { click: () => node.close() } }, "\u00d7");
  const node = h("dialog", { class: "explain", "aria-labelledby": "explain-title" }, h("div", { class: "panel-head" }, title, leave), body, foot);
  node.addEventListener("close", () => study.said.explain && app.url.go(app.url.current().path, { ...study.said, explain: null }));
  node.addEventListener("click", (event) => event.target === node && node.close());
  let drawn = "";
  let about = "";
  return {
    node,
    update() {
      const said = study.said.explain;
      if (!said) {
        if (node.open) node.close();
        return;
      }
      const { kpi, window, scope } = parsed(said);
      const of = { kpi, window: window ?? study.window, scope: scope ?? study.scope };
      text(title, `${study.entry(kpi).title}: why this number`);
      const record = study.exact(of.window, of.scope);
      const key = JSON.stringify([of, record?.kpis[kpi], record?.as_of, study.row?.state, study.detail !== null]);
      if (key !== drawn && !selecting(body)) {
        drawn = key;
        body.replaceChildren(...(record?.kpis[kpi] ? told(app, study, of, record) : nothing(study, of)));
      }
      if (about !== JSON.stringify(of)) {
        about = JSON.stringify(of);
        foot.replaceChildren(section("Recompute it from the log", [again(app, { partner: study.partner, ...of })]), actions(app, study, of));
      }
      if (!node.open) node.showModal();
    },
    close() {
      node.remove();
    },
  };
}

function nothing(study, { window, scope }) {
  const why = study.detail === null ? "It is being read \u2026" : `Nothing of it was counted in ${WINDOW_WORDS[window] ?? window}, ${scopeWords(scope)}: there is no value, which is not 0.`;
  return [h("p", { class: "hint" }, study.problem ? study.problem.message : why)];
}

function told(app, study, of, record) {
  const found = record.kpis[of.kpi];
  const entry = study.entry(of.kpi);
  const higher = study.higher(of.kpi);
  const stale = study.row?.state === "stale";
  const state = h("span");
  showState(state, stale ? "stale" : stateOf(found));
  const said = figure(found, of.kpi);
  return [
    h("p", { class: "big" }, h("strong", {}, said.text), state),
    h("p", {}, verdict(found, { stale, minSamples: study.figures?.min_samples ?? null })),
    section("What it counts", counts(study, of.kpi, found, entry)),
    section("How sure it is", sure(of.kpi, found, entry, study)),
    section("Held against", held(study, of, found, higher)),
    section("When", times(study, of, record)),
    ...parts(study, of, found),
    ...notes(app, study, of, record),
  ];
}

function section(title, rows) {
  return h("section", {}, h("h3", {}, title), rows);
}

function list(rows) {
  return h("dl", { class: "facts" }, rows.filter((each) => each !== null).map(([name, value, note]) => h("div", {}, h("dt", {}, name), h("dd", {}, value, note ? h("span", { class: "note" }, note) : null))));
}

function counts(study, kpi, found, entry) {
  const formula = formulaOf((each) => study.entry(each), kpi, found);
  const line = fraction(formula);
  const number = (value) => (value === null ? DASH : new Intl.NumberFormat("en", { maximumFractionDigits: 3 }).format(value));
  const rows = [["Definition", found.definition], ["Formula", h("code", {}, formula)]];
  for (const [letter, meaning] of letters(formula)) rows.push([letter, meaning]);
  if (found.unit !== "count") {
    rows.push(["Numerator", number(found.numerator), line?.numerator], ["Denominator", number(found.denominator), line?.denominator]);
  }
  if (entry.attributed_to) rows.push(["Counted at", entry.attributed_to]);
  if (entry.traps) rows.push(["Mind", entry.traps]);
  return [list(rows)];
}

function sure(kpi, found, entry, study) {
  const enough = study.figures ? `judged from ${study.figures.min_samples} on` : null;
  return [
    list([
      found.unit === "count" ? null : ["Observations (n)", found.n === null ? "not told: fewer than 5 employees" : String(found.n), enough],
      ["95\u202f% interval", interval(found)],
      ["Method", method(kpi, found, entry)],
    ]),
  ];
}

function held(study, { kpi, scope }, found, higher) {
  const side = higher ? "\u2265" : "\u2264";
  const past = higher ? "<" : ">";
  const rules = (study.detail?.thresholds ?? []).filter((each) => each.kpi === kpi);
  const words = (rule) => rule.levels.map(({ severity, enter }) => `${severity} ${[enter].flat().map((each) => quantity(each, found.unit)).join(" or ")}`).join(", ");
  return [
    list([
      ["Target", found.target === null ? "none" : `${side} ${quantity(found.target, found.unit)}`],
      found.critical === null ? null : ["Critical", `${past} ${quantity(found.critical, found.unit)}`],
      found.benchmark == null ? null : ["Benchmark", quantity(found.benchmark, found.unit)],
      ...rules.map((rule) => [`Rule, ${rule.direction}`, words(rule), `${rule.rule}, in ${rule.window === "adaptive" ? "the smallest window with enough" : (WINDOW_WORDS[rule.window] ?? rule.window)}`]),
      scope === "all" ? null : ["Of", scopeWords(scope), "under the definition of that part"],
    ]),
  ];
}

function times(study, { window }, record) {
  const stretch = record.from === undefined ? null : ["From", moment(record.from), "inclusive"];
  return [
    list([
      ["Window", WINDOW_WORDS[window] ?? window, window === "today" || window === "month" ? "it grows until the next begins: provisional until then" : "it rolls on: provisional, as long as late events may come"],
      stretch,
      stretch && ["To", moment(record.to), "exclusive"],
      record.kpis && record.frontier !== null ? ["Counted up to", moment(record.frontier)] : null,
      ["As of", record.as_of === null ? DASH : moment(record.as_of)],
      record.policy_revision === undefined ? null : ["Policy", h("code", {}, record.policy_revision), "revision that it was counted and judged under"],
      study.detail ? ["Days", `those of ${study.detail.timezone}`] : null,
    ]),
  ];
}

function parts(study, { kpi, window, scope }, found) {
  const whole = study.detail?.partner.kpis[kpi];
  if (scope !== "all" || window !== study.window || found.value === null || !whole) return [];
  const [best] = contributions(whole, study.detail.scopes, kpi, whole.target ?? whole.value);
  if (best === undefined) return [];
  const rows = best.parts.slice(0, PARTS_MAX).map((each) => {
    const cells = [quantity(each.figure.value, found.unit), counted(each.figure), quantity(each.share, "ratio")];
    return h("tr", {}, h("th", { scope: "row" }, scopeWords(each.scope)), cells.map((cell) => h("td", { class: "number" }, cell)));
  });
  const head = ["Part", "Figure", "Counted", "Of the whole"].map((each, at) => h("th", { scope: "col", class: at > 0 ? "number" : "" }, each));
  const words = DIMENSIONS[best.dimension] ?? best.dimension;
  const part = best.covered > 0.98 ? "" : ` (they hold ${quantity(best.covered, "ratio")} of it)`;
  return [section(`Made of, by ${words}${part}`, [h("table", { class: "figures" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows))])];
}

/** What was said of it, or of its time. */
function notes(app, study, { kpi }, record) {
  if (record.from === undefined) return [];
  const meant = (each) => (each.partner === study.partner || each.partner === "*") && (!each.kpi || each.kpi === kpi);
  const found = [...app.store.annotations.values()].filter((each) => meant(each) && each.from < record.to && each.to > record.from);
  const words = (each) => [each.kind === "dispute" ? "Disputed" : each.kind === "other" ? "Note" : `${each.kind[0].toUpperCase()}${each.kind.slice(1)}`, each.text, `by ${each.actor}, of ${moment(each.from)} to ${moment(each.to)}`];
  return found.length === 0 ? [] : [section("What was said of its time", [list(found.slice(-NOTES_MAX).map(words))])];
}

function again(app, of) {
  const line = command(of);
  const copy = async () => {
    await navigator.clipboard.writeText(line).then(
      () => app.say("Copied."),
      () => app.say("The browser does not let the page copy: select the line.", "warning"),
    );
  };
  return h("div", { class: "command" }, h("code", { tabindex: "0" }, line), h("button", { type: "button", on: { click: copy } }, "Copy"));
}

function actions(app, study, { kpi, window, scope }) {
  const like = () => {
    const { from, to } = study.exact(window, scope) ?? {};
    return { partner: study.partner, kpi, title: study.entry(kpi).title, ...(from === undefined ? {} : { from, to }) };
  };
  const button = (name, words, run) => may(app.session, name) && h("button", { type: "button", on: { click: () => run(app, like()) } }, words);
  return h("p", { class: "actions" }, button("dispute", "Dispute this figure", dispute), button("annotate", "Annotate its time", annotate));
}

/** Whether somebody has marked some of it, to copy it. */
function selecting(node) {
  const selection = document.getSelection();
  return selection !== null && !selection.isCollapsed && node.contains(selection.anchorNode);
}
