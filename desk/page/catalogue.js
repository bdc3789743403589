/** What KPIs are called and mean, as the desk tells it: the page knows none of them by heart. */

import { get } from "./api.js";

let known = new Map();

/** Ask the desk, once. */
export async function learn() {
  const { kpis } = await get("catalogue");
  known = new Map(kpis.map((each) => [each.id, each]));
}

/**
 * What is to be known of a KPI; undefined if the catalogue has none of that name, or was not heard yet.
 *
 * @param {string} kpi
 * @returns {{id: string, title: string, unit: string, better: "higher"|"lower"|"two_sided", formula: string}|undefined}
 */
export function kpiOf(kpi) {
  return known.get(kpi);
}

/** What a KPI is called; its id in words where nobody told. @param {string} kpi */
export function titleOf(kpi) {
  return known.get(kpi)?.title ?? kpi.replaceAll("_", " ").replace(/^./, (letter) => letter.toUpperCase());
}
