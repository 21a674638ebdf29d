// Block Kit's interactive elements: buttons, menus and inputs. What a person enters goes to `ctx.form`, what he presses to `ctx.act`.
import { add, el, icon } from './dom.js';
import { confirmed } from './dialogs.js';
import { openMenu } from './menu.js';
import { flat, link, safeUrl, textObject } from './text.js';

const LOCK_MS = 400; // against a double click only, as Slack: the server decides what counts
const PATIENCE_MS = 3000; // Slack's limit for an app to answer
const SILENT = 'The app did not answer within 3 seconds. Your click may still count: look before you press again.';

let serial = 0;
export const newId = (stem) => `${stem}-${(serial += 1)}`;

/** The place under a block where a warning triangle appears. */
export function warningSlot() {
  const slot = el('div', { class: 'block-warning', role: 'alert' });
  return {
    node: slot,
    show: (text) => {
      slot.replaceChildren(icon('warn'), el('span', {}, text));
      slot.scrollIntoView({ block: 'nearest' });
    },
    clear: () => slot.replaceChildren(),
  };
}

async function send(node, element, block, ctx, slot, selected) {
  if (node.dataset.locked) return;
  if (element.confirm && !(await confirmed(element.confirm, ctx.names))) return;
  node.dataset.locked = 'yes';
  node.classList.add('is-pending');
  node.setAttribute('aria-busy', 'true');
  slot.clear();
  setTimeout(() => delete node.dataset.locked, LOCK_MS);
  const timer = setTimeout(() => slot.show(SILENT), PATIENCE_MS);
  const answer = await ctx.act({ block_id: block.block_id ?? '', action_id: element.action_id ?? '', ...(selected === undefined ? {} : { selected }) });
  clearTimeout(timer);
  node.classList.remove('is-pending');
  node.removeAttribute('aria-busy');
  if (answer.ok) slot.clear();
  else slot.show(answer.warning || SILENT);
}

function button(element, block, ctx, slot) {
  const href = element.url ? safeUrl(element.url) : null;
  const node = el('button', {
    type: 'button', class: `btn ${element.style === 'primary' ? 'btn-primary' : ''} ${element.style === 'danger' ? 'btn-danger' : ''}`,
    'aria-label': element.accessibility_label, 'data-action': element.action_id,
    onclick: () => {
      if (href) window.open(href, '_blank', 'noopener,noreferrer');
      send(node, element, block, ctx, slot);
    },
  }, el('span', { class: 'btn-label' }, textObject(element.text, ctx.names)));
  return element.url && !href ? el('span', { class: 'dead-button' }, node, link(element.url, element.url)) : node;
}

const bare = (option) => ({ text: option.text, value: option.value });
const same = (a, b) => a?.value === b?.value;

/** Note a choice, and tell the app where Slack would tell it: everywhere but in an input block without dispatch_action. */
function chosen(node, element, block, ctx, slot, entry, selected) {
  ctx.form?.set(block.block_id, element.action_id, { type: element.type, ...entry });
  if (block.type !== 'input' || block.dispatch_action) send(node, element, block, ctx, slot, selected);
}

function staticSelect(element, block, ctx, slot) {
  const kept = ctx.form?.get(block.block_id, element.action_id)?.selected_option ?? element.initial_option;
  const options = element.option_groups ? element.option_groups.flatMap((group) => group.options) : element.options ?? [];
  const asNode = (option) => el('option', { value: option.value, selected: same(option, kept) }, flat(option.text));
  const node = el('select', { class: 'field', 'data-action': element.action_id, 'aria-label': flat(element.placeholder) || 'Choose' },
    el('option', { value: '', selected: !kept, disabled: block.type !== 'input' }, flat(element.placeholder) || 'Choose an option'),
    element.option_groups ? element.option_groups.map((group) => el('optgroup', { label: flat(group.label) }, group.options.map(asNode))) : options.map(asNode));
  node.addEventListener('change', () => {
    const option = options.find((candidate) => candidate.value === node.value);
    chosen(node, element, block, ctx, slot, { selected_option: option ? bare(option) : null }, option?.value);
  });
  if (kept) ctx.form?.set(block.block_id, element.action_id, { type: element.type, selected_option: bare(kept) });
  return el('span', { class: 'select-wrap' }, node, icon('down'));
}

function usersSelect(element, block, ctx, slot) {
  const people = ctx.names.people().map((user) => ({ text: { type: 'plain_text', text: user.real_name ?? user.name }, value: user.id }));
  const kept = ctx.form?.get(block.block_id, element.action_id)?.selected_user ?? element.initial_user;
  const node = el('select', { class: 'field', 'data-action': element.action_id, 'aria-label': flat(element.placeholder) || 'Choose a person' },
    el('option', { value: '' }, flat(element.placeholder) || 'Choose a person'), people.map((p) => el('option', { value: p.value, selected: p.value === kept }, flat(p.text))));
  node.addEventListener('change', () => chosen(node, element, block, ctx, slot, { selected_user: node.value || null }, node.value));
  if (kept) ctx.form?.set(block.block_id, element.action_id, { type: element.type, selected_user: kept });
  return el('span', { class: 'select-wrap' }, node, icon('down'));
}

function choices(element, block, ctx, slot) {
  const many = element.type === 'checkboxes';
  const kept = ctx.form?.get(block.block_id, element.action_id);
  const before = many ? kept?.selected_options ?? element.initial_options ?? [] : [kept?.selected_option ?? element.initial_option].filter(Boolean);
  const name = newId('choice');
  const set = el('div', { class: 'choices', role: many ? 'group' : 'radiogroup', 'data-action': element.action_id });
  const picked = () => (element.options ?? []).filter((_, index) => set.querySelectorAll('input')[index].checked).map(bare);
  const entry = () => (many ? { selected_options: picked() } : { selected_option: picked()[0] ?? null });
  for (const option of element.options ?? []) {
    const input = el('input', {
      type: many ? 'checkbox' : 'radio', name, checked: before.some((other) => same(other, option)),
      onchange: () => chosen(set, element, block, ctx, slot, entry(), many ? picked().map((o) => o.value) : option.value),
    });
    set.append(el('label', { class: 'choice' }, input, el('span', {}, textObject(option.text, ctx.names),
      option.description && el('span', { class: 'choice-note' }, textObject(option.description, ctx.names)))));
  }
  ctx.form?.set(block.block_id, element.action_id, { type: element.type, ...entry() });
  return set;
}

function overflow(element, block, ctx, slot) {
  const node = el('button', { type: 'button', class: 'btn btn-more', 'aria-haspopup': 'menu', 'aria-expanded': 'false', 'aria-label': 'More actions', 'data-action': element.action_id }, icon('dots'));
  node.addEventListener('click', () => openMenu(node, 'More actions', (element.options ?? []).map((option) => ({
    node: el('span', {}, textObject(option.text, ctx.names)),
    choose: () => {
      const href = option.url && safeUrl(option.url);
      if (href) window.open(href, '_blank', 'noopener,noreferrer');
      send(node, element, block, ctx, slot, option.value);
    },
  }))));
  return node;
}

function textInput(element, block, ctx, slot) {
  const kept = ctx.form?.get(block.block_id, element.action_id)?.value ?? element.initial_value ?? '';
  const most = element.max_length;
  const count = most ? el('span', { class: 'count', 'aria-hidden': 'true' }) : null;
  const kinds = { email_text_input: 'email', url_text_input: 'url', number_input: 'text', datepicker: 'date', timepicker: 'time' };
  const node = el(element.multiline ? 'textarea' : 'input', {
    class: 'field', 'data-action': element.action_id, placeholder: flat(element.placeholder) || null, maxlength: most, rows: element.multiline ? 4 : null,
    type: element.multiline ? null : kinds[element.type] ?? 'text', inputmode: element.type === 'number_input' ? 'decimal' : null, autocomplete: 'off', 'data-min': element.min_length,
  });
  node.value = kept;
  const entry = () => (element.type === 'datepicker' ? { selected_date: node.value || null } : element.type === 'timepicker' ? { selected_time: node.value || null } : { value: node.value || null });
  const note = () => {
    ctx.form?.set(block.block_id, element.action_id, { type: element.type, ...entry() });
    count?.replaceChildren(`${node.value.length} / ${most}`);
  };
  node.addEventListener('input', note);
  if (block.dispatch_action) node.addEventListener('change', () => send(node, element, block, ctx, slot, node.value));
  note();
  return add(el('div', { class: 'input-wrap' }), node, count);
}

const KINDS = {
  button, static_select: staticSelect, users_select: usersSelect, radio_buttons: choices, checkboxes: choices, overflow, plain_text_input: textInput,
  email_text_input: textInput, url_text_input: textInput, number_input: textInput, datepicker: textInput, timepicker: textInput,
};

export const knowsElement = (type) => Object.hasOwn(KINDS, type);

/** One element of Block Kit as a node; a kind that this page does not know is said to be so. */
export function renderElement(element, block, ctx, slot) {
  if (!knowsElement(element?.type)) return el('span', { class: 'unsupported' }, icon('unknown'), ` unsupported element: ${String(element?.type)}`);
  return KINDS[element.type](element, block, ctx, slot);
}
