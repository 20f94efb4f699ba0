package vault

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	aeadsubtle "github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
	"github.com/tink-crypto/tink-go/v2/tink"
	"golang.org/x/crypto/argon2"

	"countersign/internal/fault"
)

const (
	fileFormat  = "countersign-vault"
	fileVersion = 1
	fileLimit   = 1 << 20 // bytes; a file of a thousand keys is far below it

	// MinPassphrase is the least number of bytes in a passphrase.
	MinPassphrase = 12
)

// cost is what one passphrase guess takes (RFC 9106 section 4, second recommendation: 64 MiB, three passes, four lanes).
type cost struct {
	Name      string `json:"name"`
	Time      uint32 `json:"time"`
	MemoryKiB uint32 `json:"memory_kib"`
	Threads   uint8  `json:"threads"`
	Salt      []byte `json:"salt"`
}

// keyFile is the file as it lies on disk: one JSON object.
type keyFile struct {
	Format      string `json:"format"`
	Version     int    `json:"version"`
	KDF         cost   `json:"kdf"`
	Fingerprint string `json:"fingerprint"`
	Data        []byte `json:"data"`  // Tink keyset, sealed
	Index       []byte `json:"index"` // Tink keyset, sealed
	// Sum tells damage from a wrong passphrase. It is no defence: the sealed parts defend themselves.
	Sum string `json:"sum"`
}

// cipherLock seals the keysets in the file.
type cipherLock struct {
	cost cost
	aead tink.AEAD
}

// Create makes a new vault with its file at path, readable by its owner only. The passphrase has at least 12 bytes
// (vault.short); an existing file is never overwritten (vault.exists).
func Create(path string, passphrase []byte) (*Vault, error) {
	if len(passphrase) < MinPassphrase {
		return nil, fault.New(fault.Invalid, "vault.short", fault.Args{"min": fmt.Sprint(MinPassphrase)})
	}
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return nil, fmt.Errorf("draw a salt: %w", err)
	}
	lock, err := newLock(cost{Name: "argon2id", Time: 3, MemoryKiB: 64 << 10, Threads: 4, Salt: salt}, passphrase)
	if err != nil {
		return nil, err
	}
	data, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make a data key: %w", err)
	}
	indexes, err := keyset.NewHandle(prf.HMACSHA256PRFKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make the index key: %w", err)
	}
	v, err := assemble(path, lock, data, indexes)
	if err != nil {
		return nil, err
	}
	if v.file, err = encode(lock, v.Fingerprint(), data, indexes); err != nil {
		return nil, err
	}
	if err := create(path, v.file); err != nil {
		return nil, err
	}
	return v, nil
}

// Open reads the vault at path. Its faults name what is wrong: vault.missing, vault.foreign (no file of ours, or of a
// newer version), vault.damaged (cut short or altered), vault.passphrase.
func Open(path string, passphrase []byte) (*Vault, error) {
	raw, err := read(path)
	if err != nil {
		return nil, err
	}
	f, err := decode(raw)
	if err != nil {
		return nil, atFile(err, path)
	}
	lock, err := newLock(f.KDF, passphrase)
	if err != nil {
		return nil, err
	}
	data, err := keyset.ReadWithAssociatedData(keyset.NewBinaryReader(bytes.NewReader(f.Data)), lock.aead, []byte("data"))
	if err != nil {
		return nil, fault.Wrap(err, fault.Forbidden, "vault.passphrase", fault.Args{"file": path})
	}
	indexes, err := keyset.ReadWithAssociatedData(keyset.NewBinaryReader(bytes.NewReader(f.Index)), lock.aead, []byte("index"))
	if err != nil {
		return nil, atFile(damaged(err), path)
	}
	v, err := assemble(path, lock, data, indexes)
	if err != nil {
		return nil, atFile(damaged(err), path)
	}
	if v.Fingerprint() != f.Fingerprint {
		return nil, atFile(damaged(errors.New("the fingerprint is another vault's")), path)
	}
	v.file = raw
	return v, nil
}

func assemble(path string, lock cipherLock, data, indexes *keyset.Handle) (*Vault, error) {
	cipher, err := aead.New(data)
	if err != nil {
		return nil, fmt.Errorf("use the data keys: %w", err)
	}
	index, err := prf.NewPRFSet(indexes)
	if err != nil {
		return nil, fmt.Errorf("use the index key: %w", err)
	}
	return &Vault{path: path, lock: lock, index: index, indexes: indexes, data: data, aead: cipher}, nil
}

func newLock(c cost, passphrase []byte) (cipherLock, error) {
	key := argon2.IDKey(passphrase, c.Salt, c.Time, c.MemoryKiB, c.Threads, 32)
	defer clear(key)
	cipher, err := aeadsubtle.NewXChaCha20Poly1305(key)
	if err != nil {
		return cipherLock{}, fmt.Errorf("use the passphrase: %w", err)
	}
	return cipherLock{cost: c, aead: cipher}, nil
}

func encode(lock cipherLock, fingerprint string, data, indexes *keyset.Handle) ([]byte, error) {
	f := keyFile{Format: fileFormat, Version: fileVersion, KDF: lock.cost, Fingerprint: fingerprint}
	for _, part := range []struct {
		to   *[]byte
		keys *keyset.Handle
		name string
	}{{&f.Data, data, "data"}, {&f.Index, indexes, "index"}} {
		var b bytes.Buffer
		if err := part.keys.WriteWithAssociatedData(keyset.NewBinaryWriter(&b), lock.aead, []byte(part.name)); err != nil {
			return nil, fmt.Errorf("seal the %s keys: %w", part.name, err)
		}
		*part.to = b.Bytes()
	}
	f.Sum = f.sum()
	out, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the key file's text: %w", err)
	}
	return append(out, '\n'), nil
}

// sum is the hash of all other fields.
func (f keyFile) sum() string {
	f.Sum = ""
	text, err := json.Marshal(f)
	if err != nil {
		return ""
	}
	h := sha256.Sum256(text)
	return hex.EncodeToString(h[:])
}

// decode reads the file's text and refuses what is not ours, what is damaged, and a cost that would stop the machine.
func decode(raw []byte) (keyFile, error) {
	var f keyFile
	if len(raw) > 0 && !bytes.Contains(raw, []byte(fileFormat)) {
		return f, fault.New(fault.Invalid, "vault.foreign", nil)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if err := d.Decode(&f); err != nil {
		return f, damaged(err)
	}
	if f.Format != fileFormat || f.Version != fileVersion {
		return f, fault.Wrap(fmt.Errorf("format %q version %d", f.Format, f.Version), fault.Invalid, "vault.foreign", nil)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return f, damaged(errors.New("more follows after the object"))
	}
	if subtle.ConstantTimeCompare([]byte(f.Sum), []byte(f.sum())) != 1 {
		return f, damaged(errors.New("the sum does not match"))
	}
	k := f.KDF
	if k.Name != "argon2id" || k.Time < 1 || k.Time > 16 || k.MemoryKiB < 8<<10 || k.MemoryKiB > 1<<20 ||
		k.Threads < 1 || k.Threads > 16 || len(k.Salt) < 8 || len(k.Salt) > 64 {
		return f, damaged(errors.New("the cost of a guess is out of bounds"))
	}
	return f, nil
}

func damaged(err error) error { return fault.Wrap(err, fault.Invalid, "vault.damaged", nil) }

// atFile adds the file's name to a fault.
func atFile(err error, path string) error {
	var e *fault.Error
	if errors.As(err, &e) {
		return fault.Wrap(e.Err, e.Kind, e.Code, fault.Args{"file": path})
	}
	return err
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(err, fault.NotFound, "vault.missing", fault.Args{"file": path})
	}
	if err != nil {
		return nil, fmt.Errorf("open the key file: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, fileLimit+1))
	if err != nil {
		return nil, fmt.Errorf("read the key file: %w", err)
	}
	if len(raw) > fileLimit {
		return nil, fault.New(fault.Invalid, "vault.foreign", fault.Args{"file": path})
	}
	return raw, nil
}

// create writes a file that did not exist: whole or not at all.
func create(path string, content []byte) error {
	tmp, err := write(path, content)
	if err != nil {
		return err
	}
	defer os.Remove(tmp)
	if err := os.Link(tmp, path); errors.Is(err, fs.ErrExist) {
		return fault.Wrap(err, fault.Conflict, "vault.exists", fault.Args{"file": path})
	} else if err != nil {
		return fmt.Errorf("put the key file in place: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// replace puts new content in the place of old, which must still be there.
func replace(path string, old, content []byte) error {
	now, err := read(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, old) {
		return fault.New(fault.Conflict, "vault.changed", fault.Args{"file": path})
	}
	tmp, err := write(path, content)
	if err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return errors.Join(fmt.Errorf("put the key file in place: %w", err), os.Remove(tmp))
	}
	return syncDir(filepath.Dir(path))
}

// write puts content into a new file beside path, on the disk before it returns.
func write(path string, content []byte) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.new")
	if err != nil {
		return "", fmt.Errorf("make a new key file: %w", err)
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("write the new key file: %w", err), os.Remove(f.Name()))
	}
	return f.Name(), nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open the key file's folder: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync the key file's folder: %w", err)
	}
	return nil
}
