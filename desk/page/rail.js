/** The rail: what is wrong now, what matters most first, in a bounded list that does not move under a hand that is about to use it. */

import { acknowledge, makeCard, of, updateCard } from "./card.js";
import * as commands from "./commands.js";
import { h, keyed, text } from "./dom.js";
import { age } from "./format.js";
import { menu } from "./menu.js";
import { may } from "./session.js";
import { silences } from "./silences.js";
import { troubles } from "./troubles.js";

const SHOWN = 40;
/** Where the rail stands before the partners, since there is no room beside them. */
const SHOWN_ABOVE = 3;
const BESIDE = "(min-width: 1100px)";
const KINDS = ["alerts", "incidents", "silences"];
const TICK_MS = 1_000;
const STALE_MS = 15_000;
/** New ones are read out at most so often. */
const SAID_MS = 10_000;

/** @typedef {import("./troubles.js").Trouble} Trouble */

/**
 * @param {Element} root
 * @param {any} app
 * @param {{partner?: string | null}} [about] of one partner alone
 * @returns {{update(change: Record<string, Set<string>>): void, unmount(): void}}
 */
export function mount(root, app, { partner = null } = {}) {
  const count = h("span", { class: "rail-count" });
  const moved = h("button", { type: "button", class: "rail-moved", on: { click: apply } });
  const list = h("ol", { class: "rail-list" });
  const more = h("button", { type: "button", class: "quiet", on: { click: () => render((shown += SHOWN), true) } });
  const held = h("ol", { class: "rail-list" });
  const folded = h("details", { class: "rail-held" }, h("summary", {}), held);
  const none = h("p", { class: "rail-none" });
  const spoken = h("p", { class: "sr", role: "status" });
  const quiet = silences(app, partner);
  const acts = menu("Actions", "Actions on alerts", () => [
    may(app.session, "silence") ? { label: "Silence …", act: () => commands.silence(app, { partner: partner ?? "" }) } : null,
    may(app.session, "annotate") ? { label: "Annotate …", act: () => commands.annotate(app, { partner: partner ?? "*" }) } : null,
  ]);
  acts.hidden = !may(app.session, "silence");
  const node = h(
    "section",
    { class: "rail", "aria-labelledby": "rail-title", on: { pointerleave: settle, focusout: () => setTimeout(settle) } },
    h("div", { class: "rail-head" }, h("h2", { id: "rail-title" }, "Alerts"), count, acts),
    ...[moved, none, list, more, folded, quiet.root, spoken],
  );
  root.append(node);
  let shown = matchMedia(BESIDE).matches ? SHOWN : SHOWN_ABOVE;
  /** @type {Trouble[]} */
  let told = [];
  /** @type {Set<string> | null} */
  let known = null;
  let saidAt = -SAID_MS;
  /** Whether what the address names was looked for in what stands there at first. */
  let sought = false;
  const deaf = app.keys.on("a", "Acknowledge the alert, or that of the row", () => {
    const card = focused();
    if (card === null) return false;
    acknowledge(app, card);
    return true;
  });
  const timer = setInterval(() => render(shown), TICK_MS);
  render(shown);
  app.url.addEventListener("change", reveal);
  return { update, unmount };

  /** Of figures alone nothing stands here. @param {Record<string, Set<string>>} change */
  function update(change) {
    if (KINDS.some((each) => change[each])) render(shown);
  }

  function unmount() {
    clearInterval(timer);
    deaf();
    app.url.removeEventListener("change", reveal);
    node.remove();
  }

  /** @param {number} bound @param {boolean} [anyway] also where somebody is at the list */
  function render(bound, anyway = false) {
    const all = troubles(app.store, partner);
    const open = all.filter((each) => each.held.length === 0);
    const present = open.slice(0, bound);
    const { items, fresh, over, elsewhere } = anyway || !busy() ? { ...plain(present), fresh: [], over: 0, elsewhere: 0 } : kept(all, present);
    told = items.map((each) => each.trouble);
    cards(list, items);
    cards(held, plain(all.filter((each) => each.held.length > 0).slice(0, bound)).items);
    summary(open, all.length - open.length, bound);
    hint(fresh, over, elsewhere);
    quiet.update();
    speak(open);
    if (sought || !app.store.told) return;
    sought = true;
    reveal();
  }

  /** @param {Element} place @param {{trouble: Trouble, over: boolean}[]} items */
  function cards(place, items) {
    keyed(
      place,
      items,
      (each) => each.trouble.key,
      (each) => makeCard(app, each.trouble, { named: partner === null }),
      (card, each) => updateCard(app, card, each.trouble, each.over),
    );
  }

  /**
   * What is shown stays where it is; what ended is said to be over, and what is new is counted.
   *
   * @param {Trouble[]} all that last, those that are held back or have no room as well
   * @param {Trouble[]} present what would be shown
   */
  function kept(all, present) {
    const now = new Map(all.map((each) => [each.key, each]));
    const items = told.map((each) => ({ trouble: now.get(each.key) ?? each, over: !now.has(each.key) }));
    const before = new Set(told.map((each) => each.key));
    const fresh = present.filter((each) => !before.has(each.key));
    const stands = items.filter((each) => !each.over);
    const belongs = present.filter((each) => before.has(each.key));
    const elsewhere = stands.filter((each, place) => each.trouble.key !== belongs[place]?.key).length;
    return { items, fresh, over: items.length - stands.length, elsewhere };
  }

  /** @param {Trouble[]} some */
  function plain(some) {
    return { items: some.map((trouble) => ({ trouble, over: false })) };
  }

  /** Whether somebody points at the rail, or has the focus in it: on the way to its buttons nothing may move either. */
  function busy() {
    const pointed = matchMedia("(hover: hover)").matches && node.matches(":hover");
    return pointed || node.contains(document.activeElement);
  }

  function settle() {
    if (!busy()) render(shown);
  }

  function apply() {
    render(shown, true);
  }

  /** What the list does not show yet, since somebody is at it. @param {Trouble[]} fresh @param {number} over @param {number} elsewhere */
  function hint(fresh, over, elsewhere) {
    const parts = [fresh.length > 0 && `${fresh.length} new`, over > 0 && `${over} over`, elsewhere > 0 && `${elsewhere} moved`];
    const says = parts.filter(Boolean).join(", ");
    /** @type {any} */ (moved).hidden = says === "";
    text(moved, `${says}: show`);
    /** @type {any} */ (moved).dataset.severity = fresh.some((each) => each.severity === "critical") ? "critical" : "";
  }

  /** @param {Trouble[]} open @param {number} waiting @param {number} bound */
  function summary(open, waiting, bound) {
    text(count, open.length > 0 ? String(open.length) : "");
    const stale = (app.store.age() ?? Infinity) > STALE_MS;
    const nothing = stale ? `Nothing fired when anything was last heard, ${age(app.store.age())} ago.` : waiting > 0 ? "Nothing fires but what is held back." : "Nothing fires.";
    /** @type {any} */ (none).hidden = open.length > 0 || !app.store.told;
    text(none, app.store.asOf === null ? "No worker was heard of yet, so nothing is known." : nothing);
    /** @type {any} */ (more).hidden = open.length <= bound;
    text(more, `${open.length - bound} more`);
    /** @type {any} */ (folded).hidden = waiting === 0;
    text(/** @type {Node} */ (folded.firstChild), `${waiting} held back`);
  }

  /** New ones are read out, together and not too often; what stood there at first is not. @param {Trouble[]} open */
  function speak(open) {
    if (!app.store.told) return;
    if (known === null) known = new Set(open.map((each) => each.episode));
    const fresh = open.filter((each) => !(/** @type {Set<string>} */ (known).has(each.episode)));
    if (fresh.length === 0 || performance.now() - saidAt < SAID_MS) return;
    saidAt = performance.now();
    known = new Set(open.map((each) => each.episode));
    const first = fresh[0];
    const name = app.store.partners.get(first.partner)?.name ?? first.partner;
    text(spoken, `${fresh.length} new: ${name} ${first.severity}${fresh.length > 1 ? ` and ${fresh.length - 1} more` : ""}`);
  }

  /** The trouble that has the focus, else the first of the partner whose row has it. */
  function focused() {
    const here = document.activeElement;
    const card = here?.closest(".trouble") ?? null;
    if (card !== null) return card;
    const whose = here?.closest("[data-partner]")?.getAttribute("data-partner");
    return [...list.children].find((each) => of(each).partner === whose) ?? null;
  }

  /** Bring what the address names into sight. */
  function reveal() {
    const { alert } = app.url.current().params;
    for (const card of node.querySelectorAll(".trouble")) {
      const named = of(card).key === alert || of(card).alerts.some((each) => each.fingerprint === alert);
      card.classList.toggle("marked", named);
      if (named) card.scrollIntoView({ block: "nearest" });
    }
  }
}
