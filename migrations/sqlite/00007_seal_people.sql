-- +goose Up
-- Whose own signatures the seal service knows, when it asks for two people, and what it holds for who asked until that
-- is stored. Bodies are sealed like all others.
CREATE TABLE seal_signatories (
    key  TEXT    PRIMARY KEY, -- staff id and the beginning of the public key's SHA-256
    rev  INTEGER NOT NULL,
    body BLOB    NOT NULL
) STRICT;

CREATE TABLE seal_rules (
    key  TEXT    PRIMARY KEY, -- seal and service
    rev  INTEGER NOT NULL,
    body BLOB    NOT NULL
) STRICT;

CREATE TABLE seal_held (
    key  TEXT    PRIMARY KEY, -- order
    rev  INTEGER NOT NULL,
    body BLOB    NOT NULL
) STRICT;
