package key

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"hash"
	"slices"
	"unicode/utf16"

	"golang.org/x/crypto/scrypt"
)

const (
	// mostRounds bounds the work that one whole key file may ask for, in rounds of a hash: a few seconds.
	mostRounds = 4_000_000
	// mostScrypt bounds the memory that it may ask for, in bytes.
	mostScrypt = 256 << 20
)

var (
	// errPassphrase says that a passphrase does not decrypt.
	errPassphrase = errors.New("the passphrase is not the right one")
	// errAltered says that a key file is not as it was made.
	errAltered = errors.New("the key file is damaged")
)

// unknownError says that a key file is protected in a way that is not read here.
type unknownError struct{ what string }

func (e unknownError) Error() string { return "not supported: " + e.what }

// Object identifiers of RFC 8018, RFC 7914, RFC 7292 and NIST.
var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidScrypt = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 4, 11}
)

// digests are the hash functions of PBKDF2 (by the name of their HMAC) and of PKCS#12 (by their own).
var digests = map[string]func() hash.Hash{
	"1.2.840.113549.2.7": sha1.New, "1.3.14.3.2.26": sha1.New,
	"1.2.840.113549.2.9": sha256.New, "2.16.840.1.101.3.4.2.1": sha256.New,
	"1.2.840.113549.2.10": sha512.New384, "2.16.840.1.101.3.4.2.2": sha512.New384,
	"1.2.840.113549.2.11": sha512.New, "2.16.840.1.101.3.4.2.3": sha512.New,
}

// ciphers are the encryption schemes of PBES2, all in CBC mode.
var ciphers = map[string]struct {
	size int
	make func([]byte) (cipher.Block, error)
}{
	"2.16.840.1.101.3.4.1.2":  {16, aes.NewCipher},
	"2.16.840.1.101.3.4.1.22": {24, aes.NewCipher},
	"2.16.840.1.101.3.4.1.42": {32, aes.NewCipher},
	"1.2.840.113549.3.7":      {24, des.NewTripleDESCipher},
}

// oldSchemes are those of PKCS#12 before PBES2 (RFC 7292 §C): read, because people have such files, never written.
var oldSchemes = map[string]struct {
	size int
	make func([]byte) (cipher.Block, error)
}{
	"1.2.840.113549.1.12.1.3": {24, des.NewTripleDESCipher},
	"1.2.840.113549.1.12.1.5": {16, newRC2},
	"1.2.840.113549.1.12.1.6": {5, newRC2},
}

// lock is what one key file's passphrase opens, and how much work may still be done for it.
type lock struct {
	passphrase []byte
	rounds     int
}

// spend takes work off what may be done; a file that asks for more than that was not made to be opened.
func (l *lock) spend(rounds int) error {
	if rounds < 1 || rounds > l.rounds {
		return errAltered
	}
	l.rounds -= rounds
	return nil
}

// decrypt opens what a passphrase protects. That the padding is right makes a wrong passphrase unlikely, not impossible:
// who calls looks at what came out.
func (l *lock) decrypt(algorithm pkix.AlgorithmIdentifier, data []byte) ([]byte, error) {
	if algorithm.Algorithm.Equal(oidPBES2) {
		return l.pbes2(algorithm.Parameters.FullBytes, data)
	}
	scheme, ok := oldSchemes[algorithm.Algorithm.String()]
	if !ok {
		return nil, unknownError{"encryption " + algorithm.Algorithm.String()}
	}
	var p struct {
		Salt   []byte
		Rounds int
	}
	if err := whole(algorithm.Parameters.FullBytes, &p); err != nil {
		return nil, errAltered
	}
	// Key and initial value are derived apart, the key in up to two blocks.
	if p.Rounds > mostRounds || l.spend(3*p.Rounds) != nil {
		return nil, errAltered
	}
	text := bmp(l.passphrase)
	defer clear(text)
	key := derive12(sha1.New, 1, text, p.Salt, p.Rounds, scheme.size)
	defer clear(key)
	block, err := scheme.make(key)
	if err != nil {
		return nil, err
	}
	return unpad(block, derive12(sha1.New, 2, text, p.Salt, p.Rounds, block.BlockSize()), data)
}

// pbes2 decrypts by RFC 8018 §6.2.
func (l *lock) pbes2(parameters, data []byte) ([]byte, error) {
	var p struct{ KDF, Scheme pkix.AlgorithmIdentifier }
	if err := whole(parameters, &p); err != nil {
		return nil, errAltered
	}
	scheme, ok := ciphers[p.Scheme.Algorithm.String()]
	if !ok {
		return nil, unknownError{"cipher " + p.Scheme.Algorithm.String()}
	}
	var iv []byte
	if err := whole(p.Scheme.Parameters.FullBytes, &iv); err != nil {
		return nil, errAltered
	}
	key, err := l.derive(p.KDF, scheme.size)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	block, err := scheme.make(key)
	if err != nil {
		return nil, err
	}
	return unpad(block, iv, data)
}

// derive makes a key of a passphrase by PBKDF2 or scrypt.
func (l *lock) derive(kdf pkix.AlgorithmIdentifier, size int) ([]byte, error) {
	switch {
	case kdf.Algorithm.Equal(oidPBKDF2):
		var p struct {
			Salt   []byte
			Rounds int
			Size   int                      `asn1:"optional"`
			PRF    pkix.AlgorithmIdentifier `asn1:"optional"`
		}
		if err := whole(kdf.Parameters.FullBytes, &p); err != nil || p.Size != 0 && p.Size != size {
			return nil, errAltered
		}
		if err := l.spend(p.Rounds); err != nil {
			return nil, err
		}
		prf := sha1.New
		if p.PRF.Algorithm != nil {
			var ok bool
			if prf, ok = digests[p.PRF.Algorithm.String()]; !ok {
				return nil, unknownError{"PBKDF2 with " + p.PRF.Algorithm.String()}
			}
		}
		// The library wants a string, which can't be wiped; the copy is gone with the next garbage collection.
		return pbkdf2.Key(prf, string(l.passphrase), p.Salt, p.Rounds, size)
	case kdf.Algorithm.Equal(oidScrypt):
		var p struct {
			Salt    []byte
			N, R, P int
			Size    int `asn1:"optional"`
		}
		err := whole(kdf.Parameters.FullBytes, &p)
		if err != nil || p.N < 2 || p.R < 1 || p.P < 1 || p.P > 16 || p.R > 1024 || p.N > mostScrypt/(128*p.R) || p.Size != 0 && p.Size != size {
			return nil, errAltered
		}
		if err := l.spend(p.N * p.R * p.P); err != nil {
			return nil, err
		}
		key, err := scrypt.Key(l.passphrase, p.Salt, p.N, p.R, p.P, size)
		if err != nil {
			return nil, errAltered
		}
		return key, nil
	}
	return nil, unknownError{"key derivation " + kdf.Algorithm.String()}
}

// derive12 is the derivation of PKCS#12 (RFC 7292 §B.2) for a purpose: 1 keys, 2 initial values, 3 MAC keys.
func derive12(h func() hash.Hash, purpose byte, passphrase, salt []byte, rounds, size int) []byte {
	d := h()
	v := d.BlockSize()
	fill := func(s []byte) []byte {
		if len(s) == 0 {
			return nil
		}
		out := make([]byte, (len(s)+v-1)/v*v)
		for i := range out {
			out[i] = s[i%len(s)]
		}
		return out
	}
	state := append(fill(salt), fill(passphrase)...)
	defer clear(state)
	start := slices.Repeat([]byte{purpose}, v)
	var out []byte
	for len(out) < size {
		d.Reset()
		d.Write(start)
		d.Write(state)
		a := d.Sum(nil)
		for range rounds - 1 {
			d.Reset()
			d.Write(a)
			a = d.Sum(a[:0])
		}
		out = append(out, a...)
		// Each block of the state grows by the block that a repeats to, and by one.
		for at := 0; at < len(state); at += v {
			carry := 1
			for i := v - 1; i >= 0; i-- {
				carry += int(state[at+i]) + int(a[i%len(a)])
				state[at+i] = byte(carry)
				carry >>= 8
			}
		}
	}
	return out[:size]
}

// bmp is a passphrase as PKCS#12 wants it: UTF-16 with two zeros behind.
func bmp(passphrase []byte) []byte {
	// The runes are a copy that the garbage collector takes.
	out := make([]byte, 0, 2*len(passphrase)+2)
	for _, r := range string(passphrase) {
		for _, unit := range utf16.Encode([]rune{r}) {
			out = append(out, byte(unit>>8), byte(unit))
		}
	}
	return append(out, 0, 0)
}

// unpad decrypts in CBC mode and takes the padding off.
func unpad(block cipher.Block, iv, data []byte) ([]byte, error) {
	size := block.BlockSize()
	if len(iv) != size || len(data) == 0 || len(data)%size != 0 {
		return nil, errAltered
	}
	out := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(out, data)
	n := int(out[len(out)-1])
	if n < 1 || n > size {
		clear(out)
		return nil, errPassphrase
	}
	for _, b := range out[len(out)-n:] {
		if int(b) != n {
			clear(out)
			return nil, errPassphrase
		}
	}
	return out[:len(out)-n], nil
}

// mac12 checks the MAC of a PKCS#12 file.
func (l *lock) mac12(m macData, content []byte) (bool, error) {
	h, ok := digests[m.Mac.Algorithm.Algorithm.String()]
	if !ok {
		return false, unknownError{"MAC " + m.Mac.Algorithm.Algorithm.String()}
	}
	if err := l.spend(m.Rounds); err != nil {
		return false, err
	}
	text := bmp(l.passphrase)
	defer clear(text)
	key := derive12(h, 3, text, m.Salt, m.Rounds, h().Size())
	defer clear(key)
	sum := hmac.New(h, key)
	sum.Write(content)
	return hmac.Equal(sum.Sum(nil), m.Mac.Digest), nil
}

// whole decodes DER of which nothing may be left over.
func whole(der []byte, into any) error {
	rest, err := asn1.Unmarshal(der, into)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes too many", len(rest))
	}
	return err
}
