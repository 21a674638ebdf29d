// A small menu that hangs on a button: overflow elements and the person switcher. Arrow keys, Escape, click outside.
import { el } from './dom.js';

let open = null;

export function closeMenu() {
  if (!open) return;
  const { box, anchor, abort } = open;
  open = null;
  const hadFocus = box.contains(document.activeElement);
  abort.abort();
  box.remove();
  anchor.setAttribute('aria-expanded', 'false');
  if (hadFocus) anchor.focus();
}

function place(box, anchor) {
  const at = anchor.getBoundingClientRect();
  const size = box.getBoundingClientRect();
  const left = Math.max(8, Math.min(at.right - size.width, window.innerWidth - size.width - 8));
  const below = at.bottom + 4;
  const top = below + size.height > window.innerHeight - 8 ? Math.max(8, at.top - size.height - 4) : below;
  box.style.left = `${left}px`;
  box.style.top = `${top}px`;
}

/** items: [{node, checked?, choose}]. A menu of radio items when any item has `checked`. */
export function openMenu(anchor, label, items) {
  const again = open?.anchor === anchor;
  closeMenu();
  if (again) return;
  const radio = items.some((item) => item.checked !== undefined);
  const buttons = items.map((item) => el('button', {
    type: 'button', class: 'menu-item', tabindex: '-1', role: radio ? 'menuitemradio' : 'menuitem', 'aria-checked': radio ? String(Boolean(item.checked)) : null,
    onclick: () => {
      closeMenu();
      item.choose();
    },
  }, item.node));
  const box = el('div', { class: 'menu', role: 'menu', 'aria-label': label }, buttons);
  const abort = new AbortController();
  (anchor.closest('dialog') ?? document.body).append(box);
  place(box, anchor);
  anchor.setAttribute('aria-expanded', 'true');
  open = { box, anchor, abort };
  const { signal } = abort;
  box.addEventListener('keydown', (event) => {
    const now = buttons.indexOf(document.activeElement);
    const steps = { ArrowDown: now + 1, ArrowUp: now - 1 + buttons.length, Home: 0, End: buttons.length - 1 };
    if (event.key in steps) buttons[steps[event.key] % buttons.length].focus();
    else if (event.key === 'Escape' || event.key === 'Tab') closeMenu();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }, { signal });
  document.addEventListener('pointerdown', (event) => {
    if (!box.contains(event.target) && !anchor.contains(event.target)) closeMenu();
  }, { signal, capture: true });
  window.addEventListener('resize', closeMenu, { signal });
  (buttons.find((button) => button.getAttribute('aria-checked') === 'true') ?? buttons[0])?.focus();
}
