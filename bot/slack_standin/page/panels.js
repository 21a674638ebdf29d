// Behind the scenes: the guide, what the agent sees, and the audit log. All three show GET /demo/state and nothing of their own.
import { add, byId, clock, el, icon, reconcile, srOnly } from './dom.js';
import { mrkdwn } from './text.js';

const TOOLS = [
  { name: 'propose', label: 'Agent: propose next refund', icon: 'bot', primary: true },
  { name: 'verify', label: 'Verify log', icon: 'shield' },
  { name: 'tamper', label: 'Tamper with a row', icon: 'broken' },
];
const DIRECTIONS = { sent: ['out', 'Agent sent'], received: ['in', 'Agent received'], note: ['note', 'Note'] };
const VERDICTS = {
  ok: ['check', 'The log is whole'], broken: ['cross', 'The log was changed'], unknown: ['unknown', 'Not verified yet'],
};

/** A button that runs POST /demo/act/{name} and says that it is busy. */
function actButton(act, name, label, cls, sign) {
  const node = el('button', {
    type: 'button', class: `btn ${cls}`, 'data-act': name,
    onclick: async () => {
      if (node.classList.contains('is-pending')) return;
      node.classList.add('is-pending');
      node.setAttribute('aria-busy', 'true');
      await act(name);
      node.classList.remove('is-pending');
      node.removeAttribute('aria-busy');
    },
  }, sign && icon(sign), el('span', { class: 'btn-label' }, label));
  return node;
}

export function fillToolbar(act) {
  byId('toolbar').replaceChildren(...TOOLS.map((tool) => actButton(act, tool.name, tool.label, `btn-small ${tool.primary ? 'btn-primary' : ''} tool-${tool.name}`, tool.icon)));
}

const bare = (hash) => String(hash ?? '').replace(/^sha256:/, '');
const shortHash = (hash) => (/^0*$/.test(bare(hash)) ? 'the start' : bare(hash).slice(0, 8));
const asDate = (at) => new Date(typeof at === 'number' ? at * 1000 : at);
const time = (at) => (Number.isNaN(asDate(at).getTime()) ? String(at ?? '') : clock(asDate(at), true));

/** Whether this browser can make a passkey by itself: with a fingerprint, a face or the computer's own code. */
async function passkeyHere() {
  return Boolean(await window.PublicKeyCredential?.isUserVerifyingPlatformAuthenticatorAvailable?.().catch(() => false));
}

/** seq -> why. Rows that do not continue the row before, and the row that the verdict names. */
function brokenRows(log, verify) {
  const broken = new Map();
  log.forEach((row, index) => {
    const before = log[index - 1];
    if (row.broken) broken.set(row.seq, 'This row is not what was written');
    else if (before && row.prev && before.hash && row.prev !== before.hash && row.seq === before.seq + 1) broken.set(row.seq, `Does not continue row ${before.seq}: the chain is broken here`);
  });
  if (verify?.status === 'broken') {
    const named = verify.broken_seq ?? /\b(?:row|seq|entry|leaf|event|record|position)\s*(?:no\.?|number|#)?\s*(\d+)/i.exec(verify.text ?? '')?.[1];
    if (named !== undefined) broken.set(Number(named), 'Verification stopped here: this row is not what was written');
  }
  return broken;
}

export class Panels {
  constructor({ act, names, store, go }) {
    Object.assign(this, { act, names, store, go });
    this.#layLog();
    byId('panel-guide').append(el('div', { class: 'guide-head' }), el('ol', { class: 'steps' }),
      el('p', { class: 'guide-over' }, actButton(act, 'start-over', 'Start over', 'btn-small', null)));
    passkeyHere().then((here) => byId('panel-guide').classList.toggle('has-passkey', here));
    byId('panel-agent').append(el('p', { class: 'panel-lead' }, 'The agent’s side: what it sent to the webhook, and what came back.'), el('ol', { class: 'lines' }));
  }

  #layLog() {
    this.verdict = el('div', { class: 'verdict', role: 'status' });
    this.rows = el('ol', { class: 'rows' });
    this.scroller = byId('panel-log');
    add(this.scroller, el('div', { class: 'log-head' }, this.verdict, el('div', { class: 'log-tools' },
      actButton(this.act, 'verify', 'Verify', 'btn-small', 'shield'), actButton(this.act, 'tamper', 'Tamper', 'btn-small btn-danger', 'broken'), actButton(this.act, 'restore', 'Restore', 'btn-small', 'check'))), this.rows);
  }

  render(state) {
    this.#guide(state.steps ?? []);
    this.#agent(state.agent ?? []);
    this.#log(state.log ?? [], state.verify ?? { status: 'unknown' });
    this.#paused(state.paused ?? []);
  }

  #guide(steps) {
    const panel = byId('panel-guide');
    const done = steps.filter((step) => step.done).length;
    const current = steps.find((step) => !step.done)?.id;
    const bar = el('progress', { class: 'progress', max: steps.length || 1, 'aria-label': 'Steps done' });
    bar.value = done;
    panel.querySelector('.guide-head').replaceChildren(el('h2', {}, 'Foureyes in seven minutes'),
      el('p', { class: 'panel-lead' }, 'An agent may wish. People decide. Nothing runs twice, and everything is written down.'),
      el('p', { class: 'progress-row' }, bar, el('span', {}, steps.length && done === steps.length ? 'All done' : `${done} of ${steps.length} done`)));
    if (this.currentStep !== undefined && this.currentStep !== current) setTimeout(() => panel.querySelector('.is-current')?.scrollIntoView({ block: 'nearest' }));
    this.currentStep = current ?? null;
    reconcile(panel.querySelector('.steps'), steps.map((step, index) => ({ ...step, index, current: step.id === current })), {
      key: (step) => step.id,
      version: (step) => JSON.stringify(step),
      render: (step) => el('li', { class: `step ${step.done ? 'is-done' : ''} ${step.current ? 'is-current' : ''}`, 'aria-current': step.current ? 'step' : null },
        el('span', { class: 'step-mark' }, step.done ? icon('check') : String(step.index + 1), srOnly(step.done ? 'done' : 'to do')),
        el('div', { class: 'step-body' }, el('h3', {}, step.title), el('p', { class: 'text' }, mrkdwn(step.text ?? '', this.names)),
          step.with_passkey && el('p', { class: 'text step-passkey' }, mrkdwn(step.with_passkey, this.names)), step.action && this.#stepAction(step))),
    });
  }

  #stepAction(step) {
    const name = /^\/demo\/act\/([a-z0-9_-]+)$/i.exec(step.action.post ?? '')?.[1];
    return name && actButton(this.act, name, step.action.label, step.current ? 'btn-primary' : '', null);
  }

  #agent(lines) {
    const list = byId('panel-agent').querySelector('.lines');
    const stay = this.#atEnd(byId('panel-agent'));
    const counted = new Map();
    const items = lines.map((line) => {
      const stamp = JSON.stringify(line);
      counted.set(stamp, (counted.get(stamp) ?? 0) + 1);
      return { line, stamp, id: `${stamp} ${counted.get(stamp)}` };
    });
    reconcile(list, items.length ? items : [{ id: 'empty' }], {
      key: (item) => item.id,
      version: (item) => item.id,
      render: ({ line }) => (line ? this.#line(line) : el('li', { class: 'empty' }, icon('bot'), el('p', {}, 'The agent has not done anything yet: press “Agent: propose next refund”.'))),
    });
    if (stay) byId('panel-agent').scrollTop = lines.length ? byId('panel-agent').scrollHeight : 0;
  }

  #line(line) {
    const [sign, words] = DIRECTIONS[line.direction] ?? DIRECTIONS.note;
    const detail = line.detail === null || line.detail === undefined || line.detail === '' ? null : typeof line.detail === 'string' ? line.detail : JSON.stringify(line.detail, null, 2);
    return el('li', { class: `line line-${line.direction} ${line.ok === false ? 'is-bad' : ''}` },
      el('p', { class: 'line-head' }, el('span', { class: 'line-way' }, icon(sign), words), line.ok === false && el('span', { class: 'line-bad' }, icon('warn'), 'not allowed'), el('time', {}, time(line.at))),
      el('p', { class: 'line-title' }, line.title), detail && el('pre', { class: 'line-detail', tabindex: '0', 'aria-label': 'Detail' }, detail));
  }

  #log(log, verify) {
    const [sign, words] = VERDICTS[verify.status] ?? VERDICTS.unknown;
    const kind = VERDICTS[verify.status] ? verify.status : 'unknown';
    if (this.verdictStamp !== JSON.stringify(verify)) {
      this.verdictStamp = JSON.stringify(verify);
      this.verdict.className = `verdict verdict-${kind}`;
      this.verdict.replaceChildren(icon(sign), el('div', {}, el('strong', {}, words), el('p', {}, verify.text || (kind === 'unknown' ? 'Press Verify: every row is hashed again and compared.' : ''))));
    }
    const broken = brokenRows(log, verify);
    const stay = this.#atEnd(this.scroller);
    reconcile(this.rows, log.length ? log : [{ seq: 'empty', empty: true }], {
      key: (row) => row.seq,
      version: (row) => JSON.stringify(row) + (broken.get(row.seq) ?? '') + this.#nameOf(row.actor),
      render: (row) => (row.empty ? el('li', { class: 'empty' }, icon('list'), el('p', {}, 'Nothing is written yet. Each step will add one row here.')) : this.#row(row, broken.get(row.seq))),
    });
    const firstBroken = broken.size ? this.rows.querySelector('.is-broken') : null;
    if (firstBroken && !this.hadBroken) firstBroken.scrollIntoView({ block: 'center' });
    else if (stay && !firstBroken) this.scroller.scrollTop = log.length ? this.scroller.scrollHeight : 0;
    this.hadBroken = Boolean(firstBroken);
  }

  #nameOf(actor) {
    return this.store.users.get(actor)?.real_name ?? String(actor ?? '');
  }

  #row(row, why) {
    const date = asDate(row.at);
    return el('li', { class: `row ${why ? 'is-broken' : ''}`, 'data-seq': row.seq },
      el('span', { class: 'row-seq' }, `#${row.seq}`),
      el('div', { class: 'row-main' },
        el('p', { class: 'row-head' }, el('strong', {}, row.type), el('time', { title: Number.isNaN(date.getTime()) ? null : date.toISOString() }, time(row.at))),
        el('p', { class: 'row-who' }, el('span', {}, this.#nameOf(row.actor)), row.subject && [' → ', el('span', { class: 'row-subject' }, row.subject)]),
        el('p', { class: 'row-chain', title: `hash ${row.hash}\nprevious ${row.prev ?? ''}` }, icon(why ? 'broken' : 'link'), el('span', {}, 'after ', el('code', {}, shortHash(row.prev)), ' this is ', el('code', {}, shortHash(row.hash)))),
        why && el('p', { class: 'row-why' }, icon('warn'), el('span', {}, why))));
  }

  #paused(paused) {
    byId('paused').replaceChildren(...paused.map((pause) => el('div', { class: 'banner banner-paused' }, icon('pause'),
      el('p', {}, el('strong', {}, `Paused: ${pause.scope === 'all' ? 'all agents' : pause.scope}`), ` since ${time(pause.since)} by ${this.#nameOf(pause.by)}. Nothing that it covers can execute. `, el('code', {}, `/agent resume ${pause.scope}`)))));
  }

  #atEnd(panel) {
    return panel.scrollHeight - panel.scrollTop - panel.clientHeight < 60;
  }
}
