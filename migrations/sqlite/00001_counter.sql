-- +goose Up
-- Bodies are JSON sealed by internal/vault under table, key and rev. Columns beside them are what lists and guards
-- need: keys, units, counters, states, services, serials, revs, and times in nanoseconds since 1970 (0 is no time).
-- Columns that end in _ix are blind indexes.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

CREATE TABLE series (
    name TEXT    NOT NULL,
    unit TEXT    NOT NULL,
    day  TEXT    NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (name, unit, day)
) STRICT;

CREATE TABLE orders (
    key         TEXT    PRIMARY KEY,
    rev         INTEGER NOT NULL,
    number      TEXT    UNIQUE,
    unit        TEXT    NOT NULL,
    counter     TEXT    NOT NULL,
    service     TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    customer_ix BLOB,
    verify_ix   BLOB    UNIQUE,
    created     INTEGER NOT NULL,
    body        BLOB    NOT NULL
) STRICT;
CREATE INDEX orders_of_unit ON orders (unit, created);
CREATE INDEX orders_open ON orders (unit, created) WHERE state NOT IN ('closed', 'cancelled');
CREATE INDEX orders_of_customer ON orders (customer_ix, created) WHERE customer_ix IS NOT NULL;

CREATE TABLE visits (
    key    TEXT    PRIMARY KEY,
    rev    INTEGER NOT NULL,
    unit   TEXT    NOT NULL,
    day    TEXT    NOT NULL,
    serial INTEGER NOT NULL,
    body   BLOB    NOT NULL
) STRICT;
CREATE INDEX visits_of_day ON visits (unit, day, serial);

CREATE TABLE customers (
    id   INTEGER PRIMARY KEY,
    key  TEXT    NOT NULL UNIQUE, -- the blind index of the customer code, in hex
    rev  INTEGER NOT NULL,
    unit TEXT    NOT NULL,
    body BLOB    NOT NULL
) STRICT;

CREATE TABLE customer_terms (
    term_ix  BLOB    NOT NULL,
    customer INTEGER NOT NULL REFERENCES customers (id),
    PRIMARY KEY (term_ix, customer)
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    key  TEXT    PRIMARY KEY,
    rev  INTEGER NOT NULL,
    body BLOB    NOT NULL
) STRICT;

CREATE TABLE sessions (
    key     TEXT    PRIMARY KEY,
    rev     INTEGER NOT NULL,
    kind    TEXT    NOT NULL,
    unit    TEXT    NOT NULL,
    counter TEXT    NOT NULL,
    opened  INTEGER NOT NULL,
    body    BLOB    NOT NULL
) STRICT;
CREATE INDEX sessions_of_counter ON sessions (unit, counter, opened);

CREATE TABLE documents (
    key       TEXT    PRIMARY KEY,
    rev       INTEGER NOT NULL,
    order_key TEXT    NOT NULL,
    kind      TEXT    NOT NULL,
    body      BLOB    NOT NULL
) STRICT;
CREATE INDEX documents_of_order ON documents (order_key);

CREATE TABLE challenges (
    key        TEXT    PRIMARY KEY,
    rev        INTEGER NOT NULL,
    account_ix BLOB    NOT NULL,
    issued     INTEGER NOT NULL,
    body       BLOB    NOT NULL
) STRICT;
CREATE INDEX challenges_of_account ON challenges (account_ix, issued);

-- The body of a job is its payload and the last error.
CREATE TABLE jobs (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    key       TEXT    NOT NULL UNIQUE,
    kind      TEXT    NOT NULL,
    order_key TEXT    NOT NULL,
    state     TEXT    NOT NULL,
    run_at    INTEGER NOT NULL,
    tries     INTEGER NOT NULL,
    fence     INTEGER NOT NULL,
    leased    INTEGER NOT NULL,
    created   INTEGER NOT NULL,
    ended     INTEGER NOT NULL,
    rev       INTEGER NOT NULL,
    body      BLOB    NOT NULL
) STRICT;
CREATE INDEX jobs_undone ON jobs (kind, run_at, id) WHERE state <> 'done';
CREATE INDEX jobs_of_order ON jobs (order_key, kind, id);

-- The journal's entries hold no personal data: they are read without the key.
CREATE TABLE journal (
    id     INTEGER PRIMARY KEY,
    record BLOB NOT NULL
) STRICT;

CREATE TABLE journal_hashes (
    id   INTEGER PRIMARY KEY,
    hash BLOB NOT NULL
) STRICT;

CREATE TABLE checkpoints (
    size    INTEGER PRIMARY KEY,
    created INTEGER NOT NULL,
    note    BLOB    NOT NULL
) STRICT;

-- The seals, who may use them, and the book of their use. The body of a use is its paper, digests and reason.
CREATE TABLE seals (
    key  TEXT    PRIMARY KEY,
    rev  INTEGER NOT NULL,
    body BLOB    NOT NULL
) STRICT;

CREATE TABLE seal_grants (
    key  TEXT    PRIMARY KEY, -- seal, staff id and service
    rev  INTEGER NOT NULL,
    body BLOB    NOT NULL
) STRICT;

CREATE TABLE seal_uses (
    key       TEXT    PRIMARY KEY, -- seal, year and number
    rev       INTEGER NOT NULL,
    seal      TEXT    NOT NULL,
    order_key TEXT    NOT NULL,
    state     TEXT    NOT NULL,
    created   INTEGER NOT NULL,
    body      BLOB    NOT NULL
) STRICT;
-- A seal is used once on an order.
CREATE UNIQUE INDEX seal_uses_once ON seal_uses (order_key, seal) WHERE state <> 'void';
CREATE INDEX seal_uses_open ON seal_uses (created) WHERE state = 'intended';
