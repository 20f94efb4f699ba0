// Package key keeps the private keys of seals, counters and authorities, and makes the one-off keys of customers.
//
// It and signing/seal are the only packages that open private keys; others get a crypto.Signer. Each key is a PKCS#8 file
// of its own, sealed by the vault under the key's name, so that one key's file can't stand in for another's. Keys on tokens
// are reached through PKCS#11 modules and stay where they are; a module runs in a process of its own, because it may crash.
// Key files with a passphrase (PKCS#12, PKCS#8) are opened for others' keys.
//
// Invariants: a key file is written whole or not at all and readable by its owner only; a key is never overwritten; a
// one-off key never touches a disk; a token's PIN is sent once for each time that a person entered it; what a token signs is
// verified before anybody gets it. Randomness is the cryptographic library's own. Start reading at Store, for tokens at
// Tokens, for key files at OpenFile.
package key

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"countersign/internal/fault"
)

// Kind is what a key is made for.
type Kind string

// The kinds of keys.
const (
	P256    Kind = "P-256"
	RSA2048 Kind = "RSA-2048" // seals, where the certificate's issuer demands it
	Ed25519 Kind = "Ed25519"  // the journal's checkpoints
)

const suffix = ".key"

// Sealer encrypts what lies on disk; internal/vault is one.
type Sealer interface {
	Seal(id string, plain []byte) ([]byte, error)
	Open(id string, sealed []byte) ([]byte, error)
	Rewrap(id string, sealed []byte) ([]byte, bool, error)
}

// Store is a folder of sealed keys. It holds no open key itself.
type Store struct {
	dir    string
	sealer Sealer
}

// New returns the store in dir, which is made if it does not exist.
func New(dir string, sealer Sealer) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the key folder: %w", err)
	}
	return &Store{dir: dir, sealer: sealer}, nil
}

// Create makes a new key under a name: lower-case letters, digits, dot, dash, underline, at most 64. A name that is taken is
// key.exists; it never replaces a key.
func (s *Store) Create(name string, kind Kind) (crypto.Signer, error) {
	signer, err := generate(kind)
	if err != nil {
		return nil, fmt.Errorf("make key %s: %w", name, err)
	}
	return signer, s.Import(name, signer)
}

// Import keeps a key that was made elsewhere, under the rules of Create.
func (s *Store) Import(name string, private crypto.Signer) error {
	path, err := s.path(name)
	if err != nil {
		return err
	}
	plain, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return fmt.Errorf("encode key %s: %w", name, err)
	}
	defer clear(plain)
	sealed, err := s.sealer.Seal(id(name), plain)
	if err != nil {
		return fmt.Errorf("seal key %s: %w", name, err)
	}
	tmp, err := s.write(name, sealed)
	if err != nil {
		return err
	}
	defer os.Remove(tmp)
	if err := os.Link(tmp, path); errors.Is(err, fs.ErrExist) {
		return fault.Wrap(err, fault.Conflict, "key.exists", fault.Args{"name": name})
	} else if err != nil {
		return fmt.Errorf("put key %s in place: %w", name, err)
	}
	return s.sync()
}

// Signer opens a key. Its faults are key.missing and key.broken (altered, of another name, or of another vault).
func (s *Store) Signer(name string) (crypto.Signer, error) {
	path, err := s.path(name)
	if err != nil {
		return nil, err
	}
	sealed, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(err, fault.NotFound, "key.missing", fault.Args{"name": name})
	}
	if err != nil {
		return nil, fmt.Errorf("read key %s: %w", name, err)
	}
	plain, err := s.sealer.Open(id(name), sealed)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "key.broken", fault.Args{"name": name})
	}
	defer clear(plain)
	parsed, err := x509.ParsePKCS8PrivateKey(plain)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "key.broken", fault.Args{"name": name})
	}
	signer, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fault.Wrap(fmt.Errorf("a %T signs nothing", parsed), fault.Internal, "key.broken", fault.Args{"name": name})
	}
	return signer, nil
}

// Names lists the keys by name.
func (s *Store) Names() ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("list the keys: %w", err)
	}
	names := []string{}
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), suffix); ok && valid(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Rewrap brings every key under the vault's newest data key and returns how many were moved. It may be stopped and run again.
func (s *Store) Rewrap() (int, error) {
	names, err := s.Names()
	if err != nil {
		return 0, err
	}
	moved := 0
	for _, name := range names {
		path := filepath.Join(s.dir, name+suffix)
		sealed, err := os.ReadFile(path)
		if err != nil {
			return moved, fmt.Errorf("read key %s: %w", name, err)
		}
		fresh, changed, err := s.sealer.Rewrap(id(name), sealed)
		if err != nil {
			return moved, fault.Wrap(err, fault.Internal, "key.broken", fault.Args{"name": name})
		}
		if !changed {
			continue
		}
		tmp, err := s.write(name, fresh)
		if err != nil {
			return moved, err
		}
		if err := os.Rename(tmp, path); err != nil {
			return moved, errors.Join(fmt.Errorf("put key %s in place: %w", name, err), os.Remove(tmp))
		}
		moved++
	}
	if moved == 0 {
		return 0, nil
	}
	return moved, s.sync()
}

func (s *Store) path(name string) (string, error) {
	if !valid(name) {
		return "", fault.New(fault.Invalid, "key.name", nil)
	}
	return filepath.Join(s.dir, name+suffix), nil
}

// valid keeps names free of anything that a path could misread.
func valid(name string) bool {
	if name == "" || len(name) > 64 || name[0] == '.' || name[0] == '-' {
		return false
	}
	for _, r := range name {
		if !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_') {
			return false
		}
	}
	return true
}

// id is the key's record id in the vault.
func id(name string) string { return "key/" + name }

func generate(kind Kind) (crypto.Signer, error) {
	switch kind {
	case P256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case RSA2048:
		return rsa.GenerateKey(rand.Reader, 2048)
	case Ed25519:
		_, signer, err := ed25519.GenerateKey(rand.Reader)
		return signer, err
	}
	return nil, fmt.Errorf("kind %q is not one of %s, %s, %s", kind, P256, RSA2048, Ed25519)
}

// write puts content into a new file of the folder, on the disk before it returns.
func (s *Store) write(name string, content []byte) (string, error) {
	f, err := os.CreateTemp(s.dir, name+".*.new")
	if err != nil {
		return "", fmt.Errorf("write key %s: %w", name, err)
	}
	_, err = f.ReadFrom(bytes.NewReader(content))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("write key %s: %w", name, err), os.Remove(f.Name()))
	}
	return f.Name(), nil
}

func (s *Store) sync() error {
	d, err := os.Open(s.dir)
	if err != nil {
		return fmt.Errorf("open the key folder: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync the key folder: %w", err)
	}
	return nil
}
