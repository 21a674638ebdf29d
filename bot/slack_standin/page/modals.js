// Modals: the top view of a person's stack, what he has typed in each view, and sending it.
import { byId, el, icon, toast } from './dom.js';
import { openDialog } from './dialogs.js';
import { renderBlocks } from './blocks.js';
import { flat } from './text.js';

const TROUBLE = 'The app did not answer. Nothing is known to have happened: try again.';

/** What is typed in one view, by block and action. Only keys that the newest blocks still have are sent. */
class Form {
  entries = new Map();

  get(block, action) {
    return this.entries.get(`${block} ${action}`);
  }

  set(block, action, entry) {
    this.entries.set(`${block} ${action}`, entry);
  }

  values(blocks) {
    const out = {};
    for (const block of blocks ?? []) {
      for (const element of [block.element, block.accessory, ...(block.elements ?? [])]) {
        const entry = element?.action_id && this.get(block.block_id, element.action_id);
        if (entry) (out[block.block_id] ??= {})[element.action_id] = entry;
      }
    }
    return out;
  }
}

const isEmpty = (entry) => !entry || (entry.selected_options ? !entry.selected_options.length : !(entry.value ?? entry.selected_option ?? entry.selected_user ?? entry.selected_date ?? entry.selected_time));

/** The checks that Slack's client makes before it sends: {block_id: text}. */
function missing(blocks, form) {
  const errors = {};
  for (const block of blocks ?? []) {
    if (block.type !== 'input') continue;
    const entry = form.get(block.block_id, block.element?.action_id);
    const least = block.element?.min_length ?? 0;
    if (isEmpty(entry)) {
      if (!block.optional) errors[block.block_id] = 'Please complete this required field.';
    } else if (entry.value && entry.value.length < least) errors[block.block_id] = `Please write at least ${least} characters.`;
  }
  return errors;
}

export class Modals {
  #forms = new Map();
  #frame = null;
  #shown = null;

  /** `beside(view)` gives what stands below a view without being part of it, or null. */
  constructor({ post, names, whoAmI, act, dropView, beside }) {
    Object.assign(this, { post, names, whoAmI, act, dropView, beside });
  }

  /** Show the last of `views`, or nothing. Called whenever the stack may have changed. */
  render(views) {
    const view = views.at(-1) ?? null;
    if (view === this.#shown) return;
    const before = this.#shown;
    this.#shown = view;
    if (!view) {
      this.#frame?.close();
      this.#frame = null;
      return;
    }
    if (!this.#forms.has(view.id)) this.#forms.set(view.id, new Form());
    if (!this.#frame) {
      this.#frame = openDialog({ cls: 'dialog-modal', labelledby: 'modal-title', content: el('div', { class: 'modal-inner' }), onCancel: () => this.#close(), returnTo: () => byId('composer-input') });
    }
    const active = document.activeElement;
    const kept = before?.id === view.id && active?.dataset.action ? { action: active.dataset.action, block: active.closest('[data-block]')?.dataset.block, from: active.selectionStart, to: active.selectionEnd } : null;
    this.#draw(view, views.length);
    this.#focus(kept);
  }

  #draw(view, depth) {
    const form = this.#forms.get(view.id);
    const ctx = { names: this.names, form, act: (what) => this.act({ view_id: view.id, ...what }) };
    const submit = view.submit && el('button', { type: 'submit', class: 'btn btn-primary' }, el('span', { class: 'btn-label' }, flat(view.submit)));
    const inner = el('form', { class: 'modal-inner', novalidate: true, 'data-view': view.id },
      el('div', { class: 'dialog-head' }, el('h2', { id: 'modal-title' }, flat(view.title)), depth > 1 && el('span', { class: 'badge badge-kind' }, `${depth} open`),
        el('button', { type: 'button', class: 'icon-button', 'aria-label': 'Close', onclick: () => this.#close() }, icon('cross'))),
      el('div', { class: 'modal-trouble', role: 'alert' }),
      el('div', { class: 'dialog-body', tabindex: '-1' }, renderBlocks(view.blocks, ctx)),
      el('div', { class: 'dialog-foot' }, el('button', { type: 'button', class: 'btn', onclick: () => this.#close() }, flat(view.close) || 'Cancel'), submit));
    inner.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit(view, inner);
    });
    this.#frame.dialog.replaceChildren(...[inner, this.beside(view)].filter(Boolean));
  }

  #focus(kept) {
    const { dialog } = this.#frame;
    const same = kept && dialog.querySelector(`[data-block="${CSS.escape(kept.block ?? '')}"] [data-action="${CSS.escape(kept.action)}"]`);
    const target = same ?? dialog.querySelector('.dialog-body :is(input, textarea, select, button)') ?? dialog.querySelector('.dialog-foot .btn-primary, .dialog-foot .btn');
    target?.focus();
    if (same && typeof kept.from === 'number') same.setSelectionRange?.(kept.from, kept.to);
  }

  #errors(inner, errors) {
    for (const block of inner.querySelectorAll('[data-input]')) {
      const text = errors[block.dataset.input];
      const control = block.querySelector('[aria-describedby]');
      block.classList.toggle('has-error', Boolean(text));
      block.querySelector('.field-error').replaceChildren(...(text ? [icon('warn'), el('span', {}, text)] : []));
      if (text) control?.setAttribute('aria-invalid', 'true');
      else control?.removeAttribute('aria-invalid');
    }
    const first = inner.querySelector('.has-error :is(input, textarea, select)');
    first?.focus();
    return first;
  }

  async #submit(view, inner) {
    const form = this.#forms.get(view.id);
    const button = inner.querySelector('[type=submit]');
    if (!button || button.classList.contains('is-pending')) return;
    const early = missing(view.blocks, form);
    this.#errors(inner, early);
    if (Object.keys(early).length) return;
    const trouble = inner.querySelector('.modal-trouble');
    trouble.replaceChildren();
    inner.classList.add('is-sending');
    button.classList.add('is-pending');
    button.setAttribute('aria-busy', 'true');
    const answer = await this.post('/standin/act/submit', { user: this.whoAmI(), view_id: view.id, values: form.values(view.blocks) });
    inner.classList.remove('is-sending');
    button.classList.remove('is-pending');
    button.removeAttribute('aria-busy');
    if (answer.ok) return; // the events say what the app made of it: closed, updated, or another view on top
    const unplaced = Object.entries(answer.errors ?? {}).filter(([block]) => !inner.querySelector(`[data-input="${CSS.escape(block)}"]`)).map(([, text]) => text);
    this.#errors(inner, answer.errors ?? {});
    const placed = Object.keys(answer.errors ?? {}).length > 0;
    const text = placed ? unplaced.join(' ') : answer.warning || TROUBLE;
    if (text) trouble.replaceChildren(icon('warn'), el('span', {}, text));
  }

  async #close() {
    const view = this.#shown;
    if (!view) return;
    this.#forms.delete(view.id);
    this.dropView(view.id); // at once, as Slack does: a person can always get out
    const answer = await this.post('/standin/act/close', { user: this.whoAmI(), view_id: view.id });
    if (!answer.ok && answer.warning) toast(answer.warning, 'warn');
  }
}
