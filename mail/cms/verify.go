package cms

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	_ "crypto/md5" // so that what was signed with it can be called weak
	"crypto/rsa"
	_ "crypto/sha1" // as MD5
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/subtle"
	"encoding/asn1"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// The ways in which a signature fails.
var (
	ErrDigest      = errors.New("the content is not what was signed")
	ErrSignature   = errors.New("the signature value is not the signer's")
	ErrCertificate = errors.New("the signer's certificate is missing or not the one that was signed along")
	ErrUnsupported = errors.New("the algorithm is not supported")
)

func hashOf(id asn1.ObjectIdentifier) crypto.Hash {
	switch id.String() {
	case "1.2.840.113549.2.5":
		return crypto.MD5
	case "1.3.14.3.2.26":
		return crypto.SHA1
	case "2.16.840.1.101.3.4.2.4":
		return crypto.SHA224
	case "2.16.840.1.101.3.4.2.1":
		return crypto.SHA256
	case "2.16.840.1.101.3.4.2.2":
		return crypto.SHA384
	case "2.16.840.1.101.3.4.2.3":
		return crypto.SHA512
	}
	return 0
}

// Verify checks one signature over content, which must be in the form that was signed (for a mail: CRLF line ends). nil
// means that it holds; trust, names and strength are not looked at.
func (g *Signer) Verify(content []byte, contentType asn1.ObjectIdentifier) error {
	if g.Certificate == nil {
		return ErrCertificate
	}
	if g.hash == 0 || !g.hash.Available() {
		return ErrUnsupported
	}
	signed := content
	if g.attributes != nil {
		h := g.hash.New()
		h.Write(content)
		if subtle.ConstantTimeCompare(h.Sum(nil), g.digest) != 1 {
			return ErrDigest
		}
		if !g.contentType.Equal(contentType) {
			return ErrDigest
		}
		if g.certHash != nil && !g.namesCertificate() {
			return ErrCertificate
		}
		signed = tlv(tagSet, g.attributes)
	} else if !contentType.Equal(Data) || len(content) > 0 && content[0] == tagSet {
		// Signed attributes of another message can be passed off as content where there are none (RFC 8933 §5).
		return ErrDigest
	}
	return g.check(signed)
}

func (g *Signer) namesCertificate() bool {
	if g.certHashBy == 0 || !g.certHashBy.Available() {
		return false
	}
	h := g.certHashBy.New()
	h.Write(g.Certificate.Raw)
	return bytes.Equal(h.Sum(nil), g.certHash)
}

func (g *Signer) check(signed []byte) error {
	hash := g.hash
	if by := signatureHash(g.algorithm); by != 0 {
		hash = by
	}
	h := hash.New()
	h.Write(signed)
	sum := h.Sum(nil)
	switch pub := g.Certificate.PublicKey.(type) {
	case *rsa.PublicKey:
		return g.checkRSA(pub, hash, signed, sum)
	case *ecdsa.PublicKey:
		if !bytes.HasPrefix([]byte(g.algorithm.String()), []byte("1.2.840.10045.4.")) && g.algorithm.String() != "1.2.840.10045.2.1" {
			return ErrUnsupported
		}
		if !ecdsa.VerifyASN1(pub, sum, g.signature) {
			return ErrSignature
		}
		return nil
	}
	return ErrUnsupported
}

// signatureHash is the hash that a signature algorithm names itself; 0 when the digest algorithm tells.
func signatureHash(id asn1.ObjectIdentifier) crypto.Hash {
	switch id.String() {
	case "1.2.840.113549.1.1.4":
		return crypto.MD5
	case "1.2.840.113549.1.1.5", "1.2.840.10045.4.1", "1.3.14.3.2.29":
		return crypto.SHA1
	case "1.2.840.113549.1.1.14", "1.2.840.10045.4.3.1":
		return crypto.SHA224
	case "1.2.840.113549.1.1.11", "1.2.840.10045.4.3.2":
		return crypto.SHA256
	case "1.2.840.113549.1.1.12", "1.2.840.10045.4.3.3":
		return crypto.SHA384
	case "1.2.840.113549.1.1.13", "1.2.840.10045.4.3.4":
		return crypto.SHA512
	}
	return 0
}

func (g *Signer) checkRSA(pub *rsa.PublicKey, hash crypto.Hash, signed, sum []byte) error {
	switch id := g.algorithm.String(); {
	case id == "1.2.840.113549.1.1.10":
		hash, salt, ok := pss(g.parameters)
		if !ok {
			return ErrUnsupported
		}
		h := hash.New()
		h.Write(signed)
		if rsa.VerifyPSS(pub, hash, h.Sum(nil), g.signature, &rsa.PSSOptions{SaltLength: salt, Hash: hash}) != nil {
			return ErrSignature
		}
		return nil
	case id == "1.2.840.113549.1.1.1" || id == "1.3.14.3.2.29" || bytes.HasPrefix([]byte(id), []byte("1.2.840.113549.1.1.")) && signatureHash(g.algorithm) != 0:
		if rsa.VerifyPKCS1v15(pub, hash, sum, g.signature) != nil {
			return ErrSignature
		}
		return nil
	}
	return ErrUnsupported
}

// pss reads RSASSA-PSS-params (RFC 4055 §3.1). The mask must use the same hash, as everybody's does.
func pss(params []byte) (hash crypto.Hash, salt int, ok bool) {
	hash, salt = crypto.SHA1, 20
	maskHash := crypto.SHA1
	in := cryptobyte.String(params)
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) {
		return 0, 0, false
	}
	for !seq.Empty() {
		var field, alg, inner cryptobyte.String
		var tag cbasn1.Tag
		var id asn1.ObjectIdentifier
		if !seq.ReadAnyASN1(&field, &tag) {
			return 0, 0, false
		}
		switch tag {
		case 0xa0:
			if !field.ReadASN1(&alg, cbasn1.SEQUENCE) || !alg.ReadASN1ObjectIdentifier(&id) {
				return 0, 0, false
			}
			hash = hashOf(id)
		case 0xa1:
			if !field.ReadASN1(&alg, cbasn1.SEQUENCE) || !alg.ReadASN1ObjectIdentifier(&id) || !alg.ReadASN1(&inner, cbasn1.SEQUENCE) || !inner.ReadASN1ObjectIdentifier(&id) {
				return 0, 0, false
			}
			maskHash = hashOf(id)
		case 0xa2:
			if !field.ReadASN1Integer(&salt) || salt < 0 || salt > 512 {
				return 0, 0, false
			}
		}
	}
	return hash, salt, hash != 0 && hash == maskHash && hash.Available()
}

// Weak reports whether the signature's hash or key is one that can be forged: MD5, SHA-1, RSA below 2048 bits.
func (g *Signer) Weak() bool {
	for _, h := range []crypto.Hash{g.hash, signatureHash(g.algorithm)} {
		if h == crypto.MD5 || h == crypto.SHA1 {
			return true
		}
	}
	if g.algorithm.String() == "1.2.840.113549.1.1.10" {
		if h, _, ok := pss(g.parameters); ok && h == crypto.SHA1 {
			return true
		}
	}
	if g.Certificate != nil {
		if pub, ok := g.Certificate.PublicKey.(*rsa.PublicKey); ok && pub.N.BitLen() < 2048 {
			return true
		}
	}
	return false
}
