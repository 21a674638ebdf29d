// Talking to the server: JSON calls that never throw, and one event stream that comes back by itself.

const RETRY_MS = [500, 1000, 2000, 4000, 8000];

/** POST a JSON body; an unreachable server is an answer too: {ok: false, warning}. */
export async function post(path, body = {}) {
  try {
    const response = await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), credentials: 'same-origin' });
    const answer = await response.json().catch(() => null);
    if (answer && typeof answer.ok === 'boolean') return { ...answer, warning: answer.warning || answer.error || '' };
    return { ok: response.ok, warning: response.ok ? '' : `The local Slack answered ${response.status}.` };
  } catch {
    return { ok: false, warning: 'The local Slack cannot be reached. Is `make demo` still running?' };
  }
}

/** GET JSON. null when the server does not offer it (404); throws when it cannot be reached. */
export async function get(path) {
  const response = await fetch(path, { headers: { accept: 'application/json' }, credentials: 'same-origin' });
  if (response.status === 404) return null;
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

/** A stream of which only the arrival of something matters: events of any name count, which EventSource cannot do. */
class AnyEvent {
  #abort = new AbortController();

  constructor(address, onAny) {
    this.#read(address, onAny).catch(() => this.onerror?.());
  }

  async #read(address, onAny) {
    const response = await fetch(address, { headers: { accept: 'text/event-stream' }, credentials: 'same-origin', signal: this.#abort.signal });
    if (!response.ok || !response.body) throw new Error(`${address}: ${response.status}`);
    this.onopen?.();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) if (/^(data|event):/m.test(part.value)) onAny();
    throw new Error('ended');
  }

  close() {
    this.onerror = null;
    this.#abort.abort();
  }
}

/**
 * Follow an event stream. `begin()` loads a fresh state and returns the address to follow from there; it runs again
 * after every interruption, so nothing that happened meanwhile is missed. A hidden tab lets go of its connection.
 * Without `types`, events of every name count and none is read.
 */
export function follow({ begin, types, onEvent, onStatus = () => {} }) {
  let source = null;
  let failures = 0;
  let timer = null;
  let generation = 0;

  const stop = () => {
    clearTimeout(timer);
    source?.close();
    source = null;
    generation += 1;
  };

  const retry = () => {
    stop();
    onStatus(false);
    timer = setTimeout(start, RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]);
    failures += 1;
  };

  async function start() {
    stop();
    const mine = generation;
    let address;
    try {
      address = await begin();
    } catch {
      if (mine === generation) retry();
      return;
    }
    if (mine !== generation || address === null) return;
    source = types ? new EventSource(address) : new AnyEvent(address, onEvent);
    source.onopen = () => {
      failures = 0;
      onStatus(true);
    };
    source.onerror = retry;
    for (const type of types ?? []) {
      source.addEventListener(type, (event) => {
        let data = null;
        try {
          data = JSON.parse(event.data);
        } catch { /* an event without JSON still says that something happened */ }
        onEvent(type, data);
      });
    }
  }

  document.addEventListener('visibilitychange', () => (document.hidden ? stop() : start()));
  start();
  return { restart: start };
}
