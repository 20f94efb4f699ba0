// Package tsa proves when a signature existed: RFC 3161 timestamp tokens.
//
// An Authority stamps a message. Local is one in this process, with its own key; Client asks others over HTTP, in
// order. Parse and Token.Verify judge a token; whether its authority is trusted is signing/verify's to say. The
// imprint is always SHA-256 of the message when we ask. Start reading at Authority.
package tsa

import (
	"context"
	"crypto"
	_ "crypto/sha256" // the hashes of imprints
	_ "crypto/sha512"
	"crypto/subtle"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"countersign/signing/cms"
)

// Authority stamps messages, such as signature values.
type Authority interface {
	// Stamp returns the DER token over the SHA-256 of message.
	Stamp(ctx context.Context, message []byte) (token []byte, err error)
}

// ErrToken says that a token is malformed or not about the message. ErrUnproven, which is an ErrToken too, says that
// nothing is wrong in it, but that it proves no time: by its algorithm, or because its certificate is not for that.
var (
	ErrToken    = errors.New("the timestamp token is not acceptable")
	ErrUnproven = fmt.Errorf("%w: it proves no time", ErrToken)
)

func badToken(what string) error { return fmt.Errorf("%w: %s", ErrToken, what) }

var (
	oidSHA256      = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA384      = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	oidSHA512      = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}
	oidExtKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}
)

// Token is a parsed timestamp token.
type Token struct {
	Time    time.Time
	Serial  *big.Int
	Policy  asn1.ObjectIdentifier
	Hash    crypto.Hash
	Imprint []byte
	Nonce   *big.Int // nil when there is none
	// Message is the signed container: its certificates, its signer, whether it is canonical.
	Message *cms.Message
}

// Parse reads a token. It does not check the signature.
func Parse(der []byte) (*Token, error) {
	m, err := cms.Parse(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrToken, err)
	}
	if !m.ContentType.Equal(cms.TSTInfo) || m.Content == nil {
		return nil, badToken("it holds no timestamp")
	}
	if m.Signer == nil {
		return nil, fmt.Errorf("%w: its signer's certificate can't be read", ErrUnproven)
	}
	t := &Token{Message: m}
	if err := t.readInfo(m.Content); err != nil {
		return nil, err
	}
	return t, nil
}

// readInfo reads TSTInfo (RFC 3161 §2.4.2).
func (t *Token) readInfo(der []byte) error {
	in := cryptobyte.String(der)
	var seq, imprint, alg, hashed, at cryptobyte.String
	var version int
	var id asn1.ObjectIdentifier
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1Integer(&version) || version != 1 || !seq.ReadASN1ObjectIdentifier(&t.Policy) {
		return badToken("its version or policy is wrong")
	}
	if !seq.ReadASN1(&imprint, cbasn1.SEQUENCE) || !imprint.ReadASN1(&alg, cbasn1.SEQUENCE) || !alg.ReadASN1ObjectIdentifier(&id) || !imprint.ReadASN1(&hashed, cbasn1.OCTET_STRING) || !imprint.Empty() {
		return badToken("its imprint can't be read")
	}
	if t.Hash = hashOf(id); t.Hash == 0 {
		return fmt.Errorf("%w: its imprint is not SHA-256, SHA-384 or SHA-512", ErrUnproven)
	}
	if len(hashed) != t.Hash.Size() {
		return badToken("its imprint has another length than its hash")
	}
	t.Imprint = hashed
	t.Serial = new(big.Int)
	if !seq.ReadASN1Integer(t.Serial) || !seq.ReadASN1(&at, cbasn1.GeneralizedTime) {
		return badToken("its serial number or time is missing")
	}
	var err error
	if t.Time, err = time.Parse("20060102150405Z", string(at)); err != nil {
		// Fractions of a second have no trailing zeros in DER.
		if t.Time, err = time.Parse("20060102150405.999999999Z", string(at)); err != nil {
			return badToken("its time can't be read")
		}
	}
	return t.readOptional(seq)
}

// readOptional reads what may follow the time: accuracy, ordering, nonce, the authority's name, extensions.
func (t *Token) readOptional(seq cryptobyte.String) error {
	var skip cryptobyte.String
	var present bool
	ok := seq.ReadOptionalASN1(&skip, &present, cbasn1.SEQUENCE) && seq.ReadOptionalASN1(&skip, &present, cbasn1.BOOLEAN)
	if ok && seq.PeekASN1Tag(cbasn1.INTEGER) {
		t.Nonce = new(big.Int)
		ok = seq.ReadASN1Integer(t.Nonce)
	}
	ok = ok && seq.ReadOptionalASN1(&skip, &present, cbasn1.Tag(0).ContextSpecific().Constructed()) &&
		seq.ReadOptionalASN1(&skip, &present, cbasn1.Tag(1).ContextSpecific().Constructed())
	if !ok || !seq.Empty() {
		return badToken("its end can't be read")
	}
	return nil
}

func hashOf(id asn1.ObjectIdentifier) crypto.Hash {
	switch {
	case id.Equal(oidSHA256):
		return crypto.SHA256
	case id.Equal(oidSHA384):
		return crypto.SHA384
	case id.Equal(oidSHA512):
		return crypto.SHA512
	}
	return 0
}

// Verify checks that the token is about message, that its signer made it, and that the signer's certificate is for
// timestamping only, critically so (RFC 3161 §2.3).
func (t *Token) Verify(message []byte) error {
	h := t.Hash.New()
	h.Write(message)
	return t.VerifyDigest(h.Sum(nil))
}

// VerifyDigest is Verify for a message whose digest by the token's hash is known.
func (t *Token) VerifyDigest(digest []byte) error {
	if subtle.ConstantTimeCompare(digest, t.Imprint) != 1 {
		return badToken("it is about something else")
	}
	switch err := t.Message.VerifyContent(); {
	case errors.Is(err, cms.ErrAlgorithm), errors.Is(err, cms.ErrWeak), errors.Is(err, cms.ErrUnnamed):
		return fmt.Errorf("%w: %w", ErrUnproven, err)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrToken, err)
	}
	if !forTimestamping(t.Message.Signer) {
		return fmt.Errorf("%w: its signer's certificate is not for timestamping only", ErrUnproven)
	}
	return nil
}

func forTimestamping(c *x509.Certificate) bool {
	if len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageTimeStamping || len(c.UnknownExtKeyUsage) != 0 {
		return false
	}
	for _, e := range c.Extensions {
		if e.Id.Equal(oidExtKeyUsage) {
			return e.Critical
		}
	}
	return false
}
