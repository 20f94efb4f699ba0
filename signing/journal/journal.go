// Package journal is the record of who did what: an append-only Merkle log that betrays every later change.
//
// Each entry is one leaf of a tree (golang.org/x/mod/sumdb/tlog). A checkpoint is the tree's size and root, signed with
// Ed25519 in the c2sp.org/tlog-checkpoint form, and given to others to keep. Whoever holds one can prove that everything up
// to it is as it was; what came after the newest checkpoint is guarded only by the hashes stored beside it, so
// checkpoints are made often (every minute, or every 1,000 entries).
//
// Invariants: an entry is written in the transaction of the act it tells of, so neither exists without the other; entries
// are in the tree's order, never in the clock's; an entry holds no personal data in the clear, only salted hashes
// (Salted), and forgetting the salt forgets the person. Start reading at Append; checking is in verify.go.
package journal

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/tlog"
)

// MaxRecord is the greatest length of one entry's record in bytes.
const MaxRecord = 64 << 10

// Entry is one act.
type Entry struct {
	At      time.Time         `json:"at"`
	Actor   string            `json:"actor"`   // staff id, "customer", "system"
	Role    string            `json:"role"`    // in which the actor acted
	Place   string            `json:"place"`   // counter or host
	Act     string            `json:"act"`     // dotted: "order.submitted"
	Subject string            `json:"subject"` // order id
	Facts   map[string]string `json:"facts"`   // digests, counts, codes; personal ones through Salted
}

// Appender is the log's storage as Append needs it, inside the caller's transaction.
type Appender interface {
	// Size returns the number of entries.
	Size() (int64, error)
	// ReadHashes returns the stored hashes with these numbers, in this order, or an error for one that is missing.
	ReadHashes(numbers []int64) ([]tlog.Hash, error)
	// Append stores the record as entry Size() and the hashes under the numbers that follow the last one stored.
	Append(record []byte, hashes []tlog.Hash) error
}

// Storage is the log's storage as Verify needs it.
type Storage interface {
	Appender
	// Records calls visit with each stored record from entry first on, in the order of their numbers. A gap in the numbers
	// is not an error here: Verify finds it.
	Records(first int64, visit func(index int64, record []byte) error) error
}

// ErrMissing is what ReadHashes wraps when a hash that must be there is not.
var ErrMissing = errors.New("a stored hash is missing")

// Append adds an entry and returns its number, the first being 0.
func Append(s Appender, e Entry) (int64, error) {
	record, err := e.Record()
	if err != nil {
		return 0, err
	}
	n, err := s.Size()
	if err != nil {
		return 0, fmt.Errorf("append %s to the journal: %w", e.Act, err)
	}
	hashes, err := tlog.StoredHashes(n, record, tlog.HashReaderFunc(s.ReadHashes))
	if err != nil {
		return 0, fmt.Errorf("append %s to the journal as entry %d: %w", e.Act, n, err)
	}
	if err := s.Append(record, hashes); err != nil {
		return 0, fmt.Errorf("append %s to the journal as entry %d: %w", e.Act, n, err)
	}
	return n, nil
}

// Record returns the entry's canonical bytes: one line of JSON, keys in fixed order, facts by name, time in UTC.
func (e Entry) Record() ([]byte, error) {
	if e.Act == "" || e.Actor == "" || e.At.IsZero() {
		return nil, errors.New("record an act: time, actor and act are all needed")
	}
	for _, s := range []string{e.Actor, e.Role, e.Place, e.Act, e.Subject} {
		if !utf8.ValidString(s) {
			return nil, fmt.Errorf("record %s: a field is not UTF-8", e.Act)
		}
	}
	for k, v := range e.Facts {
		if k == "" || !utf8.ValidString(k) || !utf8.ValidString(v) {
			return nil, fmt.Errorf("record %s: fact %q is not UTF-8 or has no name", e.Act, k)
		}
	}
	e.At = e.At.UTC().Round(0)
	if e.Facts == nil {
		e.Facts = map[string]string{}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		return nil, fmt.Errorf("record %s: %w", e.Act, err)
	}
	if b.Len()-1 > MaxRecord {
		return nil, fmt.Errorf("record %s: %d bytes are over %d", e.Act, b.Len()-1, MaxRecord)
	}
	return b.Bytes()[:b.Len()-1], nil
}

// Parse reads a record and refuses one that is not in canonical form.
func Parse(record []byte) (Entry, error) {
	var e Entry
	if len(record) > MaxRecord {
		return e, fmt.Errorf("read a journal record: %d bytes are over %d", len(record), MaxRecord)
	}
	d := json.NewDecoder(bytes.NewReader(record))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return e, fmt.Errorf("read a journal record: %w", err)
	}
	again, err := e.Record()
	if err != nil {
		return e, fmt.Errorf("read a journal record: %w", err)
	}
	if !bytes.Equal(again, record) {
		return e, errors.New("read a journal record: it is not in canonical form")
	}
	return e, nil
}

// saltLen is 128 bits: a salt is never found by trying.
const saltLen = 16

// Salted returns a hash that may stand in a fact for a personal value, and the salt, which is kept beside the value (sealed)
// and never in the journal. Without the salt the hash tells nothing, so erasing the salt erases the fact.
func Salted(value string, rand io.Reader) (hash string, salt []byte, err error) {
	salt = make([]byte, saltLen)
	if _, err := io.ReadFull(rand, salt); err != nil {
		return "", nil, fmt.Errorf("draw a salt: %w", err)
	}
	return saltedHash(value, salt), salt, nil
}

// Matches reports whether the hash is that of value with this salt.
func Matches(hash, value string, salt []byte) bool {
	return subtle.ConstantTimeCompare([]byte(hash), []byte(saltedHash(value, salt))) == 1
}

func saltedHash(value string, salt []byte) string {
	h := sha256.New()
	h.Write(salt)
	h.Write([]byte(value))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
