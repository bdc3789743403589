/** The columns of the overview: which figures stand there, and which of them anybody has. */

/**
 * @typedef {{id: string, head: string, kpi?: string, group?: "Efficiency"|"Quality", better?: "higher"|"lower", n?: boolean,
 *   live?: boolean, what?: string}} Column
 */

/** @type {Column[]} */
export const COLUMNS = [
  { id: "state", head: "State" },
  { id: "partner", head: "Partner" },
  { id: "service_level", head: "Service level", kpi: "service_level", group: "Efficiency", better: "higher" },
  { id: "spark", head: "30 min", group: "Efficiency", what: "Service level by minute; the dashed line is its target" },
  { id: "waiting", head: "Waiting", kpi: "in_queue", group: "Efficiency", better: "lower", live: true },
  { id: "oldest", head: "Oldest", kpi: "longest_wait", group: "Efficiency", better: "lower", live: true, what: "How long the oldest of those has waited" },
  { id: "asa", head: "ASA", kpi: "asa", group: "Efficiency", better: "lower", what: "Average speed of answer" },
  { id: "abandon", head: "Abandon", kpi: "abandon_rate", group: "Efficiency", better: "lower" },
  { id: "occupancy", head: "Occup.", kpi: "occupancy", group: "Efficiency", better: "lower", what: "Occupancy: above 85 % for long is burnout" },
  { id: "balance", head: "Balance", group: "Quality", what: "Whether quality keeps up with efficiency" },
  { id: "csat", head: "CSAT", kpi: "csat", group: "Quality", better: "higher", n: true, what: "Customer satisfaction, and how many answered" },
  { id: "fcr", head: "FCR", kpi: "fcr", group: "Quality", better: "higher", n: true, what: "First contact resolution by repeat contacts" },
  { id: "fcr_reported", head: "FCR rep.", kpi: "fcr_reported", group: "Quality", better: "higher", n: true, what: "First contact resolution as reported at the end of a contact" },
];

/** Which columns anybody has; a column that was there stays as long as the window does, so that nothing jumps. */
export class Present {
  constructor() {
    this._window = null;
    this._ids = new Set();
  }

  /**
   * @param {Iterable<import("./roster.js").Entry>} entries
   * @param {string|null} window
   * @returns {Column[]}
   */
  of(entries, window) {
    if (window !== this._window) this._ids = new Set(["state", "partner"]);
    this._window = window;
    for (const column of COLUMNS) {
      if (!this._ids.has(column.id) && has(column, entries)) this._ids.add(column.id);
    }
    return COLUMNS.filter((column) => this._ids.has(column.id));
  }
}

function has(column, entries) {
  for (const entry of entries) {
    if (column.id === "balance" ? entry.balance !== null : counted(entry.row.kpis[column.kpi ?? "service_level"], column)) return true;
  }
  return false;
}

function counted(figure, column) {
  return figure !== undefined && (column.live || figure.value !== null);
}

/**
 * The target that all partners share, if they do: then the head of the column says it.
 *
 * @param {Column} column
 * @param {Iterable<import("./roster.js").Entry>} entries
 * @returns {{target: number, unit: string}|null}
 */
export function sharedTarget(column, entries) {
  let shared = null;
  for (const { row } of entries) {
    const figure = column.kpi && row.kpis[column.kpi];
    if (!figure || figure.target === null || figure.target === undefined) continue;
    if (shared !== null && shared.target !== figure.target) return null;
    shared = { target: figure.target, unit: figure.unit };
  }
  return shared;
}
