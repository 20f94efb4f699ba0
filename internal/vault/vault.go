// Package vault keeps what is stored unreadable to whoever takes the disk: encryption at rest, and blind indexes.
//
// The keys live in one file outside the database, sealed by a passphrase (argon2id, then XChaCha20-Poly1305). Inside are
// two Tink keysets: data keys (AES-256-GCM; they rotate) and one index key (HMAC-SHA-256; it never does, or nothing
// could be found again). A record is sealed as an envelope: a fresh key of its own, wrapped by the newest data key.
//
// Invariants: a record opens only under the id it was sealed for, so rows can't be swapped; rotating adds a key and drops
// none, so what was sealed before still opens; the key file is replaced as a whole or not at all. Randomness is the
// cryptographic library's own and can't be injected. Start reading at Vault; the file is in file.go.
package vault

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
	"github.com/tink-crypto/tink-go/v2/tink"

	"countersign/internal/fault"
)

// Lengths in bytes.
const (
	indexLen       = 16 // of a blind index: 128 bits, so that two values never meet by chance
	secretLen      = 32 // of a derived secret
	fingerprintLen = 8  // of the fingerprint, before hex
	envelopeHead   = 5  // format byte and the length of the wrapped key
	keyPrefix      = 5  // what Tink puts before a ciphertext: 0x01 and the key id
)

// format is the first byte of every sealed record; it changes when the layout does.
const format = 1

// Vault seals and opens records. It is safe for use by many goroutines.
type Vault struct {
	path    string
	lock    cipherLock // what seals the file itself, kept for Rotate
	index   *prf.Set
	indexes *keyset.Handle

	mu   sync.RWMutex // guards what Rotate replaces
	data *keyset.Handle
	aead tink.AEAD
	file []byte // the file's bytes as they were last read or written
}

// Seal encrypts plain as the record with this id. The same id must be given to open it.
func (v *Vault) Seal(id string, plain []byte) ([]byte, error) {
	if id == "" {
		return nil, errors.New("seal a record: it has no id")
	}
	ad := []byte(id)
	env := aead.NewKMSEnvelopeAEAD2(aead.AES256GCMKeyTemplate(), boundKey{v.cipher(), ad})
	sealed, err := env.Encrypt(plain, ad)
	if err != nil {
		return nil, fmt.Errorf("seal record %s: %w", id, err)
	}
	return append([]byte{format}, sealed...), nil
}

// Open decrypts what Seal made for this id. Its faults are vault.record (changed, cut short, or of another id) and
// vault.key (sealed with a key that this vault does not hold).
func (v *Vault) Open(id string, sealed []byte) ([]byte, error) {
	wrapped, _, err := split(sealed)
	if err != nil {
		return nil, broken(id, err)
	}
	if !v.holds(wrapped) {
		return nil, fault.New(fault.Internal, "vault.key", fault.Args{"id": id})
	}
	ad := []byte(id)
	env := aead.NewKMSEnvelopeAEAD2(aead.AES256GCMKeyTemplate(), boundKey{v.cipher(), ad})
	plain, err := env.Decrypt(sealed[1:], ad)
	if err != nil {
		return nil, broken(id, err)
	}
	return plain, nil
}

// Rewrap returns the record with its own key wrapped by the newest data key, and whether that changed anything. The
// encrypted data itself is neither read nor altered, so a store of large files rotates quickly.
func (v *Vault) Rewrap(id string, sealed []byte) ([]byte, bool, error) {
	wrapped, payload, err := split(sealed)
	if err != nil {
		return nil, false, broken(id, err)
	}
	if !v.holds(wrapped) {
		return nil, false, fault.New(fault.Internal, "vault.key", fault.Args{"id": id})
	}
	if keyOf(wrapped) == v.newest() {
		return sealed, false, nil
	}
	ad := []byte(id)
	cipher := v.cipher()
	dek, err := cipher.Decrypt(wrapped, ad)
	if err != nil {
		return nil, false, broken(id, err)
	}
	defer clear(dek)
	fresh, err := cipher.Encrypt(dek, ad)
	if err != nil {
		return nil, false, fmt.Errorf("wrap the key of record %s: %w", id, err)
	}
	out := make([]byte, 0, envelopeHead+len(fresh)+len(payload))
	out = append(out, format)
	out = binary.BigEndian.AppendUint32(out, uint32(len(fresh)))
	out = append(out, fresh...)
	return append(out, payload...), true, nil
}

// Index returns the blind index of a value: equal values of one kind have equal indexes, and without the key nothing
// can be told from them. The caller brings the value to one form first (case, spaces, NFC). It stays the same over Rotate.
func (v *Vault) Index(kind, value string) []byte {
	return v.derive("index", kind, value, indexLen)
}

// Secret returns 32 secret bytes for the named purpose, always the same for this vault, so that a server secret needs
// no file of its own.
func (v *Vault) Secret(purpose string) []byte {
	return v.derive("secret", purpose, "", secretLen)
}

// Fingerprint names the vault, 16 hex digits, and stays the same over Rotate. A store keeps it and refuses another vault.
func (v *Vault) Fingerprint() string {
	return hex.EncodeToString(v.derive("fingerprint", "", "", fingerprintLen))
}

// Keys returns how many data keys there are: one more after each Rotate. A store that remembers a greater number was
// given an old copy of the key file.
func (v *Vault) Keys() int {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.data.Len()
}

// Rotate adds a new data key, writes the file and only then begins to seal with it; a crash leaves either the old file or
// the new one. Two processes must not rotate one file at a time: the caller holds the data directory's lock. A file that
// another process has changed since is left alone (vault.changed).
func (v *Vault) Rotate() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	m := keyset.NewManagerFromHandle(v.data)
	id, err := m.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return fmt.Errorf("add a data key: %w", err)
	}
	if err := m.SetPrimary(id); err != nil {
		return fmt.Errorf("make data key %d the newest: %w", id, err)
	}
	data, err := m.Handle()
	if err != nil {
		return fmt.Errorf("take the new keyset: %w", err)
	}
	cipher, err := aead.New(data)
	if err != nil {
		return fmt.Errorf("use the new keyset: %w", err)
	}
	file, err := encode(v.lock, v.Fingerprint(), data, v.indexes)
	if err != nil {
		return err
	}
	if err := replace(v.path, v.file, file); err != nil {
		return err
	}
	v.data, v.aead, v.file = data, cipher, file
	return nil
}

// derive is the index key's function over length-prefixed parts, so that no two uses can ever feed it the same bytes.
func (v *Vault) derive(use, kind, value string, n uint32) []byte {
	in := make([]byte, 0, 12+len(use)+len(kind)+len(value))
	for _, part := range []string{use, kind, value} {
		in = binary.BigEndian.AppendUint32(in, uint32(len(part)))
		in = append(in, part...)
	}
	out, err := v.index.ComputePrimaryPRF(in, n)
	if err != nil {
		// HMAC-SHA-256 refuses only lengths over 32 bytes, and ours are constants.
		panic(fmt.Sprintf("derive %d bytes from the index key: %v", n, err))
	}
	return out
}

func (v *Vault) cipher() tink.AEAD {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.aead
}

func (v *Vault) newest() uint32 {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.data.KeysetInfo().GetPrimaryKeyId()
}

// holds reports whether the key that wrapped is sealed with is in the vault.
func (v *Vault) holds(wrapped []byte) bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	id := keyOf(wrapped)
	for i := range v.data.Len() {
		if e, err := v.data.Entry(i); err == nil && e.KeyID() == id {
			return true
		}
	}
	return false
}

// boundKey wraps a record's own key under the record's id, which Tink's envelope by itself would leave out.
type boundKey struct {
	tink.AEAD
	id []byte
}

func (b boundKey) Encrypt(dek, _ []byte) ([]byte, error)     { return b.AEAD.Encrypt(dek, b.id) }
func (b boundKey) Decrypt(wrapped, _ []byte) ([]byte, error) { return b.AEAD.Decrypt(wrapped, b.id) }

// split takes a sealed record apart: format byte, four bytes of length, wrapped key, data.
func split(sealed []byte) (wrapped, payload []byte, err error) {
	if len(sealed) < envelopeHead {
		return nil, nil, fmt.Errorf("%d bytes are too few", len(sealed))
	}
	if sealed[0] != format {
		return nil, nil, fmt.Errorf("format %d is not known", sealed[0])
	}
	n := uint64(binary.BigEndian.Uint32(sealed[1:envelopeHead]))
	rest := sealed[envelopeHead:]
	if n < keyPrefix || n > uint64(len(rest)) {
		return nil, nil, fmt.Errorf("a wrapped key of %d bytes does not fit", n)
	}
	return rest[:n], rest[n:], nil
}

func keyOf(wrapped []byte) uint32 { return binary.BigEndian.Uint32(wrapped[1:keyPrefix]) }

func broken(id string, err error) error {
	return fault.Wrap(err, fault.Internal, "vault.record", fault.Args{"id": id})
}
