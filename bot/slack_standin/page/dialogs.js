// Dialogs: the frame that modals and confirmations share. Keeps the focus inside, Escape closes, the focus goes back afterwards.
import { el, icon } from './dom.js';
import { flat, textObject } from './text.js';

const FOCUSABLE = 'button:not([disabled]), input:not([disabled]), select:not([disabled]), textarea:not([disabled]), a[href], [tabindex="0"]';

function keepInside(dialog, event) {
  if (event.key !== 'Tab') return;
  const stops = [...dialog.querySelectorAll(FOCUSABLE)].filter((node) => node.getClientRects().length > 0);
  const first = stops[0];
  const last = stops.at(-1);
  const wraps = event.shiftKey ? document.activeElement === first || document.activeElement === dialog : document.activeElement === last;
  if (!wraps || !first) return;
  event.preventDefault();
  (event.shiftKey ? last : first).focus();
}

/** Open `content` as a modal dialog. `onCancel` runs on Escape; the caller closes. Returns {dialog, close}. */
export function openDialog({ cls, labelledby, content, onCancel, returnTo }) {
  const opener = document.activeElement;
  const dialog = el('dialog', { class: `dialog ${cls}`, 'aria-labelledby': labelledby, tabindex: '-1' }, content);
  dialog.addEventListener('cancel', (event) => {
    event.preventDefault();
    onCancel();
  });
  dialog.addEventListener('keydown', (event) => keepInside(dialog, event));
  document.body.append(dialog);
  dialog.showModal();
  return {
    dialog,
    close() {
      dialog.close();
      dialog.remove();
      const back = opener?.isConnected && opener !== document.body ? opener : returnTo?.();
      back?.focus();
    },
  };
}

let serial = 0;

/** Ask as Slack asks for a `confirm` object; resolves to true or false. */
export function confirmed(confirm, names) {
  return new Promise((resolve) => {
    const id = `confirm-${(serial += 1)}`;
    let frame = null;
    const answer = (yes) => {
      frame.close();
      resolve(yes);
    };
    const deny = el('button', { type: 'button', class: 'btn', onclick: () => answer(false) }, flat(confirm.deny) || 'Cancel');
    const go = el('button', { type: 'button', class: `btn btn-${confirm.style === 'danger' ? 'danger-solid' : 'primary'}`, onclick: () => answer(true) }, flat(confirm.confirm) || 'Yes');
    const content = [
      el('div', { class: 'dialog-head' }, el('h2', { id }, textObject(confirm.title, names)),
        el('button', { type: 'button', class: 'icon-button', 'aria-label': 'Close', onclick: () => answer(false) }, icon('cross'))),
      el('div', { class: 'dialog-body' }, el('p', { class: 'text' }, textObject(confirm.text, names))),
      el('div', { class: 'dialog-foot' }, deny, go),
    ];
    frame = openDialog({ cls: 'dialog-confirm', labelledby: id, content, onCancel: () => answer(false) });
    go.focus();
  });
}
