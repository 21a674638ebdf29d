// Building DOM nodes. The only way this page makes elements: no markup is ever parsed from text.

const SVG = 'http://www.w3.org/2000/svg';

/** el('p', {class: 'x', onclick: f, 'aria-label': 'y'}, child, 'text'): null, false and undefined children and attributes are left out. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on') && typeof value === 'function') node.addEventListener(name.slice(2), value);
    else if (name === 'value') node.value = value;
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  add(node, ...children);
  return node;
}

export function add(parent, ...children) {
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue;
    parent.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return parent;
}

export const byId = (id) => document.getElementById(id);

const PATHS = {
  check: 'M4 12.5l5.5 5.5L20 6.5', cross: 'M6 6l12 12M18 6L6 18', warn: 'M12 3.5L2.5 20.5h19zM12 10v5M12 17.6v.6',
  hash: 'M9.5 3.5l-3 17M17.5 3.5l-3 17M4 9h17M3 15h17', lock: 'M6 11h12v9.5H6zM8.5 11V8a3.5 3.5 0 017 0v3',
  send: 'M4 12L3 4l18 8-18 8 1-8zM4 12h9', down: 'M6 9l6 6 6-6', dots: 'M5 12h.5M12 12h.5M19 12h.5',
  out: 'M4 12h15M13 6l6 6-6 6', in: 'M20 12H5M11 6l-6 6 6 6', note: 'M5 4h14v16H5zM8.5 9h7M8.5 13h7', link: 'M10 14a4 4 0 006 .5l3-3a4 4 0 00-6-6l-1 1M14 10a4 4 0 00-6-.5l-3 3a4 4 0 006 6l1-1',
  broken: 'M9.5 6.5l3-2a4 4 0 016 6l-2 2.5M14.5 17.5l-3 2a4 4 0 01-6-6l2-2.5M4 4l3 3M20 20l-3-3', pause: 'M8 5v14M16 5v14',
  eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.2a2.8 2.8 0 100 5.6 2.8 2.8 0 000-5.6z',
  sun: 'M12 7.5a4.5 4.5 0 100 9 4.5 4.5 0 000-9zM12 2v2.5M12 19.5V22M2 12h2.5M19.5 12H22M5 5l1.7 1.7M17.3 17.3L19 19M19 5l-1.7 1.7M6.7 17.3L5 19',
  moon: 'M20 14.5A8.5 8.5 0 019.5 4 8.5 8.5 0 1020 14.5z', auto: 'M12 3.5a8.5 8.5 0 100 17 8.5 8.5 0 000-17zM12 3.5v17M12 8h6.5M12 12h8.5M12 16h6.5', image: 'M4 5h16v14H4zM4 16l5-5 4 4 2.5-2.5L20 17M15.5 9.2v.2',
  list: 'M4 6h.5M4 12h.5M4 18h.5M9 6h11M9 12h11M9 18h11', bot: 'M5 9h14v10H5zM12 5v4M9 13.2v.6M15 13.2v.6M2.5 13v3M21.5 13v3', chat: 'M4 5h16v11H11l-5 4v-4H4z',
  home: 'M4 11l8-7 8 7M6 10v10h12V10', phone: 'M7 2.5h10v19H7zM10.5 18.5h3', shield: 'M12 3l8 3v6c0 5-3.5 8-8 9.5C7.5 20 4 17 4 12V6z', unknown: 'M9 9a3 3 0 116 0c0 2-3 2.3-3 4.5M12 17.5v.5',
};

/** A line icon. It is decoration: the words beside it carry the meaning. */
export function icon(name, cls = '') {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', `icon ${cls}`);
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', PATHS[name] ?? PATHS.unknown);
  svg.append(path);
  return svg;
}

export function srOnly(text) {
  return el('span', { class: 'sr' }, text);
}

/** Make `container` hold one node per item, in order, and re-use the node of an item whose version is unchanged. */
export function reconcile(container, items, { key, version, render }) {
  const old = container.reconciled ?? new Map();
  const next = new Map();
  let cursor = container.firstChild;
  for (const item of items) {
    const id = key(item);
    const stamp = version(item);
    const kept = old.get(id);
    const entry = kept && kept.stamp === stamp ? kept : { stamp, node: render(item) };
    next.set(id, entry);
    if (entry.node === cursor) cursor = cursor.nextSibling;
    else container.insertBefore(entry.node, cursor);
  }
  while (cursor) {
    const after = cursor.nextSibling;
    cursor.remove();
    cursor = after;
  }
  container.reconciled = next;
}

/** Run `task` soon and once, however often it is asked for. Timers run in hidden tabs too, animation frames do not. */
export function soon(task, milliseconds = 16) {
  let timer = null;
  return () => {
    if (timer !== null) return;
    timer = setTimeout(() => {
      timer = null;
      task();
    }, milliseconds);
  };
}

export function announce(text) {
  byId('announcer').textContent = text;
}

export function toast(text, kind = 'info') {
  const box = el('div', { class: `toast toast-${kind}` }, icon(kind === 'info' ? 'note' : 'warn'), el('span', {}, text),
    el('button', { class: 'icon-button', type: 'button', 'aria-label': 'Dismiss', onclick: () => box.remove() }, icon('cross')));
  byId('toasts').append(box);
  while (byId('toasts').children.length > 3) byId('toasts').firstChild.remove();
  setTimeout(() => box.remove(), kind === 'info' ? 6000 : 12000);
}

export const clock = (date, seconds = false) =>
  date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', ...(seconds ? { second: '2-digit' } : {}) });

export const day = (date) => date.toLocaleDateString([], { weekday: 'long', day: 'numeric', month: 'long' });
