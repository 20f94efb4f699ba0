package tsa

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"countersign/internal/clock"
	"countersign/signing/ca"
	"countersign/signing/cms"
)

// Local is a timestamp authority in this process. Several goroutines may use it at once when its key and its
// source of randomness allow that.
type Local struct {
	key   crypto.Signer
	chain []*x509.Certificate
	clock clock.Clock
	rand  io.Reader
}

// NewLocal returns an authority that stamps with the given key by the given clock; rand gives the serial numbers.
// The chain is leaf first; the leaf must be for timestamping only.
func NewLocal(key crypto.Signer, chain []*x509.Certificate, c clock.Clock, rand io.Reader) (*Local, error) {
	if len(chain) == 0 || !forTimestamping(chain[0]) {
		return nil, errors.New("make a timestamp authority: its certificate is not for timestamping only")
	}
	return &Local{key: key, chain: chain, clock: c, rand: rand}, nil
}

// Stamp returns a token over the SHA-256 of message.
func (l *Local) Stamp(ctx context.Context, message []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("stamp: %w", err)
	}
	digest := sha256.Sum256(message)
	return l.token(request{algorithm: oidSHA256, imprint: digest[:], certificates: true})
}

// token makes the token that a request asks for.
func (l *Local) token(r request) ([]byte, error) {
	serial := make([]byte, 16)
	if _, err := io.ReadFull(l.rand, serial); err != nil {
		return nil, fmt.Errorf("draw a serial number: %w", err)
	}
	serial[0] = serial[0]&0x7f | 0x40
	info, err := tstInfo(r, new(big.Int).SetBytes(serial), l.clock)
	if err != nil {
		return nil, fmt.Errorf("write a timestamp: %w", err)
	}
	return cms.SignContent(cms.TSTInfo, info, l.key, l.chain)
}

// tstInfo encodes TSTInfo with an accuracy of one second.
func tstInfo(r request, serial *big.Int, c clock.Clock) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1ObjectIdentifier(ca.TimestampPolicy)
		addImprint(b, r.algorithm, r.imprint)
		b.AddASN1BigInt(serial)
		b.AddASN1(cbasn1.GeneralizedTime, func(b *cryptobyte.Builder) {
			b.AddBytes([]byte(c.Now().UTC().Format("20060102150405Z")))
		})
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1Int64(1) })
		if r.nonce != nil {
			b.AddASN1BigInt(r.nonce)
		}
	})
	return b.Bytes()
}

func addImprint(b *cryptobyte.Builder, algorithm asn1.ObjectIdentifier, imprint []byte) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(algorithm) })
		b.AddASN1OctetString(imprint)
	})
}
