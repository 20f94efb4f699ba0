package key

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"io"
	"slices"
	"sync"

	"countersign/internal/fault"
)

// maxKeyFile is the longest key file in bytes.
const maxKeyFile = 1 << 20

// File is the private key of a key file with its certificate, until Close. It is a crypto.Signer.
type File struct {
	public crypto.PublicKey
	chain  []*x509.Certificate

	mu      sync.Mutex
	private crypto.Signer // nil once closed
}

// OpenFile opens a key file with its passphrase, which is wiped: PKCS#12 (.p12, .pfx; with PBES2, or 3DES and RC2 as old
// programs wrote them) or PKCS#8 (RFC 5958, in DER or PEM, encrypted by PBES2 with PBKDF2 or scrypt). Certificates are taken
// from the file and from beside. A key without a passphrase is refused: whoever copies its file can sign. Its faults:
//
//	key.file_passphrase  the passphrase is wrong. Where the file has no better check than its padding, damage in the first
//	                     bytes of what is encrypted looks the same
//	key.file_broken      the passphrase is right and the file is damaged, or it is no key file at all
//	key.file_bare        the key is not protected by a passphrase
//	key.file_unknown     it is protected in a way that is not read here
func OpenFile(data, passphrase []byte, beside []*x509.Certificate) (*File, error) {
	defer clear(passphrase)
	found, err := readKeyFile(data, &lock{passphrase, mostRounds})
	var unknown unknownError
	switch {
	case errors.As(err, &unknown):
		return nil, fault.Wrap(err, fault.Invalid, "key.file_unknown", fault.Args{"what": unknown.what})
	case errors.Is(err, errPassphrase):
		return nil, fault.Wrap(err, fault.Forbidden, "key.file_passphrase", nil)
	case errors.Is(err, errBare):
		return nil, fault.Wrap(err, fault.Invalid, "key.file_bare", nil)
	case err != nil:
		return nil, fault.Wrap(err, fault.Invalid, "key.file_broken", nil)
	}
	private, chain := found.choose(beside)
	return &File{public: private.Public(), chain: chain, private: private}, nil
}

// oidECKey is an elliptic public key (RFC 5480).
var oidECKey = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}

var errBare = errors.New("the key is not encrypted")

// keyFile is what was found in a key file.
type keyFile struct {
	keys  []crypto.Signer
	certs []*x509.Certificate
}

// choose returns the first key that has a certificate, or else the first, and the chain.
func (f *keyFile) choose(beside []*x509.Certificate) (crypto.Signer, []*x509.Certificate) {
	var all []onToken
	for _, c := range append(slices.Clone(f.certs), beside...) {
		all = append(all, onToken{cert: c})
	}
	for _, k := range f.keys {
		for _, c := range all {
			if pub, ok := c.cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); ok && pub.Equal(k.Public()) {
				return k, chain(c.cert, all)
			}
		}
	}
	return f.keys[0], nil
}

func readKeyFile(data []byte, with *lock) (*keyFile, error) {
	if len(data) > maxKeyFile {
		return nil, errAltered
	}
	found := &keyFile{}
	var err error
	if bytes.Contains(data, []byte("-----BEGIN ")) {
		err = found.pem(data, with)
	} else {
		err = found.der(data, with)
	}
	if err == nil && len(found.keys) == 0 {
		err = errAltered
	}
	return found, err
}

// pem reads the blocks of a PEM file.
func (f *keyFile) pem(data []byte, with *lock) error {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "CERTIFICATE":
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return errAltered
			}
			f.certs = append(f.certs, cert)
		case "ENCRYPTED PRIVATE KEY":
			if err := f.shrouded(block.Bytes, with); err != nil {
				return err
			}
		case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY":
			if block.Headers["DEK-Info"] != "" {
				return unknownError{"PEM encryption " + shown(block.Headers["DEK-Info"])}
			}
			return errBare
		}
	}
	return nil
}

// der reads a PKCS#12 file, or PKCS#8 without PEM around it.
func (f *keyFile) der(data []byte, with *lock) error {
	var p pfx
	if err := whole(data, &p); err == nil && p.Version == 3 {
		return f.pkcs12(p, with)
	}
	if _, err := x509.ParsePKCS8PrivateKey(data); err == nil {
		return errBare
	}
	return f.shrouded(data, with)
}

// shrouded opens an EncryptedPrivateKeyInfo.
func (f *keyFile) shrouded(der []byte, with *lock) error {
	var e struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	if err := whole(der, &e); err != nil {
		return errAltered
	}
	plain, err := with.decrypt(e.Algorithm, e.Data)
	if err != nil {
		return err
	}
	defer clear(plain)
	// What a wrong passphrase makes has the right padding once in 256 times, but not this head.
	var head struct {
		Version   int
		Algorithm pkix.AlgorithmIdentifier
		Key       []byte
	}
	if _, err := asn1.Unmarshal(plain, &head); err != nil {
		return errPassphrase
	}
	defer clear(head.Key)
	if curve, strange := strangeCurve(head.Algorithm); strange {
		return unknownError{"the elliptic curve " + curve}
	}
	parsed, err := x509.ParsePKCS8PrivateKey(plain)
	if err != nil {
		return errAltered
	}
	signer, ok := parsed.(crypto.Signer)
	if !ok {
		return unknownError{"a key that signs nothing"}
	}
	if ec, ok := parsed.(*ecdsa.PrivateKey); ok && !fits(ec, head.Key) {
		return errAltered
	}
	f.keys = append(f.keys, signer)
	return nil
}

// strangeCurve names an elliptic curve that nothing here signs with: SM2's, for one.
func strangeCurve(a pkix.AlgorithmIdentifier) (name string, strange bool) {
	var curve asn1.ObjectIdentifier
	if !a.Algorithm.Equal(oidECKey) || whole(a.Parameters.FullBytes, &curve) != nil {
		return "", false
	}
	switch name = curve.String(); name {
	case "1.2.840.10045.3.1.7", "1.3.132.0.33", "1.3.132.0.34", "1.3.132.0.35":
		return "", false
	case "1.2.156.10197.1.301":
		return "SM2", true
	}
	return name, true
}

// fits reports whether an elliptic key is the one of the public half that stands beside it (RFC 5915), where there is one:
// any number would do for a private half, and the encryption has no check of its own.
func fits(private *ecdsa.PrivateKey, der []byte) bool {
	var inner struct {
		Version int
		Key     []byte
		Curve   asn1.ObjectIdentifier `asn1:"optional,explicit,tag:0"`
		Public  asn1.BitString        `asn1:"optional,explicit,tag:1,omitempty"`
	}
	if err := whole(der, &inner); err != nil {
		return false
	}
	defer clear(inner.Key)
	point, err := private.PublicKey.Bytes()
	if err != nil {
		return false
	}
	if len(inner.Public.Bytes) > 0 {
		return bytes.Equal(inner.Public.Bytes, point)
	}
	// That there is none must not be the damage.
	again, err := asn1.Marshal(inner)
	defer clear(again)
	return err == nil && bytes.Equal(again, der)
}

// Public returns the key's public half.
func (f *File) Public() crypto.PublicKey { return f.public }

// Chain returns the certificate and its issuers, as far as they were found; nothing when no certificate is the key's.
func (f *File) Chain() []*x509.Certificate { return slices.Clone(f.chain) }

// Sign signs a digest.
func (f *File) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.private == nil {
		return nil, errors.New("sign with a key file: it was closed")
	}
	return f.private.Sign(rand, digest, opts)
}

// Close forgets the key; its memory is the garbage collector's to reuse.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.private = nil
	return nil
}

// ImportFile keeps a key file's key under a name, by the rules of Create.
func (s *Store) ImportFile(name string, f *File) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.private == nil {
		return errors.New("import a key file: it was closed")
	}
	return s.Import(name, f.private)
}
