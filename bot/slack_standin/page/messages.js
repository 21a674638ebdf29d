// The channel pane: messages with their threads, ephemerals, day dividers, "show older", and staying at the end.
import { byId, clock, day, el, icon, reconcile } from './dom.js';
import { renderBlocks } from './blocks.js';
import { avatar, KIND_WORDS } from './people.js';
import { mrkdwn } from './text.js';
import { whenOf } from './store.js';

const STEP = 200; // messages in the pane before "show older"
const REPLIES = 5; // replies shown before "show all"
const NEAR_END = 80; // px

export class MessagePane {
  limit = STEP;
  #expanded = new Set();

  constructor({ store, names, act, whoAmI, emptyHint }) {
    Object.assign(this, { store, names, act, whoAmI, emptyHint });
    this.box = byId('messages');
    this.jump = byId('jump');
    this.box.addEventListener('scroll', () => {
      if (this.#atEnd()) this.jump.hidden = true;
    });
    this.jump.addEventListener('click', () => this.toEnd());
    let width = 0; // when the pane changes its size (a phone's keyboard, a banner), the end stays in view
    new ResizeObserver(() => {
      if (this.stuck && (width || this.box.clientHeight)) this.toEnd();
      width = this.box.clientWidth;
    }).observe(this.box);
    this.stuck = true;
    this.box.addEventListener('scroll', () => { this.stuck = this.#atEnd(); });
  }

  #atEnd() {
    return this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < NEAR_END;
  }

  /** Go to the end; to the top of the newest message where it is taller than the pane, for it is read from there. */
  toEnd() {
    const newest = this.box.lastElementChild;
    const tall = newest && newest.offsetHeight > this.box.clientHeight;
    this.box.scrollTop = tall ? this.box.scrollTop + newest.getBoundingClientRect().top - this.box.getBoundingClientRect().top : this.box.scrollHeight;
    this.jump.hidden = true;
    this.stuck = true;
  }

  /** Show another channel or another person's view of it, from its end. */
  reset() {
    this.limit = STEP;
    this.box.reconciled = null;
    this.box.replaceChildren();
    this.stuck = true;
  }

  render(channel) {
    const stuck = this.stuck;
    const last = this.lastKey;
    const focus = this.#focused();
    const { entries, older } = this.store.pane(channel, this.whoAmI(), this.limit);
    const items = [];
    if (older) items.push({ id: 'older', stamp: String(older), draw: () => this.#olderButton(older, channel) });
    let today = '';
    for (const entry of entries) {
      const date = day(whenOf(entry.ts));
      if (date !== today) items.push({ id: `day ${date}`, stamp: date, draw: () => el('div', { class: 'day', role: 'separator', 'aria-label': date }, el('span', {}, date)) });
      today = date;
      items.push({ id: `${entry.kind} ${entry.message.id ?? ''} ${entry.ts}`, stamp: this.#stamp(entry), draw: () => this.#entry(entry, channel) });
    }
    if (!entries.length) items.push({ id: 'empty', stamp: this.emptyHint(), draw: () => el('div', { class: 'empty' }, icon('chat'), el('p', {}, this.emptyHint())) });
    reconcile(this.box, items, { key: (item) => item.id, version: (item) => item.stamp, render: (item) => item.draw() });
    this.#refocus(focus);
    this.lastKey = entries.at(-1)?.ts;
    if (stuck) this.toEnd();
    else if (last && this.lastKey !== last) this.jump.hidden = this.#atEnd();
  }

  // A version is the identity of the objects shown: a changed message is a new object (see Store).
  #ids = new WeakMap();
  #serial = 0;

  #stamp(entry) {
    const idOf = (object) => {
      if (!this.#ids.has(object)) this.#ids.set(object, (this.#serial += 1));
      return this.#ids.get(object);
    };
    return [entry.message, ...entry.replies].map(idOf).join(',') + (this.#expanded.has(entry.ts) ? ' all' : '');
  }

  #focused() {
    const node = document.activeElement;
    const article = node?.closest?.('.message');
    if (!article || !this.box.contains(node)) return null;
    return { node, key: article.dataset.key, action: node.dataset.action };
  }

  /** When the element that had the focus was redrawn, give it to its successor, or to the message. */
  #refocus(focus) {
    if (!focus || focus.node.isConnected) return;
    const article = this.box.querySelector(`[data-key="${CSS.escape(focus.key)}"]`);
    const successor = focus.action ? article?.querySelector(`[data-action="${CSS.escape(focus.action)}"]`) : null;
    (successor ?? article ?? this.box).focus({ preventScroll: true });
  }

  #olderButton(older, channel) {
    return el('button', {
      type: 'button', class: 'btn older',
      onclick: () => {
        const fromEnd = this.box.scrollHeight - this.box.scrollTop;
        this.limit += STEP;
        this.stuck = false;
        this.render(channel);
        this.box.scrollTop = this.box.scrollHeight - fromEnd;
      },
    }, `Show older (${older} more)`);
  }

  #entry(entry, channel) {
    const node = this.#message(entry.message, entry.kind === 'ephemeral');
    if (!entry.replies.length) return node;
    const all = this.#expanded.has(entry.ts);
    const shown = all ? entry.replies : entry.replies.slice(-REPLIES);
    const hidden = entry.replies.length - shown.length;
    const count = `${entry.replies.length} ${entry.replies.length === 1 ? 'reply' : 'replies'}`;
    return el('div', { class: 'thread-group' }, node, el('div', { class: 'thread', role: 'group', 'aria-label': `Thread: ${count}` },
      el('p', { class: 'thread-count' }, count),
      hidden > 0 && el('button', {
        type: 'button', class: 'link-button',
        onclick: () => {
          this.#expanded.add(entry.ts);
          this.render(channel);
        },
      }, `Show ${hidden} earlier`),
      shown.map((reply) => this.#message(reply, false))));
  }

  #message(message, ephemeral) {
    const author = ephemeral ? this.store.theApp() : this.store.authorOf(message);
    const at = whenOf(message.ts);
    const kind = author.user && KIND_WORDS[author.user.kind];
    const reference = ephemeral ? { ephemeral_id: message.id } : { channel: message.channel, ts: message.ts };
    const ctx = { names: this.names, act: (what) => this.act({ ...reference, ...what }) };
    const body = message.blocks?.length ? renderBlocks(message.blocks, ctx) : el('div', { class: 'text' }, mrkdwn(message.text ?? '', this.names));
    return el('article', { class: `message ${ephemeral ? 'is-ephemeral' : ''} ${author.app ? 'is-app' : ''}`, tabindex: '-1', 'data-key': `${message.id ?? ''}${message.ts}`, 'aria-label': `${author.name}, ${clock(at)}` },
      avatar(author),
      el('div', { class: 'message-main' },
        ephemeral && el('p', { class: 'only-you' }, icon('eye'), 'Only visible to you'),
        el('p', { class: 'byline' }, el('strong', { class: 'author' }, author.name), author.app && el('span', { class: 'badge' }, 'APP'), kind && el('span', { class: 'badge badge-kind' }, kind),
          el('time', { datetime: at.toISOString(), title: at.toLocaleString() }, clock(at))),
        el('div', { class: 'content' }, body, message.edited && el('span', { class: 'edited' }, '(edited)'))));
  }
}
