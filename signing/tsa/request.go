package tsa

import (
	"bytes"
	"encoding/asn1"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"countersign/signing/ca"
)

// request is a TimeStampReq (RFC 3161 §2.4.1).
type request struct {
	algorithm    asn1.ObjectIdentifier
	imprint      []byte
	policy       asn1.ObjectIdentifier // nil when any will do
	nonce        *big.Int
	certificates bool
}

func (r request) encode() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		addImprint(b, r.algorithm, r.imprint)
		if r.policy != nil {
			b.AddASN1ObjectIdentifier(r.policy)
		}
		if r.nonce != nil {
			b.AddASN1BigInt(r.nonce)
		}
		if r.certificates {
			b.AddASN1Boolean(true)
		}
	})
	return b.Bytes()
}

func readRequest(der []byte) (request, failure) {
	var r request
	in := cryptobyte.String(der)
	var seq, imprint, alg, hashed cryptobyte.String
	var version int
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1Integer(&version) || version != 1 {
		return r, badFormat
	}
	if !seq.ReadASN1(&imprint, cbasn1.SEQUENCE) || !imprint.ReadASN1(&alg, cbasn1.SEQUENCE) || !alg.ReadASN1ObjectIdentifier(&r.algorithm) || !imprint.ReadASN1(&hashed, cbasn1.OCTET_STRING) || !imprint.Empty() {
		return r, badFormat
	}
	hash := hashOf(r.algorithm)
	if hash == 0 {
		return r, badAlgorithm
	}
	if len(hashed) != hash.Size() {
		return r, badFormat
	}
	r.imprint = hashed
	if seq.PeekASN1Tag(cbasn1.OBJECT_IDENTIFIER) {
		if !seq.ReadASN1ObjectIdentifier(&r.policy) {
			return r, badFormat
		}
		if !r.policy.Equal(ca.TimestampPolicy) {
			return r, badPolicy
		}
	}
	if seq.PeekASN1Tag(cbasn1.INTEGER) {
		r.nonce = new(big.Int)
		if !seq.ReadASN1Integer(r.nonce) {
			return r, badFormat
		}
	}
	if seq.PeekASN1Tag(cbasn1.BOOLEAN) && !seq.ReadASN1Boolean(&r.certificates) {
		return r, badFormat
	}
	if !seq.Empty() {
		return r, badExtension
	}
	return r, accepted
}

// failure is a bit of PKIFailureInfo (RFC 3161 §2.4.2); accepted is none.
type failure int

const (
	accepted     failure = -1
	badAlgorithm failure = 0
	badFormat    failure = 5
	badPolicy    failure = 15
	badExtension failure = 16
	broken       failure = 25
)

// encodeResponse encodes a TimeStampResp: the token when granted, else the failure.
func encodeResponse(token []byte, f failure) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			if f == accepted {
				b.AddASN1Int64(0)
				return
			}
			b.AddASN1Int64(2)
			bits := make([]byte, int(f)/8+1)
			bits[f/8] = 0x80 >> (f % 8)
			b.AddASN1(cbasn1.BIT_STRING, func(b *cryptobyte.Builder) {
				b.AddUint8(uint8(7 - f%8))
				b.AddBytes(bits)
			})
		})
		b.AddBytes(token)
	})
	return b.BytesOrPanic()
}

// readResponse returns the token of a granted response.
func readResponse(der []byte) ([]byte, error) {
	in := cryptobyte.String(der)
	var seq, status, token cryptobyte.String
	var code int
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1(&status, cbasn1.SEQUENCE) || !status.ReadASN1Integer(&code) {
		return nil, badToken("the response can't be read")
	}
	if code != 0 && code != 1 {
		return nil, fmt.Errorf("the authority refused the request with status %d", code)
	}
	if !seq.ReadASN1Element(&token, cbasn1.SEQUENCE) || !seq.Empty() {
		return nil, badToken("the response holds no token")
	}
	return bytes.Clone(token), nil
}
