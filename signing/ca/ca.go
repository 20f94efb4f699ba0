// Package ca is the organisation's certificate authority: a root, an issuing authority below it, and the
// certificates that a counter needs.
//
// Every certificate that it issues says what it is for in a private, non-critical extension (Mark), so that a
// verification report can call a one-off OTP signature, a seal and a clerk's counter signature by their names. It
// creates keys only for authorities and hands them out as crypto.Signer; keeping keys is signing/key's duty. Names
// in certificates are public: a holder's id must arrive masked or salted, except in a certificate that customers ask for
// themselves (IssueToken, IssueFile): there it is whole, as in those of public authorities. Start reading at NewRoot and Mark.
package ca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"
	"time"

	"countersign/internal/clock"
)

// Lives of the authorities' own certificates.
const (
	rootLife    = 20 * 365 * 24 * time.Hour
	issuingLife = 10 * 365 * 24 * time.Hour
)

// Skew is how far before its issue a certificate becomes valid, for a timestamp authority whose clock is behind.
const Skew = time.Minute

// Authority issues certificates.
type Authority struct {
	// Certificate is the authority's own.
	Certificate *x509.Certificate
	// Above holds the authorities above this one, nearest first, without the root.
	Above []*x509.Certificate

	key    crypto.Signer
	clock  clock.Clock
	rand   io.Reader
	points Points
}

// NewRoot makes a self-signed root with a new P-256 key.
func NewRoot(name pkix.Name, c clock.Clock, rand io.Reader) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand)
	if err != nil {
		return nil, fmt.Errorf("make a key for the root %q: %w", name.CommonName, err)
	}
	a := &Authority{key: key, clock: c, rand: rand}
	template := authorityTemplate(name, 1)
	cert, err := a.issue(template, template, key.Public(), rootLife)
	if err != nil {
		return nil, fmt.Errorf("make the root %q: %w", name.CommonName, err)
	}
	a.Certificate = cert
	return a, nil
}

// NewIssuing makes an authority with a new P-256 key below the receiver, for end certificates only.
func (a *Authority) NewIssuing(name pkix.Name) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), a.rand)
	if err != nil {
		return nil, fmt.Errorf("make a key for the authority %q: %w", name.CommonName, err)
	}
	cert, err := a.issue(authorityTemplate(name, 0), a.Certificate, key.Public(), issuingLife)
	if err != nil {
		return nil, fmt.Errorf("make the authority %q: %w", name.CommonName, err)
	}
	below := &Authority{Certificate: cert, key: key, clock: a.clock, rand: a.rand}
	if string(a.Certificate.RawIssuer) != string(a.Certificate.RawSubject) {
		below.Above = append([]*x509.Certificate{a.Certificate}, a.Above...)
	}
	return below, nil
}

// Open returns the authority with a kept certificate and key; above is nearest first, without the root.
func Open(cert *x509.Certificate, above []*x509.Certificate, key crypto.Signer, c clock.Clock, rand io.Reader) (*Authority, error) {
	pub, ok := cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	if !cert.IsCA || !ok || !pub.Equal(key.Public()) {
		return nil, fmt.Errorf("open the authority %q: the certificate is not an authority's, or the key is another's", cert.Subject.CommonName)
	}
	return &Authority{Certificate: cert, Above: above, key: key, clock: c, rand: rand}, nil
}

// Key returns the authority's private key, to be kept by signing/key.
func (a *Authority) Key() crypto.Signer { return a.key }

// Chain returns what an issued certificate needs below the root: the authority and those above it.
func (a *Authority) Chain() []*x509.Certificate {
	if string(a.Certificate.RawIssuer) == string(a.Certificate.RawSubject) {
		return nil
	}
	return append([]*x509.Certificate{a.Certificate}, a.Above...)
}

func authorityTemplate(name pkix.Name, below int) *x509.Certificate {
	return &x509.Certificate{
		Subject: name, IsCA: true, BasicConstraintsValid: true,
		MaxPathLen: below, MaxPathLenZero: below == 0,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}

// issue fills serial, validity and key ids, and signs.
func (a *Authority) issue(template, parent *x509.Certificate, pub crypto.PublicKey, life time.Duration) (*x509.Certificate, error) {
	serial, err := newSerial(a.rand)
	if err != nil {
		return nil, err
	}
	now := a.clock.Now().UTC().Truncate(time.Second)
	template.SerialNumber = serial
	template.NotBefore = now.Add(-Skew)
	template.NotAfter = now.Add(life)
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, err
	}
	id := sha256.Sum256(der)
	template.SubjectKeyId = id[:20]
	template.OCSPServer, template.CRLDistributionPoints = a.points.OCSP, a.points.CRL
	if raw, err := x509.CreateCertificate(a.rand, template, parent, pub, a.key); err != nil {
		return nil, err
	} else if cert, err := x509.ParseCertificate(raw); err != nil {
		return nil, err
	} else {
		return cert, nil
	}
}

// newSerial draws a positive serial number of 127 bits at most (RFC 5280 §4.1.2.2).
func newSerial(rand io.Reader) (*big.Int, error) {
	b := make([]byte, 16)
	if _, err := io.ReadFull(rand, b); err != nil {
		return nil, fmt.Errorf("draw a serial number: %w", err)
	}
	b[0] = b[0]&0x7f | 0x40
	return new(big.Int).SetBytes(b), nil
}

// chain issues an end certificate and returns it before the receiver's chain.
func (a *Authority) chain(template *x509.Certificate, pub crypto.PublicKey, life time.Duration) ([]*x509.Certificate, error) {
	if life <= 0 {
		return nil, fmt.Errorf("issue a certificate for %q: its life of %v is not positive", template.Subject.CommonName, life)
	}
	if end := a.clock.Now().Add(life); end.After(a.Certificate.NotAfter) {
		return nil, fmt.Errorf("issue a certificate for %q: it would outlive the authority, which ends on %s", template.Subject.CommonName, a.Certificate.NotAfter.Format(time.DateOnly))
	}
	template.BasicConstraintsValid = true
	cert, err := a.issue(template, a.Certificate, pub, life)
	if err != nil {
		return nil, fmt.Errorf("issue a certificate for %q: %w", template.Subject.CommonName, err)
	}
	return append([]*x509.Certificate{cert}, a.Chain()...), nil
}

func extension(id asn1.ObjectIdentifier, critical bool, value any) (pkix.Extension, error) {
	der, err := asn1.Marshal(value)
	return pkix.Extension{Id: id, Critical: critical, Value: der}, err
}
