// Package dkim signs our mails for their domain (RFC 6376), so that a receiver's own server knows that they come from it.
//
// Every field that people or their programs go by is signed twice over, so that none can be added in front of ours; the
// body is signed whole. Key and selector are the operator's; Record is what must stand in the DNS. Start reading at
// Key.Seal.
package dkim

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/emersion/go-msgauth/dkim"
)

// Key signs for one domain.
type Key struct {
	Domain, Selector string
	Signer           crypto.Signer // RSA or Ed25519 (RFC 8463)
}

// signed are the fields that the signature holds (RFC 6376, 5.4.1). Each is named once more than a mail of ours has it.
var signed = []string{
	"From", "To", "Cc", "Subject", "Date", "Message-ID", "Reply-To", "In-Reply-To", "References", "MIME-Version",
	"Content-Type", "Content-Transfer-Encoding", "Auto-Submitted",
}

// Seal returns the mail with a signature in front. The mail must have CRLF line ends.
func (k *Key) Seal(raw []byte) ([]byte, error) {
	var out bytes.Buffer
	out.Grow(len(raw) + 1024)
	options := &dkim.SignOptions{Domain: k.Domain, Selector: k.Selector, Signer: k.Signer, Hash: crypto.SHA256,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed, HeaderKeys: twice(raw)}
	if err := dkim.Sign(&out, bytes.NewReader(raw), options); err != nil {
		return nil, fmt.Errorf("sign for %s: %w", k.Domain, err)
	}
	return out.Bytes(), nil
}

// twice lists the fields to be signed, one time more than each stands in the mail: a field that a forger adds breaks the
// signature then (RFC 6376, 8.15).
func twice(raw []byte) []string {
	head, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	has := map[string]bool{}
	for line := range strings.SplitSeq(string(head), "\r\n") {
		if name, _, ok := strings.Cut(line, ":"); ok {
			has[strings.ToLower(name)] = true
		}
	}
	var out []string
	for _, name := range signed {
		if has[strings.ToLower(name)] {
			out = append(out, name)
		}
		out = append(out, name)
	}
	return out
}

// Record is the text record that publishes the key under Selector._domainkey.Domain.
func (k *Key) Record() (string, error) {
	switch pub := k.Signer.Public().(type) {
	case *rsa.PublicKey:
		der, err := x509.MarshalPKIXPublicKey(pub)
		return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der), err
	case ed25519.PublicKey:
		return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(pub), nil
	}
	return "", errors.New("a DKIM key is RSA or Ed25519")
}

// Check verifies the signature of a mail of ours as a receiver would, with our own record in place of the DNS.
func (k *Key) Check(raw []byte) error {
	record, err := k.Record()
	if err != nil {
		return err
	}
	lookup := func(name string) ([]string, error) {
		if name != k.Selector+"._domainkey."+k.Domain {
			return nil, fmt.Errorf("nothing is known of %s", name)
		}
		return []string{record}, nil
	}
	found, err := dkim.VerifyWithOptions(bytes.NewReader(raw), &dkim.VerifyOptions{LookupTXT: lookup, MaxVerifications: 1})
	if err != nil {
		return err
	}
	if len(found) != 1 {
		return errors.New("there is no DKIM signature")
	}
	return found[0].Err
}
