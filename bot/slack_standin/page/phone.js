// The phone in a person's hand: below a dialog that asks for a one-time code, what the authenticator app shows now.
import { el, icon } from './dom.js';

const asksForCode = (view) => (view.blocks ?? []).some((block) => block.type === 'input' && block.block_id === 'code');
const spaced = (code) => `${code.slice(0, 3)} ${code.slice(3)}`;

export class Phone {
  #phones = new Map();
  #node = el('aside', { class: 'phone', 'aria-label': 'Not part of Slack: a phone' });
  #timer = null;

  constructor({ whoAmI, names }) {
    Object.assign(this, { whoAmI, names });
  }

  render(phones) {
    this.#phones = new Map(phones.map((phone) => [phone.user, phone]));
    this.#draw();
  }

  /** The phone of the person who is asked, or null where none is asked for a code or has a phone. */
  beside(view) {
    clearInterval(this.#timer);
    if (!asksForCode(view) || !this.#phones.has(this.whoAmI())) return null;
    this.#draw();
    this.#timer = setInterval(() => this.#draw(), 1000);
    return this.#node;
  }

  #draw() {
    const phone = this.#phones.get(this.whoAmI());
    if (!phone) return;
    const left = Math.max(0, Math.ceil(phone.until - Date.now() / 1000));
    this.#node.replaceChildren(icon('phone'), el('p', {}, `${this.names.userName(phone.user)}’s phone shows `, el('strong', { class: 'phone-code' }, spaced(phone.code)),
      el('span', { class: 'phone-left' }, left > 30 ? '' : `A new one in ${left} s; each counts once.`)));
  }
}
