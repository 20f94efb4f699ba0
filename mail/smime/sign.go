package smime

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"countersign/mail/cms"
)

// Identity is who signs: a key, and its certificate followed by all above it.
type Identity struct {
	Key   crypto.Signer
	Chain []*x509.Certificate
}

// Sign turns a built mail into one that is signed as a whole: its MIME fields and body become the first part of
// multipart/signed, everything else of its header stays outside. The mail must be in wire form with CRLF line ends and
// of at most 7 bits, so that no relay has a reason to change it. The same inputs with an RSA key give the same bytes.
func Sign(raw []byte, id Identity, rand io.Reader, at time.Time) ([]byte, error) {
	for i, c := range raw {
		if c >= 0x80 || c == '\n' && (i == 0 || raw[i-1] != '\r') {
			return nil, errors.New("sign a mail: it is not 7-bit with CRLF line ends; build it with quoted-printable or base64")
		}
	}
	head, body, ok := bytes.Cut(raw, []byte("\r\n\r\n"))
	if !ok {
		return nil, errors.New("sign a mail: it has no empty line between header and body")
	}
	outer, inner := divide(string(head) + "\r\n")
	if inner == "" {
		inner = "Content-Type: text/plain; charset=us-ascii\r\n"
	}
	part := append([]byte(inner+"\r\n"), body...)
	signature, err := cms.Sign(rand, id.Key, id.Chain, part, at)
	if err != nil {
		return nil, err
	}
	boundary := boundaryFor(part)
	var out bytes.Buffer
	out.WriteString(outer)
	fmt.Fprintf(&out, "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n micalg=sha-256; boundary=%q\r\n\r\n", boundary)
	fmt.Fprintf(&out, "This is a signed mail (S/MIME).\r\n\r\n--%s\r\n", boundary)
	out.Write(part)
	fmt.Fprintf(&out, "\r\n--%s\r\nContent-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\n", boundary)
	text := base64.StdEncoding.EncodeToString(signature)
	for len(text) > 76 {
		out.WriteString(text[:76] + "\r\n")
		text = text[76:]
	}
	fmt.Fprintf(&out, "%s\r\n--%s--\r\n", text, boundary)
	return out.Bytes(), nil
}

// divide takes the fields about the body out of a header.
func divide(head string) (outer, inner string) {
	var o, i strings.Builder
	to := &o
	for l := range strings.SplitAfterSeq(head, "\r\n") {
		if l == "" {
			continue
		}
		if l[0] != ' ' && l[0] != '\t' {
			to = &o
			if len(l) > 8 && strings.EqualFold(l[:8], "content-") {
				to = &i
			}
		}
		to.WriteString(l)
	}
	return o.String(), i.String()
}

// boundaryFor finds a boundary that the part does not hold.
func boundaryFor(part []byte) string {
	for n := 0; ; n++ {
		b := fmt.Sprintf("signed-%08x-%d", len(part), n)
		if !bytes.Contains(part, []byte(b)) {
			return b
		}
	}
}
