/** The page of one partner: how it stands, why, what it was like, and what was said of it. */

import { titleOf } from "./catalogue.js";
import { annotate, dispute } from "./commands.js";
import { scopeWords } from "./contributions.js";
import { course } from "./course.js";
import { attribute, h, text } from "./dom.js";
import { drivers } from "./drivers.js";
import { explanation, written } from "./explain.js";
import { age, moment } from "./format.js";
import { mount as mountRail } from "./rail.js";
import { balance } from "./roster.js";
import { brief } from "./said.js";
import { scopes } from "./scopes.js";
import { may } from "./session.js";
import { sheet } from "./sheet.js";
import { mark, sign, standing, STATES } from "./states.js";
import { Study } from "./study.js";
import { timeline } from "./timeline.js";
import { WINDOW_WORDS, windows } from "./windows.js";

/**
 * @param {HTMLElement} root
 * @param {import("./main.js").App} app
 * @returns {import("./main.js").Mounted}
 */
export function mount(root, app) {
  const partner = decodeURIComponent(app.url.current().path.split("/")[2] ?? "");
  const study = new Study(app, partner);
  const explain = (kpi, window = study.window, scope = study.scope) => app.url.set({ explain: written(kpi, window, scope) });
  const head = headOf(app, study);
  const parts = {
    sheet: sheet(study, { explain }),
    course: course(app, study),
    windows: windows(study, { explain }),
    drivers: drivers(app, study),
    scopes: scopes(study, { explain }),
    timeline: timeline(app, study),
    explanation: explanation(app, study),
  };
  const side = h("aside", { class: "partner-side", "aria-label": "Alerts" });
  const main = h(
    "div",
    { class: "partner-main" },
    parts.sheet.node,
    parts.course.node,
    h("div", { class: "pair" }, parts.windows.node, parts.scopes.node),
    h("div", { class: "pair" }, parts.drivers.node, parts.timeline.node),
  );
  const grid = h("div", { class: "partner-grid" }, main, side);
  const empty = h("div", { class: "empty", role: "status", hidden: true });
  const view = h("div", { class: "partner-page" }, head.node, empty, grid, parts.explanation.node);
  root.replaceChildren(view);
  const rail = mountRail(side, app, { partner });

  const update = () => {
    document.title = `${study.name} \u00b7 outwatch`;
    const nobody = nobodyWords(app, study);
    attribute(empty, "hidden", nobody === null);
    attribute(grid, "hidden", nobody !== null);
    head.update(nobody === null);
    if (nobody !== null) {
      empty.replaceChildren(...nobody);
      return;
    }
    parts.sheet.update();
    parts.course.update(parts.timeline.episodes());
    parts.windows.update();
    parts.drivers.update();
    parts.scopes.update();
    parts.explanation.update();
  };
  const read = () => update();
  study.addEventListener("change", read);
  return {
    update(change) {
      study.follow();
      rail.update(change);
      parts.timeline.update(change);
      if (concerns(change, partner)) update();
    },
    tick() {
      head.tick();
    },
    unmount() {
      study.removeEventListener("change", read);
      study.close();
      parts.course.close();
      parts.timeline.close();
      parts.explanation.close();
      rail.unmount();
    },
  };
}

/** Whether anything of it may show here: the figures of others do not, and come every second. */
function concerns(change, partner) {
  const kinds = Object.keys(change).filter((each) => each !== "totals" && each !== "heartbeats");
  return kinds.length === 0 || kinds.some((each) => each !== "partners") || change.partners.has(partner);
}

/** What is shown in place of a partner that there is none of, or that cannot be read. */
function nobodyWords(app, study) {
  if (study.row !== null && study.learnt) return null;
  if (study.problem === null) return app.store.told ? [h("strong", {}, "Reading \u2026")] : [h("strong", {}, "Reading what stands now \u2026")];
  const { status, message } = study.problem;
  if (status === 404) {
    const back = app.session.role === "partner" ? null : h("a", { href: "/" }, "All partners");
    return [h("strong", {}, `There is no partner ${study.partner}`), "It is not in the policy, and nothing came of it. ", back];
  }
  return [h("strong", {}, "This partner cannot be read"), message];
}

function headOf(app, study) {
  const name = h("h1");
  const state = h("span", { class: "standing" });
  const why = h("span", { class: "why" });
  const asOf = h("span", { class: "head-age" });
  const facts = h("span", { class: "head-facts" });
  const part = h("p", { class: "head-part", hidden: true });
  const whole = h("a", { class: "button" }, "Back to the whole partner");
  const scopeName = h("strong");
  part.append("Figures are of ", scopeName, " alone. ", whole);
  const like = () => ({ partner: study.partner, kpi: study.kpi, title: titleOf(study.kpi) });
  const button = (command, words, run) => may(app.session, command) && h("button", { type: "button", on: { click: () => run(app, like()) } }, words);
  const actions = h("div", { class: "head-actions" }, button("annotate", "Annotate", annotate), button("dispute", "Dispute a figure", dispute));
  const up = app.session.role === "partner" ? null : h("a", { href: "/", class: "up" }, "All partners");
  const line = h("p", { class: "head-line" }, state, why);
  const apart = h("span");
  const unbalanced = h("p", { class: "head-line", hidden: true }, h("span", { class: "mark mark-warning" }, sign("scales"), "Quality does not keep up"), apart);
  const node = h("div", { class: "partner-head" }, h("div", {}, up, name, line, unbalanced, h("p", { class: "hint" }, asOf, facts), part), actions);
  let shown = "";
  const tick = () => {
    const { row } = study;
    if (!row) return;
    text(asOf, row.as_of === null ? "No figures in this window" : `Figures of ${age(app.now() - row.as_of)} ago`);
    attribute(asOf, "title", row.as_of === null ? null : `as of ${moment(row.as_of)}`);
  };
  return {
    node,
    tick,
    update(known) {
      text(name, study.name);
      attribute(actions, "hidden", !known);
      attribute(line, "hidden", !known);
      if (!known) return;
      const alerts = [...app.store.alerts.values()].filter((each) => each.partner === study.partner);
      const found = standing(study.row, alerts, titleOf);
      if (shown !== found.state) {
        shown = found.state;
        state.replaceChildren(mark(found.state));
        attribute(state, "title", STATES[found.state].what);
      }
      text(why, brief(found.why, study.name));
      const behind = balance(study.row, alerts.filter((each) => each.state === "firing"));
      attribute(unbalanced, "hidden", behind === null);
      text(apart, behind === null ? "" : brief(behind, study.name));
      const kept = study.detail?.timezone ? ` \u00b7 contract days in ${study.detail.timezone}` : "";
      const id = study.name === study.partner ? "" : ` \u00b7 id ${study.partner}`;
      const policy = study.row.configured ? "" : " \u00b7 no policy names it: counted under the defaults";
      text(facts, ` \u00b7 window ${WINDOW_WORDS[study.window] ?? study.window}${id}${kept}${policy}`);
      attribute(part, "hidden", study.scope === "all");
      text(scopeName, scopeWords(study.scope));
      attribute(whole, "href", study.link({ scope: null }));
      tick();
    },
  };
}
