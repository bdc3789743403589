/** The chart of a partner's page: a KPI over time, what it is held against, and what happened meanwhile. */

import { counted, interval, observed } from "./cells.js";
import { chart } from "./chart.js";
import { annotate, dispute } from "./commands.js";
import { scopeWords } from "./contributions.js";
import { attribute, h, keyed, text } from "./dom.js";
import { day, DASH, quantity, time, zone } from "./format.js";
import { asked, rangesOf, stepMs } from "./history.js";
import { marksOf, saidOf } from "./marks.js";
import { may } from "./session.js";

const DAY_MS = 86_400_000;
const STEP_WORDS = { "1m": "a minute", "5m": "5 minutes", "15m": "a quarter hour", "30m": "half an hour", "1h": "an hour", "4h": "4 hours", "1d": "a day" };
const OFTEN_MS = 15_000;
const SELDOM_MS = 60_000;
const RARELY_MS = 300_000;
const HOUR_MS = 3_600_000;

/**
 * @param {any} app
 * @param {import("./study.js").Study} study
 * @returns {{node: Element, update: (episodes: any[]) => void, close: () => void}}
 */
export function course(app, study) {
  const title = h("h2");
  const ranges = h("div", { class: "ranges", role: "group", "aria-label": "Span of time" });
  const said = [h("span", { class: "when" }), h("strong"), h("span", { class: "rest" })];
  const readout = h("p", { class: "readout", role: "status" }, said);
  const say = (words) => words.forEach((each, at) => text(said[at], each));
  const canvas = h("div", { class: "chart" });
  const notes = h("p", { class: "hint" });
  const span = spanBar(app, study, () => drawn.clear());
  const table = pointsTable();
  const legend = legendOf();
  const node = h("section", { class: "panel course" }, h("div", { class: "panel-head" }, title, ranges), readout, canvas, span.node, legend.node, notes, table.node);

  const state = { history: null, problem: null, episodes: [], key: "", seen: "", read: 0, aborted: new AbortController() };
  const drawn = chart(canvas, {
    onPoint: (point) => say(point === null ? standing(state) : pointWords(point)),
    onChosen: (point) => span.show({ from: point.from, to: point.to }),
    onSpan: (chosen) => span.show(chosen),
    onMark: (group) => say(group === null ? standing(state) : ["", "", saidOf(group, (mark) => when(mark))]),
  });

  const load = async () => {
    const want = asked(study.said, study.scope, study.now);
    const of = ofWhat(study);
    const { key } = state;
    const { partner, kpi, scope } = study;
    state.aborted.abort();
    const { signal } = (state.aborted = new AbortController());
    state.read = performance.now();
    state.live = want.live;
    const params = { window: want.step, from: Math.floor(want.from), to: want.live ? null : Math.floor(want.to), scope };
    try {
      if (study.entry(kpi).history === false) throw new NoHistoryError();
      state.history = { ...(await app.api.get(`kpis/${encodeURIComponent(partner)}/${encodeURIComponent(kpi)}`, params, signal)), asked: want, of, key };
      state.problem = null;
    } catch (error) {
      if (error.name === "AbortError") return;
      // Points of this very span stay: that they could not be read anew is said beside them.
      if (state.history?.key !== key || error instanceof NoHistoryError) state.history = null;
      state.problem = error;
    }
    show();
  };

  const show = () => {
    const { history, problem } = state;
    // Points of another figure are never held against the targets of this one: they stand dimmed until its own come.
    const own = history?.of === ofWhat(study);
    node.classList.toggle("is-reading", history !== null && !own);
    attribute(canvas, "hidden", history === null);
    attribute(legend.node, "hidden", history === null);
    attribute(table.node, "hidden", history === null || history.points.length === 0);
    text(notes, own ? notesOf(history, study, problem) : problemWords(problem, study));
    if (own) {
      const data = dataOf(study, state, app);
      const seen = JSON.stringify([data.from, data.to, data.now, data.target, data.critical, data.levels, data.marks, state.read]);
      if (seen !== state.seen) {
        state.seen = seen;
        drawn.set(data, labelOf(study, history));
        legend.update(data);
        table.update(history);
      }
    }
    if (!canvas.matches(":hover, :focus-within")) say(own ? standing(state) : ["", "", ""]);
  };

  show();
  const timer = setInterval(() => {
    const every = state.history?.complete ? turn(stepMs(state.history.window)) : OFTEN_MS;
    if (state.live && document.visibilityState === "visible" && performance.now() - state.read >= every) load();
  }, 5_000);

  return {
    node,
    update(episodes) {
      const { kpi, scope, said } = study;
      const entry = study.entry(kpi);
      text(title, scope === "all" ? entry.title : `${entry.title}, ${scopeWords(scope)}`);
      rangeLinks(ranges, study, asked(said, scope, study.now).range);
      state.episodes = episodes;
      const key = [study.partner, kpi, scope, said.range, said.from, said.to].join(" ");
      if (key !== state.key) {
        if (state.key !== "") drawn.clear();
        state.key = key;
        if (state.history !== null) show();
        load();
      } else if (state.problem instanceof NoHistoryError !== (entry.history === false)) load();
      else if (state.history !== null) show();
    },
    close() {
      clearInterval(timer);
      state.aborted.abort();
      drawn.close();
    },
  };
}

/** What a figure is of, apart from the span. @param {import("./study.js").Study} study */
function ofWhat({ kpi, scope }) {
  return `${kpi} ${scope}`;
}

/** How often points of a width are asked for anew: the wider, the less a moment adds, and the more they cost the desk. */
function turn(widthMs) {
  return widthMs < HOUR_MS / 4 ? OFTEN_MS : widthMs < HOUR_MS ? SELDOM_MS : RARELY_MS;
}

/** The KPI is known for the present alone. */
class NoHistoryError extends Error {}

function problemWords(problem, study) {
  if (problem === null) return "The past of it is being read \u2026";
  if (problem instanceof NoHistoryError) return `${study.entry(study.kpi).title} is known for the present alone: it is made of who waits and what is open now.`;
  return `There is no chart: ${problem.message}`;
}

/** What a chart is made of. */
function dataOf(study, { history, episodes }, app) {
  const { partner, kpi, scope } = study;
  const told = study.record(study.window)?.kpis[kpi];
  const last = history.points[history.points.length - 1];
  const { aims } = study;
  // Whole points: none may stand half beyond the edge, where no cursor goes.
  const from = Math.min(history.asked.from, history.from, history.points[0]?.from ?? Infinity);
  const to = Math.max(history.to, history.asked.live ? history.asked.to : 0, last?.to ?? 0);
  const found = { alerts: app.store.alerts.values(), episodes, annotations: app.store.annotations.values() };
  return {
    points: history.points,
    from,
    to,
    unit: last?.unit ?? aims.unit,
    higher: study.higher(kpi),
    target: aims.target ?? last?.target ?? null,
    critical: aims.critical ?? last?.critical ?? null,
    levels: levelsOf(study),
    now: history.asked.live && told && told.value !== null && history.window !== "1d" ? { at: Math.max(history.to, history.asked.to), value: told.value } : null,
    marks: marksOf(found, { partner, kpi, scope, from, to }),
  };
}

/** Where rules of this figure fire; of one that looks on both sides, both. */
function levelsOf({ detail, kpi }) {
  const rules = (detail?.thresholds ?? []).filter((each) => each.kpi === kpi);
  return rules.flatMap((rule) => rule.levels.flatMap(({ severity, enter }) => [enter].flat().map((value) => ({ severity, value }))));
}

/** What the readout says while nothing is pointed at. */
function standing({ history }) {
  const last = history?.points[history.points.length - 1];
  return last ? pointWords(last) : ["", "", ""];
}

/** When, what, and how sure that is. */
function pointWords(point) {
  const value = point.value === null ? "no value" : quantity(point.value, point.unit);
  const parts = [];
  if (point.unit !== "count") parts.push(`${counted(point)}, n ${observed(point)}`);
  if (interval(point) !== DASH) parts.push(`95\u202f% ${interval(point)}`);
  if (point.status === "insufficient") parts.push("too few to judge");
  if (!point.final) parts.push("provisional");
  return [stretch(point), value, parts.join(" \u00b7 ")];
}

function stretch({ from, to }) {
  if (to - from > 0.9 * DAY_MS && to - from < 1.2 * DAY_MS) return day((from + to) / 2);
  return to - from > DAY_MS ? `${day(from)} to ${day(to - 1)}` : `${day(from)} ${time(from)}${DASH}${time(to)}`;
}

function when({ from, to }) {
  return to - from > DAY_MS ? `${day(from)} to ${day(to)}` : to > from ? `${day(from)} ${time(from)}${DASH}${time(to)}` : `${day(from)} ${time(from)}`;
}

function notesOf(history, study, problem) {
  const parts = [`Each point is ${STEP_WORDS[history.window] ?? history.window}; where nothing was counted there is none. Times are ${zone()}.`];
  const own = study.detail?.timezone;
  if (history.window === "1d" && own && own !== zone()) parts.push(`Days are those of ${own}.`);
  if (!history.complete) parts.push("The past is still being filled in: more points will come.");
  if (history.points.length === 0) parts.push("Nothing was counted in this span.");
  if (study.scope !== "all") parts.push("Of parts, days are kept alone.");
  if (problem !== null) parts.push(`They could not be read anew: ${problem.message}`);
  return parts.join(" ");
}

function labelOf(study, { points }) {
  const values = points.filter((each) => each.value !== null);
  const unit = values[0]?.unit;
  const least = values.length > 0 ? ` from ${quantity(Math.min(...values.map((each) => each.value)), unit)} to ${quantity(Math.max(...values.map((each) => each.value)), unit)}` : "";
  return `${study.entry(study.kpi).title} of ${study.name}: ${values.length} points${least}. Arrow keys go from point to point, with Shift they choose a span.`;
}

function rangeLinks(node, study, chosen) {
  keyed(node, rangesOf(study.scope), (each) => each.id, ({ label }) => h("a", {}, label), (link, { id }) => {
    attribute(link, "href", study.link({ range: id, from: null, to: null }));
    attribute(link, "aria-current", chosen === id ? "true" : null);
  });
}

/** What may be done with a chosen span. */
function spanBar(app, study, clear) {
  const words = h("span", { class: "chosen" });
  const zoom = h("a", { class: "button" }, "Zoom in");
  let chosen = null;
  const say = (name, command) =>
    may(app.session, name) &&
    h("button", { type: "button", on: { click: () => command(app, { partner: study.partner, kpi: study.kpi, title: study.entry(study.kpi).title, ...chosen }) } }, name === "annotate" ? "Annotate" : "Dispute");
  const close = h("button", { type: "button", class: "quiet", on: { click: clear } }, "Clear");
  const node = h("div", { class: "span-bar", hidden: true }, words, zoom, say("annotate", annotate), say("dispute", dispute), close);
  return {
    node,
    show(span) {
      chosen = span;
      attribute(node, "hidden", span === null);
      if (span === null) return;
      text(words, stretch(span));
      attribute(zoom, "href", study.link({ from: Math.round(span.from), to: Math.round(span.to), range: null }));
    },
  };
}

function legendOf() {
  const item = (css, words) => h("span", { class: `key ${css}` }, words);
  const keys = {
    value: item("key-line", "final"),
    open: item("key-dashed", "provisional"),
    band: item("key-band", "95\u202f% interval"),
    target: item("key-target", ""),
    critical: item("key-critical", ""),
    level: item("key-level", "a rule fires"),
    now: item("key-ring", "now, in the window"),
  };
  return {
    node: h("p", { class: "legend" }, Object.values(keys)),
    update(data) {
      attribute(keys.open, "hidden", data.points.every((each) => each.final));
      attribute(keys.band, "hidden", data.points.every((each) => each.ci_low === null || each.ci_high === null));
      attribute(keys.target, "hidden", data.target === null);
      attribute(keys.critical, "hidden", data.critical === null);
      attribute(keys.level, "hidden", data.levels.every((each) => each.value === data.target || each.value === data.critical));
      attribute(keys.now, "hidden", data.now === null);
      text(keys.target, `target ${data.higher ? "\u2265" : "\u2264"} ${quantity(data.target, data.unit)}`);
      text(keys.critical, `critical ${data.higher ? "<" : ">"} ${quantity(data.critical, data.unit)}`);
    },
  };
}

/** The same points for who does not see a chart; filled when it is opened. */
function pointsTable() {
  const body = h("tbody");
  const columns = ["From", "To", "Figure", "Counted", "n", "95\u202f% interval", "State"];
  const head = h("tr", {}, columns.map((each, at) => h("th", { scope: "col", class: at > 1 && at < 6 ? "number" : "" }, each)));
  const node = h("details", { class: "points" }, h("summary", {}, "The points as a table"), h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Points" }, h("table", { class: "figures" }, h("thead", {}, head), body)));
  let latest = null;
  let filled = null;
  const fill = () => {
    if (!node.open || latest === filled || latest === null) return;
    filled = latest;
    body.replaceChildren(...latest.points.toReversed().map(pointRow));
  };
  node.addEventListener("toggle", fill);
  return {
    node,
    update(history) {
      latest = history;
      fill();
    },
  };
}

function pointRow(point) {
  const said = [counted(point), observed(point), interval(point)].map((each) => h("td", { class: "number" }, each));
  const state = `${point.status.replaceAll("_", " ")}${point.final ? "" : ", provisional"}`;
  const instant = (ms) => `${day(ms)} ${time(ms)}`;
  return h("tr", {}, h("td", {}, instant(point.from)), h("td", {}, instant(point.to)), h("td", { class: "number" }, quantity(point.value, point.unit)), said, h("td", {}, state));
}
