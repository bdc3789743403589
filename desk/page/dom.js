/** Elements: made once, then patched. Text is always text: nothing that a record says can become markup. */

import { rising } from "./rising.js";

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an element.
 *
 * @param {string} tag an HTML tag, or `svg:path` and the like
 * @param {Object<string, any>} [props] attributes; `class`, `on` ({event: listener}) and `data` ({name: value}); `true` is an empty
 *   attribute, `false`, `null` and `undefined` are none
 * @param {...(Node|string|number|null|undefined|false|Array)} children
 * @returns {Element}
 */
export function h(tag, props = {}, ...children) {
  const node = tag.startsWith("svg:") ? document.createElementNS(SVG, tag.slice(4)) : document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    } else if (name === "data") {
      for (const [key, each] of Object.entries(value)) node.dataset[key] = each;
    } else {
      attribute(node, name, value);
    }
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) node.append(child instanceof Node ? child : String(child));
  }
  return node;
}

/**
 * Write the text of a node if it differs.
 *
 * @param {Node} node
 * @param {string|number|null|undefined} value
 */
export function text(node, value) {
  const said = value === null || value === undefined ? "" : String(value);
  const only = node.firstChild;
  if (only !== null && only === node.lastChild && only.nodeType === Node.TEXT_NODE) {
    if (only.data !== said) only.data = said;
  } else if (node.textContent !== said || (only !== null && said === "")) {
    node.textContent = said;
  }
}

/**
 * Write an attribute if it differs; `false`, `null` and `undefined` take it away.
 *
 * @param {Element} node
 * @param {string} name
 * @param {string|number|boolean|null|undefined} value
 */
export function attribute(node, name, value) {
  if (value === false || value === null || value === undefined) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
    return;
  }
  const said = value === true ? "" : String(value);
  if (node.getAttribute(name) !== said) node.setAttribute(name, said);
}

const KEYS = new WeakMap();

/**
 * Bring the children of `parent` to what `items` are: the same key keeps its node, and as few nodes as possible move, so that focus,
 * selection and scrolling stay where they are. All children of `parent` must be of this function.
 *
 * @template T
 * @param {Element} parent
 * @param {Iterable<T>} items in order
 * @param {(item: T) => string} keyOf different for each
 * @param {(item: T) => Element} make called once a key
 * @param {(node: Element, item: T) => void} [update] called for every item, new ones as well
 */
export function keyed(parent, items, keyOf, make, update = () => {}) {
  const known = KEYS.get(parent) ?? new Map();
  const now = new Map();
  for (const item of items) {
    const key = keyOf(item);
    const node = known.get(key) ?? make(item);
    now.set(key, node);
    update(node, item);
  }
  KEYS.set(parent, now);
  for (const [key, node] of known) {
    if (!now.has(key)) node.remove();
  }
  order(parent, [...now.values()]);
}

/** Bring nodes into order with as few moves as there can be: what already stands in order stays. */
function order(parent, nodes) {
  const places = new Map([...parent.children].map((node, place) => [node, place]));
  if (nodes.length === places.size && nodes.every((node, place) => places.get(node) === place)) return;
  const stays = new Set(rising(nodes.map((node) => places.get(node) ?? -1)));
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  let next = null;
  for (let place = nodes.length - 1; place >= 0; place -= 1) {
    const node = nodes[place];
    if (!stays.has(place)) parent.insertBefore(node, next);
    next = node;
  }
  if (focused !== null && document.activeElement !== focused) focused.focus({ preventScroll: true });
}
