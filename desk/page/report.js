/** The report of a shift: what fired, who took it, what is open, and what resolved without anybody having seen it. It prints. */

import { h, keyed, text } from "./dom.js";
import { day, duration, time, zone } from "./format.js";
import { brief } from "./said.js";
import { mark, sign } from "./states.js";

const AGAIN_MS = 30_000;
const SHIFTS = 30;
const PARTS = [
  ["fired", "fired", "opened in this shift"],
  ["taken", "taken", "acknowledged in this shift"],
  ["open", "open", "open at its end"],
  ["resolved", "resolved", "ended in this shift"],
  ["unseen", "unseen", "ended in it, and nobody ever acknowledged them"],
];
const SECTIONS = [
  { title: "Open", of: (/** @type {string[]} */ parts) => parts.includes("open") },
  { title: "Resolved, and seen by nobody", of: (/** @type {string[]} */ parts) => parts.includes("unseen") },
  { title: "Resolved", of: (/** @type {string[]} */ parts) => parts.includes("resolved") && !parts.includes("unseen") },
  { title: "Also taken", of: (/** @type {string[]} */ parts) => !parts.includes("open") && !parts.includes("resolved") },
];

/**
 * @param {Element} root
 * @param {any} app
 */
export function mount(root, app) {
  document.title = "Shift report · outwatch";
  const status = h("p", { class: "empty", role: "status" }, "Asking for the reports …");
  const rotation = /** @type {HTMLSelectElement} */ (h("select", { on: { change: () => app.url.set({ rotation: rotation.value, shift: null }) } }));
  const shift = /** @type {HTMLSelectElement} */ (h("select", { on: { change: () => app.url.set({ shift: shift.value }) } }));
  const print_ = h("button", { type: "button", on: { click: () => print() } }, "Print");
  const picks = h("div", { class: "report-picks" }, h("label", {}, "Rotation ", rotation), h("label", {}, "Shift ", shift), print_);
  const body = h("article", { class: "report" });
  root.append(h("div", { class: "sheet" }, h("div", { class: "report-head" }, h("h1", {}, "Shift report"), picks), status, body));
  let gone = false;
  let asked = "";
  /** @type {any[] | null} */
  let reports = null;
  const timer = setInterval(ask, AGAIN_MS);
  ask();
  return { update: moved, unmount };

  function unmount() {
    gone = true;
    clearInterval(timer);
  }

  function moved() {
    if (app.url.current().params.rotation !== asked) ask();
    else draw();
  }

  async function ask() {
    asked = app.url.current().params.rotation;
    const wanted = asked;
    try {
      const { rotations } = await app.api.get("oncall");
      const names = rotations.map((/** @type {any} */ each) => each.rotation);
      const chosen = names.includes(wanted) ? wanted : names[0];
      const found = names.length > 0 ? (await app.api.get("reports", { rotation: chosen, limit: SHIFTS })).reports : [];
      if (gone || asked !== wanted) return;
      reports = found;
      options(rotation, names.map((/** @type {string} */ each) => [each, each]), chosen);
      draw();
    } catch (error) {
      if (!gone && reports === null) text(status, `The reports are not known: ${/** @type {Error} */ (error).message}`);
    }
  }

  function draw() {
    if (reports === null) return;
    options(shift, reports.map((each) => [String(each.from), span(each)]), app.url.current().params.shift);
    const found = reports.find((each) => String(each.from) === shift.value) ?? null;
    status.hidden = found !== null;
    text(status, "No rotation had a shift yet.");
    const key = JSON.stringify(found);
    if (/** @type {any} */ (body).dataset.key === key) return;
    /** @type {any} */ (body).dataset.key = key;
    body.replaceChildren(...(found === null ? [] : told(app, found)));
  }
}

/** @param {HTMLSelectElement} select @param {string[][]} pairs value and label @param {string | undefined} chosen */
function options(select, pairs, chosen) {
  keyed(select, pairs, (each) => each[0], (each) => h("option", { value: each[0] }), (node, each) => text(node, each[1]));
  select.value = pairs.some((each) => each[0] === chosen) ? /** @type {string} */ (chosen) : (pairs[0]?.[0] ?? "");
}

/** @param {any} report */
function span({ from, to, present, people }) {
  const ends = present ? "now" : day(from) === day(to) ? time(to) : `${day(to)} ${time(to)}`;
  return `${day(from)} ${time(from)} – ${ends}, ${people.join(", ") || "nobody"}`;
}

/** @param {any} app @param {any} report */
function told(app, report) {
  const { from, to, present, people, following, counts, incidents, complete } = report;
  const ends = to === null ? "" : `${day(to)}, ${time(to)}`;
  const found = [
    h("h2", {}, `${report.rotation}: ${people.join(", ") || "nobody"}${following.length > 0 ? `, then ${following.join(", ")}` : ""}`),
    h("p", { class: "help" }, `${day(from)}, ${time(from)} to ${present ? `now${ends && `; it ends ${ends}`}` : ends} (${zone()})`),
    h("dl", { class: "report-counts" }, ...PARTS.map(([part, word, what]) => h("div", { title: what }, h("dt", {}, word), h("dd", {}, String(counts[part] ?? 0))))),
  ];
  if (!complete) {
    found.push(h("p", { class: "report-note" }, sign("half"), " It began over 8 days ago: incidents that ended early in it may be missing."));
  }
  if (incidents.length === 0) found.push(h("p", { class: "report-note" }, "Nothing fired."));
  for (const { title, of } of SECTIONS) {
    const some = incidents.filter((/** @type {any} */ each) => of(each.parts));
    if (some.length > 0) found.push(section(app, title, some));
  }
  return found;
}

/** @param {any} app @param {string} title @param {any[]} incidents */
function section(app, title, incidents) {
  const names = ["Severity", "Partner", "What", "Opened", "Lasted", "Taken by"];
  return h(
    "section",
    {},
    h("h3", {}, `${title} `, h("span", { class: "help" }, String(incidents.length))),
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, ...names.map((each) => h("th", { scope: "col" }, each)))),
      h("tbody", {}, ...incidents.map((each) => row(app, each))),
    ),
  );
}

/** @param {any} app @param {any} incident */
function row(app, { partner, partner_name: name, severity, text: what, opened_at: opened, ended_at: ended, taken }) {
  const link = h("a", { href: app.url.link(`/partner/${encodeURIComponent(partner)}`) }, name);
  const lasted = ended === null ? "open" : duration(Math.round((ended - opened) / 1000));
  const by = taken.map((/** @type {any} */ each) => `${each.by} ${time(each.at)}`).join(", ");
  const cells = [mark(severity), link, brief(what, name), `${day(opened)} ${time(opened)}`, lasted, by || "nobody"];
  return h("tr", {}, ...cells.map((each) => h("td", {}, each)));
}
