// Who is who: avatars, the list of channels, and the switcher that says as whom one acts.
import { byId, el, icon, srOnly } from './dom.js';
import { openMenu } from './menu.js';

export const KIND_WORDS = { guest: 'GUEST', outside: 'OUTSIDE', deactivated: 'DEACTIVATED' };
const COLOURS = ['#0f766e', '#8a3b12', '#5b3fa0', '#1d5fa8', '#8f2154', '#4d6410', '#7a4b00', '#3f4f63'];

const initials = (name) => name.split(/[\s._-]+/).filter(Boolean).slice(0, 2).map((word) => [...word][0].toUpperCase()).join('') || '?';

/** Relative luminance, to write initials that can be read on any colour. */
function isLight(colour) {
  const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18;
}

export function avatar(author, cls = '') {
  if (author.app) return el('img', { class: `avatar ${cls}`, src: '/static/icon.svg', alt: '', width: 36, height: 36 });
  const node = el('span', { class: `avatar ${cls}`, 'aria-hidden': 'true' }, initials(author.name ?? '?'));
  const given = String(author.user?.color ?? '').replace(/^#?/, '#');
  const fallback = COLOURS[[...String(author.id)].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % COLOURS.length];
  const colour = /^#[0-9a-f]{6}$/i.test(given) ? given : fallback;
  node.style.backgroundColor = colour;
  node.style.color = isLight(colour) ? '#000000' : '#ffffff';
  return node;
}

const nameOf = (user) => user.real_name || user.name;

function face(user, waiting) {
  return [avatar({ id: user.id, name: nameOf(user), user }, 'avatar-small'),
    el('span', { class: 'person-words' }, el('span', { class: 'person-name' }, nameOf(user), KIND_WORDS[user.kind] && el('span', { class: 'badge badge-kind' }, KIND_WORDS[user.kind])), el('span', { class: 'person-role' }, user.title)),
    waiting && el('span', { class: 'waiting', title: 'Something waits that only this person sees' }, icon('eye'), srOnly('something waits that only this person sees'))];
}

export class People {
  constructor({ store, choose, waiting }) {
    Object.assign(this, { store, choose, waiting });
    this.list = byId('people');
    this.button = byId('person-button');
    this.button.addEventListener('click', () => openMenu(this.button, 'Act as', this.store.people().map((user) => ({
      node: el('span', { class: 'menu-person' }, face(user, this.waiting(user.id))), checked: user.id === this.current, choose: () => this.choose(user.id),
    }))));
    this.list.addEventListener('keydown', (event) => this.#arrows(event));
  }

  /** A radio group by the book: one tab stop, arrows choose. */
  #arrows(event) {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const people = this.store.people();
    const now = people.findIndex((user) => user.id === this.current);
    this.choose(people[(now + step + people.length) % people.length].id);
    this.list.querySelector('[aria-checked="true"]')?.focus();
  }

  render(current) {
    this.current = current;
    const stamp = JSON.stringify([current, this.store.people().map((user) => [user, this.waiting(user.id)])]);
    if (stamp === this.stamp) return; // a button that is being pressed must not be replaced under the finger
    this.stamp = stamp;
    const me = this.store.users.get(current);
    const focused = this.list.contains(document.activeElement);
    this.list.replaceChildren(...this.store.people().map((user) => el('button', {
      type: 'button', role: 'radio', class: 'person', 'data-person': user.id, 'aria-checked': String(user.id === current), tabindex: user.id === current ? '0' : '-1', onclick: () => this.choose(user.id),
    }, face(user, user.id !== current && this.waiting(user.id)), user.id === current && el('span', { class: 'you' }, 'You'))));
    if (focused) this.list.querySelector('[aria-checked="true"]')?.focus();
    if (!me) return;
    this.button.replaceChildren(avatar({ id: me.id, name: nameOf(me), user: me }, 'avatar-small'),
      el('span', { class: 'person-words' }, el('span', { class: 'person-role' }, 'You act as'), el('span', { class: 'person-name' }, nameOf(me))), icon('down'));
    this.button.setAttribute('aria-label', `You act as ${nameOf(me)}${me.title ? `, ${me.title}` : ''}. Change`);
  }
}

/** The channels of the sidebar, and the same in the select of narrow screens. */
let drawn = '';

export function renderChannels(store, person, current, unread, choose) {
  const channels = store.channelsOf(person);
  const stamp = JSON.stringify([channels, current, [...unread]]);
  if (stamp === drawn) return;
  drawn = stamp;
  const mark = (channel) => icon(channel.is_home ? 'home' : channel.is_im ? 'chat' : channel.is_private ? 'lock' : 'hash');
  byId('channels').replaceChildren(...channels.map((channel) => {
    const count = unread.get(channel.id) ?? 0;
    return el('li', {}, el('button', { type: 'button', class: `channel-item ${count ? 'is-unread' : ''}`, 'aria-current': channel.id === current ? 'true' : null, onclick: () => choose(channel.id) },
      mark(channel), el('span', { class: 'channel-name' }, channel.name), channel.is_private && srOnly(' (private)'), count > 0 && el('span', { class: 'unread' }, count > 99 ? '99+' : count, srOnly(' unread'))));
  }));
  const select = byId('channel-select');
  select.replaceChildren(...channels.map((channel) => el('option', { value: channel.id, selected: channel.id === current }, `${channel.is_home || channel.is_im || channel.is_private ? '' : '# '}${channel.name}${channel.is_private ? ' (private)' : ''}${unread.get(channel.id) ? ` (${unread.get(channel.id)})` : ''}`)));
  const here = channels.find((channel) => channel.id === current);
  byId('channel-title').replaceChildren(...(here ? [mark(here), el('span', {}, here.name)] : ['No channel']));
  document.title = `${here ? `${here.is_home || here.is_im ? '' : '#'}${here.name} · ` : ''}Local Slack (stand-in)`;
}
