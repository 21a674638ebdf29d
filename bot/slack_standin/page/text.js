// Slack's text objects -> DOM nodes. Entities are decoded once, in the leaves, and never read as tokens again.
import { el } from './dom.js';
import { emoji, sign, SIGNS } from './emoji.js';

// Characters that reorder or hide text are shown by number instead of being obeyed.
const HIDDEN = /[\u061C\u200B\u200E\u200F\u202A-\u202E\u2060\u2066-\u2069\uFEFF\u00AD\u{E0000}-\u{E007F}]/u;
// One of those, a sign that is drawn here, a :name:, or the end of a line.
const LEAF = new RegExp(`${HIDDEN.source}|[${SIGNS}]|:[a-z0-9_+'-]{1,40}:|\\n`, 'gu');
const ENTITIES = { '&amp;': '&', '&lt;': '<', '&gt;': '>' };
const DEEPEST = 8;

export const decode = (text) => text.replace(/&(?:amp|lt|gt);/g, (entity) => ENTITIES[entity]);

/** Text exactly as it is: line breaks, optionally emoji, and visible marks for characters that hide or reorder. */
export function leaf(text, withEmoji = true) {
  const out = document.createDocumentFragment();
  let from = 0;
  for (const found of text.matchAll(LEAF)) {
    const part = found[0];
    let node = null;
    if (part === '\n') node = el('br');
    else if (HIDDEN.test(part)) node = el('span', { class: 'hidden-char', title: 'A character that hides or reorders text' }, `U+${part.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}`);
    else if ([...part].length === 1) node = sign(part);
    else if (withEmoji) node = emoji(part.slice(1, -1));
    if (!node) continue;
    out.append(text.slice(from, found.index), node);
    from = found.index + part.length;
  }
  out.append(text.slice(from));
  return out;
}

/** An absolute http or https address, else null: everything else stays text. */
export function safeUrl(address) {
  try {
    const url = new URL(address);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : null;
  } catch {
    return null;
  }
}

export function link(address, label) {
  const href = safeUrl(address);
  if (!href) return el('span', { class: 'dead-link', title: 'Not a web address: shown as text' }, leaf(label === address ? address : `${label} (${address})`, false));
  return el('a', { href, rel: 'noopener noreferrer', target: '_blank', title: href }, leaf(label, false));
}

export const userMention = (id, names) => el('span', { class: id === names.selfId ? 'mention mention-self' : 'mention' }, `@${names.userName(id) ?? id}`);
export const channelMention = (id, names) => el('span', { class: 'mention' }, `#${names.channelName(id) ?? id}`);
export const broadcast = (range) => el('span', { class: 'mention mention-all', title: 'Notifies everybody here' }, `@${range}`);

const pad = (n) => String(n).padStart(2, '0');

function dateText(seconds, format) {
  const at = new Date(seconds * 1000);
  if (Number.isNaN(at.getTime())) return null;
  const time = at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  const written = (style) => at.toLocaleDateString([], style);
  const long = { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' };
  const short = { year: 'numeric', month: 'short', day: 'numeric' };
  const middle = { year: 'numeric', month: 'long', day: 'numeric' };
  const parts = {
    date_num: `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`, date: written(middle), date_short: written(short), date_long: written(long),
    date_pretty: written(middle), date_short_pretty: written(short), date_long_pretty: written(long), day_divider_pretty: written(middle),
    time, time_secs: at.toLocaleTimeString(), ago: written(short),
  };
  return format.replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(parts, name) ? parts[name] : whole));
}

/** The node for what stands between < and >, or null when it is no token of Slack's. */
function token(body, names) {
  const [target, ...rest] = body.split('|');
  const label = rest.join('|');
  if (/^@[UWB][A-Z0-9]+$/.test(target)) return userMention(target.slice(1), names);
  if (/^#[CGD][A-Z0-9]+$/.test(target)) return channelMention(target.slice(1), names);
  if (/^!(here|channel|everyone)$/.test(target)) return broadcast(target.slice(1));
  if (/^!subteam\^\w+$/.test(target)) return el('span', { class: 'mention' }, decode(label || '@group'));
  const date = /^!date\^(\d{1,11})\^([^^]{0,200})(?:\^(.*))?$/.exec(target);
  if (date) {
    const text = dateText(Number(date[1]), decode(date[2])) ?? decode(label);
    return el('time', { datetime: new Date(Number(date[1]) * 1000).toISOString() }, date[3] ? link(date[3], text) : text);
  }
  if (target.startsWith('!')) return leaf(decode(label || target), false);
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return link(target, decode(label || target));
  return null;
}

/** Where the closing mark of *bold*, _italic_ or ~strike~ stands, jumping over tokens and code; -1 if nowhere on this line. */
function closing(text, mark, from) {
  for (let at = from; at < text.length && text[at] !== '\n'; at += 1) {
    if (text[at] === '<' || text[at] === '`') {
      const end = text.indexOf(text[at] === '<' ? '>' : '`', at + 1);
      if (end > 0) at = end;
    } else if (text[at] === mark && at > from && !/\s/.test(text[at - 1]) && !/[\p{L}\p{N}_]/u.test(text[at + 1] ?? '')) return at;
  }
  return -1;
}

const STYLES = { '*': 'strong', _: 'em', '~': 's' };
const AUTO = /(https?:\/\/[^\s<>|`]*[^\s<>|`.,;:!?)\]'"*_~])|(?<![\p{L}\p{N}@])@(here|channel|everyone)\b/gu;

function words(text, options) {
  const out = document.createDocumentFragment();
  let from = 0;
  if (!options.verbatim) {
    for (const found of text.matchAll(AUTO)) {
      out.append(leaf(decode(text.slice(from, found.index))), found[1] ? link(decode(found[1]), decode(found[1])) : broadcast(found[2]));
      from = found.index + found[0].length;
    }
  }
  out.append(leaf(decode(text.slice(from))));
  return out;
}

function inline(text, names, options, depth = 0) {
  const out = document.createDocumentFragment();
  let plainFrom = 0;
  let at = 0;
  const put = (node, end) => {
    out.append(words(text.slice(plainFrom, at), options), node);
    plainFrom = at = end;
  };
  while (at < text.length) {
    const mark = text[at];
    if (mark === '`') {
      const end = text.indexOf('`', at + 1);
      if (end > at + 1 && !text.slice(at, end).includes('\n')) {
        put(el('code', {}, leaf(decode(text.slice(at + 1, end)), false)), end + 1);
        continue;
      }
    } else if (mark === '<') {
      const end = text.indexOf('>', at);
      const body = end > 0 ? text.slice(at + 1, end) : '';
      const node = body && !/[<\n]/.test(body) ? token(body, names) : null;
      if (node) {
        put(node, end + 1);
        continue;
      }
    } else if (STYLES[mark] && depth < DEEPEST && !/[\p{L}\p{N}_]/u.test(text[at - 1] ?? '') && text[at + 1] !== mark && !/\s/.test(text[at + 1] ?? ' ')) {
      const end = closing(text, mark, at + 1);
      if (end > 0) {
        put(el(STYLES[mark], {}, inline(text.slice(at + 1, end), names, options, depth + 1)), end + 1);
        continue;
      }
    }
    at += 1;
  }
  out.append(words(text.slice(plainFrom), options));
  return out;
}

/** Slack's mrkdwn. A line that begins with > is a quote, whether it came as > or as &gt;: Slack reads both so. */
export function mrkdwn(text, names, options = {}) {
  const out = document.createDocumentFragment();
  String(text).split(/```\n?([\s\S]+?)\n?```/).forEach((part, index) => {
    if (index % 2) {
      out.append(el('pre', {}, leaf(decode(part), false)));
      return;
    }
    const groups = [];
    for (const line of part.split('\n')) {
      const quoted = /^(?:>|&gt;)/.test(line);
      if (groups.at(-1)?.quoted !== quoted) groups.push({ quoted, lines: [] });
      groups.at(-1).lines.push(quoted ? line.replace(/^(?:>|&gt;) ?/, '') : line);
    }
    for (const { quoted, lines } of groups) {
      const nodes = inline(lines.join('\n'), names, options);
      out.append(quoted ? el('blockquote', {}, nodes) : nodes);
    }
  });
  return out;
}

/** A text object of either type. plain_text is never formatted, whatever it contains. */
export function textObject(object, names) {
  if (!object) return '';
  if (typeof object === 'string') return leaf(object);
  return object.type === 'mrkdwn' ? mrkdwn(object.text ?? '', names, { verbatim: object.verbatim }) : leaf(String(object.text ?? ''), object.emoji !== false);
}

export const flat = (object) => (typeof object === 'string' ? object : String(object?.text ?? ''));
