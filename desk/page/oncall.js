/** Who is on call: now and until when, who is next, and the coming two weeks with what nobody covers; whoever may takes a shift over. */

import { cancel, override } from "./commands.js";
import { attribute, h, keyed, text } from "./dom.js";
import { day, duration, moment, time, zone } from "./format.js";
import { blocks, days, duty, place } from "./schedule.js";
import { may } from "./session.js";
import { sign } from "./states.js";

const DAYS = 14;
const AGAIN_MS = 30_000;
const GAPS = { uncovered: "no layer has a shift then", empty_shift: "the shift is nobody's" };

/**
 * @param {Element} root
 * @param {any} app
 */
export function mount(root, app) {
  document.title = "On call · outwatch";
  const status = h("p", { class: "empty", role: "status" }, "Asking who is on call …");
  const now = h("tbody");
  const table = h("table", { class: "duty" }, h("caption", { class: "sr" }, "On call now"), heading(), now);
  const calendar = h("div", { class: "calendar" });
  const taken = h("ul", { class: "overrides" });
  const taking = h("section", { class: "panel", "aria-labelledby": "overrides-title" }, h("h2", { id: "overrides-title" }, "Taken over"), taken);
  const page = h(
    "div",
    { class: "oncall", hidden: true },
    h("div", { class: "panel" }, table),
    h("section", { class: "panel", "aria-labelledby": "calendar-title" }, h("h2", { id: "calendar-title" }, `The next ${DAYS} days`), calendar),
    taking,
  );
  root.append(h("div", { class: "sheet" }, h("h1", {}, "On call"), h("p", { class: "help" }, `Times are those of ${zone()}.`), status, page));
  let gone = false;
  /** @type {any} */
  let known = null;
  const timer = setInterval(ask, AGAIN_MS);
  ask();
  return { update: (/** @type {any} */ change) => change?.outcomes && ask(), tick: () => known && draw(), unmount };

  function unmount() {
    gone = true;
    clearInterval(timer);
  }

  async function ask() {
    const begins = days(app.now(), DAYS);
    try {
      const found = await app.api.get("oncall/schedule", { from: begins[0], to: begins[DAYS] });
      if (gone) return;
      known = { ...found, begins };
      draw();
    } catch (error) {
      // What was known stays: it is a calendar, and holds until somebody changes it.
      if (!gone && known === null) text(status, `Who is on call is not known: ${/** @type {Error} */ (error).message}`);
    }
  }

  function draw() {
    const { rotations, begins } = known;
    const at = app.now();
    status.hidden = rotations.length > 0;
    text(status, "The policy names no rotation that you may see.");
    /** @type {any} */ (page).hidden = rotations.length === 0;
    keyed(now, rotations, (each) => each.rotation, row, (row, each) => onDuty(row, each, at));
    grid(calendar, rotations, begins, at);
    const held = rotations
      .flatMap((/** @type {any} */ each) => each.overrides.map((/** @type {any} */ one) => ({ ...one, rotation: each.rotation })))
      .filter((/** @type {any} */ each) => each.to > at);
    taking.hidden = held.length === 0;
    keyed(taken, held, (/** @type {any} */ each) => each.id, takenOver, (node, each) => text(/** @type {any} */ (node).firstChild, inWords(each)));
  }

  /** @param {any} each */
  function row(each) {
    const take = h("button", { type: "button", class: "quiet", on: { click: () => take_(each.rotation) } }, "Take over …");
    attribute(take, "aria-label", `Take over a shift of ${each.rotation}`);
    return h("tr", {}, h("th", { scope: "row" }), h("td"), h("td"), h("td"), h("td", {}, may(app.session, "override") ? take : null));
  }

  /** @param {string} rotation @param {any} [block] */
  function take_(rotation, block = null) {
    const of = known.rotations.find((/** @type {any} */ each) => each.rotation === rotation);
    override(app, { rotation, takers: of.takers, from: block && Math.max(block.from, app.now()), to: block?.to ?? duty(blocks(of), app.now()).until });
  }

  /** @param {any} each */
  function takenOver(each) {
    const back = h("button", { type: "button", class: "quiet", on: { click: () => cancel(app, { ...each, said: inWords(each) }) } }, "Give back …");
    return h("li", {}, h("span"), may(app.session, "cancel") ? back : null);
  }

  /** A row of days and one of each rotation. @param {Element} node @param {any[]} rotations @param {number[]} begins @param {number} at */
  function grid(node, rotations, begins, at) {
    const rows = [{ rotation: "", begins }, ...rotations];
    keyed(node, rows, (each) => each.rotation, (each) => (each.rotation === "" ? ruler(begins) : track(each)), (line, each) => {
      if (each.rotation === "") ruled(line, begins, at);
      else fill(/** @type {Element} */ (line.lastElementChild), each, begins, at);
    });
  }

  /** @param {any} each */
  function track(each) {
    return h("section", { class: "track", "aria-label": each.rotation }, h("h3", {}, each.rotation), h("ol"));
  }

  /** @param {Element} list @param {any} rotation @param {number[]} begins @param {number} at */
  function fill(list, rotation, begins, at) {
    const make = (/** @type {any} */ each) => h("li", {}, block(rotation.rotation, each));
    const seen = blocks(rotation).filter((each) => each.to > begins[0] && each.from < begins[DAYS]);
    keyed(list, seen, (each) => `${each.from}/${each.to}/${each.people}/${each.override}`, make, (node, each) => {
      const { style } = /** @type {HTMLElement} */ (node);
      const [from, to] = [place(each.from, begins), place(each.to, begins)];
      style.setProperty("--from", `${from * 100}%`);
      style.setProperty("--wide", `${(to - from) * 100}%`);
      attribute(node, "class", each.gap ? "gap" : `shift${each.override ? " over" : ""}${each.from <= at && at < each.to ? " present" : ""}`);
    });
  }

  /** @param {string} rotation @param {any} each */
  function block(rotation, each) {
    const who = each.gap ? "Nobody" : each.people.join(", ");
    const why = each.gap ? `: ${GAPS[/** @type {keyof typeof GAPS} */ (each.gap)] ?? each.gap}` : each.override ? ", taken over" : "";
    const when = `${moment(each.from)} to ${moment(each.to)}`;
    const short = `${day(each.from)} ${time(each.from)} – ${day(each.to) === day(each.from) ? "" : `${day(each.to)} `}${time(each.to)}`;
    const said = [each.gap ? sign("cross") : each.override ? sign("half") : null, h("span", { class: "shift-who" }, who), h("span", { class: "shift-initials", "aria-hidden": "true" }, each.gap ? "Nobody" : initials(each.people)), h("span", { class: "shift-when" }, short)];
    const props = { class: "shift-block", title: `${who}${why}\n${when}` };
    if (!may(app.session, "override") || each.to <= app.now()) return h("span", props, ...said);
    const label = `${who}${why}, ${short}: take over`;
    return h("button", { ...props, type: "button", "aria-label": label, on: { click: () => take_(rotation, each) } }, ...said);
  }
}

function heading() {
  const names = ["Rotation", "On call", "Until", "Then"];
  return h("thead", {}, h("tr", {}, ...names.map((each) => h("th", { scope: "col" }, each)), h("td")));
}

/** @param {Element} row @param {any} rotation @param {number} at */
function onDuty(row, rotation, at) {
  const [name, who, until, after] = row.children;
  const found = duty(blocks(rotation), at);
  text(name, rotation.rotation);
  standing(who, found.present, "nobody has to be");
  const span = found.until === null ? "" : `, in ${duration(Math.ceil((found.until - at) / 60_000) * 60)}`;
  text(until, found.until === null ? "no change in these days" : `${clock(found.until, at)}${span}`);
  const pause = found.then !== null && found.until !== null && found.then.from > found.until;
  standing(after, found.then, "", pause ? ` from ${clock(/** @type {any} */ (found.then).from, at)}` : "");
}

/** @param {any} cell @param {import("./schedule.js").Block | null} block @param {string} none what is said where there is none */
function standing(cell, block, none, when = "") {
  const said = block === null ? none : `${block.gap ? "Nobody" : block.people.join(", ")}${when}`;
  if (cell.dataset.said === said) return;
  cell.dataset.said = said;
  cell.replaceChildren(block?.gap ? h("span", { class: "mark mark-critical" }, sign("cross"), h("span", {}, said)) : said);
}

/** @param {number} ms @param {number} at */
function clock(ms, at) {
  return day(ms) === day(at) ? time(ms) : `${day(ms)}, ${time(ms)}`;
}

/** @param {any} each */
function inWords({ rotation, person, from, to, comment, by }) {
  return `${person} takes ${rotation}, ${day(from)} ${time(from)} to ${day(to)} ${time(to)}${comment ? `: ${comment}` : ""}${by ? ` (${by})` : ""}`;
}

/** @param {string[]} people */
function initials(people) {
  return people.map((each) => each.split(/\s+/).map((word) => word[0]).join("")).join(" ");
}

/** @param {number[]} begins */
function ruler(begins) {
  const marks = begins.slice(0, -1).map(() => h("li", { data: { weekend: "" } }));
  return h("div", { class: "ruler", "aria-hidden": "true" }, h("span"), h("ol", {}, ...marks, h("li", { class: "present-line" })));
}

/** @param {Element} node @param {number[]} begins @param {number} at */
function ruled(node, begins, at) {
  const line = /** @type {HTMLElement} */ (node.querySelector(".present-line"));
  line.style.setProperty("--at", String(place(at, begins)));
  node.querySelectorAll("li[data-weekend]").forEach((/** @type {any} */ each, number) => {
    text(each, day(begins[number]));
    each.dataset.weekend = String([0, 6].includes(new Date(begins[number]).getDay()));
  });
}
