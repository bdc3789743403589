/** What of a sequence may stay where it is, when it is put in order. Pure. */

/**
 * The indices of a longest rising run within `values`; those under 0 are in none.
 *
 * @param {number[]} values
 * @returns {number[]} last first
 */
export function rising(values) {
  const tails = [];
  const before = new Array(values.length).fill(-1);
  values.forEach((value, index) => {
    if (value < 0) return;
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[tails[middle]] < value) low = middle + 1;
      else high = middle;
    }
    if (low > 0) before[index] = tails[low - 1];
    tails[low] = index;
  });
  const found = [];
  for (let index = tails.length > 0 ? tails[tails.length - 1] : -1; index >= 0; index = before[index]) found.push(index);
  return found;
}
