// What this page knows of the workspace, kept whole by the events. No DOM in here.

/** The app's home stands in the list of channels; it is the same place for everybody, with another view for each. */
export const HOME = 'home';

/** Slack timestamps are "seconds.micros" text: too long for a float, so compare them as text. */
export const byTs = (a, b) => (a.ts.length - b.ts.length) || (a.ts < b.ts ? -1 : a.ts > b.ts ? 1 : 0);

export const whenOf = (ts) => new Date(Number(ts) * 1000);

export class Store {
  team = { name: 'Local Slack' };
  app = { name: 'App' };
  users = new Map();
  channels = [];
  ephemerals = new Map();
  modals = [];
  homes = new Map();
  cursor = 0;
  #messages = new Map(); // channel -> sorted list of roots and replies

  /** Replace everything by a snapshot of GET /standin/state. */
  load(state) {
    this.team = state.team ?? this.team;
    this.app = state.app ?? this.app;
    this.users = new Map((state.users ?? []).map((user) => [user.id, user]));
    this.channels = state.channels ?? [];
    this.ephemerals = new Map((state.ephemerals ?? []).map((note) => [note.id, note]));
    this.modals = state.modals ?? [];
    this.homes = new Map((state.homes ?? []).map((home) => [home.user, home.view]));
    this.cursor = state.cursor ?? 0;
    const before = this.#messages;
    this.#messages = new Map();
    const known = new Map([...before].flatMap(([channel, list]) => list.map((message) => [`${channel} ${message.ts}`, message])));
    for (const message of state.messages ?? []) {
      const old = known.get(`${message.channel} ${message.ts}`);
      this.#list(message.channel).push(old && JSON.stringify(old) === JSON.stringify(message) ? old : message);
    }
    for (const list of this.#messages.values()) list.sort(byTs);
  }

  #list(channel) {
    if (!this.#messages.has(channel)) this.#messages.set(channel, []);
    return this.#messages.get(channel);
  }

  #find(list, ts) {
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (byTs(list[middle], { ts }) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Apply one event. Unknown kinds change nothing. */
  apply(type, data) {
    if (!data) return;
    switch (type) {
      case 'message':
      case 'message_changed': {
        const list = this.#list(data.channel);
        const at = this.#find(list, data.ts);
        list.splice(at, list[at]?.ts === data.ts ? 1 : 0, data);
        break;
      }
      case 'message_deleted': {
        const list = this.#list(data.channel);
        const at = this.#find(list, data.ts);
        if (list[at]?.ts === data.ts) list.splice(at, 1);
        break;
      }
      case 'ephemeral': this.ephemerals.set(data.id, data); break;
      case 'ephemeral_deleted': this.ephemerals.delete(data.id); break;
      case 'modal_opened': this.modals = [...this.modals.filter((modal) => modal.view.id !== data.view.id), data]; break;
      case 'modal_updated': this.modals = this.modals.map((modal) => (modal.view.id === data.view.id ? data : modal)); break;
      case 'modal_closed': this.modals = this.modals.filter((modal) => modal.view.id !== data.view_id); break;
      case 'home': this.homes.set(data.user, data.view); break;
      case 'profile': if ((data.user ?? data).id) this.users.set((data.user ?? data).id, { ...this.users.get((data.user ?? data).id), ...(data.user ?? data) }); break;
      default:
    }
  }

  /** The newest `limit` roots of a channel with their replies, and this person's ephemerals: {entries, older}. */
  pane(channel, person, limit) {
    const list = this.#messages.get(channel) ?? [];
    const stamps = new Set(list.map((message) => message.ts));
    const replies = new Map();
    const roots = [];
    for (const message of list) {
      if (message.deleted) continue;
      if (message.thread_ts && message.thread_ts !== message.ts && stamps.has(message.thread_ts)) {
        if (!replies.has(message.thread_ts)) replies.set(message.thread_ts, []);
        replies.get(message.thread_ts).push(message);
      } else roots.push(message);
    }
    const shown = roots.slice(-limit).map((message) => ({ kind: 'message', ts: message.ts, message, replies: replies.get(message.ts) ?? [] }));
    const oldest = shown[0];
    for (const note of this.ephemerals.values()) {
      if (note.channel === channel && note.user === person && (!oldest || roots.length <= limit || byTs(note, oldest) >= 0)) shown.push({ kind: 'ephemeral', ts: note.ts, message: note, replies: [] });
    }
    return { entries: shown.sort(byTs), older: Math.max(0, roots.length - limit) };
  }

  /** The channels, the app's home, and its direct messages to this person where there are any. */
  channelsOf(person) {
    const direct = `D${String(person).slice(1)}`;
    const messages = this.#messages.get(direct)?.length ? [{ id: direct, name: this.app.name, is_im: true }] : [];
    return [...this.channels, ...messages, { id: HOME, name: `${this.app.name}: home`, is_home: true }];
  }

  modalsOf(person) {
    return this.modals.filter((modal) => modal.user === person).map((modal) => modal.view);
  }

  /** People one can act as: everybody but bots. */
  people() {
    return [...this.users.values()].filter((user) => user.kind !== 'bot');
  }

  /** The app as an author; ephemerals carry the reader in `user`, and only apps send them. */
  theApp() {
    return { id: this.app.bot_user_id, name: this.app.name, app: true };
  }

  authorOf(message) {
    const user = this.users.get(message.user);
    const isApp = Boolean(message.bot_id) || message.user === this.app.bot_user_id || user?.kind === 'bot' || !message.user;
    return isApp ? this.theApp() : { id: message.user, name: user?.real_name || user?.name || message.user, user, app: false };
  }
}
