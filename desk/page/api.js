/** Asking the desk. What it refuses is an `ApiError`; who is not logged in is taken to do so. */

const ROOT = "/api/v1/";

/** What the desk answered instead of what was asked: `problem` is its problem detail (RFC 9457). */
export class ApiError extends Error {
  /**
   * @param {number} status 0: no answer at all
   * @param {{type?: string, title?: string, detail?: string, errors?: {field: string, message: string}[]}} problem
   */
  constructor(status, problem) {
    super(problem.detail ?? problem.title ?? `the desk answered ${status}`);
    this.status = status;
    this.problem = problem;
    /** Why, in one word. @type {string} */
    this.reason = (problem.type ?? "").replace("urn:outwatch:", "");
  }
}

let csrf = null;

/** Remember what must come with whatever changes something. */
export function trust(session) {
  csrf = session?.csrf ?? null;
}

/**
 * @param {string} path below `/api/v1/`, its parts already encoded
 * @param {Object<string, any>} [params] null and undefined are left out
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export async function get(path, params = {}, signal = undefined) {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== null && value !== undefined));
  return answered(path, `${path}${query.size > 0 ? `?${query}` : ""}`, { signal });
}

/**
 * @param {string} path below `/api/v1/`
 * @param {any} body
 * @returns {Promise<any>}
 */
export async function post(path, body) {
  return answered(path, path, { method: "POST", body: JSON.stringify(body), headers: headers("application/json") });
}

/** The same for what is taken away. */
export async function remove(path) {
  return answered(path, path, { method: "DELETE", headers: headers() });
}

/** Go and log in, then come back to where the viewer is. */
export function login() {
  if (location.pathname !== "/login") location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

/** What is to be raised for an answer that is none. */
export async function problemOf(response) {
  let problem = {};
  try {
    problem = await response.json();
  } catch {
    problem = { title: response.statusText || `status ${response.status}` };
  }
  return new ApiError(response.status, problem);
}

function headers(type = null) {
  return { ...(type === null ? {} : { "Content-Type": type }), ...(csrf === null ? {} : { "X-CSRF-Token": csrf }) };
}

async function answered(path, address, options) {
  let response;
  try {
    response = await fetch(ROOT + address, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, { title: "The desk does not answer." });
  }
  if (response.status === 401 && path !== "session") login();
  if (!response.ok) throw await problemOf(response);
  return response.status === 204 ? null : response.json();
}
