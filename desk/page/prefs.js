/** What this browser remembers of its viewer: convenience alone, so that nothing is missing where it may keep nothing. */

const KEY = "outwatch";

/** Named values in local storage; without it they last as long as the page. Fires `change` with the name. */
export class Prefs extends EventTarget {
  constructor() {
    super();
    this._values = {};
    try {
      this._values = JSON.parse(localStorage.getItem(KEY)) ?? {};
    } catch {
      // No storage, or something else in it: as if nothing had been kept.
    }
  }

  /**
   * @param {string} name
   * @param {any} [otherwise] where it was never set
   */
  get(name, otherwise = null) {
    return this._values[name] ?? otherwise;
  }

  /** @param {string} name @param {any} value null forgets it */
  set(name, value) {
    this._values = { ...this._values, [name]: value };
    try {
      localStorage.setItem(KEY, JSON.stringify(this._values));
    } catch {
      // It holds until the page is left.
    }
    this.dispatchEvent(new CustomEvent("change", { detail: name }));
  }
}
