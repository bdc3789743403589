/** What is said where there is nothing to show: why, and what to do. */

import { attribute, h } from "./dom.js";

/**
 * @param {Element} node
 * @param {import("./main.js").App} app
 * @param {number} shown rows
 * @param {number} all partners that there are
 */
export function emptiness(node, app, shown, all) {
  const { store, stream, url } = app;
  let said = null;
  if (shown > 0) said = null;
  else if (!store.told) said = untold(stream);
  else if (all > 0) said = ["Nothing matches.", "No partner is as this filter asks.", ["Show all partners", () => url.go("/", { window: url.current().params.window })]];
  else if (store.projector.size === 0) said = ["Nothing keeps the view.", "No projector ever wrote to this Redis: start outwatch project, and see outwatch status."];
  else said = ["There is no partner yet.", "Partners come with a policy, or with their first event: write a policy and say outwatch policy apply FILE."];
  attribute(node, "hidden", said === null);
  const key = said === null ? "" : said.slice(0, 2).join();
  if (node.dataset.said === key) return;
  node.dataset.said = key;
  if (said === null) return;
  const [what, rest, action] = said;
  const button = action && h("button", { type: "button", on: { click: action[1] } }, action[0]);
  node.replaceChildren(h("strong", {}, what), h("p", {}, rest), ...(button ? [button] : []));
}

function untold(stream) {
  if (stream.state === "refused" && stream.error.reason === "no_view") {
    return ["Redis does not answer.", "The desk reads everything from there. It asks again until it is back; nothing is lost: the view is made anew from Kafka."];
  }
  if (stream.state === "refused") return ["The desk shows nothing.", stream.error.message];
  if (stream.state === "lost") return ["The desk does not answer.", "It is asked again by itself."];
  return ["Connecting\u2026", "The first figures come within a second."];
}

/**
 * How far a view that was lost is filled again.
 *
 * @param {Element} node
 * @param {{history_left?: number, history_begun_with?: number}|undefined} health of the projector
 */
export function history(node, health) {
  const left = health?.history_left ?? 0;
  attribute(node, "hidden", left === 0);
  if (left === 0) return;
  const all = Math.max(left, health.history_begun_with ?? 0);
  const share = Math.floor((100 * (all - left)) / all);
  if (node.dataset.share === String(share)) return;
  node.dataset.share = share;
  node.replaceChildren(
    h("label", { for: "history-progress" }, `History is being filled again: ${share}\u202f%. Figures and alerts are complete; lines and charts are not yet.`),
    h("progress", { id: "history-progress", max: 100, value: share }),
  );
}
