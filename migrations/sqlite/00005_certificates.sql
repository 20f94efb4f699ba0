-- +goose Up
-- The certificates that the house's authority issued, and those of others that a customer uses here. The key is the
-- SHA-256 of the certificate; for one that is asked about by its number alone there is the serial column. Holders are in
-- the body.
CREATE TABLE certificates (
    key         TEXT    PRIMARY KEY,
    rev         INTEGER NOT NULL,
    serial      TEXT    NOT NULL,
    issuer      TEXT    NOT NULL, -- an authority's name
    class       TEXT    NOT NULL,
    unit        TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    issued      INTEGER NOT NULL,
    ends        INTEGER NOT NULL,
    customer_ix BLOB,
    body        BLOB    NOT NULL
) STRICT;
CREATE INDEX certificates_by_serial ON certificates (serial);
CREATE INDEX certificates_by_class ON certificates (class, issued);
CREATE INDEX certificates_by_end ON certificates (ends);
CREATE INDEX certificates_of_customer ON certificates (customer_ix, issued) WHERE customer_ix IS NOT NULL;
CREATE INDEX certificates_back ON certificates (issuer, serial) WHERE state IN ('suspended', 'revoked');
