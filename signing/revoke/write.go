package revoke

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Request is a question to an OCSP responder about one certificate.
type Request struct {
	Serial *big.Int
	Nonce  []byte // nil for none

	id   []byte // CertID in DER
	hash crypto.Hash
	name []byte
	key  []byte
}

// NewRequest asks about a certificate, with the SHA-1 names that every responder knows.
func NewRequest(cert, issuer *x509.Certificate, nonce []byte) (Request, error) {
	key, err := publicKey(issuer)
	if err != nil {
		return Request{}, fmt.Errorf("ask about %q: %w", cert.Subject.CommonName, err)
	}
	r := Request{Serial: cert.SerialNumber, Nonce: nonce, hash: crypto.SHA1, name: sum(crypto.SHA1, issuer.RawSubject), key: sum(crypto.SHA1, key)}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidSHA1)
			b.AddASN1NULL()
		})
		b.AddASN1OctetString(r.name)
		b.AddASN1OctetString(r.key)
		b.AddASN1BigInt(r.Serial)
	})
	r.id, err = b.Bytes()
	return r, err
}

// Encode returns the request in DER.
func (r Request) Encode() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(r.id) })
			})
			if r.Nonce != nil {
				b.AddASN1(tag2, func(b *cryptobyte.Builder) { addNonce(b, r.Nonce) })
			}
		})
	})
	return b.Bytes()
}

func addNonce(b *cryptobyte.Builder, nonce []byte) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		addExtension(b, oidNonce, func(b *cryptobyte.Builder) { b.AddASN1OctetString(nonce) })
	})
}

func addExtension(b *cryptobyte.Builder, id asn1.ObjectIdentifier, value cryptobyte.BuilderContinuation) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(id)
		b.AddASN1(cbasn1.OCTET_STRING, value)
	})
}

// ParseRequest reads a request about one certificate in DER.
func ParseRequest(der []byte) (Request, error) {
	r := Request{Serial: new(big.Int)}
	in := cryptobyte.String(der)
	var outer, tbs, skip, list, one, element, id, algorithm, name, key, extensions cryptobyte.String
	var present, ok bool
	if len(der) > maxOCSP || !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() || !outer.ReadASN1(&tbs, cbasn1.SEQUENCE) ||
		!tbs.ReadOptionalASN1(&skip, &present, tag0) || !tbs.ReadOptionalASN1(&skip, &present, tag1) || !tbs.ReadASN1(&list, cbasn1.SEQUENCE) {
		return r, malformed("it is no OCSP request")
	}
	if !list.ReadASN1(&one, cbasn1.SEQUENCE) || !list.Empty() || !one.ReadASN1Element(&element, cbasn1.SEQUENCE) {
		return r, malformed("the OCSP request is not about one certificate")
	}
	r.id = element
	if !element.ReadASN1(&id, cbasn1.SEQUENCE) || !id.ReadASN1Element(&algorithm, cbasn1.SEQUENCE) || !id.ReadASN1(&name, cbasn1.OCTET_STRING) ||
		!id.ReadASN1(&key, cbasn1.OCTET_STRING) || !id.ReadASN1Integer(r.Serial) || !id.Empty() {
		return r, malformed("the OCSP request's certificate can't be read")
	}
	if r.hash, ok = hashOf(algorithm); !ok {
		return r, malformed("the hash that names the issuer is neither SHA-1 nor SHA-256")
	}
	r.name, r.key = name, key
	if !tbs.ReadOptionalASN1(&extensions, &present, tag2) || !tbs.Empty() {
		return r, malformed("the OCSP request's end can't be read")
	}
	if !present {
		return r, nil
	}
	return r, readExtensions(extensions, func(id asn1.ObjectIdentifier, value cryptobyte.String) bool {
		var nonce cryptobyte.String
		if id.Equal(oidNonce) && value.ReadASN1(&nonce, cbasn1.OCTET_STRING) && value.Empty() && len(nonce) <= 128 {
			r.Nonce = nonce
		}
		return id.Equal(oidNonce)
	})
}

// For reports whether the request is about a certificate of this issuer.
func (r Request) For(issuer *x509.Certificate) bool {
	key, err := publicKey(issuer)
	return err == nil && string(r.name) == string(sum(r.hash, issuer.RawSubject)) && string(r.key) == string(sum(r.hash, key))
}

// Word is what a responder answers about one certificate.
type Word struct {
	State   State     // Good, Revoked or Unknown
	Revoked time.Time // in the state Revoked
	Reason  int       // NoReason for none
	This    time.Time
	Next    time.Time
	Cutoff  time.Time // since when the status of expired certificates is kept; zero for not at all
}

// Answer signs the answer to the request. The chain holds the responder's certificate when it is not the issuer's own;
// then it is put into the answer.
func (r Request) Answer(w Word, key crypto.Signer, responder *x509.Certificate, embed bool) ([]byte, error) {
	name, err := publicKey(responder)
	if err != nil {
		return nil, fmt.Errorf("answer about certificate %x: %w", r.Serial, err)
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(tag2, func(b *cryptobyte.Builder) { b.AddASN1OctetString(sum(crypto.SHA1, name)) })
		addTime(b, w.This)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { r.addWord(b, w) })
		if r.Nonce != nil {
			b.AddASN1(tag1, func(b *cryptobyte.Builder) { addNonce(b, r.Nonce) })
		}
	})
	tbs, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("answer about certificate %x: %w", r.Serial, err)
	}
	algorithm, err := algorithmOf(key)
	if err != nil {
		return nil, fmt.Errorf("answer about certificate %x: %w", r.Serial, err)
	}
	digest := sha256.Sum256(tbs)
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("answer about certificate %x: %w", r.Serial, err)
	}
	var certs [][]byte
	if embed {
		certs = [][]byte{responder.Raw}
	}
	return wrap(tbs, algorithm, signature, certs)
}

func addTime(b *cryptobyte.Builder, at time.Time) {
	b.AddASN1GeneralizedTime(at.UTC().Truncate(time.Second))
}

// addWord writes SingleResponse.
func (r Request) addWord(b *cryptobyte.Builder, w Word) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(r.id)
		switch w.State {
		case Good:
			b.AddASN1(tagGood, func(*cryptobyte.Builder) {})
		case Revoked:
			b.AddASN1(tag1, func(b *cryptobyte.Builder) {
				addTime(b, w.Revoked)
				if w.Reason != NoReason {
					b.AddASN1(tag0, func(b *cryptobyte.Builder) { b.AddASN1Enum(int64(w.Reason)) })
				}
			})
		default:
			b.AddASN1(tagUnknown, func(*cryptobyte.Builder) {})
		}
		addTime(b, w.This)
		if !w.Next.IsZero() {
			b.AddASN1(tag0, func(b *cryptobyte.Builder) { addTime(b, w.Next) })
		}
		if !w.Cutoff.IsZero() {
			b.AddASN1(tag1, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					addExtension(b, oidCutoff, func(b *cryptobyte.Builder) { addTime(b, w.Cutoff) })
				})
			})
		}
	})
}

func algorithmOf(key crypto.Signer) ([]byte, error) {
	var want x509.SignatureAlgorithm
	switch key.Public().(type) {
	case *ecdsa.PublicKey:
		want = x509.ECDSAWithSHA256
	case *rsa.PublicKey:
		want = x509.SHA256WithRSA
	default:
		return nil, fmt.Errorf("keys of type %T are not supported", key.Public())
	}
	for id, a := range algorithms {
		if a == want {
			return []byte(id), nil
		}
	}
	return nil, fmt.Errorf("algorithm %s is not supported", want)
}

func wrap(tbs, algorithm, signature []byte, certs [][]byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Enum(successful)
		b.AddASN1(tag0, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidBasic)
				b.AddASN1(cbasn1.OCTET_STRING, func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddBytes(tbs)
						b.AddBytes(algorithm)
						b.AddASN1BitString(signature)
						if len(certs) > 0 {
							b.AddASN1(tag0, func(b *cryptobyte.Builder) {
								b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
									for _, c := range certs {
										b.AddBytes(c)
									}
								})
							})
						}
					})
				})
			})
		})
	})
	return b.Bytes()
}

// Refusal is the answer without a word that a responder gives (RFC 6960 §4.2.1): 1 malformed request, 2 internal error,
// 6 unauthorized, for certificates that are not its own.
func Refusal(status byte) []byte { return []byte{0x30, 3, 0x0a, 1, status} }
