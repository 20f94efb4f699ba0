-- +goose Up
-- The helpdesk. Columns that end in _ix are blind indexes; bodies are sealed; the rest is in clear. Keys of arrivals are
-- their numbers, written with leading zeros so that they grow at one end of their index.

-- Every mail that ever came, once.
CREATE TABLE arrivals (
    id         INTEGER PRIMARY KEY,
    key        TEXT    NOT NULL UNIQUE,
    rev        INTEGER NOT NULL,
    fate       TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    content_ix BLOB    NOT NULL UNIQUE,
    body       BLOB    NOT NULL
) STRICT;
CREATE INDEX arrivals_of_fate ON arrivals (fate, id);
CREATE INDEX arrivals_by_time ON arrivals (at, fate);

-- Every place where one was seen: this is what makes a second look at a mailbox harmless.
CREATE TABLE arrival_places (
    mailbox     TEXT    NOT NULL,
    uidvalidity INTEGER NOT NULL,
    uid         INTEGER NOT NULL,
    arrival     INTEGER NOT NULL REFERENCES arrivals (id),
    again       INTEGER NOT NULL, -- 1 when the bytes were known already
    at          INTEGER NOT NULL,
    PRIMARY KEY (mailbox, uidvalidity, uid)
) STRICT, WITHOUT ROWID;
CREATE INDEX arrival_places_again ON arrival_places (at) WHERE again = 1;

-- What makes a mail that mail, so that copies by way of another mailbox are known.
CREATE TABLE mail_identities (
    ix      BLOB    PRIMARY KEY,
    arrival INTEGER NOT NULL REFERENCES arrivals (id)
) STRICT, WITHOUT ROWID;

-- Bytes of mails that came and that leave, in pieces of a mebibyte.
CREATE TABLE mail_bytes (
    id   INTEGER PRIMARY KEY,
    key  TEXT    NOT NULL UNIQUE,
    rev  INTEGER NOT NULL,
    body BLOB    NOT NULL
) STRICT;

CREATE TABLE budgets (
    ix     BLOB    PRIMARY KEY,
    starts INTEGER NOT NULL,
    used   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tickets (
    id       INTEGER PRIMARY KEY,
    key      TEXT    NOT NULL UNIQUE,
    rev      INTEGER NOT NULL,
    state    TEXT    NOT NULL,
    rank     INTEGER NOT NULL,
    weight   INTEGER NOT NULL,
    channel  TEXT    NOT NULL,
    province TEXT    NOT NULL,
    category TEXT    NOT NULL,
    agent    TEXT    NOT NULL,
    incident TEXT    NOT NULL,
    unit_ix  BLOB,
    unread   INTEGER NOT NULL,
    due      INTEGER NOT NULL,
    created  INTEGER NOT NULL,
    body     BLOB    NOT NULL
) STRICT;
CREATE INDEX tickets_working ON tickets (rank, weight DESC, due = 0, due, created)
    WHERE state IN ('new', 'missing', 'open', 'waiting');
CREATE INDEX tickets_by_time ON tickets (created);
CREATE INDEX tickets_of_incident ON tickets (incident) WHERE incident <> '';

CREATE TABLE ticket_people (
    address_ix BLOB NOT NULL,
    ticket     TEXT NOT NULL,
    PRIMARY KEY (address_ix, ticket)
) STRICT, WITHOUT ROWID;

CREATE TABLE messages (
    id   INTEGER PRIMARY KEY,
    key  TEXT    NOT NULL UNIQUE, -- ticket, a slash, number
    rev  INTEGER NOT NULL,
    at   INTEGER NOT NULL,
    body BLOB    NOT NULL
) STRICT;

-- Keyed codes of a message's words, different in every message.
CREATE TABLE message_words (
    id    INTEGER PRIMARY KEY REFERENCES messages (id),
    codes BLOB    NOT NULL
) STRICT;

CREATE TABLE mail_ids (
    ix       BLOB PRIMARY KEY,
    ticket   TEXT NOT NULL,
    message  TEXT NOT NULL,
    outgoing TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Message-IDs to which a mail referred before they came.
CREATE TABLE mail_ids_awaited (
    ix     BLOB NOT NULL,
    ticket TEXT NOT NULL,
    PRIMARY KEY (ix, ticket)
) STRICT, WITHOUT ROWID;

CREATE TABLE outgoings (
    id      INTEGER PRIMARY KEY,
    key     TEXT    NOT NULL UNIQUE,
    rev     INTEGER NOT NULL,
    ticket  TEXT    NOT NULL,
    state   TEXT    NOT NULL,
    created INTEGER NOT NULL,
    body    BLOB    NOT NULL
) STRICT;
CREATE INDEX outgoings_of_ticket ON outgoings (ticket, id);
CREATE INDEX outgoings_in ON outgoings (state, created);

-- Sources of mail, agents, units, calls, incidents, notices, answers: small books of the desk.
CREATE TABLE registers (
    key      TEXT    PRIMARY KEY, -- register, a slash, name
    rev      INTEGER NOT NULL,
    register TEXT    NOT NULL,
    group_ix BLOB,
    at       INTEGER NOT NULL,
    body     BLOB    NOT NULL
) STRICT;
CREATE INDEX registers_by_time ON registers (register, at);
CREATE INDEX registers_of_group ON registers (register, group_ix, at) WHERE group_ix IS NOT NULL;
