// The app's home: what the app last published for the person, drawn where a channel's messages stand. Opening it tells the app.
import { byId, el, icon } from './dom.js';
import { renderBlocks } from './blocks.js';
import { HOME } from './store.js';

export class HomePane {
  #shown = null;

  constructor({ store, names, act, open, whoAmI }) {
    Object.assign(this, { store, names, act, open, whoAmI });
  }

  /** Tell the app that the person looks at its home; what it publishes arrives as an event. */
  async opened() {
    const answer = await this.open();
    if (!answer.ok) this.#say(answer.warning || 'The app did not answer.');
  }

  render(channel) {
    const here = channel === HOME;
    byId('composer').hidden = here;
    if (!here) {
      this.#shown = null;
      return;
    }
    const view = this.store.homes.get(this.whoAmI());
    if (view && view === this.#shown) return;
    this.#shown = view;
    if (!view) {
      this.#say('The app has not shown anything here yet.');
      return;
    }
    const ctx = { names: this.names, act: (what) => this.act({ view_id: view.id, ...what }) };
    const active = document.activeElement;
    const kept = byId('messages').contains(active) ? active.dataset.action : null;
    byId('messages').replaceChildren(el('article', { class: 'home', tabindex: '-1', 'aria-label': 'Home of the app' }, renderBlocks(view.blocks, ctx)));
    if (kept) (byId('messages').querySelector(`[data-action="${CSS.escape(kept)}"]`) ?? byId('messages')).focus({ preventScroll: true });
  }

  #say(words) {
    this.#shown = null;
    byId('messages').replaceChildren(el('div', { class: 'empty' }, icon('chat'), el('p', {}, words)));
  }
}
