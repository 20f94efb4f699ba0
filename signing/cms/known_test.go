package cms

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"math/big"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// encoded is the DER of an ECDSA signature.
func encoded(t testing.TB, r, s *big.Int) []byte {
	t.Helper()
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(r)
		b.AddASN1BigInt(s)
	})
	der, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestAKnownKeyJudgesAsTheStandardLibraryDoes(t *testing.T) {
	n := elliptic.P256().Params().N
	one := big.NewInt(1)
	for round := range 8 {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		known, err := newKnownKey(&key.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		other := sha256.Sum256([]byte("another"))
		good := 0
		for i := range 64 {
			digest := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(round*64+i)))
			sig, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
			if err != nil {
				t.Fatal(err)
			}
			r, s, _ := readECDSA(sig)
			bit := new(big.Int).Lsh(one, uint(4*i))
			for name, c := range map[string]struct {
				digest [32]byte
				r, s   *big.Int
			}{
				"itself":             {digest, r, s},
				"the other half":     {digest, r, new(big.Int).Sub(n, s)},
				"another digest":     {other, r, s},
				"a digest of zeros":  {[32]byte{}, r, s},
				"r is 0":             {digest, new(big.Int), s},
				"s is 0":             {digest, r, new(big.Int)},
				"both are 0":         {digest, new(big.Int), new(big.Int)},
				"r is n":             {digest, n, s},
				"s is n":             {digest, r, n},
				"r is more than n":   {digest, new(big.Int).Add(r, n), s},
				"s is more than n":   {digest, r, new(big.Int).Add(s, n)},
				"r is negative":      {digest, new(big.Int).Neg(r), s},
				"s is negative":      {digest, r, new(big.Int).Neg(s)},
				"both are 1":         {digest, one, one},
				"a bit of r flipped": {digest, new(big.Int).Xor(r, bit), s},
				"a bit of s flipped": {digest, r, new(big.Int).Xor(s, bit)},
				"exchanged":          {digest, s, r},
			} {
				der := encoded(t, c.r, c.s)
				want := ecdsa.VerifyASN1(&key.PublicKey, c.digest[:], der)
				if got := known.verify(c.digest, der); got != want {
					t.Errorf("%s: it says %v, the standard library %v", name, got, want)
				}
				if want {
					good++
				}
			}
		}
		if good != 2*64 {
			t.Errorf("%d signatures hold, want each and its other half", good)
		}
	}
}

// TestAKnownKeyReadsEveryWindow holds the table and the digits to signatures that can be computed: with e = 0 and
// r the x of k·Q, the pair (r, r/k) holds for each k.
func TestAKnownKeyReadsEveryWindow(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	known, err := newKnownKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	n := elliptic.P256().Params().N
	for bit := range 256 {
		k := new(big.Int).Lsh(big.NewInt(1), uint(bit))
		for _, k := range []*big.Int{k, new(big.Int).Sub(k, big.NewInt(1)), new(big.Int).Sub(n, k)} {
			if k.Sign() == 0 {
				continue
			}
			x := timesPublic(t, key, k)
			r := new(big.Int).Mod(x, n)
			s := new(big.Int).Mod(new(big.Int).Mul(r, new(big.Int).ModInverse(k, n)), n)
			der := encoded(t, r, s)
			if !ecdsa.VerifyASN1(&key.PublicKey, make([]byte, 32), der) {
				t.Fatalf("k = %x: the standard library does not hold it", k)
			}
			if !known.verify([32]byte{}, der) {
				t.Errorf("k = %x is refused", k)
			}
		}
	}
}

// timesPublic returns x of k·Q, by the private number: k·d·G.
func timesPublic(t *testing.T, key *ecdsa.PrivateKey, k *big.Int) *big.Int {
	t.Helper()
	raw, err := key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	n := elliptic.P256().Params().N
	kd := new(big.Int).Mul(k, new(big.Int).SetBytes(raw))
	point, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), kd.Mod(kd, n).FillBytes(make([]byte, 32)))
	if err != nil {
		t.Fatal(err)
	}
	public, err := point.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return new(big.Int).SetBytes(public[1:33])
}

func FuzzKnownKey(f *testing.F) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	known, err := newKnownKey(&key.PublicKey)
	if err != nil {
		f.Fatal(err)
	}
	sig, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(digest[:], sig)
	f.Fuzz(func(t *testing.T, d, sig []byte) {
		if len(d) != 32 {
			return
		}
		if got, want := known.verify([32]byte(d), sig), ecdsa.VerifyASN1(&key.PublicKey, d, sig); got != want {
			t.Errorf("%x over %x: it says %v, the standard library %v", sig, d, got, want)
		}
	})
}

func BenchmarkKnownKey(b *testing.B) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	sig, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		b.Fatal(err)
	}
	known, err := newKnownKey(&key.PublicKey)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("check", func(b *testing.B) {
		for b.Loop() {
			if !known.verify(digest, sig) {
				b.Fatal("it does not hold")
			}
		}
	})
	b.Run("standard library", func(b *testing.B) {
		for b.Loop() {
			if !ecdsa.VerifyASN1(&key.PublicKey, digest[:], sig) {
				b.Fatal("it does not hold")
			}
		}
	})
	b.Run("table", func(b *testing.B) {
		for b.Loop() {
			if _, err := newKnownKey(&key.PublicKey); err != nil {
				b.Fatal(err)
			}
		}
	})
}
