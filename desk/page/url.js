/** The address: it is the whole state of a view, so that it can be shared, and back and forward work. */

/** @typedef {{path: string, params: Object<string, string>}} Place */

/** Where the viewer is. Fires `change` when that becomes different. */
export class Url extends EventTarget {
  constructor() {
    super();
    addEventListener("popstate", () => this.dispatchEvent(new Event("change")));
  }

  /** @returns {Place} */
  current() {
    return { path: location.pathname, params: Object.fromEntries(new URLSearchParams(location.search)) };
  }

  /**
   * The address of a place.
   *
   * @param {string} path
   * @param {Object<string, any>} [params] null, undefined and "" are left out
   */
  link(path, params = {}) {
    const said = Object.entries(params).filter(([, value]) => value !== null && value !== undefined && value !== "");
    const query = new URLSearchParams(said.map(([name, value]) => [name, String(value)]));
    return query.size > 0 ? `${path}?${query}` : path;
  }

  /**
   * Go there without loading anything anew.
   *
   * @param {string} path
   * @param {Object<string, any>} [params]
   * @param {{replace?: boolean}} [how] `replace`: back goes to where one was before this place, as while typing
   */
  go(path, params = {}, { replace = false } = {}) {
    const address = this.link(path, params);
    if (address === location.pathname + location.search) return;
    history[replace ? "replaceState" : "pushState"](null, "", address);
    this.dispatchEvent(new Event("change"));
  }

  /** Change some parameters of this place. */
  set(params, how = {}) {
    const here = this.current();
    this.go(here.path, { ...here.params, ...params }, how);
  }
}
