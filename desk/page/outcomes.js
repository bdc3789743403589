/** What came of a command: it is done by the workers, and told by the stream under the id that the desk answered with. */

/** After so long without an answer a viewer is told so; it is watched for all the same. */
const LATE_MS = 15_000;
/** A command to all partners is answered by each partition: so long the others are waited for once one of them spoke. */
const OTHERS_MS = 2_000;
const WATCHED_MS = 10 * 60_000;

/**
 * @typedef {object} Outcome
 * @property {boolean} applied
 * @property {string} reason
 */

/**
 * The outcome of a command; null if none came within ten minutes.
 *
 * @param {{store: EventTarget & {outcomes: Map<string, any>, heartbeats: Map<string, any>}}} app
 * @param {{id: string, partner: string}} accepted what the desk answered
 * @param {() => void} onLate called once, after 15 s without an answer
 * @returns {Promise<Outcome | null>}
 */
export function outcomeOf({ store }, accepted, onLate) {
  return new Promise((resolve) => {
    const late = setTimeout(onLate, LATE_MS);
    const over = setTimeout(() => finish(null), WATCHED_MS);
    let others = 0;
    const look = () => {
      const found = [...store.outcomes.values()].filter((each) => each.id === accepted.id);
      if (found.length === 0) return;
      clearTimeout(late);
      const asked = accepted.partner === "*" ? Math.max(1, store.heartbeats.size) : 1;
      if (found.length >= asked) finish(together(found));
      else others ||= setTimeout(() => finish(together(answers())), OTHERS_MS);
    };
    const answers = () => [...store.outcomes.values()].filter((each) => each.id === accepted.id);
    const finish = (/** @type {Outcome | null} */ outcome) => {
      [late, over, others].forEach(clearTimeout);
      store.removeEventListener("change", look);
      resolve(outcome);
    };
    store.addEventListener("change", look);
    look();
  });
}

/**
 * What several partitions answered, as one: what one did is done, and the shortest answer is that of who had nothing to remark.
 *
 * @param {{outcome: string, reason: string}[]} answers
 * @returns {Outcome}
 */
export function together(answers) {
  const applied = answers.filter((each) => each.outcome === "applied");
  const told = (applied.length > 0 ? applied : answers).map((each) => each.reason);
  return { applied: applied.length > 0, reason: told.reduce((best, each) => (each.length < best.length ? each : best)) };
}
