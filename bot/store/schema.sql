-- index absences_by_delegate
CREATE INDEX absences_by_delegate ON absences (delegate, until) WHERE delegate IS NOT NULL;

-- index absences_by_time
CREATE INDEX absences_by_time ON absences (until);

-- index access_reports_by_time
CREATE INDEX access_reports_by_time ON access_reports (made_at);

-- index agent_keys_by_agent
CREATE INDEX agent_keys_by_agent ON agent_keys (agent_id);

-- index auditor_keys_living
CREATE UNIQUE INDEX auditor_keys_living ON auditor_keys (person) WHERE revoked_at IS NULL;

-- index credentials_by_person
CREATE INDEX credentials_by_person ON credentials (person, factor);

-- index detached_by_entry
CREATE UNIQUE INDEX detached_by_entry ON detached (seq, name);

-- index detached_marks
CREATE INDEX detached_marks ON detached (mark, seq) WHERE mark IS NOT NULL;

-- index detached_plain
CREATE INDEX detached_plain ON detached (seq) WHERE key IS NULL;

-- index entries_by_subject
CREATE INDEX entries_by_subject ON entries (subject, seq);

-- index operator_keys_living
CREATE UNIQUE INDEX operator_keys_living ON operator_keys (person) WHERE revoked_at IS NULL;

-- index outbox_dead
CREATE INDEX outbox_dead ON outbox (id) WHERE state = 'dead';

-- index outbox_due
CREATE INDEX outbox_due ON outbox (kind, due_at) WHERE state IN ('queued', 'sending');

-- index people_by_account
CREATE UNIQUE INDEX people_by_account ON people (user_id, team_id);

-- index people_by_mark
CREATE UNIQUE INDEX people_by_mark ON people (mark) WHERE mark IS NOT NULL;

-- index person_marks_by_person
CREATE INDEX person_marks_by_person ON person_marks (person);

-- index proposals_by_agent
CREATE INDEX proposals_by_agent ON proposals (agent_id, id);

-- index proposals_by_packet
CREATE INDEX proposals_by_packet ON proposals (channel, ts) WHERE channel IS NOT NULL;

-- index proposals_by_time
CREATE INDEX proposals_by_time ON proposals (next_at) WHERE next_at IS NOT NULL;

-- index proposals_by_tool
CREATE INDEX proposals_by_tool ON proposals (tool, created_at);

-- index proposals_pending
CREATE INDEX proposals_pending ON proposals (deadline) WHERE state = 'pending';

-- index search_amounts_by_place
CREATE INDEX search_amounts_by_place ON search_amounts (currency, seq, amount);

-- index search_amounts_by_value
CREATE INDEX search_amounts_by_value ON search_amounts (entry);

-- index search_rows_by_time
CREATE INDEX search_rows_by_time ON search_rows (at, seq);

-- index search_words_by_value
CREATE INDEX search_words_by_value ON search_words (entry, name);

-- index seen_requests_by_time
CREATE INDEX seen_requests_by_time ON seen_requests (at);

-- index starts_by_time
CREATE INDEX starts_by_time ON starts (expires_at);

-- index switch_posts_by_pause
CREATE INDEX switch_posts_by_pause ON switch_posts (pause);

-- index tickets_by_time
CREATE INDEX tickets_by_time ON tickets (expires_at);

-- index votes_by_time
CREATE INDEX votes_by_time ON entries (at) WHERE type = 'vote.counted';

-- table absences
CREATE TABLE absences (
        person TEXT PRIMARY KEY,
        since TEXT NOT NULL,
        until TEXT NOT NULL,
        delegate TEXT,
        seq INTEGER NOT NULL REFERENCES entries (seq)
    ) STRICT, WITHOUT ROWID;

-- table access_reports
CREATE TABLE access_reports (digest TEXT PRIMARY KEY, made_at TEXT NOT NULL, content BLOB NOT NULL) STRICT;

-- table agent_keys
CREATE TABLE agent_keys (
        key_id TEXT PRIMARY KEY,
        agent_id TEXT NOT NULL REFERENCES agents (id),
        hash TEXT NOT NULL,
        created_at TEXT NOT NULL,
        expires_at TEXT
    ) STRICT;

-- table agents
CREATE TABLE agents (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        owner TEXT NOT NULL,
        tools TEXT NOT NULL,
        callback_hosts TEXT NOT NULL,
        secret_generation INTEGER NOT NULL,
        created_at TEXT NOT NULL,
        revoked_at TEXT
    ) STRICT;

-- table auditor_keys
CREATE TABLE auditor_keys (
        key_id TEXT PRIMARY KEY,
        person TEXT NOT NULL,
        hash TEXT NOT NULL,
        shows_values INTEGER NOT NULL CHECK (shows_values IN (0, 1)),
        created_at TEXT NOT NULL,
        revoked_at TEXT
    ) STRICT, WITHOUT ROWID;

-- table checkpoints
CREATE TABLE checkpoints (
        size INTEGER PRIMARY KEY CHECK (size > 0),
        note TEXT NOT NULL,
        at TEXT NOT NULL
    ) STRICT;

-- table cosignatures
CREATE TABLE cosignatures (
        witness TEXT NOT NULL,
        size INTEGER NOT NULL CHECK (size > 0),
        note TEXT NOT NULL,
        at TEXT NOT NULL,
        PRIMARY KEY (witness, size)
    ) STRICT, WITHOUT ROWID;

-- table credentials
CREATE TABLE credentials (
        id TEXT PRIMARY KEY,
        person TEXT NOT NULL,
        factor TEXT NOT NULL CHECK (factor IN ('passkey', 'totp', 'recovery')),
        state TEXT NOT NULL CHECK (state IN ('waiting', 'active', 'locked', 'removed')),
        label TEXT NOT NULL,
        material TEXT NOT NULL,
        counter INTEGER NOT NULL,
        failures INTEGER NOT NULL,
        created_at TEXT NOT NULL,
        active_since TEXT,
        confirmed_by TEXT,
        last_used_at TEXT
    ) STRICT, WITHOUT ROWID;

-- table detached
CREATE TABLE "detached" (
        seq INTEGER NOT NULL REFERENCES entries (seq),
        name TEXT NOT NULL,
        salt TEXT,
        value TEXT,
        key TEXT,
        box BLOB,
        mark BLOB,
        CHECK ((key IS NULL) = (box IS NULL) AND (key IS NULL) = (value IS NOT NULL)
            AND (key IS NULL) = (salt IS NOT NULL))
    ) STRICT;

-- table entries
CREATE TABLE entries (
        seq INTEGER PRIMARY KEY CHECK (seq >= 0),
        subject TEXT NOT NULL,
        type TEXT NOT NULL,
        at TEXT NOT NULL,
        body BLOB NOT NULL CHECK (length(body) <= 16384),
        leaf_hash BLOB NOT NULL CHECK (length(leaf_hash) = 32)
    ) STRICT;

-- table facts
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- table idempotency
CREATE TABLE "idempotency" (
        agent_id TEXT NOT NULL,
        key TEXT NOT NULL,
        body_digest TEXT NOT NULL,
        proposal_id TEXT NOT NULL,
        answer_seq INTEGER NOT NULL,
        PRIMARY KEY (agent_id, key)
    ) STRICT, WITHOUT ROWID;

-- table operator_keys
CREATE TABLE operator_keys (
        key_id TEXT PRIMARY KEY,
        person TEXT NOT NULL,
        hash TEXT NOT NULL,
        created_at TEXT NOT NULL,
        revoked_at TEXT
    ) STRICT, WITHOUT ROWID;

-- table outbox
CREATE TABLE outbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        wanted_seq INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'done', 'dead')),
        due_at TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        created_at TEXT NOT NULL,
        payload TEXT NOT NULL,
        last_error TEXT
    ) STRICT;

-- table people
CREATE TABLE "people" (
        ref TEXT PRIMARY KEY,
        team_id TEXT,
        user_id TEXT,
        name TEXT,
        salt TEXT,
        key TEXT,
        box BLOB,
        mark BLOB,
        CHECK ((key IS NULL) = (box IS NULL) AND (key IS NULL) = (mark IS NULL) AND (key IS NULL) = (name IS NOT NULL)
            AND (key IS NULL) = (team_id IS NOT NULL) AND (key IS NULL) = (user_id IS NOT NULL)
            AND (key IS NULL OR salt IS NULL))
    ) STRICT;

-- table person_marks
CREATE TABLE person_marks (
        mark TEXT NOT NULL,
        person TEXT NOT NULL,
        PRIMARY KEY (mark, person)
    ) STRICT, WITHOUT ROWID;

-- table policy_content
CREATE TABLE policy_content (
        hash TEXT PRIMARY KEY,
        content BLOB NOT NULL
    ) STRICT;

-- table proposals
CREATE TABLE proposals (
        id TEXT PRIMARY KEY,
        agent_id TEXT NOT NULL,
        tool TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN
            ('pending', 'approved', 'denied', 'expired', 'cancelled', 'blocked', 'revoked')),
        clock TEXT CHECK (clock IN ('decide', 'claim', 'outcome')),
        next_at TEXT,
        deadline TEXT,
        channel TEXT,
        ts TEXT,
        created_at TEXT NOT NULL,
        last_seq INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

-- table sealed_with
CREATE TABLE sealed_with (
        key TEXT PRIMARY KEY,
        first_seq INTEGER NOT NULL,
        last_seq INTEGER NOT NULL,
        ended TEXT CHECK (ended IN ('moved', 'erased'))
    ) STRICT, WITHOUT ROWID;

-- table search_amounts
CREATE TABLE search_amounts (
        currency TEXT NOT NULL,
        amount INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        entry INTEGER NOT NULL,
        PRIMARY KEY (currency, amount, seq, entry)
    ) STRICT, WITHOUT ROWID;

-- table search_place
CREATE TABLE search_place (entries INTEGER NOT NULL) STRICT;

-- table search_rows
CREATE TABLE search_rows (
        seq INTEGER PRIMARY KEY,
        proposal TEXT NOT NULL UNIQUE,
        at TEXT NOT NULL,
        states TEXT NOT NULL
    ) STRICT;

-- table search_terms
CREATE TABLE search_terms (
        term TEXT NOT NULL,
        seq INTEGER NOT NULL,
        PRIMARY KEY (term, seq)
    ) STRICT, WITHOUT ROWID;

-- table search_words
CREATE TABLE search_words (
        word INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        entry INTEGER NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (word, seq, entry, name)
    ) STRICT, WITHOUT ROWID;

-- table seen_requests
CREATE TABLE seen_requests (id TEXT PRIMARY KEY, at TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- table starts
CREATE TABLE starts (
            proposal TEXT PRIMARY KEY,
            person TEXT NOT NULL,
            body TEXT NOT NULL,
            expires_at TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;

-- table switch_posts
CREATE TABLE switch_posts (
        seq INTEGER PRIMARY KEY,
        pause TEXT NOT NULL,
        channel TEXT,
        ts TEXT
    ) STRICT;

-- table tickets
CREATE TABLE tickets (
        id TEXT PRIMARY KEY,
        purpose TEXT NOT NULL CHECK (purpose IN ('vote', 'enrol', 'initiate')),
        person TEXT NOT NULL,
        factor TEXT CHECK (factor IN ('passkey', 'totp')),
        subject TEXT NOT NULL,
        intent TEXT NOT NULL,
        created_at TEXT NOT NULL,
        expires_at TEXT NOT NULL,
        used_at TEXT
    ) STRICT, WITHOUT ROWID;

-- table tree
CREATE TABLE tree (
        level INTEGER NOT NULL CHECK (level > 0 AND level % 8 = 0),
        idx INTEGER NOT NULL CHECK (idx >= 0),
        hash BLOB NOT NULL CHECK (length(hash) = 32),
        PRIMARY KEY (level, idx)
    ) STRICT, WITHOUT ROWID;

-- table turned_away
CREATE TABLE turned_away (
        agent_id TEXT NOT NULL,
        seq INTEGER NOT NULL REFERENCES entries (seq),
        PRIMARY KEY (agent_id, seq)
    ) STRICT, WITHOUT ROWID;

-- trigger checkpoints_never_change
CREATE TRIGGER checkpoints_never_change BEFORE UPDATE ON checkpoints
       BEGIN SELECT RAISE(ABORT, 'a checkpoint never changes'); END;

-- trigger checkpoints_never_go
CREATE TRIGGER checkpoints_never_go BEFORE DELETE ON checkpoints
       BEGIN SELECT RAISE(ABORT, 'a checkpoint never changes'); END;

-- trigger entries_never_change
CREATE TRIGGER entries_never_change BEFORE UPDATE ON entries
       BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

-- trigger entries_never_go
CREATE TRIGGER entries_never_go BEFORE DELETE ON entries
       BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

-- trigger policy_content_never_changes
CREATE TRIGGER policy_content_never_changes BEFORE UPDATE ON policy_content
       BEGIN SELECT RAISE(ABORT, 'a policy version never changes'); END;

-- trigger policy_content_never_goes
CREATE TRIGGER policy_content_never_goes BEFORE DELETE ON policy_content
       BEGIN SELECT RAISE(ABORT, 'a policy version never changes'); END;

-- trigger search_forgets_with_the_value
CREATE TRIGGER search_forgets_with_the_value AFTER DELETE ON detached BEGIN
        DELETE FROM search_words WHERE entry = old.seq AND name = old.name;
        DELETE FROM search_amounts WHERE entry = old.seq AND old.name = 'arguments';
    END;

-- trigger tree_never_changes
CREATE TRIGGER tree_never_changes BEFORE UPDATE ON tree
       BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

-- trigger tree_never_shrinks
CREATE TRIGGER tree_never_shrinks BEFORE DELETE ON tree
       BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
