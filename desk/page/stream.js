/** The live stream: comes again when it breaks, and says how it stands. */

import { login, problemOf } from "./api.js";

const WAIT_MS = 1_000;
const WAIT_MS_MAX = 15_000;
const SILENT_MS = 15_000;

/**
 * Tells the store what the desk tells. `state` is `connecting`, `live`, `lost` (tried again) or `refused` (the desk answered that it
 * cannot, or may not: `error` says why; tried again too). Fires `state`.
 *
 * It is read by `fetch` rather than an EventSource, which would not say why it was refused.
 */
export class Stream extends EventTarget {
  /** @param {import("./store.js").Store} store */
  constructor(store) {
    super();
    this._store = store;
    this._wait = WAIT_MS;
    this._window = null;
    this._stop = null;
    this._timer = null;
    /** @type {"connecting"|"live"|"lost"|"refused"} */
    this.state = "connecting";
    /** Why it was refused. @type {import("./api.js").ApiError|null} */
    this.error = null;
  }

  /** Watch this window from now on. */
  open(window) {
    if (window === this._window) return;
    this._window = window;
    this._wait = WAIT_MS;
    this._connect();
  }

  /** Watch nothing any more. */
  close() {
    this._window = null;
    clearTimeout(this._timer);
    this._stop?.abort();
  }

  async _connect() {
    clearTimeout(this._timer);
    this._stop?.abort();
    const stop = new AbortController();
    this._stop = stop;
    this._say(this.state === "live" ? "connecting" : this.state, this.error);
    let silence = setTimeout(() => stop.abort(), SILENT_MS);
    let state = "lost";
    let error = null;
    try {
      const response = await fetch(`/api/v1/stream?window=${encodeURIComponent(this._window)}`, { signal: stop.signal });
      if (response.status === 401) {
        login();
        return;
      }
      if (!response.ok) {
        state = "refused";
        error = await problemOf(response);
        throw error;
      }
      for await (const { event, data } of events(response.body)) {
        // A desk says something every 5 s: a connection that says nothing for longer is gone, whatever the network thinks.
        clearTimeout(silence);
        silence = setTimeout(() => stop.abort(), SILENT_MS);
        if (stop !== this._stop) return;
        if (event === "snapshot") {
          this._wait = WAIT_MS;
          this._say("live", null);
        }
        this._store[event]?.(JSON.parse(data));
      }
    } catch {
      // Whatever it was, it is tried again; `state` says what it was.
    } finally {
      clearTimeout(silence);
      stop.abort();
    }
    if (stop !== this._stop || this._window === null) return;
    const wait = this._wait * (0.75 + Math.random() / 2);
    this._wait = Math.min(WAIT_MS_MAX, this._wait * 2);
    this._timer = setTimeout(() => this._connect(), wait);
    this._say(state, error);
  }

  _say(state, error) {
    if (state === this.state && error === this.error) return;
    this.state = state;
    this.error = error;
    this.dispatchEvent(new Event("state"));
  }
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const event = { event: "message", data: "" };
      for (const line of part.split("\n")) {
        if (line.startsWith("event: ")) event.event = line.slice(7);
        else if (line.startsWith("data: ")) event.data += line.slice(6);
      }
      yield event;
    }
  }
}
