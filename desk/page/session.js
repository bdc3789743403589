/** Who looks, and what they may ask for. The desk holds it; the page only shows nothing that would be refused. */

const OPERATORS = new Set(["operator", "admin"]);
const OF_PARTNERS = new Set(["acknowledge", "comment", "dispute"]);

/**
 * Whether somebody may give a command.
 *
 * @param {{role: string}} session
 * @param {string} command as its route is called: `acknowledge`, `silence`, ...
 */
export function may(session, command) {
  return OPERATORS.has(session.role) || (session.role === "partner" && OF_PARTNERS.has(command));
}
