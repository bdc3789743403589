/** What this browser remembers of its viewer: convenience alone, so that nothing is missing where it may keep nothing. */

const KEY = "outwatch";

/** Named values in local storage, which other windows of this page write as well; without it they last as long as the page. Fires
 * `change` with the name; null: another window wrote. */
export class Prefs extends EventTarget {
  constructor() {
    super();
    this._values = kept({});
    addEventListener("storage", (event) => {
      if (event.key !== KEY) return;
      this._values = kept(this._values);
      this.dispatchEvent(new CustomEvent("change", { detail: null }));
    });
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
    this._values = { ...kept(this._values), [name]: value };
    try {
      localStorage.setItem(KEY, JSON.stringify(this._values));
    } catch {
      // It holds until the page is left.
    }
    this.dispatchEvent(new CustomEvent("change", { detail: name }));
  }
}

/** What is kept; `otherwise` where nothing may be read, or something else stands there. */
function kept(otherwise) {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? otherwise;
  } catch {
    return otherwise;
  }
}
