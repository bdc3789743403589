/** How a wall of tiles fills a screen: those that are loud take four places, and all of them the largest size at which they fit. Pure. */

/** A tile is about so much wider than high. */
const WIDE = 1.9;
const COLUMNS_MAX = 24;
/** How small the calm may be for it, of the size that all would have alike. */
const CALM_MIN = 0.7;

/**
 * @typedef {object} Mosaic
 * @property {number} columns
 * @property {number} rows
 * @property {boolean} large whether the loud ones take two by two places
 */

/**
 * The grid in which tiles are largest.
 *
 * @param {number} loud how many are to be large, if that can be
 * @param {number} calm how many are not
 * @param {number} width of the place for them, px
 * @param {number} height px
 * @returns {Mosaic}
 */
export function mosaic(loud, calm, width, height) {
  const even = best(2, (columns) => bands(loud, calm, columns), width, height);
  const plain = best(1, (columns) => Math.ceil((loud + calm) / columns), width, height);
  // Where most are loud none stands out by its size, and the calm would be too small to read.
  const large = loud > 0 && calm > 0 && even.size >= CALM_MIN * plain.size;
  const { columns, rows } = large ? even : plain;
  return { columns, rows, large };
}

/** Rows where the loud take two by two places, in pairs of columns, and the calm fill up what is left beside them. */
function bands(/** @type {number} */ loud, /** @type {number} */ calm, /** @type {number} */ columns) {
  const pairs = columns / 2;
  const filled = Math.ceil(loud / pairs);
  const beside = (filled * pairs - loud) * 4;
  return filled * 2 + Math.ceil(Math.max(0, calm - beside) / columns);
}

/** @param {number} step @param {(columns: number) => number} rowsOf @param {number} width @param {number} height */
function best(step, rowsOf, width, height) {
  let found = { columns: step, rows: Math.max(1, rowsOf(step)), size: 0 };
  for (let columns = step; columns <= COLUMNS_MAX; columns += step) {
    const rows = Math.max(1, rowsOf(columns));
    const size = Math.min(width / columns / WIDE, height / rows);
    if (size > found.size) found = { columns, rows, size };
  }
  return found;
}
