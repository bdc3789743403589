/** Globs as silences mean them: `*` any letters, `?` one, `[abc]` and `[!abc]` one of a set; the case counts. */

const SPECIAL = /[\\^$.*+?()[\]{}|/]/g;

/**
 * Whether a whole text fits.
 *
 * @param {string} glob
 * @param {string} text
 * @returns {boolean}
 */
export function fits(glob, text) {
  try {
    return new RegExp(`^(?:${pattern(glob)})$`, "su").test(text);
  } catch {
    return false; // A range that runs backwards fits nothing.
  }
}

/** @param {string} glob */
function pattern(glob) {
  let made = "";
  for (let at = 0; at < glob.length; at += 1) {
    const letter = glob[at];
    const end = letter === "[" ? glob.indexOf("]", glob[at + 1] === "!" ? at + 3 : at + 2) : -1;
    if (letter === "*") made += ".*";
    else if (letter === "?") made += ".";
    else if (end > 0) {
      made += set(glob.slice(at + 1, end));
      at = end;
    } else made += letter.replace(SPECIAL, "\\$&");
  }
  return made;
}

/** @param {string} said what stands in the brackets */
function set(said) {
  const not = said.startsWith("!");
  const letters = [...(not ? said.slice(1) : said)].map((each) => (each === "-" ? "-" : each.replace(SPECIAL, "\\$&")));
  // A hyphen between two letters is a range, elsewhere itself.
  const inner = letters.map((each, at) => (each === "-" && (at === 0 || at === letters.length - 1) ? "\\-" : each)).join("");
  return `[${not ? '^' : ''}${inner}]`;
}
