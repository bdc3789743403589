/** What happened to a partner, as its timeline tells it: words, shapes and spans. Pure. */

/** What a timeline may be narrowed to. */
export const KINDS = [
  { id: "", title: "All" },
  { id: "alert", title: "Alerts" },
  { id: "incident", title: "Incidents" },
  { id: "annotation", title: "Notes and disputes" },
  { id: "silence", title: "Silences" },
];

const WORDS = {
  escalated: "Got worse",
  worse: "Got worse",
  refired: "Fired again",
  acknowledged: "Acknowledged",
  commented: "Comment",
  other: "Note",
  told: "Told",
  empty_shift: "Empty shift",
  joined: "Alert joined",
  ended: "Alert ended",
  opened: "Incident opened",
  pilot: "Pilot",
};

const BEGAN = new Set(["fired", "escalated", "refired", "opened", "worse", "joined"]);
const ENDED = new Set(["resolved", "retired", "ended", "cleared"]);
const SAID = new Set(["commented", "acknowledged", "snoozed"]);

/** What an entry is called. @param {any} entry */
export function wordOf(entry) {
  const said = WORDS[entry.what] ?? entry.what.replaceAll("_", " ");
  return said.charAt(0).toUpperCase() + said.slice(1);
}

/** The shape before it: that of its severity where something went wrong. @param {any} entry */
export function shapeOf(entry) {
  if (BEGAN.has(entry.what)) return entry.severity === "critical" ? "triangle" : "diamond";
  if (ENDED.has(entry.what)) return "check";
  if (entry.kind === "silence") return "muted";
  if (entry.what === "told" || entry.what === "exhausted" || entry.what === "failed") return "bell";
  if (entry.kind === "annotation") return entry.what === "dispute" ? "scales" : "star";
  return SAID.has(entry.what) ? "ring" : "dash";
}

/** The colour of its shape: only what went wrong has one. @param {any} entry */
export function classOf(entry) {
  return BEGAN.has(entry.what) && entry.severity !== null ? entry.severity : "quiet";
}

/** What it says; of who was told, whom and how. @param {any} entry */
export function saidOf(entry) {
  return entry.what === "told" && entry.by ? `${entry.by} ${entry.text}` : entry.text;
}

/** What stands behind the text. @param {any} entry @param {(ms: number) => string} time */
export function asideOf(entry, time) {
  const parts = [];
  if (entry.by && entry.what !== "told") parts.push(`by ${entry.by}`);
  if (entry.to !== null && entry.kind !== "annotation") parts.push(`until ${time(entry.to)}`);
  if (entry.kind === "annotation" && entry.to > entry.at) parts.push(`to ${time(entry.to)}`);
  if (entry.suppressed_by.length > 0) parts.push(`nobody paged: ${entry.suppressed_by.map((each) => each.replaceAll("_", " ")).join(", ")}`);
  if (entry.late) parts.push("found late, when the past was caught up on");
  return parts.join(" \u00b7 ");
}

/**
 * Alerts of the past, from when they fired until they ended.
 *
 * @param {any[]} entries the newest first
 * @returns {{fingerprint: string, kpi: string|null, scope: string|null, from: number, to: number|null, severity: string, text: string}[]}
 */
export function episodes(entries) {
  const open = new Map();
  const found = [];
  for (const entry of entries.toReversed()) {
    if (entry.kind !== "alert" || entry.alert === null) continue;
    if (entry.what === "fired") {
      const made = { fingerprint: entry.alert, kpi: entry.kpi, scope: entry.scope, from: entry.at, to: null, severity: entry.severity, text: entry.text };
      found.push(made);
      open.set(entry.alert, made);
    } else if (open.has(entry.alert)) {
      const made = open.get(entry.alert);
      if (entry.what === "escalated") made.severity = entry.severity;
      if (ENDED.has(entry.what)) {
        made.to = entry.at;
        open.delete(entry.alert);
      }
    }
  }
  return found;
}
