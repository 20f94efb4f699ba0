package journal

import (
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Signer signs checkpoints. Its name is the log's name (the checkpoint's origin), such as "pcbacgiang.example/journal".
type Signer struct {
	key    crypto.Signer
	public note.Verifier
}

// NewSigner makes a signer of an Ed25519 key. The name has no spaces and no "+".
func NewSigner(name string, key crypto.Signer) (*Signer, error) {
	pub, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("sign checkpoints: the key is %T, not Ed25519", key.Public())
	}
	v, err := NewVerifier(name, pub)
	if err != nil {
		return nil, err
	}
	return &Signer{key: key, public: v}, nil
}

// NewVerifier returns what checks the checkpoints of the log with this name.
func NewVerifier(name string, pub ed25519.PublicKey) (note.Verifier, error) {
	text, err := note.NewEd25519VerifierKey(name, pub)
	if err != nil {
		return nil, fmt.Errorf("check checkpoints of %s: %w", name, err)
	}
	v, err := note.NewVerifier(text)
	if err != nil {
		return nil, fmt.Errorf("check checkpoints of %s: %w", name, err)
	}
	return v, nil
}

// Name returns the log's name.
func (s *Signer) Name() string { return s.public.Name() }

// KeyHash returns the short hash of name and key that stands in a signature line.
func (s *Signer) KeyHash() uint32 { return s.public.KeyHash() }

// Sign signs a note's text and checks the signature before it is released.
func (s *Signer) Sign(msg []byte) ([]byte, error) {
	// Ed25519 takes no randomness.
	sig, err := s.key.Sign(nil, msg, crypto.Hash(0))
	if err != nil {
		return nil, fmt.Errorf("sign a checkpoint: %w", err)
	}
	if !s.public.Verify(msg, sig) {
		return nil, errors.New("sign a checkpoint: the key made a wrong signature")
	}
	return sig, nil
}

// Verifier returns what checks this signer's checkpoints.
func (s *Signer) Verifier() note.Verifier { return s.public }

// Checkpoint returns the signed size and root of the log as it is now. It reads about log2 of the size hashes.
func Checkpoint(s Appender, signer *Signer) ([]byte, error) {
	n, err := s.Size()
	if err != nil {
		return nil, fmt.Errorf("make a checkpoint: %w", err)
	}
	root, err := tlog.TreeHash(n, tlog.HashReaderFunc(s.ReadHashes))
	if err != nil {
		return nil, fmt.Errorf("make a checkpoint of %d entries: %w", n, err)
	}
	text := fmt.Sprintf("%s\n%d\n%s\n", signer.Name(), n, base64.StdEncoding.EncodeToString(root[:]))
	msg, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		return nil, fmt.Errorf("make a checkpoint of %d entries: %w", n, err)
	}
	return msg, nil
}

// Tree is what a checkpoint says.
type Tree struct {
	Size int64
	Root tlog.Hash
}

// ReadCheckpoint checks a checkpoint's signature and returns what it says. Lines after the third are extensions and ignored.
func ReadCheckpoint(msg []byte, pub note.Verifier) (Tree, error) {
	n, err := note.Open(msg, note.VerifierList(pub))
	if err != nil {
		return Tree{}, fmt.Errorf("read a checkpoint: %w", err)
	}
	lines := strings.SplitN(n.Text, "\n", 4)
	if len(lines) != 4 || lines[0] != pub.Name() {
		return Tree{}, fmt.Errorf("read a checkpoint: it is not one of %s", pub.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return Tree{}, fmt.Errorf("read a checkpoint: its size is no number: %q", lines[1])
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return Tree{}, errors.New("read a checkpoint: its root is no hash")
	}
	return Tree{Size: size, Root: tlog.Hash(root)}, nil
}
