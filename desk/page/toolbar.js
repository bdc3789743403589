/** Search, own partners, saved filters, and which way the overview is shown. */

import { attribute, h, text } from "./dom.js";

const FILTERS_MAX = 20;
const NONE = [];
const KEPT = ["state", "q", "mine", "sort", "view", "window"];

/**
 * @param {import("./main.js").App} app
 * @returns {{node: Element, update: (how: {params: Object, tiles: boolean, shown: number, all: number|null}) => void}}
 */
export function toolbar(app) {
  const { url } = app;
  const search = h("input", { type: "search", placeholder: "Search partners", "aria-label": "Search partners", maxlength: 100, data: { search: "" } });
  search.addEventListener("input", () => url.set({ q: search.value }, { replace: true }));
  search.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      search.value = "";
      url.set({ q: null }, { replace: true });
      search.blur();
    }
  });
  const mine = h("button", { type: "button", on: { click: () => url.set({ mine: url.current().params.mine ? null : 1 }) } }, "My partners");
  const views = ["Table", "Tiles"].map((word) => h("button", { type: "button", on: { click: () => url.set({ view: word.toLowerCase() }) } }, word));
  const many = h("span", { class: "many", role: "status" });
  const saved = savedFilters(app);
  const node = h(
    "div", { class: "toolbar", role: "search" },
    search, mine, saved.node, many,
    h("div", { class: "segments", role: "group", "aria-label": "Shown as" }, views),
  );
  const update = ({ params, tiles, shown, all }) => {
    if (document.activeElement !== search) search.value = params.q ?? "";
    attribute(mine, "aria-pressed", String(Boolean(params.mine)));
    attribute(views[0], "aria-pressed", String(!tiles));
    attribute(views[1], "aria-pressed", String(tiles));
    text(many, all === null ? "" : shown === all ? `${all} ${all === 1 ? "partner" : "partners"}` : `${shown} of ${all} partners`);
    saved.update();
  };
  return { node, update };
}

/** Filters under a name, kept by this browser. */
function savedFilters({ url, prefs, say }) {
  const list = h("ul");
  const name = h("input", { id: "filter-name", required: true, maxlength: 40, placeholder: "Name", autocomplete: "off" });
  const form = h("form", {}, h("label", { for: "filter-name" }, "Keep what is shown as"), h("div", { class: "row" }, name, h("button", { type: "submit" }, "Keep")));
  const node = h("details", { class: "menu" }, h("summary", {}, "Filters"), h("div", { class: "menu-body panel" }, list, form));
  node.addEventListener("focusout", (event) => {
    if (!node.contains(event.relatedTarget) && !node.matches(":hover")) node.open = false;
  });
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    node.open = false;
    node.querySelector("summary").focus();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { params } = url.current();
    const kept = Object.fromEntries(KEPT.filter((each) => params[each]).map((each) => [each, params[each]]));
    const others = prefs.get("filters", NONE).filter((each) => each.name !== name.value.trim());
    prefs.set("filters", [...others, { name: name.value.trim(), params: kept }].slice(-FILTERS_MAX));
    say(`Kept as \u201c${name.value.trim()}\u201d in this browser.`);
    name.value = "";
  });
  let shown = null;
  const update = () => {
    const filters = prefs.get("filters", NONE);
    if (filters === shown) return;
    shown = filters;
    list.replaceChildren(
      ...filters.map((each) =>
        h(
          "li", {},
          h("a", { href: url.link("/", each.params), data: { whole: "" }, on: { click: () => (node.open = false) } }, each.name),
          h("button", {
            type: "button", class: "quiet", "aria-label": `Forget ${each.name}`,
            on: { click: () => prefs.set("filters", filters.filter((other) => other !== each)) },
          }, "\u00d7"),
        ),
      ),
    );
  };
  return { node, update };
}
