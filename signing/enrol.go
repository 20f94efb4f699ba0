package signing

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"strconv"
	"time"

	"countersign/internal/fault"
	"countersign/signing/key"
)

// EnrolAssurance is the assurance of identity that a certificate of the customer's own asks for.
const EnrolAssurance = 2

// enrolledLife is how long a registered customer's certificate is valid.
const enrolledLife = 3 * 365 * 24 * time.Hour

// Enroller certifies keys that customers keep; *ca.Authority is one.
type Enroller interface {
	IssueToken(pub crypto.PublicKey, holder, holderID string, life time.Duration) ([]*x509.Certificate, error)
	IssueFile(pub crypto.PublicKey, holder, holderID string, life time.Duration) ([]*x509.Certificate, error)
}

// Registry issues certificates to customers who proved at the counter who they are.
type Registry struct {
	Issuer Enroller
	Rand   io.Reader
}

// Enrolment is a customer's request for a certificate.
type Enrolment struct {
	Person Person
	// HolderID is the number as the certificate gives it: CCCD:…, HC:… (key.Match compares it later).
	HolderID string
	// Request is the token's PKCS#10 request, PEM or DER. Without one the house makes the key and hands it out in a file.
	Request    []byte
	Passphrase string // of that file
}

// Enrolled is what the customer gets.
type Enrolled struct {
	Chain     []*x509.Certificate // leaf first
	File      []byte              // PKCS#12, when the house made the key
	Challenge []byte              // what the test signature must be over: the raw bytes, signed with SHA-256
	Tested    bool                // the file's key signed the challenge already
}

// Enrol certifies the customer's key. Its faults are sign.identity, key.passphrase and:
//
//	enrol.request  the request can't be read, or its signature does not show that its sender has the key
//	enrol.key      the key is neither P-256, P-384, P-521 nor RSA of 2048 bits and more
func (r *Registry) Enrol(e Enrolment) (Enrolled, error) {
	if err := e.Person.refuse(EnrolAssurance); err != nil {
		return Enrolled{}, err
	}
	if e.Person.JudgedBy == "" || e.HolderID == "" {
		return Enrolled{}, fault.New(fault.Forbidden, "sign.identity", fault.Args{"has": strconv.Itoa(e.Person.Assurance), "needed": strconv.Itoa(EnrolAssurance)})
	}
	random := make([]byte, 32)
	if _, err := io.ReadFull(r.Rand, random); err != nil {
		return Enrolled{}, fmt.Errorf("draw a challenge: %w", err)
	}
	out := Enrolled{Challenge: append([]byte("countersign test signature "), random...)}
	if len(e.Request) > 0 {
		public, err := RequestedKey(e.Request)
		if err != nil {
			return Enrolled{}, err
		}
		out.Chain, err = r.Issuer.IssueToken(public, e.Person.Name, e.HolderID, enrolledLife)
		return out, err
	}
	digest := sha256.Sum256(out.Challenge)
	var signature []byte
	var err error
	out.File, out.Chain, signature, err = key.HandOut(e.Passphrase, digest[:], func(public crypto.PublicKey) ([]*x509.Certificate, error) {
		return r.Issuer.IssueFile(public, e.Person.Name, e.HolderID, enrolledLife)
	})
	if err != nil {
		return Enrolled{}, err
	}
	out.Tested = true
	return out, CheckTest(out.Chain[0], out.Challenge, signature)
}

// RequestedKey reads the key out of a PKCS#10 request, PEM or DER, that its holder signed. Its faults are enrol.request and
// enrol.key.
func RequestedKey(request []byte) (crypto.PublicKey, error) {
	if block, _ := pem.Decode(request); block != nil {
		request = block.Bytes
	}
	r, err := x509.ParseCertificateRequest(request)
	if err == nil {
		err = r.CheckSignature()
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "enrol.request", nil)
	}
	switch k := r.PublicKey.(type) {
	case *ecdsa.PublicKey:
		if k.Curve.Params().BitSize >= 256 {
			return k, nil
		}
	case *rsa.PublicKey:
		if k.N.BitLen() >= 2048 && k.N.BitLen() <= 8192 {
			return k, nil
		}
	}
	return nil, fault.New(fault.Invalid, "enrol.key", nil)
}

// CheckTest reports with the fault enrol.test that a signature over the challenge was not made by the certificate's key
// (ECDSA in ASN.1 or RSA PKCS #1 v1.5, both with SHA-256).
func CheckTest(cert *x509.Certificate, challenge, signature []byte) error {
	algorithm := x509.ECDSAWithSHA256
	if _, ok := cert.PublicKey.(*rsa.PublicKey); ok {
		algorithm = x509.SHA256WithRSA
	}
	if err := cert.CheckSignature(algorithm, challenge, signature); err != nil {
		return fault.Wrap(err, fault.Invalid, "enrol.test", nil)
	}
	return nil
}
