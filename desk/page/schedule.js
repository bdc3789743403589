/** Shifts on a calendar of days as the viewer's clocks show them; a day of 23 or 25 hours is as wide as the others. Pure. */

/**
 * When days begin, from the one of a moment on, and when the last of them ends.
 *
 * @param {number} fromMs epoch ms
 * @param {number} count of days
 * @returns {number[]} one more than there are days
 */
export function days(fromMs, count) {
  const first = new Date(fromMs);
  return Array.from({ length: count + 1 }, (_, place) => new Date(first.getFullYear(), first.getMonth(), first.getDate() + place).getTime());
}

/**
 * Where a moment stands on these days: 0 at the beginning, 1 at the end, and no further.
 *
 * @param {number} ms epoch ms
 * @param {number[]} begins of `days`
 * @returns {number}
 */
export function place(ms, begins) {
  const last = begins.length - 1;
  if (ms <= begins[0]) return 0;
  if (ms >= begins[last]) return 1;
  const day = begins.findLastIndex((each) => each <= ms);
  return (day + (ms - begins[day]) / (begins[day + 1] - begins[day])) / last;
}

/**
 * @typedef {{from: number, to: number, people: string[], override: string | null, gap: string | null}} Block
 */

/**
 * What stands in the row of a rotation, in order: its shifts, and what nobody covers although somebody must.
 *
 * @param {{shifts: any[], gaps: any[]}} rotation
 * @returns {Block[]}
 */
export function blocks({ shifts, gaps }) {
  const covered = shifts.filter((each) => each.people.length > 0).map((each) => ({ ...each, gap: null }));
  const open = gaps.map((each) => ({ from: each.from, to: each.to, people: [], override: null, gap: each.reason }));
  return [...covered, ...open].sort((a, b) => a.from - b.from);
}

/**
 * Who is on call at a moment, until when, and what comes then.
 *
 * @param {Block[]} row of `blocks`
 * @param {number} at epoch ms
 * @returns {{present: Block | null, until: number | null, then: Block | null}} `present` is null where nobody has to be, `then` the next
 *   block of others, or after a time in which nobody has to be
 */
export function duty(row, at) {
  const now = row.findIndex((each) => each.from <= at && at < each.to);
  if (now < 0) {
    const then = row.find((each) => each.from > at) ?? null;
    return { present: null, until: then && then.from, then };
  }
  let last = now;
  while (last + 1 < row.length && row[last + 1].from === row[last].to && String(row[last + 1].people) === String(row[now].people)) last += 1;
  return { present: row[now], until: row[last].to, then: row[last + 1] ?? null };
}
