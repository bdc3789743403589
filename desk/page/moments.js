/** Moments as a person picks them: in the viewer's zone, as the clocks there show them. */

const MINUTE_MS = 60_000;

/**
 * What an input of the kind `datetime-local` shows of a moment, to the minute.
 *
 * @param {number} ms epoch ms
 * @returns {string}
 */
export function shown(ms) {
  const at = new Date(ms);
  const two = (/** @type {number} */ each) => String(each).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/**
 * The moment that such an input shows; null where it shows none.
 *
 * @param {string} text
 * @returns {number | null}
 */
export function moment(text) {
  const ms = text === "" ? NaN : new Date(text).getTime();
  return Number.isNaN(ms) ? null : ms;
}

/**
 * Until when, at a click: half an hour and two hours from now, and when shifts end within a day.
 *
 * @param {number} nowMs
 * @param {{rotation: string, until: number | null}[]} rotations who is on call
 * @param {(ms: number) => string} time
 * @returns {{label: string, ms: () => number}[]} `ms` of those that count from now is asked when the form is sent
 */
export function ends(nowMs, rotations, time) {
  const shifts = rotations
    .filter((each) => each.until !== null && each.until > nowMs && each.until - nowMs <= 24 * 60 * MINUTE_MS)
    .sort((a, b) => /** @type {number} */ (a.until) - /** @type {number} */ (b.until));
  const soonest = new Map(shifts.map((each) => [each.until, each]).reverse());
  return [...soonest.values()]
    .reverse()
    .slice(0, 2)
    .map(({ rotation, until }) => ({ label: `end of shift, ${time(/** @type {number} */ (until))} (${rotation})`, ms: () => /** @type {number} */ (until) }));
}
