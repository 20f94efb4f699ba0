-- +goose Up
-- Handwriting that was taken, by what it looks like: strokes that were taken for one order are no signature for another.
CREATE TABLE writings (
    print_ix  BLOB PRIMARY KEY, -- blind index of the strokes' digest, or of their shape
    order_key TEXT NOT NULL
) STRICT;
