/** Which parts a figure comes from: what moved it when an alert fired, and what holds it off its target now. */

import { contributions, DIMENSIONS, scopeWords } from "./contributions.js";
import { h, keyed, text } from "./dom.js";
import { duration, figure, quantity, time } from "./format.js";
import { STATES, sign } from "./states.js";

const PARTS_MAX = 6;
const ALERTS_MAX = 3;
const ONE = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/**
 * @param {any} app
 * @param {import("./study.js").Study} study
 * @returns {{node: Element, update: () => void}}
 */
export function drivers(app, study) {
  const blocks = h("div", { class: "driver-blocks" });
  const node = h("section", { class: "panel drivers" }, h("h2", {}, "What drives it"), blocks);
  return {
    node,
    update() {
      const found = [...alertBlocks(app, study), nowBlock(study)];
      keyed(blocks, found, (each) => each.key, blockNode, updateBlock);
    },
  };
}

/**
 * A block; `effect` of a row is below 0 where it makes things worse.
 *
 * @typedef {{key: string, title: string, severity: string|null, tone: string|null, text: string, rows: {key: string, words: string, effect: number, said: string, more: string}[]}} Block
 */

/** What moved since the window before, of the alerts that fire. @returns {Block[]} */
function alertBlocks(app, study) {
  const firing = [...app.store.alerts.values()].filter(
    (each) => each.partner === study.partner && (each.state === "firing" || each.state === "recovering") && each.attribution,
  );
  const own = firing.filter((each) => each.evidence.kpi === study.kpi);
  const others = firing.filter((each) => each.evidence.kpi !== study.kpi);
  return [...own, ...others].slice(0, ALERTS_MAX).map((alert) => {
    const { attribution, evidence } = alert;
    const better = study.higher(evidence.kpi) ? 1 : -1;
    return {
      key: `alert ${alert.fingerprint}`,
      title: `${study.entry(evidence.kpi).title}${alert.scope === "all" ? "" : `, ${scopeWords(alert.scope)}`}: when it fired at ${time(alert.fired_at)}`,
      severity: alert.severity,
      tone: alert.severity,
      text: sentence(attribution.text),
      rows: attribution.drivers.map((each) => ({
        key: `${each.dimension}=${each.key}`,
        words: `${DIMENSIONS[each.dimension] ?? each.dimension} ${each.key}`,
        effect: each.effect * better,
        said: change(each.effect, evidence.unit),
        more: `${quantity(each.share, "ratio")} of what moved \u00b7 own figure ${change(each.rate_effect, evidence.unit)} \u00b7 its share of the whole ${change(each.mix_effect, evidence.unit)} \u00b7 n ${each.n}`,
      })),
    };
  });
}

/** What holds it off its target now, or off what the whole is. @returns {Block} */
function nowBlock(study) {
  const { kpi, detail } = study;
  const entry = study.entry(kpi);
  // Of the same look as its parts, so that they add up to it.
  const told = detail?.partner.kpis[kpi];
  const title = `${entry.title}: the parts now`;
  const empty = (why) => ({ key: "now", title, severity: null, tone: null, text: why, rows: [] });
  if (study.scope !== "all") return empty(`${scopeWords(study.scope)} is not taken apart further.`);
  if (!told || told.value === null) return empty(`${figure(told, kpi).why}.`.replace(/^./, (first) => first.toUpperCase()));
  const against = told.target ?? told.value;
  const [best] = contributions(told, detail?.scopes ?? [], kpi, against);
  if (best === undefined) return empty(`${entry.title} is no sum of parts, or nothing is counted by queue or channel.`);
  const better = study.higher(kpi) ? 1 : -1;
  const off = told.value - against;
  const side = off > 0 ? "over" : "under";
  const together = told.target === null ? "How far each takes it off the figure of the whole." : `Together ${size(off, told.unit)} ${side} the target of ${quantity(told.target, told.unit)}${off * better < 0 ? "" : ", which is met"}.`;
  return {
    key: "now",
    title,
    severity: null,
    tone: told.status === "critical" || told.status === "warning" ? told.status : null,
    text: `By ${DIMENSIONS[best.dimension] ?? best.dimension}. ${together} It says which part weighs how much, not why.`,
    rows: best.parts
      .toSorted((a, b) => (a.effect - b.effect) * better)
      .slice(0, PARTS_MAX)
      .map((part) => ({
        key: part.scope,
        words: scopeWords(part.scope),
        effect: part.effect * better,
        said: change(part.effect, told.unit),
        more: `${quantity(part.figure.value, told.unit)} \u00b7 ${quantity(part.share, "ratio")} of what is counted \u00b7 n ${part.figure.n}`,
      })),
  };
}

/** By how much, in the words of the unit: of ratios percentage points. */
function change(effect, unit) {
  return `${effect > 0 ? "+" : effect < 0 ? "\u2212" : ""}${size(effect, unit)}`;
}

function size(effect, unit) {
  const much = Math.abs(effect);
  if (unit === "ratio" || unit === "change") return `${ONE.format(much * 100)} points`;
  return unit === "s" ? duration(much) : quantity(much, unit);
}

function sentence(words) {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

function blockNode(block) {
  const shape = block.severity === null ? null : sign(STATES[block.severity].shape, STATES[block.severity].word);
  return h("div", { class: "driver-block" }, h("h3", {}, shape, h("span")), h("p", { class: "hint" }), h("ul", { class: "bars" }));
}

function updateBlock(node, block) {
  text(node.querySelector("h3 > span"), block.title);
  text(node.querySelector("p"), block.text);
  const widest = Math.max(...block.rows.map((each) => Math.abs(each.effect)), 1e-12);
  const both = block.rows.some((each) => each.effect < 0) && block.rows.some((each) => each.effect > 0);
  const list = node.querySelector("ul");
  list.classList.toggle("both", both);
  keyed(list, block.rows, (each) => each.key, barNode, (bar, row) => updateBar(bar, row, { widest, both, tone: block.tone }));
}

function barNode() {
  return h("li", {}, h("span", { class: "bar-words" }), h("span", { class: "bar-track", "aria-hidden": "true" }, h("span", { class: "bar-fill" })), h("span", { class: "bar-said number" }), h("span", { class: "bar-more" }));
}

function updateBar(node, row, { widest, both, tone }) {
  const [words, track, said, more] = node.children;
  text(words, row.words);
  text(said, row.said);
  text(more, row.more);
  const fill = track.firstChild;
  const share = (Math.abs(row.effect) / widest) * (both ? 50 : 100);
  fill.style.width = `${share}%`;
  fill.style.left = !both ? "0" : row.effect < 0 ? `${50 - share}%` : "50%";
  fill.className = `bar-fill ${row.effect < 0 && tone !== null ? tone : ""}`;
}
