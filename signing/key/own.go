package key

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"golang.org/x/crypto/argon2"

	"countersign/internal/fault"
)

// Cost is what one guess at a password costs somebody who holds a key locked under it (argon2id, RFC 9106).
type Cost struct {
	MemoryKiB uint32
	Passes    uint32
	Threads   uint8
}

// Own is a member of staff's own signing key. Where it rests it is locked: under the person's password on the record of
// the person, under the session's token on the record of the session. The house keeps neither of the two, so a key at
// rest signs nothing.
type Own struct {
	private ed25519.PrivateKey
	staff   string
}

// NewOwn makes a key for a member of staff.
func NewOwn(staff string) (*Own, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the own key of %s: %w", staff, err)
	}
	return &Own{private, staff}, nil
}

// Public is what others check the person's signatures with.
func (o *Own) Public() ed25519.PublicKey { return o.private.Public().(ed25519.PublicKey) }

// Sign signs a message.
func (o *Own) Sign(message []byte) ([]byte, error) {
	return o.private.Sign(rand.Reader, message, crypto.Hash(0))
}

// The forms of a locked key: a byte that tells the form, its parameters and salt, the nonce, the sealed seed.
const (
	byPassword = 1
	byToken    = 2

	lockSalt = 16
	lockHead = 1 + 4 + 4 + 1 + lockSalt // form, memory, passes, threads, salt
)

// UnderPassword locks the key under a password that a person remembers.
func (o *Own) UnderPassword(password []byte, c Cost) ([]byte, error) {
	head := make([]byte, lockHead)
	head[0] = byPassword
	binary.BigEndian.PutUint32(head[1:], c.MemoryKiB)
	binary.BigEndian.PutUint32(head[5:], c.Passes)
	head[9] = c.Threads
	return o.lock(head, password)
}

// UnderToken locks the key under a random secret of at least 16 bytes, at no cost.
func (o *Own) UnderToken(token []byte) ([]byte, error) {
	head := make([]byte, lockHead)
	head[0] = byToken
	return o.lock(head, token)
}

func (o *Own) lock(head, secret []byte) ([]byte, error) {
	if _, err := rand.Read(head[lockHead-lockSalt:]); err != nil {
		return nil, fmt.Errorf("lock the own key of %s: %w", o.staff, err)
	}
	seal, err := lockOf(head, secret)
	if err != nil {
		return nil, fmt.Errorf("lock the own key of %s: %w", o.staff, err)
	}
	// The salt makes each key of this lock unique, so one nonce does for its only use.
	return seal.Seal(head, make([]byte, seal.NonceSize()), o.private.Seed(), []byte(o.staff)), nil
}

// OpenOwn opens a locked key of a member of staff. Whatever is wrong with it, the fault is key.own.
func OpenOwn(staff string, locked, secret []byte) (*Own, error) {
	refuse := func(err error) (*Own, error) { return nil, fault.Wrap(err, fault.Forbidden, "key.own", nil) }
	if len(locked) < lockHead {
		return refuse(fmt.Errorf("open the own key of %s: it has %d bytes", staff, len(locked)))
	}
	seal, err := lockOf(locked[:lockHead], secret)
	if err != nil {
		return refuse(fmt.Errorf("open the own key of %s: %w", staff, err))
	}
	seed, err := seal.Open(nil, make([]byte, seal.NonceSize()), locked[lockHead:], []byte(staff))
	if err != nil || len(seed) != ed25519.SeedSize {
		return refuse(fmt.Errorf("open the own key of %s: the secret is another one, or the key was altered", staff))
	}
	defer clear(seed)
	return &Own{ed25519.NewKeyFromSeed(seed), staff}, nil
}

// mostMemory bounds what a forged head can make us spend, in KiB.
const mostMemory = 1 << 20

// lockOf derives the key of a lock from its head and the secret.
func lockOf(head, secret []byte) (cipher.AEAD, error) {
	salt := head[lockHead-lockSalt : lockHead]
	var derived []byte
	switch head[0] {
	case byPassword:
		memory, passes, threads := binary.BigEndian.Uint32(head[1:]), binary.BigEndian.Uint32(head[5:]), head[9]
		if memory > mostMemory || passes == 0 || passes > 64 || threads == 0 {
			return nil, fmt.Errorf("a lock of %d KiB, %d passes and %d threads is none of ours", memory, passes, threads)
		}
		derived = argon2.IDKey(secret, salt, passes, memory, threads, 32)
	case byToken:
		var err error
		if derived, err = hkdf.Key(sha256.New, secret, salt, "countersign own key", 32); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("a lock of form %d is none of ours", head[0])
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
