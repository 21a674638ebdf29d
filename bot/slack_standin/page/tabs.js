// Which part is in view: the tabs of the right side, and on narrow screens the bar at the bottom.
import { byId, el, icon, srOnly } from './dom.js';

const BOTTOM = [['channel', 'Channel', 'chat'], ['guide', 'Guide', 'list'], ['agent', 'Agent', 'bot'], ['log', 'Log', 'shield']];
const narrow = matchMedia('(max-width: 1023px)');

export class Tabs {
  #news = new Set();
  current = 'channel'; // of the narrow layout
  panel = 'guide'; // of the right side

  constructor() {
    this.top = [...document.querySelectorAll('.side-tabs [role=tab]')];
    this.bar = document.querySelector('.bottom-tabs');
    this.bottom = BOTTOM.map(([name, label, sign]) => el('button', { type: 'button', class: 'bottom-tab', 'data-tab': name, onclick: () => this.show(name) }, icon(sign), el('span', {}, label), el('span', { class: 'news' })));
    this.bar.replaceChildren(...this.bottom);
    for (const tab of this.top) tab.addEventListener('click', () => this.show(tab.dataset.panel));
    document.querySelector('.side-tabs').addEventListener('keydown', (event) => this.#arrows(event));
    this.show('channel');
  }

  #arrows(event) {
    const now = this.top.indexOf(document.activeElement);
    const to = { ArrowRight: now + 1, ArrowLeft: now - 1 + this.top.length, Home: 0, End: this.top.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const tab = this.top[to % this.top.length];
    this.show(tab.dataset.panel);
    tab.focus();
  }

  show(name) {
    this.current = name;
    if (name !== 'channel') this.panel = name;
    this.#news.delete(name);
    document.body.dataset.tab = name;
    document.body.dataset.panel = this.panel;
    for (const tab of this.top) {
      const on = tab.dataset.panel === this.panel;
      tab.setAttribute('aria-selected', String(on));
      tab.tabIndex = on ? 0 : -1;
      byId(`panel-${tab.dataset.panel}`).hidden = !on;
    }
    this.#paint();
    const panel = name === 'agent' || name === 'log' ? byId(`panel-${name}`) : null;
    if (panel && !panel.querySelector('.is-broken')) panel.scrollTop = panel.scrollHeight;
  }

  /** Say on the bar that something new is there, unless it is in view. */
  news(name) {
    if (!narrow.matches || this.current === name) return;
    this.#news.add(name);
    this.#paint();
  }

  #paint() {
    for (const button of this.bottom) {
      const name = button.dataset.tab;
      if (name === this.current) button.setAttribute('aria-current', 'page');
      else button.removeAttribute('aria-current');
      button.querySelector('.news').replaceChildren(...(this.#news.has(name) ? [srOnly('new')] : []));
      button.classList.toggle('has-news', this.#news.has(name));
    }
  }
}
