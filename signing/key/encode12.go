package key

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"io"
)

const (
	// pbkdf2Rounds and macRounds are the work that a guess at our files' passphrases costs.
	pbkdf2Rounds = 600_000
	macRounds    = 100_000
)

var (
	oidHMACSHA256 = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}
	oidSHA256     = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidAES256CBC  = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}
	oidLocalKeyID = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 21}
)

// EncodeFile makes a PKCS#12 file of a key and its certificates, the key's own first: PBES2 with AES-256 and PBKDF2, a MAC
// with SHA-256, as OpenSSL 3 makes them. It is how a certificate is handed to its holder in a file.
func EncodeFile(private crypto.Signer, chain []*x509.Certificate, passphrase []byte, rand io.Reader) ([]byte, error) {
	if len(chain) == 0 || len(passphrase) == 0 {
		return nil, fmt.Errorf("make a key file: %d certificates, a passphrase of %d bytes", len(chain), len(passphrase))
	}
	w := writer12{passphrase: passphrase, rand: rand}
	plain, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("make a key file: %w", err)
	}
	defer clear(plain)
	name := sha1.Sum(chain[0].Raw)
	mine := []asn1.RawValue{w.raw(w.der(struct {
		ID     asn1.ObjectIdentifier
		Values []asn1.RawValue `asn1:"set"`
	}{oidLocalKeyID, []asn1.RawValue{w.raw(w.der(name[:]))}}))}
	keys := w.der([]any{w.bag(oidShroudedBag, w.shroud(plain), mine)})
	var certs []any
	for i, c := range chain {
		value := w.der(struct {
			Type asn1.ObjectIdentifier
			Data []byte `asn1:"tag:0,explicit"`
		}{oidX509, c.Raw})
		attributes := mine
		if i > 0 {
			attributes = nil
		}
		certs = append(certs, w.bag(oidCertBag, value, attributes))
	}
	content := w.der([]any{w.encrypted(w.der(certs)), w.data(keys)})
	file := w.der(struct {
		Version  int
		AuthSafe any
		Mac      macData
	}{3, w.data(content), w.mac(content)})
	if w.err != nil {
		return nil, fmt.Errorf("make a key file: %w", w.err)
	}
	return file, nil
}

// writer12 keeps the first failure, so that a file is written in one go.
type writer12 struct {
	passphrase []byte
	rand       io.Reader
	err        error
}

func (w *writer12) der(v any) []byte {
	out, err := asn1.Marshal(v)
	if w.err == nil {
		w.err = err
	}
	return out
}

func (w *writer12) random(n int) []byte {
	out := make([]byte, n)
	if _, err := io.ReadFull(w.rand, out); w.err == nil {
		w.err = err
	}
	return out
}

func (w *writer12) raw(der []byte) asn1.RawValue { return asn1.RawValue{FullBytes: der} }

// explicit puts [0] around a value.
func (w *writer12) explicit(der []byte) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: der}
}

func (w *writer12) bag(id asn1.ObjectIdentifier, value []byte, attributes []asn1.RawValue) any {
	return struct {
		ID         asn1.ObjectIdentifier
		Value      asn1.RawValue
		Attributes []asn1.RawValue `asn1:"set,optional,omitempty"`
	}{id, w.explicit(value), attributes}
}

func (w *writer12) data(content []byte) any {
	return struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}{oidData, w.explicit(w.der(content))}
}

// encrypted is a part that is encrypted as a whole.
func (w *writer12) encrypted(plain []byte) any {
	algorithm, sealed := w.encrypt(plain)
	type info struct {
		Type      asn1.ObjectIdentifier
		Algorithm pkix.AlgorithmIdentifier
		Content   []byte `asn1:"tag:0"`
	}
	return struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}{oidEncryptedData, w.explicit(w.der(struct {
		Version int
		Info    info
	}{0, info{oidData, algorithm, sealed}}))}
}

// shroud makes an EncryptedPrivateKeyInfo.
func (w *writer12) shroud(plain []byte) []byte {
	algorithm, sealed := w.encrypt(plain)
	return w.der(struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}{algorithm, sealed})
}

// encrypt is PBES2 with a salt of its own.
func (w *writer12) encrypt(plain []byte) (pkix.AlgorithmIdentifier, []byte) {
	salt, iv := w.random(16), w.random(aes.BlockSize)
	key, err := pbkdf2.Key(sha256.New, string(w.passphrase), salt, pbkdf2Rounds, 32)
	if err != nil {
		w.err = err
		return pkix.AlgorithmIdentifier{}, nil
	}
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		w.err = err
		return pkix.AlgorithmIdentifier{}, nil
	}
	n := aes.BlockSize - len(plain)%aes.BlockSize
	padded := append(make([]byte, 0, len(plain)+n), plain...)
	for range n {
		padded = append(padded, byte(n))
	}
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(padded, padded)
	type kdf struct {
		Salt   []byte
		Rounds int
		PRF    pkix.AlgorithmIdentifier
	}
	derivation := w.der(kdf{salt, pbkdf2Rounds, pkix.AlgorithmIdentifier{Algorithm: oidHMACSHA256, Parameters: asn1.NullRawValue}})
	parameters := w.der(struct{ KDF, Scheme pkix.AlgorithmIdentifier }{
		pkix.AlgorithmIdentifier{Algorithm: oidPBKDF2, Parameters: w.raw(derivation)},
		pkix.AlgorithmIdentifier{Algorithm: oidAES256CBC, Parameters: w.raw(w.der(iv))},
	})
	return pkix.AlgorithmIdentifier{Algorithm: oidPBES2, Parameters: w.raw(parameters)}, padded
}

func (w *writer12) mac(content []byte) (m macData) {
	m.Salt, m.Rounds = w.random(16), macRounds
	text := bmp(w.passphrase)
	defer clear(text)
	key := derive12(sha256.New, 3, text, m.Salt, m.Rounds, sha256.Size)
	defer clear(key)
	sum := hmac.New(sha256.New, key)
	sum.Write(content)
	m.Mac.Algorithm = pkix.AlgorithmIdentifier{Algorithm: oidSHA256, Parameters: asn1.NullRawValue}
	m.Mac.Digest = sum.Sum(nil)
	return m
}
