/** Which partners are shown, and in which order. Pure. */

import { rising } from "./rising.js";
import { STATES } from "./states.js";

/**
 * How many partners there are of each group, and how many contacts wait.
 *
 * @param {Iterable<import("./roster.js").Entry>} entries
 * @returns {Object<string, number|null>} `waiting` is null where nobody says
 */
export function counted(entries) {
  const found = { critical: 0, warning: 0, stale: 0, unknown: 0, ok: 0, waiting: null };
  for (const { state, row } of entries) {
    found[STATES[state].group] += 1;
    const waiting = row.kpis.in_queue?.value;
    if (waiting !== null && waiting !== undefined) found.waiting = (found.waiting ?? 0) + waiting;
  }
  return found;
}

/**
 * Those that are asked for.
 *
 * @param {Iterable<import("./roster.js").Entry>} entries
 * @param {{state?: string, q?: string, mine?: string}} params of the address
 * @param {Set<string>} mine the viewer's own
 */
export function wanted(entries, { state, q, mine: own }, mine) {
  const words = (q ?? "").toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return [...entries].filter((entry) => {
    if (state === "waiting" ? !(entry.row.kpis.in_queue?.value > 0) : state && STATES[entry.state].group !== state) return false;
    if (own && !mine.has(entry.id)) return false;
    const said = `${entry.name} ${entry.id}`.toLocaleLowerCase();
    return words.every((word) => said.includes(word));
  });
}

/**
 * In order: by `sort` (a column's id; with a minus the other way), else the worst first, of these what matters most, then what fires
 * longest. What has no value stands last either way.
 *
 * @param {import("./roster.js").Entry[]} entries
 * @param {string|undefined} sort
 * @param {import("./columns.js").Column[]} columns
 */
export function arranged(entries, sort, columns) {
  const column = columns.find((each) => each.id === sort?.replace("-", ""));
  const by = column === undefined || column.id === "state" ? worstFirst : byValue(column);
  const sign = sort?.startsWith("-") ? -1 : 1;
  return [...entries].sort((one, other) => by(one, other, sign) || byName(one, other));
}

function worstFirst(one, other, sign = 1) {
  return sign * (STATES[one.state].rank - STATES[other.state].rank || other.order - one.order || one.since - other.since);
}

function byName(one, other) {
  return one.name.localeCompare(other.name) || (one.id < other.id ? -1 : 1);
}

function byValue(column) {
  if (column.id === "partner") return (one, other, sign) => sign * byName(one, other);
  if (column.id === "balance") return (one, other, sign) => sign * ((one.balance === null) - (other.balance === null));
  const kpi = column.kpi ?? "service_level";
  const worst = column.better === "lower" ? -1 : 1;
  return (one, other, sign) => {
    const [a, b] = [one.row.kpis[kpi]?.value ?? null, other.row.kpis[kpi]?.value ?? null];
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * worst * (a - b);
  };
}

/**
 * Keep rows where they are under pointer or focus: those shown stay in their places, new ones come behind them.
 *
 * @param {string[]} shown ids, as they stand
 * @param {string[]} wantedIds ids, as they should
 * @returns {{ids: string[], moved: number}} what to show for now, and how many rows would stand elsewhere
 */
export function held(shown, wantedIds) {
  const there = new Set(shown);
  const ids = [...shown, ...wantedIds.filter((id) => !there.has(id))];
  const places = new Map(wantedIds.map((id, place) => [id, place]));
  const stays = rising(ids.map((id) => places.get(id) ?? -1)).length;
  return { ids, moved: ids.length - stays };
}
