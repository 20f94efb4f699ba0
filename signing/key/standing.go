package key

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"sync"

	"countersign/internal/fault"
)

// Standing signs all day with keys on tokens whose PINs the process was given when it started. A token that was pulled is
// opened again, with the same PIN, when it is asked for after it was put back. A PIN that a token refused is not sent
// again: each try counts on the token, and only a person can know better.
type Standing struct {
	open func() *Tokens

	mu      sync.Mutex
	tokens  *Tokens
	pins    map[string][]byte // by the token's serial; "" is for every other token
	refused map[string]error
	now     map[string]*TokenSigner // by the token's serial: the key that is open on it
	which   map[string][32]byte     // the certificate of that key
}

// NewStanding keeps PINs by the serial numbers of tokens. open loads the modules; it is called again after trouble,
// because some modules see a token that was put back only then.
func NewStanding(open func() *Tokens, pins map[string][]byte) *Standing {
	return &Standing{open: open, pins: maps.Clone(pins), refused: map[string]error{}, now: map[string]*TokenSigner{}, which: map[string][32]byte{}}
}

// Signer returns the key of a certificate, named by the certificate's SHA-256 in hexadecimal. It opens the token, so
// that a key that is away is known before anything is begun. Its faults are those of Tokens.Signer.
func (s *Standing) Signer(fingerprint string) (crypto.Signer, error) {
	raw, err := hex.DecodeString(fingerprint)
	if err != nil || len(raw) != sha256.Size {
		return nil, fault.New(fault.Invalid, "key.name", nil)
	}
	k := &standingKey{standing: s, fingerprint: [32]byte(raw)}
	s.mu.Lock()
	defer s.mu.Unlock()
	signer, err := s.reach(k.fingerprint)
	if err != nil {
		return nil, err
	}
	k.public = signer.Public()
	return k, nil
}

// Chain returns a certificate that is on a token with those of its issuers there, without any PIN.
func (s *Standing) Chain(fingerprint [32]byte) ([]*x509.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, err := s.find(fingerprint)
	return held.Chain, err
}

// Close ends every login.
func (s *Standing) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.drop()
}

// drop lets all tokens and modules go; the next use loads them again.
func (s *Standing) drop() error {
	var errs []error
	for serial, k := range s.now {
		errs = append(errs, ignoreGone(k.Close()))
		delete(s.now, serial)
	}
	if s.tokens != nil {
		errs = append(errs, s.tokens.Close())
		s.tokens = nil
	}
	return errors.Join(errs...)
}

// find looks for a certificate on the tokens that are there.
func (s *Standing) find(fingerprint [32]byte) (Held, error) {
	if s.tokens == nil {
		s.tokens = s.open()
	}
	list, err := s.tokens.List()
	for _, t := range list {
		for _, c := range t.Certificates {
			if c.Ref.Fingerprint == fingerprint {
				return c, nil
			}
		}
	}
	// A module that failed to list may be the one that has it.
	return Held{}, fault.Wrap(err, fault.Unavailable, "key.token_gone", nil)
}

// reach opens the key of a certificate, or returns the one that is open.
func (s *Standing) reach(fingerprint [32]byte) (*TokenSigner, error) {
	for serial, k := range s.now {
		if s.which[serial] == fingerprint {
			return k, nil
		}
	}
	held, err := s.find(fingerprint)
	if err != nil {
		return nil, errors.Join(err, s.drop())
	}
	serial := held.Ref.Token
	if err := s.refused[serial]; err != nil {
		return nil, err
	}
	if k := s.now[serial]; k != nil {
		// A token has one login, and it belongs to one key at a time.
		delete(s.now, serial)
		if err := ignoreGone(k.Close()); err != nil {
			return nil, errors.Join(err, s.drop())
		}
	}
	pin, ok := s.pins[serial]
	if !ok {
		pin = s.pins[""]
	}
	k, err := s.tokens.Signer(held.Ref, pin)
	switch fault.CodeOf(err) {
	case "key.pin", "key.pin_last", "key.locked", "key.pin_form", "key.pin_unset":
		s.refused[serial] = err
		return nil, err
	}
	if err != nil {
		return nil, errors.Join(err, s.drop())
	}
	s.now[serial], s.which[serial] = k, fingerprint
	return k, nil
}

// standingKey is one key of a Standing.
type standingKey struct {
	standing    *Standing
	fingerprint [32]byte
	public      crypto.PublicKey
}

func (k *standingKey) Public() crypto.PublicKey { return k.public }

// Sign signs, and lets the token go when that failed: nothing is tried a second time by itself.
func (k *standingKey) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	s := k.standing
	s.mu.Lock()
	defer s.mu.Unlock()
	signer, err := s.reach(k.fingerprint)
	if err != nil {
		return nil, err
	}
	signature, err := signer.Sign(rand, digest, opts)
	if err != nil {
		return nil, fmt.Errorf("sign with a key on a token: %w", errors.Join(err, s.drop()))
	}
	return signature, nil
}
