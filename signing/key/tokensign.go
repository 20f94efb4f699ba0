package key

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"sync"

	"github.com/miekg/pkcs11"

	"countersign/internal/fault"
)

// TokenSigner signs with one key of one token, from the PIN until Close. It holds the token's login for itself.
type TokenSigner struct {
	tokens  *Tokens
	module  *module
	token   Ref // without fingerprint
	chain   []*x509.Certificate
	private pkcs11.ObjectHandle

	mu      sync.Mutex
	session pkcs11.SessionHandle
	pin     []byte // kept only for a key that asks for it at each signature
	each    bool
	closed  bool
}

// Signer opens the key of a certificate with the token's PIN (empty where the reader has a pad). The PIN is sent once: a
// wrong one counts on the token, and is never sent again. Its faults:
//
//	key.token_gone     the token is not there, or another one is
//	key.token_busy     another signature is being made with it
//	key.not_on_token   the certificate or its private key is not on it; the first costs no try
//	key.locked         it takes no PIN any more
//	key.pin_unset      its PIN was never set, or has to be changed first
//	key.pin_form       the PIN is too short or too long to be right; this costs no try
//	key.pin            the PIN is wrong
//	key.pin_last       the PIN is wrong, and one more wrong one locks the token
//	key.cancelled      the holder cancelled on the reader's pad
//	key.module_crashed the module's process ended meanwhile; whether the PIN was looked at is not known
//	key.module         the module failed otherwise, or is not configured
func (t *Tokens) Signer(ref Ref, pin []byte) (*TokenSigner, error) {
	for _, m := range t.modules {
		if m.path != ref.Module {
			continue
		}
		if _, err := m.seen(ref); err != nil && t.anew(m) {
			if _, still := m.seen(ref); still != nil {
				return nil, err
			}
		}
		return t.signer(m, ref, pin)
	}
	m := &module{path: ref.Module}
	return nil, m.fault(errors.New("it is not configured"), "")
}

func (t *Tokens) signer(m *module, ref Ref, pin []byte) (*TokenSigner, error) {
	m.use.RLock()
	defer m.use.RUnlock()
	s, err := m.slot(ref)
	if err != nil {
		return nil, err
	}
	token := Ref{Module: ref.Module, Token: ref.Token}
	if !t.hold(token) {
		return nil, fault.New(fault.Conflict, "key.token_busy", nil)
	}
	signer := &TokenSigner{tokens: t, module: m, token: token}
	if err := signer.open(s, ref, pin); err != nil {
		t.release(token)
		return nil, err
	}
	return signer, nil
}

// seen is slot for somebody who holds nothing yet.
func (m *module) seen(ref Ref) (slot, error) {
	m.use.RLock()
	defer m.use.RUnlock()
	return m.slot(ref)
}

// slot finds where the token is now: it may have been moved to another reader.
func (m *module) slot(ref Ref) (slot, error) {
	slots, err := m.slots()
	if slots == nil {
		return slot{}, err
	}
	for _, s := range slots {
		if s.info.SerialNumber == ref.Token {
			return s, nil
		}
	}
	// What can't be read any more is as good as pulled.
	return slot{}, fault.Wrap(err, fault.Unavailable, "key.token_gone", nil)
}

func (t *Tokens) hold(token Ref) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held[token] {
		return false
	}
	t.held[token] = true
	return true
}

func (t *Tokens) release(token Ref) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.held, token)
}

func (k *TokenSigner) open(s slot, ref Ref, pin []byte) error {
	m := k.module
	pad := s.info.Flags&pkcs11.CKF_PROTECTED_AUTHENTICATION_PATH != 0
	switch pinState(s.info.Flags) {
	case PINLocked:
		return fault.New(fault.TooMany, "key.locked", fault.Args{"token": ref.Token})
	case PINUnset:
		return fault.New(fault.Forbidden, "key.pin_unset", fault.Args{"token": ref.Token})
	}
	if !pad {
		if err := pinForm(pin, s.info); err != nil {
			return err
		}
	}
	session, err := m.lib.OpenSession(s.id, pkcs11.CKF_SERIAL_SESSION)
	if err != nil {
		return m.fault(fmt.Errorf("open a session: %w", err), ref.Token)
	}
	k.session = session
	id, err := k.certificate(ref)
	if err == nil {
		err = m.login(session, s, pin)
	}
	if err != nil {
		return errors.Join(err, ignoreGone(m.lib.CloseSession(session)))
	}
	if err := k.key(id, ref); err != nil {
		return errors.Join(err, k.end())
	}
	if k.each && !pad {
		k.pin = append([]byte(nil), pin...)
	}
	return nil
}

// certificate finds the certificate, before any PIN is sent, and returns the id of its key.
func (k *TokenSigner) certificate(ref Ref) ([]byte, error) {
	found, _, err := k.module.certificates(k.session)
	if err != nil {
		return nil, k.module.fault(err, ref.Token)
	}
	for _, c := range found {
		if sha256.Sum256(c.cert.Raw) == ref.Fingerprint && len(c.id) > 0 {
			k.chain = chain(c.cert, found)
			return c.id, nil
		}
	}
	return nil, fault.New(fault.NotFound, "key.not_on_token", fault.Args{"token": ref.Token})
}

// login sends the PIN. Logins belong to the whole process: one that some other code left open would let any PIN pass, so
// it is ended first. No PIN was looked at then.
func (m *module) login(session pkcs11.SessionHandle, s slot, pin []byte) error {
	err := m.lib.Login(session, pkcs11.CKU_USER, string(pin))
	if errors.Is(err, pkcs11.Error(pkcs11.CKR_USER_ALREADY_LOGGED_IN)) {
		if err = m.lib.Logout(session); err == nil {
			err = m.lib.Login(session, pkcs11.CKU_USER, string(pin))
		}
	}
	if err == nil {
		return nil
	}
	return m.refused(err, s)
}

// refused looks what a wrong PIN did to the token.
func (m *module) refused(err error, s slot) error {
	said := m.fault(fmt.Errorf("log in: %w", err), s.info.SerialNumber)
	if !fault.Is(said, "key.pin") {
		return said
	}
	// What the token tells now is a help only; without it the PIN is just as wrong.
	info, again := m.lib.GetTokenInfo(s.id)
	if again != nil {
		return said
	}
	args := fault.Args{"token": s.info.SerialNumber}
	switch pinState(info.Flags) {
	case PINLocked:
		return fault.Wrap(err, fault.TooMany, "key.locked", args)
	case PINLast:
		return fault.Wrap(err, fault.Forbidden, "key.pin_last", args)
	}
	return said
}

// key finds the private key that bears the certificate's id and is of its kind.
func (k *TokenSigner) key(id []byte, ref Ref) error {
	kind, err := keyType(k.Public())
	if err != nil {
		return err
	}
	m := k.module
	handles, err := m.find(k.session, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY),
		pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, kind),
		pkcs11.NewAttribute(pkcs11.CKA_ID, id),
	})
	if err != nil {
		return m.fault(fmt.Errorf("find the private key: %w", err), ref.Token)
	}
	if len(handles) == 0 {
		return fault.New(fault.NotFound, "key.not_on_token", fault.Args{"token": ref.Token})
	}
	k.private = handles[0]
	attributes, err := m.lib.GetAttributeValue(k.session, k.private, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_ALWAYS_AUTHENTICATE, nil),
	})
	// Old modules don't know the attribute; their keys don't ask twice.
	k.each = err == nil && len(attributes) == 1 && len(attributes[0].Value) > 0 && attributes[0].Value[0] != 0
	return nil
}

// Chain returns the certificate and those of its issuers that are on the token.
func (k *TokenSigner) Chain() []*x509.Certificate {
	return append([]*x509.Certificate(nil), k.chain...)
}

// Public returns the certificate's key.
func (k *TokenSigner) Public() crypto.PublicKey { return k.chain[0].PublicKey }

// Sign signs a digest: ECDSA in ASN.1, or RSA by PKCS#1 v1.5 or PSS. What the token made is checked with the
// certificate's key before it is returned. Its faults are key.token_gone, key.signature (what came back is no signature of
// this key), those of the PIN for a key that asks for it each time, key.module_crashed and key.module.
func (k *TokenSigner) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return nil, errors.New("sign with a token: the signer was closed")
	}
	mechanism, input, err := request(k.Public(), digest, opts)
	if err != nil {
		return nil, err
	}
	m := k.module
	if err := m.lib.SignInit(k.session, []*pkcs11.Mechanism{mechanism}, k.private); err != nil {
		return nil, m.fault(fmt.Errorf("begin to sign: %w", err), k.token.Token)
	}
	if k.each {
		if err := m.lib.Login(k.session, pkcs11.CKU_CONTEXT_SPECIFIC, string(k.pin)); err != nil {
			return nil, m.fault(fmt.Errorf("log in to sign: %w", err), k.token.Token)
		}
	}
	made, err := m.lib.Sign(k.session, input)
	if err != nil {
		return nil, m.fault(fmt.Errorf("sign: %w", err), k.token.Token)
	}
	signature, err := checked(k.Public(), digest, made, opts)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "key.signature", fault.Args{"token": k.token.Token})
	}
	return signature, nil
}

// Close ends the login. It may be called more than once, and after the token was pulled.
func (k *TokenSigner) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return nil
	}
	k.closed = true
	defer k.tokens.release(k.token)
	return k.end()
}

func (k *TokenSigner) end() error {
	clear(k.pin)
	k.pin = nil
	err := errors.Join(ignoreGone(k.module.lib.Logout(k.session)), ignoreGone(k.module.lib.CloseSession(k.session)))
	if err != nil {
		return fmt.Errorf("leave the token: %w", err)
	}
	return nil
}

// ignoreGone drops the answer that a pulled token's session is over: that is what was wanted.
func ignoreGone(err error) error {
	if gone(err) {
		return nil
	}
	return err
}

func keyType(public crypto.PublicKey) (uint, error) {
	switch public.(type) {
	case *ecdsa.PublicKey:
		return pkcs11.CKK_EC, nil
	case *rsa.PublicKey:
		return pkcs11.CKK_RSA, nil
	}
	return 0, fmt.Errorf("use a token's key: a %T is neither ECDSA nor RSA", public)
}

// The beginnings of DigestInfo (RFC 8017 §9.2, note 1), before the digest, and the names that PSS takes.
var hashes = map[crypto.Hash]struct {
	info      []byte
	hash, mgf uint
}{
	crypto.SHA256: {[]byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}, pkcs11.CKM_SHA256, pkcs11.CKG_MGF1_SHA256},
	crypto.SHA384: {[]byte{0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30}, pkcs11.CKM_SHA384, pkcs11.CKG_MGF1_SHA384},
	crypto.SHA512: {[]byte{0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40}, pkcs11.CKM_SHA512, pkcs11.CKG_MGF1_SHA512},
}

// request puts a digest into the words of PKCS#11. The salt of PSS is always as long as the digest.
func request(public crypto.PublicKey, digest []byte, opts crypto.SignerOpts) (*pkcs11.Mechanism, []byte, error) {
	h, known := hashes[opts.HashFunc()]
	if !known || len(digest) != opts.HashFunc().Size() {
		return nil, nil, fmt.Errorf("sign with a token: %d bytes are no SHA-256, SHA-384 or SHA-512 digest as announced", len(digest))
	}
	if _, ok := public.(*ecdsa.PublicKey); ok {
		return pkcs11.NewMechanism(pkcs11.CKM_ECDSA, nil), digest, nil
	}
	if _, ok := opts.(*rsa.PSSOptions); ok {
		return pkcs11.NewMechanism(pkcs11.CKM_RSA_PKCS_PSS, pkcs11.NewPSSParams(h.hash, h.mgf, uint(len(digest)))), digest, nil
	}
	return pkcs11.NewMechanism(pkcs11.CKM_RSA_PKCS, nil), append(append([]byte(nil), h.info...), digest...), nil
}

// checked puts what a token made into the usual form and verifies it.
func checked(public crypto.PublicKey, digest, made []byte, opts crypto.SignerOpts) ([]byte, error) {
	if pub, ok := public.(*ecdsa.PublicKey); ok {
		size := (pub.Curve.Params().N.BitLen() + 7) / 8
		if len(made) != 2*size {
			return nil, fmt.Errorf("the token made %d bytes in place of %d", len(made), 2*size)
		}
		signature, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(made[:size]), new(big.Int).SetBytes(made[size:])})
		if err != nil {
			return nil, fmt.Errorf("encode the signature: %w", err)
		}
		if !ecdsa.VerifyASN1(pub, digest, signature) {
			return nil, errors.New("the certificate's key does not verify what the token made")
		}
		return signature, nil
	}
	pub, ok := public.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("a %T verifies nothing here", public)
	}
	var err error
	if _, pss := opts.(*rsa.PSSOptions); pss {
		err = rsa.VerifyPSS(pub, opts.HashFunc(), digest, made, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	} else {
		err = rsa.VerifyPKCS1v15(pub, opts.HashFunc(), digest, made)
	}
	if err != nil {
		return nil, fmt.Errorf("the certificate's key does not verify what the token made: %w", err)
	}
	return made, nil
}
