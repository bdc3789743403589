/** Begins the page: who looks, what they look at, and one patch of it an animation frame at most. */

import * as api from "./api.js";
import { h } from "./dom.js";
import { header } from "./header.js";
import { Keys } from "./keys.js";
import * as loginView from "./login.js";
import { messages } from "./messages.js";
import * as oncall from "./oncall.js";
import * as overview from "./overview.js";
import * as partner from "./partner.js";
import { Prefs } from "./prefs.js";
import * as report from "./report.js";
import { Store } from "./store.js";
import { Stream } from "./stream.js";
import { Url } from "./url.js";
import * as wall from "./wall.js";

/** By the first part of the path; those with a title stand in the header. @type {Object<string, {view: object, title?: string}>} */
const VIEWS = {
  "": { view: overview, title: "Overview" },
  oncall: { view: oncall, title: "On call", partners: true },
  partner: { view: partner },
  report: { view: report, title: "Shift report", partners: true },
  wall: { view: wall, title: "Wall" },
};
const WINDOW = "15m";

/**
 * What a view has to do with.
 *
 * @typedef {Object} App
 * @property {Store} store
 * @property {Stream} stream
 * @property {{get: function, post: function, remove: function, trust: function}} api
 * @property {Url} url
 * @property {{name: string, role: string, partner: string|null}} session
 * @property {Prefs} prefs
 * @property {Keys} keys
 * @property {() => number} now the desk's clock, epoch ms
 * @property {(text: string, level?: string) => void} say
 */

/**
 * A view is a module with `mount(root, app)`; `update` is called with what changed in the store since (kind -> Set of ids; empty where
 * the address did, or nothing was told but the time), `tick` every second.
 *
 * @typedef {{update: (change: Object<string, Set<string>>) => void, unmount: () => void, tick?: () => void}} Mounted
 */

async function begin() {
  const root = document.getElementById("view");
  const url = new Url();
  if (url.current().path === "/login") {
    document.title = "Log in \u00b7 outwatch";
    loginView.mount(root, { url });
    return;
  }
  // Of a link to log in with, where somebody is logged in already.
  if (location.hash.startsWith("#token=")) history.replaceState(null, "", location.pathname + location.search);
  const session = await who(root);
  api.trust(session);
  const store = new Store();
  const stream = new Stream(store);
  const say = messages(document.getElementById("messages"));
  /** @type {App} */
  const app = { store, stream, api, url, session, prefs: new Prefs(), keys: new Keys(), now: () => store.clock(), say };
  const bar = header(document.getElementById("header"), document.getElementById("warning"), app, VIEWS);
  show(root, app, bar);
}

/** Who looks; asked until the desk answers. */
async function who(root) {
  for (let wait = 1_000; ; wait = Math.min(15_000, wait * 2)) {
    try {
      return await api.get("session");
    } catch (error) {
      if (error.status === 401) {
        location.replace(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
        await new Promise(() => {});
      }
      const what = h("p", { class: "empty", role: "status" }, h("strong", {}, "The desk does not answer."), " It is asked again.");
      root.replaceChildren(what);
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

function show(root, app, bar) {
  const { store, stream, url, session } = app;
  let view = null;
  let mounted = null;
  let mountedPath = null;
  let pending = null;

  const draw = () => {
    const change = pending;
    pending = null;
    bar.update(change);
    mounted.update(change);
  };
  const changed = (detail) => {
    if (pending === null) {
      pending = {};
      requestAnimationFrame(draw);
    }
    for (const [kind, ids] of Object.entries(detail)) {
      if (pending[kind]) for (const id of ids) pending[kind].add(id);
      else pending[kind] = new Set(ids);
    }
  };
  const place = () => {
    const { path, params } = url.current();
    if (session.role === "partner" && path === "/") {
      // Of one partner there is nothing to look over: it is shown itself. This comes back here by the change of the address.
      url.go(`/partner/${encodeURIComponent(session.partner)}`, params, { replace: true });
      return;
    }
    stream.open(params.window ?? WINDOW);
    const next = (VIEWS[path.split("/")[1]] ?? VIEWS[""]).view;
    if (next !== view || (path !== mountedPath && path.split("/").length > 2)) {
      mounted?.unmount();
      root.replaceChildren();
      document.body.dataset.view = path.split("/")[1] || "overview";
      mounted = next.mount(root, app);
      view = next;
      mountedPath = path;
    }
    changed({});
  };

  store.addEventListener("change", (event) => changed(event.detail));
  stream.addEventListener("state", () => changed({}));
  url.addEventListener("change", place);
  document.addEventListener("click", (event) => follow(event, url));
  setInterval(() => {
    bar.tick();
    mounted.tick?.();
  }, 1_000);
  place();
}

/** Links of ours load nothing anew. */
function follow(event, url) {
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey && !event.defaultPrevented;
  if (link === null || !plain || link.origin !== location.origin || link.target || link.hasAttribute("download")) return;
  if (link.hash || link.pathname.startsWith("/api/") || link.pathname.startsWith("/page/")) return;
  event.preventDefault();
  const here = link.pathname === location.pathname;
  // The window is the page's and not the view's: it goes along, but with a link that says all that is to be shown.
  const { window } = link.dataset.whole === undefined ? url.current().params : {};
  url.go(link.pathname, { ...(window ? { window } : {}), ...Object.fromEntries(new URLSearchParams(link.search)) });
  // Whoever chose something of this view stays at what they chose.
  if (here) return;
  scrollTo(0, 0);
  document.getElementById("view").focus({ preventScroll: true });
}

begin();
