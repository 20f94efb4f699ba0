package verify

import (
	"crypto"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"testing"
	"time"
)

// node is a DER element that a test can change.
type node struct {
	tag  byte
	body []byte
	kids []*node
}

func parseDER(der []byte) []*node {
	var out []*node
	for len(der) > 0 {
		var raw asn1.RawValue
		rest, err := asn1.Unmarshal(der, &raw)
		if err != nil {
			return nil
		}
		n := &node{tag: raw.FullBytes[0], body: raw.Bytes}
		if n.tag&0x20 != 0 {
			n.kids = parseDER(raw.Bytes)
		}
		out = append(out, n)
		der = rest
	}
	return out
}

func (n *node) encode() []byte {
	body := n.body
	if n.kids != nil {
		body = nil
		for _, k := range n.kids {
			body = append(body, k.encode()...)
		}
	}
	size := big.NewInt(int64(len(body))).Bytes()
	out := []byte{n.tag}
	if len(body) < 0x80 {
		out = append(out, byte(len(body)))
	} else {
		out = append(append(out, 0x80|byte(len(size))), size...)
	}
	return append(out, body...)
}

// rewritten changes the SignedData in a CMS message. Its parts are version, digest algorithms, content,
// certificates and signers; those of a signer version, identifier, digest algorithm, signed attributes, signature
// algorithm, value and unsigned attributes.
func rewritten(der []byte, change func(data *node)) []byte {
	root := parseDER(der)[0]
	change(root.kids[1].kids[0])
	return root.encode()
}

func signerOf(data *node) *node { return data.kids[len(data.kids)-1].kids[0] }

// highS replaces a P-256 signature value by its other form, which is as good to a lenient reader.
func highS(der []byte) []byte {
	return rewritten(der, func(data *node) {
		value := signerOf(data).kids[5]
		var sig struct{ R, S *big.Int }
		if _, err := asn1.Unmarshal(value.body, &sig); err != nil {
			panic(err)
		}
		sig.S.Sub(elliptic.P256().Params().N, sig.S)
		value.body, _ = asn1.Marshal(sig)
	})
}

func twoSigners(der []byte) []byte {
	return rewritten(der, func(data *node) {
		signers := data.kids[len(data.kids)-1]
		signers.kids = append(signers.kids, signers.kids[0])
	})
}

// foreignSeal makes a certificate that some other authority's software might have made: without our mark.
func foreignSeal(t *testing.T, w *world) []*x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(77), Subject: pkix.Name{CommonName: "Other seal"},
		NotBefore: w.clock.Now().Add(-time.Hour), NotAfter: w.clock.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
	}, w.issuing.Certificate, w.seal.key.Public(), w.issuing.Key())
	if err != nil {
		t.Fatal(err)
	}
	return []*x509.Certificate{must[*x509.Certificate](t)(x509.ParseCertificate(der))}
}

func keyPEM(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	der := must[[]byte](t)(x509.MarshalPKCS8PrivateKey(key))
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
