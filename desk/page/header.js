/** The bar above every view: how old what is shown is, how the connection stands apart from that, and what holds for the whole page. */

import { attribute, h, text } from "./dom.js";
import { THIN, age, moment, time, zone } from "./format.js";
import { menu } from "./menu.js";
import { alarms } from "./sound.js";
import { sign } from "./states.js";

/** Older data is said to be old. */
const OLD_MS = 15_000;
const WINDOWS = [
  ["5m", "5 min"], ["15m", "15 min"], ["30m", "30 min"], ["1h", "1 hour"], ["4h", "4 hours"],
  ["24h", "24 hours"], ["7d", "7 days"], ["30d", "30 days"], ["today", "Today"], ["month", "Month"],
];
const THEMES = { auto: "As the system", light: "Light", dark: "Dark" };
const CONNECTIONS = {
  connecting: ["Connecting", "ring"],
  live: ["Live", "dot"],
  lost: ["No connection", "cross"],
  refused: ["Refused", "cross"],
};
const REFUSED = {
  no_view: "Redis does not answer, so the desk sees nothing. It is asked again until it does; whoever runs Redis has to look.",
  viewers: "Too many are watching: close other windows of this page. It is tried again.",
};

/**
 * @param {Element} root
 * @param {Element} warning what is said across the page when data is old
 * @param {import("./main.js").App} app
 * @param {Object<string, {title?: string}>} views
 * @returns {{update: () => void, tick: () => void}}
 */
export function header(root, warning, app, views) {
  const { store, stream, url, session, prefs } = app;
  const ageText = h("span", { class: "age-text" });
  const ageOf = h("span", { class: "age" }, "Data ", ageText);
  const connection = h("span", { class: "connection" });
  const links = Object.entries(views)
    .filter(([, { title, partners }]) => title && (session.role !== "partner" || partners))
    .map(([name, { title }]) => h("a", { href: `/${name}`, data: { view: name } }, title));
  const picker = h("select", { class: "window", "aria-label": "Window of the figures" }, WINDOWS.map(([name, title]) => h("option", { value: name }, title)));
  picker.addEventListener("change", () => url.set({ window: picker.value === "15m" ? null : picker.value }));

  const dress = () => {
    const name = prefs.get("theme", "auto");
    if (name === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
  };
  prefs.addEventListener("change", dress);
  dress();

  const alarm = alarms(app);
  const logout = async () => {
    // The cookie may be another by now: renewed, or of a login beside this page. What has to come with it is asked for anew.
    await app.api.get("session").then(app.api.trust).catch(() => {});
    await app.api.remove("session").catch(() => {});
    stream.close();
    location.assign("/login");
  };
  root.append(
    h("a", { href: "/", class: "name" }, "outwatch"),
    h("nav", { "aria-label": "Views" }, links),
    h("div", { class: "freshness" }, ageOf, connection),
    h(
      "div", { class: "bar-tools" },
      h("label", { class: "picker" }, h("span", {}, "Window"), picker),
      h("span", { class: "zone", title: "Every time on this page is in this zone, which is your browser\u2019s." }, zone()),
      alarm,
      h("button", { type: "button", class: "quiet", "aria-label": "Keys and help", on: { click: () => app.keys.help() } }, "?"),
      menu(session.name, `${session.name}, ${session.role}: theme and log out`, () => [
        ...Object.entries(THEMES).map(([name, label]) => ({
          label: `${label}${prefs.get("theme", "auto") === name ? " \u2713" : ""}`,
          act: () => prefs.set("theme", name),
        })),
        session.csrf ? { label: `Log out ${session.name} (${session.role})`, act: logout } : null,
      ]),
    ),
  );

  // What sticks below the bar has to know how high that is: it wraps where there is little room, and says more when data is old.
  const top = root.parentElement;
  new ResizeObserver(() => {
    const sticks = getComputedStyle(top).position === "sticky";
    document.documentElement.style.setProperty("--top-height", `${sticks ? top.offsetHeight : 0}px`);
  }).observe(top);

  let state = null;
  const tick = () => {
    const ms = store.age();
    text(ageText, ms === null ? (store.told ? "of no worker" : "\u2026") : `${age(ms)} old`);
    ageOf.classList.toggle("is-old", store.told && (ms === null || ms > OLD_MS));
    attribute(ageOf, "title", store.asOf === null ? null : `A worker last reported at ${moment(store.asOf)}.\nCounted from there, never from the connection.`);
    document.documentElement.classList.toggle("is-stale", store.told && allOld(store));
    const why = trouble(store, stream);
    attribute(warning, "hidden", why === null);
    // What is read out is said once, not each second.
    const said = why === null ? "" : why.join(" ");
    if (warning.dataset.said !== said) {
      warning.dataset.said = said;
      warning.replaceChildren(...(why === null ? [] : [sign("clock"), h("strong", {}, why[0]), h("span", {}, why[1])]));
    }
  };
  const update = () => {
    const here = url.current();
    picker.value = here.params.window ?? "15m";
    for (const link of links) attribute(link, "aria-current", link.dataset.view === here.path.split("/")[1] ? "page" : null);
    if (stream.state !== state) {
      state = stream.state;
      const [word, shape] = CONNECTIONS[state];
      connection.replaceChildren(sign(shape), h("span", {}, word));
      connection.className = `connection connection-${state}`;
    }
    tick();
  };
  return { update, tick };
}

/** Whether no worker at all reported of late: then nothing that is shown holds for certain. */
function allOld(store) {
  const newest = Math.max(store.asOf ?? 0, ...[...store.heartbeats.values()].map((each) => each.as_of));
  return store.clock() - newest > OLD_MS;
}

/** What is wrong with the data, and what to do: [what, the rest]; null if nothing is. */
function trouble(store, stream) {
  const of = store.asOf === null ? "" : ` What is shown is of ${time(store.asOf)}.`;
  if (stream.state === "refused") {
    return [REFUSED[stream.error.reason] ?? `The desk refuses: ${stream.error.message}.`, of];
  }
  if (stream.state === "lost") return ["No connection to the desk.", `It is tried again by itself.${of}`];
  if (!store.told) return null;
  if (store.blind) return [REFUSED.no_view, of];
  if (store.asOf === null) return ["No worker reports.", "Nothing is counted yet: start one with outwatch run, and see outwatch status."];
  if (store.age() <= OLD_MS) return null;
  const since = `since ${time(store.asOf)}`;
  const rest = "Figures and alerts may have changed: see outwatch status, and the logs of workers, projector and Redis.";
  if (allOld(store)) return [`Data is more than 15${THIN}s old: no worker has reported ${since}.`, rest];
  const stale = [...store.partners.values()].filter((each) => each.state === "stale").length;
  return [`A worker has not reported ${since}.`, `${stale} of ${store.partners.size} partners are stale. ${rest}`];
}
