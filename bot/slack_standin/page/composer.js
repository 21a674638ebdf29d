// The message box: sends a message or a command, suggests /agent's subcommands, remembers what was sent.
import { byId, el, icon, srOnly } from './dom.js';

const COMMANDS = [
  ['pause', '[all | agent NAME | tool NAME] [for 30m] [reason]', 'Stop agents at once: everything, one agent or one tool'],
  ['resume', '[all | agent NAME | tool NAME]', 'Let them go on; “all” needs two people'],
  ['status', '', 'What is running, paused and waiting'],
  ['pending', '', 'Proposals that wait for people'],
  ['show', 'ID', 'One proposal with its history'],
  ['request', 'TOOL', 'Start yourself what the policy blocks for agents'],
  ['factor', '[add passkey | add totp | lock]', 'Your second factors: get one, lock it'],
  ['away', 'until friday delegate @name', 'Be called no more until then; “back” ends it'],
  ['people', '', 'Who is one person'],
  ['access', '', 'A report on who may approve what'],
  ['incident', '[on | off]', 'Tell the policies that something is wrong'],
  ['whoami', '', 'Who you are to Foureyes, and what you may decide'],
  ['help', '', 'The list of commands'],
];
const NEXT_WORDS = {
  pause: [['all', 'every agent and tool'], ['agent', 'NAME: one agent'], ['tool', 'NAME: one tool']],
  resume: [['all', 'everything: two people must say so'], ['agent', 'NAME: one agent'], ['tool', 'NAME: one tool']],
};
const MEMORY = 50;

/** [{fill, title, hint, note}] for what is typed so far. */
function suggestions(text) {
  if (!text.startsWith('/') || text.includes('\n')) return [];
  if ('/agent'.startsWith(text) && text.length < 6) return [{ fill: '/agent ', title: '/agent', hint: 'SUBCOMMAND', note: 'Pause, resume and ask about agents' }];
  const sub = /^\/agent\s+([a-z]*)$/i.exec(text) ?? (text === '/agent' ? ['', ''] : null);
  if (sub) {
    return COMMANDS.filter(([name]) => name.startsWith(sub[1].toLowerCase()) && name !== sub[1])
      .map(([name, hint, note]) => ({ fill: `/agent ${name}${hint ? ' ' : ''}`, title: `/agent ${name}`, hint, note }));
  }
  const next = /^\/agent\s+(pause|resume)\s+([a-z]*)$/i.exec(text);
  if (!next) return [];
  const verb = next[1].toLowerCase();
  return NEXT_WORDS[verb].filter(([word]) => word.startsWith(next[2].toLowerCase()) && word !== next[2])
    .map(([word, note]) => ({ fill: `/agent ${verb} ${word}${word === 'all' ? '' : ' '}`, title: `/agent ${verb} ${word}`, hint: '', note }));
}

export class Composer {
  #history = [];
  #place = 0;
  #options = [];
  #active = -1;
  #dismissed = false;
  #drafts = new Map();
  #where = null;

  constructor({ send }) {
    this.send = send;
    this.input = el('textarea', {
      id: 'composer-input', class: 'composer-input', rows: '1', 'aria-autocomplete': 'list', 'aria-controls': 'suggestions', 'aria-describedby': 'composer-help', autocomplete: 'off', spellcheck: 'false', maxlength: 4000,
    });
    this.list = el('ul', { id: 'suggestions', class: 'suggestions', role: 'listbox', 'aria-label': 'Commands', hidden: true });
    this.button = el('button', { type: 'submit', class: 'send', 'aria-label': 'Send' }, icon('send'));
    this.trouble = el('p', { class: 'composer-trouble', role: 'alert' });
    const help = el('p', { id: 'composer-help', class: 'composer-help' }, el('kbd', {}, 'Enter'), ' sends · ', el('kbd', {}, 'Shift Enter'), ' new line · ', el('kbd', {}, '↑'), ' last message · ', el('kbd', {}, '/agent'), ' commands');
    const form = el('form', { class: 'composer-form' }, el('label', { for: 'composer-input', class: 'sr', id: 'composer-label' }, 'Message'), this.list,
      el('div', { class: 'composer-box' }, el('button', {
        type: 'button', class: 'slash', 'aria-label': 'Commands', title: 'Commands',
        onclick: () => this.fill('/agent '),
      }, '/'), this.input, this.button), this.trouble, help);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#send();
    });
    this.input.addEventListener('input', () => {
      this.#dismissed = false;
      this.#place = this.#history.length;
      this.#changed();
    });
    this.input.addEventListener('keydown', (event) => this.#key(event));
    this.input.addEventListener('blur', () => setTimeout(() => this.#suggest([]), 150));
    this.input.addEventListener('focus', () => this.#changed());
    byId('composer').append(form);
  }

  /** Say as whom and where one writes; what is half written stays with that person and place. */
  describe(person, channel, key) {
    if (key !== this.#where) {
      this.#drafts.set(this.#where, this.input.value);
      this.#where = key;
      this.input.value = this.#drafts.get(key) ?? '';
      this.trouble.replaceChildren();
      if (document.activeElement === this.input) this.#changed();
    }
    const label = `Message #${channel} as ${person}`;
    this.input.setAttribute('aria-label', label);
    this.input.placeholder = matchMedia('(max-width: 480px)').matches ? `Message as ${person.split(' ')[0]}` : label;
    byId('composer-label').replaceChildren(label);
  }

  fill(text) {
    this.input.value = text;
    this.input.focus();
    this.input.setSelectionRange(text.length, text.length);
    this.#dismissed = false;
    this.#changed();
  }

  #changed() {
    this.input.style.height = 'auto';
    this.input.style.height = `${Math.min(140, this.input.scrollHeight)}px`;
    this.#suggest(this.#dismissed ? [] : suggestions(this.input.value));
  }

  #suggest(options) {
    this.#options = options;
    this.#active = -1;
    this.list.hidden = !options.length;
    this.input.removeAttribute('aria-activedescendant');
    this.list.replaceChildren(...options.map((option, index) => el('li', {
      role: 'option', id: `suggestion-${index}`, class: 'suggestion', 'aria-selected': 'false',
      onpointerdown: (event) => {
        event.preventDefault();
        this.fill(option.fill);
      },
    }, el('strong', {}, option.title), option.hint && el('span', { class: 'suggestion-hint' }, ` ${option.hint}`), el('span', { class: 'suggestion-note' }, option.note))));
  }

  #mark(step) {
    const count = this.#options.length;
    this.#active = this.#active < 0 ? (step > 0 ? 0 : count - 1) : (this.#active + step + count) % count;
    [...this.list.children].forEach((node, index) => node.setAttribute('aria-selected', String(index === this.#active)));
    this.input.setAttribute('aria-activedescendant', `suggestion-${this.#active}`);
    this.list.children[this.#active].scrollIntoView({ block: 'nearest' });
  }

  #key(event) {
    const suggesting = this.#options.length > 0;
    const up = event.key === 'ArrowUp';
    if (event.isComposing) return;
    if (suggesting && (event.key === 'ArrowDown' || up)) this.#mark(up ? -1 : 1);
    else if (suggesting && event.key === 'Tab' && !event.shiftKey) this.fill(this.#options[Math.max(0, this.#active)].fill);
    else if (suggesting && event.key === 'Enter' && this.#active >= 0) this.fill(this.#options[this.#active].fill);
    else if (suggesting && event.key === 'Escape') {
      this.#dismissed = true;
      this.#suggest([]);
    } else if (event.key === 'Enter' && !event.shiftKey) this.#send();
    else if (up || event.key === 'ArrowDown') {
      if (!this.#recall(up ? -1 : 1)) return;
    } else return;
    event.preventDefault();
  }

  /** Walk what was sent before; only from an empty box or from one that the walk itself filled. */
  #recall(step) {
    const now = this.#history[this.#place] ?? '';
    if (this.input.value !== now || !this.#history.length) return false;
    this.#place = Math.max(0, Math.min(this.#history.length, this.#place + step));
    this.#dismissed = true;
    this.input.value = this.#history[this.#place] ?? '';
    this.#changed();
    return true;
  }

  async #send() {
    const text = this.input.value.trim();
    if (!text || this.button.getAttribute('aria-busy')) return;
    this.#history = [...this.#history.filter((old) => old !== text), text].slice(-MEMORY);
    this.#place = this.#history.length;
    this.button.setAttribute('aria-busy', 'true');
    this.trouble.replaceChildren();
    this.input.value = '';
    this.#changed();
    const answer = await this.send(text);
    this.button.removeAttribute('aria-busy');
    if (answer.ok) return;
    this.trouble.replaceChildren(icon('warn'), el('span', {}, answer.warning || 'That was not sent.'), srOnly(' Your text is back in the box.'));
    if (!this.input.value) this.fill(text);
  }
}
