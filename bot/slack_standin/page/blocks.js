// Block Kit JSON -> DOM nodes, by textContent only. Shows what was posted and nothing else; what it does not know it says.
import { add, el, icon, srOnly } from './dom.js';
import { emoji } from './emoji.js';
import { newId, renderElement, warningSlot } from './elements.js';
import { broadcast, channelMention, flat, leaf, link, textObject, userMention } from './text.js';

/** A placeholder: pictures are never loaded, they would tell their host who looks. */
function picture(block, cls) {
  const words = block.alt_text || flat(block.title) || 'no description';
  return el('span', { class: `picture ${cls}`, role: 'img', 'aria-label': `Picture, not loaded: ${words}` }, icon('image'), el('span', {}, leaf(words)));
}

const header = (block, ctx) => el('h3', { class: 'block-header' }, textObject(block.text, ctx.names));

function section(block, ctx, slot) {
  const body = el('div', { class: 'section-body' });
  if (block.text) body.append(el('div', { class: 'text' }, textObject(block.text, ctx.names)));
  if (block.fields?.length) body.append(el('div', { class: 'fields' }, block.fields.map((field) => el('div', { class: 'text' }, textObject(field, ctx.names)))));
  const accessory = block.accessory && el('div', { class: 'accessory' }, block.accessory.type === 'image' ? picture(block.accessory, 'picture-small') : renderElement(block.accessory, block, ctx, slot));
  return el('div', { class: 'section' }, body, accessory);
}

function context(block, ctx) {
  return el('div', { class: 'context' }, (block.elements ?? []).map((item) =>
    (item.type === 'image' ? picture(item, 'picture-tiny') : el('span', { class: 'text' }, textObject(item, ctx.names)))));
}

function actions(block, ctx, slot) {
  return el('div', { class: 'actions' }, (block.elements ?? []).map((item) => renderElement(item, block, ctx, slot)));
}

function input(block, ctx, slot) {
  const element = renderElement(block.element, block, ctx, slot);
  const control = element.matches('.choices') ? element : element.querySelector('input, select, textarea') ?? element;
  const id = newId('input');
  const label = control.matches('.choices') ? el('span', { class: 'label', id: `${id}-label` }) : el('label', { class: 'label', for: id });
  add(label, textObject(block.label, ctx.names), block.optional ? el('span', { class: 'optional' }, ' (optional)') : srOnly(' (required)'));
  const hint = block.hint && el('p', { class: 'hint', id: `${id}-hint` }, textObject(block.hint, ctx.names));
  const error = el('p', { class: 'field-error', id: `${id}-error`, role: 'alert' });
  control.id = id;
  control.removeAttribute('aria-label');
  if (control.matches('.choices')) control.setAttribute('aria-labelledby', `${id}-label`);
  control.setAttribute('aria-describedby', `${id}-error${hint ? ` ${id}-hint` : ''}`);
  return el('div', { class: 'input-block', 'data-input': block.block_id ?? '' }, label, element, error, hint);
}

// rich_text: every run of text is literal; style is data, so nothing in it can start or end a format.
function styled(node, style = {}) {
  let out = node;
  for (const [flag, tag] of [['code', 'code'], ['bold', 'strong'], ['italic', 'em'], ['strike', 's'], ['underline', 'u']]) if (style[flag]) out = el(tag, {}, out);
  return out;
}

function richRun(run, ctx) {
  const { names } = ctx;
  switch (run.type) {
    case 'text': return styled(leaf(String(run.text ?? ''), false), run.style);
    case 'link': return styled(link(String(run.url ?? ''), String(run.text || run.url)), run.style);
    case 'user': return styled(userMention(run.user_id, names), run.style);
    case 'channel': return styled(channelMention(run.channel_id, names), run.style);
    case 'usergroup': return el('span', { class: 'mention' }, `@${run.usergroup_id}`);
    case 'broadcast': return broadcast(run.range);
    case 'emoji': return emoji(String(run.name)) ?? leaf(`:${run.name}:`, false);
    case 'date': return el('time', {}, leaf(run.fallback ?? new Date(run.timestamp * 1000).toLocaleString(), false));
    case 'color': return el('code', {}, leaf(String(run.value), false));
    default: return unsupported(run, 'text');
  }
}

const runs = (part, ctx) => (part.elements ?? []).map((run) => richRun(run, ctx));

function richPart(part, ctx) {
  switch (part.type) {
    case 'rich_text_section': return el('div', { class: 'text' }, runs(part, ctx));
    case 'rich_text_quote': return el('blockquote', {}, runs(part, ctx));
    case 'rich_text_preformatted': return el('pre', {}, runs(part, ctx));
    case 'rich_text_list': {
      const list = el(part.style === 'ordered' ? 'ol' : 'ul', { class: `indent-${Math.min(8, part.indent ?? 0)}` }, (part.elements ?? []).map((item) => el('li', {}, richPart(item, ctx))));
      if (part.style === 'ordered' && part.offset) list.start = part.offset + 1;
      return list;
    }
    default: return unsupported(part, 'part');
  }
}

const richText = (block, ctx) => el('div', { class: 'rich' }, (block.elements ?? []).map((part) => richPart(part, ctx)));

/** Said, not hidden: a person must never approve a card of which a part is silently missing. */
function unsupported(block, what = 'block') {
  return el('div', { class: 'unsupported' }, icon('unknown'), ` unsupported ${what}: ${String(block?.type)}`);
}

/** Slack's `alert`, for modals: the level is said by a sign and a word, not by colour alone. */
function alert(block, ctx) {
  const level = ['info', 'warning', 'error', 'success'].includes(block.level) ? block.level : 'info';
  const sign = { info: 'note', warning: 'warn', error: 'cross', success: 'check' }[level];
  return el('div', { class: `alert alert-${level}` }, icon(sign), srOnly(`${level}: `), el('div', { class: 'text' }, textObject(block.text, ctx.names)));
}

const BLOCKS = {
  header, section, context, actions, input, alert, rich_text: richText,
  divider: () => el('hr', { class: 'divider' }),
  image: (block) => picture(block, 'picture-large'),
  markdown: (block) => el('div', { class: 'text' }, leaf(String(block.text ?? ''), false)),
};

/**
 * Nodes for a list of blocks.
 * ctx: names {selfId, userName, channelName, people}, act(payload) -> {ok, warning?}, form? {get, set} for what is typed.
 */
export function renderBlocks(blocks, ctx) {
  const out = document.createDocumentFragment();
  for (const block of Array.isArray(blocks) ? blocks : []) {
    const known = Object.hasOwn(BLOCKS, block?.type);
    const slot = warningSlot();
    out.append(el('div', { class: 'block', 'data-block': block?.block_id ?? '', 'data-type': String(block?.type) }, known ? BLOCKS[block.type](block, ctx, slot) : unsupported(block), slot.node));
  }
  return out;
}
