/** The partners as the overview needs them: each record with how it stands and why, made anew only where something changed. */

import { titleOf } from "./catalogue.js";
import { standing } from "./states.js";

const EFFICIENCY = ["service_level", "asa", "abandon_rate", "aht", "occupancy", "turnaround_attainment"];
const QUALITY = ["csat", "fcr", "fcr_reported", "nps", "ces", "qa_score", "compliance_rate", "script_adherence"];

/**
 * @typedef {Object} Entry
 * @property {string} id
 * @property {string} name
 * @property {Object} row of the snapshot
 * @property {string} state of `STATES`
 * @property {string} why it stands so, in words
 * @property {string|null} balance why efficiency and quality do not go together; null: nothing says so
 * @property {number} order of its worst alert: what matters most is highest
 * @property {number} since when its worst alert fires, epoch ms of stream time; 0: none does
 */

/** The partners of a store. */
export class Roster {
  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this._store = store;
    this._alerts = new Map();
    this._partnerOf = new Map();
    /** By partner. @type {Map<string, Entry>} */
    this.entries = new Map();
    this.update({ alerts: new Set(store.alerts.keys()), partners: new Set(store.partners.keys()) });
  }

  /** Take what changed; an entry that is another object is another. */
  update(change) {
    const stale = new Set(change.partners ?? []);
    for (const id of change.alerts ?? []) {
      const alert = this._store.alerts.get(id);
      const partner = alert?.partner ?? this._partnerOf.get(id);
      if (partner === undefined) continue;
      if (!this._alerts.has(partner)) this._alerts.set(partner, new Map());
      if (alert) this._alerts.get(partner).set(id, alert);
      else this._alerts.get(partner).delete(id);
      if (alert) this._partnerOf.set(id, partner);
      else this._partnerOf.delete(id);
      stale.add(partner);
    }
    for (const partner of stale) {
      const row = this._store.partners.get(partner);
      if (row) this.entries.set(partner, entry(row, [...(this._alerts.get(partner)?.values() ?? [])]));
      else this.entries.delete(partner);
    }
  }
}

/** @returns {Entry} */
function entry(row, alerts) {
  const firing = alerts.filter((each) => each.state === "firing");
  const order = Math.max(0, ...firing.map((each) => each.order ?? 0));
  const worst = firing.filter((each) => (each.order ?? 0) === order).map((each) => each.fired_at ?? 0);
  const since = worst.length > 0 ? Math.min(...worst) : 0;
  return { id: row.partner, name: row.name, row, ...standing(row, alerts, titleOf), balance: balance(row, firing), order, since };
}

/**
 * Why quality does not keep up with efficiency: a rule says so, or the one is on target and the other is not.
 *
 * @param {any} row of the snapshot
 * @param {any[]} firing alerts of this partner
 * @returns {string|null} null: nothing says so
 */
export function balance(row, firing) {
  const alert = firing.find((each) => each.evidence?.parts?.length === 2 && each.evidence.parts.every((part) => part.before));
  if (alert) return alert.explanation;
  const judged = (kpis, ...statuses) => kpis.filter((kpi) => statuses.includes(row.kpis[kpi]?.status));
  const behind = judged(QUALITY, "warning", "critical");
  const good = judged(EFFICIENCY, "ok");
  if (behind.length === 0 || good.length === 0 || judged(EFFICIENCY, "warning", "critical").length > 0) return null;
  return `${good.map(titleOf).join(", ")} on target, while quality is not: ${behind.map(titleOf).join(", ")}`;
}
