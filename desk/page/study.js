/** What is looked at on a partner's page: whose figures, of which part, KPI and window, with the records that tell of it. */

import { kpiOf, learn, titleOf } from "./catalogue.js";

const EVERY_MS = 10_000;
const WINDOW = "15m";
const FIRST = ["service_level", "asa", "aht", "csat"];

/** Figures that say how good it was, beside those that say how quick. */
const GOOD = new Set(["fcr", "fcr_reported", "repeat_rate", "reopened"]);

/** Groups in which figures are shown, in order. */
export const GROUPS = [
  { id: "efficiency", title: "Efficiency" },
  { id: "quality", title: "Quality" },
  { id: "people", title: "People" },
  { id: "own", title: "Of this policy" },
];

/**
 * In which group a KPI is shown.
 *
 * @param {any} entry of the catalogue
 */
export function groupOf(entry) {
  if (entry.own) return "own";
  if (entry.perspective === "learning_and_growth") return "people";
  return GOOD.has(entry.id) || /response|evaluation/.test(entry.attributed_to) ? "quality" : "efficiency";
}

/**
 * One partner, studied. Fires `change` when a record of it was read anew; `place` follows the address.
 */
export class Study extends EventTarget {
  /**
   * @param {any} app
   * @param {string} partner its id
   */
  constructor(app, partner) {
    super();
    this.app = app;
    this.partner = partner;
    /** `/partners/ID`: parts, targets, thresholds. @type {any} */
    this.detail = null;
    /** `/partners/ID/figures`: every window. @type {any} */
    this.figures = null;
    /** Why there is nothing. @type {any} */
    this.problem = null;
    this._asked = "";
    this._aborted = new AbortController();
    this._timer = setInterval(() => document.visibilityState === "visible" && this.load(), EVERY_MS);
    this.follow();
  }

  /** Take what the address says. */
  follow() {
    const { params } = this.app.url.current();
    this.window = params.window ?? WINDOW;
    this.scope = params.scope ?? "all";
    this.said = params;
    const asked = `${this.window} ${this.scope}`;
    if (asked !== this._asked) {
      this._asked = asked;
      this.detail = this.detail?.window === this.window ? this.detail : null;
      this.figures = this.figures?.scope === this.scope ? this.figures : null;
      this.load();
    }
  }

  /** The row of the stream. */
  get row() {
    return this.app.store.partners.get(this.partner) ?? this.detail?.partner ?? null;
  }

  get name() {
    return this.row?.name ?? this.partner;
  }

  /** Stream time of the partner, epoch ms: the end of what is known of it. */
  get now() {
    return this.app.store.streamTime(this.partner);
  }

  /** The KPI that the address names, else the first of those that everybody looks at. */
  get kpi() {
    return this.said.kpi ?? FIRST.find((each) => each in this.kpis) ?? FIRST[0];
  }

  /**
   * What the KPI is held against: as the figure says, and where there is none as the policy does.
   *
   * @returns {{target: number|null, critical: number|null, unit: string}}
   */
  get aims() {
    const { kpi } = this;
    const told = this.kpis[kpi];
    const own = told ?? this.detail?.targets[kpi];
    return { target: own?.target ?? null, critical: own?.critical ?? null, unit: told?.unit ?? this.entry(kpi).unit };
  }

  /** The figures of the window, of the part that is looked at. @returns {Object<string, any>} */
  get kpis() {
    return this.record(this.window)?.kpis ?? {};
  }

  /**
   * The newest record of a window; of a whole partner in the window of the stream its figures are those of the stream.
   *
   * @param {string} window
   * @param {string} [scope]
   */
  record(window, scope = this.scope) {
    const found = this.exact(window, scope);
    const { row } = this;
    if (scope !== "all" || window !== this.app.store.window || !row || row.as_of === null) return found;
    if (found && found.as_of > row.as_of) return found;
    return { ...(found ?? { partner: this.partner, scope, window }), kpis: row.kpis, as_of: row.as_of, frontier: row.frontier };
  }

  /**
   * The record of a window as it was read last, whole: its figures with the exact edges that they were counted in. Up to 10 s old.
   *
   * @param {string} window
   * @param {string} [scope]
   */
  exact(window, scope = this.scope) {
    const whole = this.figures?.scope === scope ? this.figures.figures.find((each) => each.window === window) : null;
    const part = this.detail?.window === window ? this.detail.scopes.find((each) => each.scope === scope) : null;
    return whole ?? part ?? null;
  }

  /** What a KPI is: of one that the catalogue does not know, its name alone. */
  entry(kpi) {
    return kpiOf(kpi) ?? { id: kpi, title: titleOf(kpi), unit: "", better: "", formula: "", attributed_to: "", traps: "", history: true };
  }

  /** Whether the catalogue is known: before, nobody knows which way is better, and nothing may be said of a figure. */
  get learnt() {
    return kpiOf(FIRST[0]) !== undefined;
  }

  /** Whether more of it is better. */
  higher(kpi) {
    return this.entry(kpi).better === "higher";
  }

  /** The address of this page with other parameters. */
  link(params) {
    return this.app.url.link(this.app.url.current().path, { ...this.app.url.current().params, ...params });
  }

  /** Ask anew. */
  async load() {
    this._aborted.abort();
    const { signal } = (this._aborted = new AbortController());
    const path = `partners/${encodeURIComponent(this.partner)}`;
    try {
      const { get } = this.app.api;
      if (!this.learnt) await learn();
      const [detail, figures] = await Promise.all([
        get(path, { window: this.window }, signal),
        get(`${path}/figures`, { scope: this.scope }, signal),
      ]);
      this.detail = detail;
      this.figures = figures;
      this.problem = null;
    } catch (error) {
      if (error.name === "AbortError") return;
      this.problem = error;
      // What it was is not how it stands: it is said that there is none any more.
      if (error.status === 404) this.detail = this.figures = null;
    }
    this.dispatchEvent(new Event("change"));
  }

  /** Ask no more. */
  close() {
    clearInterval(this._timer);
    this._aborted.abort();
  }
}
