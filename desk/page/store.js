/** What the desk told: every record by its id, as the newest frame has it. */

const IDS = {
  partners: (each) => each.partner,
  totals: (each) => each.window,
  alerts: (each) => each.fingerprint,
  incidents: (each) => each.id,
  silences: (each) => each.id,
  annotations: (each) => each.id,
  outcomes: (each) => `${each.id}@${each.processed_at}`,
  heartbeats: (each) => String(each.partition),
  projector: () => "",
};

const LIVE_MS = 60_000;
/** A desk that looks every second, and has not seen the view for longer, is blind. */
const BLIND_MS = 5_000;

/** The kinds of records, as in a snapshot. */
export const KINDS = Object.keys(IDS);

/**
 * Maps of records by kind: `partners, alerts, incidents, silences, annotations, outcomes, heartbeats, totals, projector`.
 * Fires `change` with `detail`: {kind: Set of ids}; a `now` frame fires it with nothing in it.
 */
export class Store extends EventTarget {
  constructor() {
    super();
    for (const kind of KINDS) this[kind] = new Map();
    /** Whether anything was told yet. @type {boolean} */
    this.told = false;
    /** The clock of the desk when it made the newest frame, epoch ms. @type {number|null} */
    this.at = null;
    /** When the worker that was silent for longest last said that it lives, epoch ms. @type {number|null} */
    this.asOf = null;
    /** Whether the desk itself sees nothing new: Redis does not answer. */
    this.blind = false;
    /** Of the figures. @type {string|null} */
    this.window = null;
    /** Of the desk; another one serves another page. @type {string|null} */
    this.version = null;
    this._heard = 0;
    this._heardAt = 0;
  }

  /**
   * The clock of the desk now, epoch ms: what the browser's own clock says does not matter. How long ago the desk spoke is the longer of two
   * measures, since in some browsers `performance.now()` stands still while the machine sleeps, and what is old would look new when it wakes.
   */
  clock() {
    return this.at === null ? Date.now() : this.at + Math.max(performance.now() - this._heard, Date.now() - this._heardAt);
  }

  /** How old what is shown is, ms; null while nothing was ever heard of a worker. */
  age() {
    return this.asOf === null ? null : Math.max(0, this.clock() - this.asOf);
  }

  /**
   * Stream time of a partner, epoch ms: what times of alerts are held against. It is the clock's but in a replay.
   *
   * @param {string} partner
   */
  streamTime(partner) {
    const row = this.partners.get(partner);
    const beat = row && this.heartbeats.get(String(row.partition));
    const now = this.clock();
    const frontier = Math.max(beat?.frontier ?? 0, row?.frontier ?? 0);
    return frontier === 0 || Math.abs(now - frontier) < LIVE_MS ? now : frontier;
  }

  /** Take all there is; what it does not name is gone. */
  snapshot(frame) {
    const detail = {};
    for (const kind of KINDS) {
      const before = this[kind];
      this[kind] = new Map((frame[kind] ?? []).map((each) => [IDS[kind](each), each]));
      detail[kind] = new Set([...before.keys(), ...this[kind].keys()]);
    }
    this.told = true;
    this._take(frame, detail);
  }

  /** Take what became different. */
  delta(frame) {
    const detail = {};
    for (const kind of KINDS) {
      const changed = frame.changed?.[kind] ?? [];
      const gone = frame.gone?.[kind] ?? [];
      if (changed.length === 0 && gone.length === 0) continue;
      const ids = new Set(gone);
      for (const id of gone) this[kind].delete(id);
      for (const each of changed) {
        const id = IDS[kind](each);
        this[kind].set(id, each);
        ids.add(id);
      }
      detail[kind] = ids;
    }
    this._take(frame, detail);
  }

  /** Take how old it all is. */
  now(frame) {
    this._take(frame, {});
  }

  _take(frame, detail) {
    this.at = frame.at;
    this.asOf = frame.as_of;
    this.blind = frame.at - (frame.seen_at ?? frame.at) > BLIND_MS;
    this.window = frame.window ?? this.window;
    this.version = frame.version ?? this.version;
    this._heard = performance.now();
    this._heardAt = Date.now();
    this.dispatchEvent(new CustomEvent("change", { detail }));
  }
}
