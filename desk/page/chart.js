/** A KPI over time, drawn by uPlot: what it should be, what it was, how sure that is, and what happened meanwhile. */

import uPlot from "./vendor/uplot-1.6.32.js";
import { h } from "./dom.js";
import { day, quantity, time } from "./format.js";
import { alone, columns, reach, spanOf } from "./history.js";
import { laneOf } from "./marks.js";

const DAY_MS = 86_400_000;
const MONTH = new Intl.DateTimeFormat("en", { month: "short", year: "numeric" });
const HEIGHT = 300;
/** Steps of the upright axis: durations go up by what a person counts them in. */
const SECONDS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400, 172_800, 604_800];
const NUMBERS = [-3, -2, -1, 0, 1, 2, 3, 4, 5, 6].flatMap((power) => [1, 2, 5].map((each) => each * 10 ** power));
const DATA = [[], [], [], [], [], []];

/**
 * @typedef {object} ChartData
 * @property {any[]} points of the API, in order
 * @property {number} from epoch ms
 * @property {number} to
 * @property {string} unit of the values
 * @property {boolean} higher whether more is better
 * @property {number|null} target
 * @property {number|null} critical
 * @property {{severity: string, value: number}[]} levels at which rules fire
 * @property {{at: number, value: number}|null} now the present figure of the rolling window
 * @property {import("./marks.js").Mark[]} marks
 */

/**
 * Draw a chart into `root`.
 *
 * @param {HTMLElement} root
 * @param {{onPoint: (point: any|null) => void, onChosen: (point: any) => void, onSpan: (span: {from: number, to: number}|null) => void,
 *   onMark: (mark: any|null) => void}} listeners what the cursor is on, Enter on a point, a span that is drawn, a mark that is looked at
 * @returns {{set: (data: ChartData, label: string) => void, clear: () => void, close: () => void}}
 */
export function chart(root, listeners) {
  const lane = h("div", { class: "marks" });
  const canvas = h("div", { class: "plot", tabindex: "0", role: "group", "aria-roledescription": "chart" });
  root.replaceChildren(lane, canvas);
  const state = { data: null, drawn: columns([]), at: -1, anchor: -1, span: null };
  const plot = new uPlot(options(canvas, state, listeners, () => place()), DATA, canvas);
  const place = laneOf(lane, plot, state, listeners.onMark);

  const sized = new ResizeObserver(() => {
    const width = Math.floor(canvas.clientWidth);
    if (width > 0 && width !== plot.width) plot.setSize({ width, height: HEIGHT });
  });
  sized.observe(canvas);
  const redraw = () => plot.redraw(false, true);
  const themed = new MutationObserver(redraw);
  themed.observe(document.documentElement, { attributes: true });
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", redraw);
  canvas.addEventListener("keydown", (event) => keyed(event, plot, state, listeners));
  canvas.addEventListener("blur", () => move(plot, state, -1));

  const clear = () => {
    state.anchor = -1;
    choose(plot, state, listeners, null);
  };
  return {
    set(data, label) {
      const before = state.drawn.x;
      state.data = data;
      state.drawn = columns(data.points);
      canvas.setAttribute("aria-label", label);
      const { x, low, high, final, open } = state.drawn;
      // Whoever stands on a point stays on it while time goes on.
      state.at = x.indexOf(before[state.at]);
      state.anchor = x.indexOf(before[state.anchor]);
      plot.setData([x, low, high, final, open], false);
      plot.batch(() => {
        plot.setScale("x", { min: data.from, max: data.to });
        plot.setScale("y", range(state));
      });
      if (state.span !== null) showSpan(plot, state.span);
    },
    clear,
    close() {
      sized.disconnect();
      themed.disconnect();
      scheme.removeEventListener("change", redraw);
      plot.destroy();
    },
  };
}

function range({ data, drawn }) {
  const [min, max] = reach(drawn, [data.target, data.critical, ...data.levels.map((each) => each.value), data.now?.value], data.unit);
  return { min, max };
}

/** A colour of the style sheet as the theme has it now: a canvas does not know variables. */
function colour(node, name) {
  const probe = node.firstElementChild ?? node;
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

function options(node, state, listeners, placed) {
  const ink = (name) => () => colour(node, name);
  const lonely = (u, series) => alone(u.data[series]);
  const line = (more) => ({ stroke: ink("--chart-line"), width: 1.75, spanGaps: false, points: { filter: lonely, size: 5, fill: ink("--chart-line") }, ...more });
  const edge = { stroke: "transparent", width: 0, points: { show: false } };
  const axis = { stroke: ink("--ink-2"), font: `12px ${getComputedStyle(node).fontFamily}`, ticks: { show: false } };
  return {
    width: Math.max(200, Math.floor(node.clientWidth)),
    height: HEIGHT,
    ms: 1,
    legend: { show: false },
    padding: [8, 12, 0, 0],
    cursor: {
      y: false,
      points: { size: 8, fill: ink("--surface"), stroke: ink("--chart-line"), width: 2, show: (u, at) => (at < 3 ? false : undefined) },
      drag: { x: true, y: false, setScale: false },
    },
    scales: { x: { time: true, auto: false }, y: { auto: false } },
    axes: [
      { ...axis, grid: { show: false }, space: 72, size: 32, values: (_, splits, __, ___, step) => splits.map((at) => tick(at, step)) },
      { ...axis, grid: { stroke: ink("--chart-grid"), width: 1 }, size: 64, incrs: () => (state.data?.unit === "s" ? SECONDS : NUMBERS), values: (_, splits) => splits.map((each) => quantity(each, state.data?.unit ?? "count")) },
    ],
    series: [{}, edge, edge, line({}), line({ dash: [5, 4] })],
    bands: [{ series: [2, 1], fill: ink("--chart-band") }],
    hooks: {
      drawClear: [(u) => state.data !== null && under(u, node, state.data)],
      draw: [(u) => state.data !== null && over(u, node, state.data), placed],
      setCursor: [(u) => pointed(u, state, listeners)],
      setSelect: [(u) => selected(u, state, listeners)],
    },
  };
}

/** What an instant on the axis is called: months and days where the steps are as long, and days at midnight. */
function tick(at, step) {
  const date = new Date(at);
  if (step >= 27 * DAY_MS) return MONTH.format(at);
  return step >= DAY_MS || date.getHours() + date.getMinutes() === 0 ? day(at) : time(at);
}

/** What lies behind the line: where a figure is wrong, and spans of what happened. */
function under(u, node, { target, critical, higher, marks, levels }) {
  const { ctx, bbox } = u;
  const y = (value) => Math.min(bbox.top + bbox.height, Math.max(bbox.top, u.valToPos(value, "y", true)));
  const x = (at) => Math.min(bbox.left + bbox.width, Math.max(bbox.left, u.valToPos(at, "x", true)));
  const far = higher ? bbox.top + bbox.height : bbox.top;
  const area = (from, to, name) => {
    ctx.fillStyle = colour(node, name);
    ctx.fillRect(bbox.left, Math.min(from, to), bbox.width, Math.abs(to - from));
  };
  ctx.save();
  const worst = critical ?? null;
  if (target !== null) area(y(target), worst === null ? far : y(worst), "--chart-warning-area");
  if (worst !== null) area(y(worst), far, "--chart-critical-area");
  for (const mark of marks) {
    const alert = mark.kind === "critical" || mark.kind === "warning";
    const [from, to] = [x(mark.from), x(mark.to)];
    ctx.fillStyle = colour(node, alert ? `--${mark.kind}` : "--chart-span");
    ctx.fillRect(from, bbox.top, alert ? devicePixelRatio : Math.max(devicePixelRatio, to - from), bbox.height);
  }
  for (const level of levels) {
    if (level.value !== target && level.value !== critical) ruled(u, y(level.value), colour(node, `--${level.severity}`), [2, 4], 1);
  }
  if (worst !== null) ruled(u, y(worst), colour(node, "--critical"), [6, 4], 1);
  if (target !== null) ruled(u, y(target), colour(node, "--chart-target"), [], 1.25);
  ctx.restore();
}

function ruled({ ctx, bbox }, at, stroke, dash, width) {
  ctx.beginPath();
  ctx.setLineDash(dash.map((each) => each * devicePixelRatio));
  ctx.strokeStyle = stroke;
  ctx.lineWidth = width * devicePixelRatio;
  ctx.moveTo(bbox.left, Math.round(at));
  ctx.lineTo(bbox.left + bbox.width, Math.round(at));
  ctx.stroke();
  ctx.setLineDash([]);
}

/** What lies on top: the present figure as a ring at the edge, beside the stretch that has not closed. */
function over(u, node, { now }) {
  if (now === null) return;
  const { ctx } = u;
  const [x, y] = [u.valToPos(now.at, "x", true), u.valToPos(now.value, "y", true)];
  ctx.save();
  ctx.beginPath();
  ctx.arc(Math.min(x, u.bbox.left + u.bbox.width - 5 * devicePixelRatio), y, 4 * devicePixelRatio, 0, 2 * Math.PI);
  ctx.fillStyle = colour(node, "--surface");
  ctx.fill();
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.strokeStyle = colour(node, "--chart-line");
  ctx.stroke();
  ctx.restore();
}

function pointed(u, state, { onPoint }) {
  const at = u.cursor.idx === null || u.cursor.idx === undefined ? -1 : (state.drawn.at[u.cursor.idx] ?? -1);
  if (u.cursor.left < 0) onPoint(null);
  else if (at >= 0) {
    state.at = u.cursor.idx;
    onPoint(state.data.points[at]);
  }
}

/** A span was drawn by a pointer: whole points of it are chosen. */
function selected(u, state, listeners) {
  if (state.data === null || u.select.width < 4) return;
  const { left, width } = u.select;
  choose(u, state, listeners, spanOf(state.data.points, u.posToVal(left, "x"), u.posToVal(left + width, "x")));
}

function choose(plot, state, { onSpan }, span) {
  state.span = span;
  showSpan(plot, span);
  onSpan(span);
}

function showSpan(plot, span) {
  const left = span === null ? 0 : plot.valToPos(span.from, "x");
  const width = span === null ? 0 : plot.valToPos(span.to, "x") - left;
  plot.setSelect({ left, width, top: 0, height: plot.bbox.height / devicePixelRatio }, false);
}

const JUMPS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };

/** The cursor by keys: arrows move it from point to point, with shift they draw a span; Enter takes the point. */
function keyed(event, plot, state, listeners) {
  const places = state.drawn.at.flatMap((at, place) => (at >= 0 ? [place] : []));
  if (places.length === 0 || event.ctrlKey || event.metaKey || event.altKey) return;
  const here = places.indexOf(state.at);
  if (event.key in JUMPS) {
    const last = places.length - 1;
    const to = here < 0 && event.key !== "Home" ? last : Math.max(0, Math.min(last, here + JUMPS[event.key]));
    if (event.shiftKey && state.anchor < 0) state.anchor = state.at;
    if (!event.shiftKey) state.anchor = -1;
    move(plot, state, places[to]);
    if (event.shiftKey && state.anchor >= 0) choose(plot, state, listeners, between(state));
  } else if (event.key === "Enter" && here >= 0) {
    listeners.onChosen(state.data.points[state.drawn.at[state.at]]);
  } else if (event.key === "Escape") {
    if (state.span === null) return;
    state.anchor = -1;
    choose(plot, state, listeners, null);
  } else return;
  event.preventDefault();
}

function move(plot, state, to) {
  state.at = to;
  if (to < 0) plot.setCursor({ left: -10, top: -10 });
  else plot.setCursor({ left: plot.valToPos(state.drawn.x[to], "x"), top: plot.bbox.height / devicePixelRatio / 2 });
}

function between({ data, drawn, anchor, at }) {
  const [first, last] = [Math.min(anchor, at), Math.max(anchor, at)].map((each) => data.points[drawn.at[each]]);
  return { from: first.from, to: last.to };
}
