package cms

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"math/big"

	"filippo.io/nistec"
)

// A scalar is read in windows of so many bits.
const (
	windowBits = 6
	windows    = (256 + windowBits - 1) / windowBits
)

// knownKey checks signatures of one P-256 key in half the time of crypto/ecdsa, because what takes it longest, multiplying
// the public point, is looked up: steps[i][d-1] is the point times d·64^i. The arithmetic on points is that of the standard
// library, which filippo.io/nistec exports. Everything here is public, so nothing needs to take the same time always.
type knownKey struct {
	steps [windows][1<<windowBits - 1]nistec.P256Point
}

// newKnownKey computes the table, a quarter of a mebibyte, in the time of about twenty checks.
func newKnownKey(pub *ecdsa.PublicKey) (*knownKey, error) {
	raw, err := pub.Bytes()
	if err != nil {
		return nil, err
	}
	at, err := nistec.NewP256Point().SetBytes(raw)
	if err != nil {
		return nil, err
	}
	k := &knownKey{}
	for i := range k.steps {
		row := &k.steps[i]
		row[0].Set(at)
		for d := 1; d < len(row); d++ {
			row[d].Add(&row[d-1], at)
		}
		at.Add(&row[len(row)-1], at)
	}
	return k, nil
}

// verify reports whether sig is the key's signature over a SHA-256 digest (FIPS 186-5 §6.4.2).
func (k *knownKey) verify(digest [32]byte, sig []byte) bool {
	n := elliptic.P256().Params().N
	r, s, ok := readECDSA(sig)
	if !ok || r.Sign() <= 0 || s.Sign() <= 0 || r.Cmp(n) >= 0 || s.Cmp(n) >= 0 {
		return false
	}
	inverse := new(big.Int).ModInverse(s, n)
	var u1, u2 [32]byte
	e := new(big.Int).SetBytes(digest[:])
	e.Mod(e.Mul(e, inverse), n).FillBytes(u1[:])
	inverse.Mod(inverse.Mul(inverse, r), n).FillBytes(u2[:])
	sum, err := nistec.NewP256Point().ScalarBaseMult(u1[:])
	if err != nil {
		return false
	}
	for i := range k.steps {
		if d := window(&u2, i); d > 0 {
			sum.Add(sum, &k.steps[i][d-1])
		}
	}
	raw, err := sum.BytesX() // an error at infinity
	if err != nil {
		return false
	}
	x := new(big.Int).SetBytes(raw)
	return x.Mod(x, n).Cmp(r) == 0
}

// window returns the i-th digit of a big-endian number, the lowest first.
func window(scalar *[32]byte, i int) int {
	bit := i * windowBits
	at := len(scalar) - 1 - bit/8
	digit := int(scalar[at]) >> (bit % 8)
	if bit%8+windowBits > 8 && at > 0 {
		digit |= int(scalar[at-1]) << (8 - bit%8)
	}
	return digit & (1<<windowBits - 1)
}
