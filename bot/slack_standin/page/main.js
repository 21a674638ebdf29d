// Puts the page together: loads the state, follows the events, and tells each part when to draw.
import { announce, byId, icon, soon, toast } from './dom.js';
import { follow, get, post } from './api.js';
import { Composer } from './composer.js';
import { HomePane } from './home.js';
import { MessagePane } from './messages.js';
import { Modals } from './modals.js';
import { closeMenu } from './menu.js';
import { Panels, fillToolbar } from './panels.js';
import { Phone } from './phone.js';
import { People, renderChannels } from './people.js';
import { HOME, Store } from './store.js';
import { Tabs } from './tabs.js';
import { flat } from './text.js';

const EVENTS = ['message', 'message_changed', 'message_deleted', 'ephemeral', 'ephemeral_deleted', 'modal_opened', 'modal_updated', 'modal_closed', 'home', 'warning', 'profile'];
const THEMES = ['auto', 'light', 'dark'];

const store = new Store();
const unread = new Map(); // channel -> count
const seen = new Set(); // ephemerals that were on the screen
const clicks = new Map(); // person -> when he last pressed something: a warning for that stands beside the button
let person = null;
let channel = null;
let demo = null;

function remember(storage, key, value) {
  try {
    if (value === undefined) return window[storage].getItem(key);
    window[storage].setItem(key, value);
  } catch { /* a browser that keeps nothing still shows everything */ }
  return null;
}

const whoAmI = () => person;
const names = {
  get selfId() { return person; },
  userName: (id) => store.users.get(id)?.real_name ?? store.users.get(id)?.name ?? (id === store.app.bot_user_id ? store.app.name : undefined),
  channelName: (id) => store.channels.find((candidate) => candidate.id === id)?.name,
  people: () => store.people(),
};

/** Do something as the current person, and remember when: a warning that follows is shown where he did it. */
async function asPerson(path, what) {
  const who = person;
  clicks.set(who, Date.now());
  const answer = await post(path, { user: who, ...what });
  clicks.set(who, Date.now());
  return answer;
}

const act = (what) => asPerson('/standin/act/click', what);

/** Wait until a new demo stands where the old one was, and load the page anew: nothing of the old one is left on it. */
async function startOver() {
  const before = demo?.run;
  const answer = await post('/demo/act/start-over');
  while (answer.ok) {
    const now = await get('/demo/state').catch(() => null);
    if (now && now.run !== before) location.reload();
    await new Promise((again) => setTimeout(again, 200));
  }
  toast(answer.warning || 'That did not work.', 'warn');
}

async function demoAct(name) {
  if (name === 'start-over') return startOver();
  const from = tabs.current;
  const answer = await post(`/demo/act/${name}`);
  if (!answer.ok) toast(answer.text || answer.warning || 'That did not work.', 'warn');
  if (answer.ok && answer.show === 'channel') bringPackets(); // what one asked for comes into view
  // To the result, unless one has gone elsewhere meanwhile. Before it is drawn: a hidden panel cannot scroll to the broken row.
  if (answer.ok && answer.show && tabs.current === from) tabs.show(answer.show);
  await loadDemo();
  return answer;
}

/** Show the end of the channel in which packets arrive, whichever one was open. */
function bringPackets() {
  const packets = store.channelsOf(person)[0]?.id;
  if (packets && packets !== channel) {
    channel = packets;
    unread.delete(channel);
    pane.reset();
    render();
  }
  pane.toEnd();
}

const tabs = new Tabs();
const phone = new Phone({ whoAmI, names });
const pane = new MessagePane({
  store, names, act, whoAmI,
  emptyHint: () => (demo ? 'No messages yet: press “Agent: propose next refund”, and what the agent wants to do arrives here.' : 'No messages yet. Write one below, or let an app post here.'),
});
const home = new HomePane({ store, names, act, whoAmI, open: () => asPerson('/standin/act/home', {}) });
const modals = new Modals({
  post, names, whoAmI, act,
  beside: (view) => phone.beside(view),
  dropView: (id) => {
    store.apply('modal_closed', { view_id: id });
    render();
  },
});
const people = new People({ store, choose: choosePerson, waiting: (id) => store.modalsOf(id).length > 0 || [...store.ephemerals.values()].some((note) => note.user === id && !seen.has(note.id)) });
const composer = new Composer({
  send: (text) => {
    pane.toEnd(); // one's own words, and the answer to a command, arrive at the end
    return asPerson('/standin/act/command', { channel, text });
  },
});
const panels = new Panels({ act: demoAct, names, store, go: (tab) => tabs.show(tab) });

function choosePerson(id) {
  if (id === person) return;
  person = id;
  remember('sessionStorage', 'standin-person', id);
  closeMenu();
  byId('toasts').replaceChildren();
  pane.reset();
  render();
  if (channel === HOME) home.opened();
  announce(`You act as ${names.userName(id)}`);
}

function chooseChannel(id) {
  channel = id;
  unread.delete(id);
  pane.reset();
  tabs.show('channel');
  render();
  if (channel === HOME) home.opened();
}

function settle() {
  const ids = store.people().map((user) => user.id);
  if (!ids.includes(person)) {
    const wanted = [new URLSearchParams(location.search).get('as'), remember('sessionStorage', 'standin-person')];
    person = wanted.find((id) => ids.includes(id)) ?? store.people().find((user) => user.kind === 'member')?.id ?? ids[0] ?? null;
  }
  const open = store.channelsOf(person);
  // Before the channels are here, its home is all there is: it must not be chosen for that.
  if (!open.some((candidate) => candidate.id === channel)) channel = open.find((candidate) => !candidate.is_home)?.id ?? null;
}

function render() {
  settle();
  byId('team-name').textContent = store.team.name;
  for (const note of store.ephemerals.values()) if (note.user === person && note.channel === channel) seen.add(note.id);
  home.render(channel);
  if (channel !== HOME) pane.render(channel);
  people.render(person);
  renderChannels(store, person, channel, unread, chooseChannel);
  composer.describe(names.userName(person) ?? 'nobody', names.channelName(channel) ?? store.app.name, `${person} ${channel}`);
  modals.render(store.modalsOf(person));
}

const renderSoon = soon(render);

function heard(type, data) {
  store.apply(type, data);
  if (type === 'warning') {
    const beside = Date.now() - (clicks.get(data?.user) ?? 0) < 5000; // the answer to the click says it already
    if (data?.user === person && !beside) toast(data.text ?? 'The app did not answer.', 'warn');
    return;
  }
  const mine = type === 'ephemeral' ? data?.user === person : type === 'message' && data?.user !== person;
  if (mine) {
    const author = type === 'ephemeral' ? store.theApp() : store.authorOf(data);
    const words = (data.text || (data.blocks ?? []).map((block) => flat(block.text)).join(' ')).slice(0, 500);
    if (type === 'ephemeral' && data.channel === channel && Date.now() - (clicks.get(person) ?? 0) < 5000) pane.stuck = true; // the answer to a click is never out of sight
    if (data.channel === channel) announce(`${type === 'ephemeral' ? 'Only visible to you. ' : ''}${author.name}: ${words}`);
    else unread.set(data.channel, (unread.get(data.channel) ?? 0) + 1);
    tabs.news('channel');
  }
  renderSoon();
}

function connection(up) {
  const box = byId('connection');
  if (up === box.hidden) return;
  box.hidden = up;
  box.replaceChildren(...(up ? [] : [icon('warn'), 'Connection lost. Trying again; what you see may be out of date.']));
}

async function loadDemo() {
  let state;
  try {
    state = await get('/demo/state');
  } catch {
    return; // the event stream of the workspace says that the server is away
  }
  const before = demo;
  demo = state;
  document.body.classList.toggle('has-demo', Boolean(state));
  document.querySelector('.side').hidden = !state;
  byId('toolbar').hidden = !state;
  tabs.bar.hidden = !state;
  if (!state) return;
  panels.render(state);
  phone.render(state.phones ?? []);
  if (before && JSON.stringify(before.agent?.at(-1)) !== JSON.stringify(state.agent?.at(-1))) tabs.news('agent');
  if (before && before.log?.at(-1)?.seq !== state.log?.at(-1)?.seq) tabs.news('log');
  if (before && JSON.stringify(before.steps) !== JSON.stringify(state.steps)) tabs.news('guide');
  if (!before) render();
}

const loadDemoSoon = soon(loadDemo, 120);

function theme(choice) {
  const now = THEMES.includes(choice) ? choice : 'auto';
  document.documentElement.dataset.theme = now;
  remember('localStorage', 'standin-theme', now);
  const button = byId('theme-button');
  button.replaceChildren(icon({ auto: 'auto', light: 'sun', dark: 'moon' }[now]));
  button.setAttribute('aria-label', `Colours: ${now === 'auto' ? 'as the system' : now}. Change`);
  button.title = `Colours: ${now === 'auto' ? 'as the system' : now}`;
  button.onclick = () => theme(THEMES[(THEMES.indexOf(now) + 1) % THEMES.length]);
}

theme(remember('localStorage', 'standin-theme'));
fillToolbar(demoAct);
byId('channel-select').addEventListener('change', (event) => chooseChannel(event.target.value));

follow({
  begin: async () => {
    const state = await get('/standin/state');
    if (!state) throw new Error('no workspace here');
    store.load(state);
    render();
    return `/standin/events?after=${store.cursor}`;
  },
  types: EVENTS,
  onEvent: heard,
  onStatus: connection,
});
follow({
  begin: async () => {
    await loadDemo();
    return demo ? '/demo/events' : null;
  },
  onEvent: loadDemoSoon,
});
