package revoke

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidDelta        = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidScope        = asn1.ObjectIdentifier{2, 5, 29, 28}
	oidExpiredOnCRL = asn1.ObjectIdentifier{2, 5, 29, 60}
)

// List is a parsed certificate revocation list.
type List struct {
	list   *x509.RevocationList
	cutoff time.Time
	users  bool // it speaks of end certificates only
	above  bool // it speaks of authorities only
}

// ParseCRL reads one complete list in DER. It checks no signature. Partial, indirect and delta lists are refused.
func ParseCRL(der []byte) (*List, error) {
	if len(der) > maxCRL {
		return nil, malformed("the revocation list is longer than 16 MiB")
	}
	in := cryptobyte.String(der)
	var outer, tbs, algorithm cryptobyte.String
	var signature []byte
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() || !outer.ReadASN1Element(&tbs, cbasn1.SEQUENCE) || !outer.ReadASN1Element(&algorithm, cbasn1.SEQUENCE) ||
		!outer.ReadASN1BitStringAsBytes(&signature) || !outer.Empty() {
		return nil, malformed("it is no revocation list")
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if list.NextUpdate.Before(list.ThisUpdate) && !list.NextUpdate.IsZero() {
		return nil, malformed("the revocation list ends before it begins")
	}
	l := &List{list: list}
	for _, e := range list.Extensions {
		switch {
		case e.Id.Equal(oidDelta):
			return nil, malformed("it is a delta list")
		case e.Id.Equal(oidScope):
			if !l.scope(e.Value) {
				return nil, malformed("it is a partial or indirect list")
			}
		case e.Id.Equal(oidExpiredOnCRL):
			value := cryptobyte.String(e.Value)
			if !value.ReadASN1GeneralizedTime(&l.cutoff) || !value.Empty() {
				return nil, malformed("since when it keeps expired certificates can't be read")
			}
		case e.Critical:
			return nil, malformed("a critical extension is not understood")
		}
	}
	for _, entry := range list.RevokedCertificateEntries {
		for _, e := range entry.Extensions {
			if e.Critical {
				return nil, malformed("a critical extension of an entry is not understood")
			}
		}
	}
	return l, nil
}

// scope reads issuingDistributionPoint (RFC 5280 §5.2.5): where the list lies, and of whom it speaks.
func (l *List) scope(der []byte) bool {
	in := cryptobyte.String(der)
	var seq, skip, flag cryptobyte.String
	var present bool
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() || !seq.ReadOptionalASN1(&skip, &present, tag0) {
		return false
	}
	for _, f := range []struct {
		tag cbasn1.Tag
		to  *bool
	}{{0x81, &l.users}, {0x82, &l.above}} {
		if !seq.ReadOptionalASN1(&flag, f.to, f.tag) {
			return false
		}
	}
	return seq.Empty()
}

// about returns what the list says of a certificate; it does not check who says it.
func (l *List) about(cert, issuer *x509.Certificate) (statement, bool) {
	if !bytes.Equal(l.list.RawIssuer, issuer.RawSubject) || !bytes.Equal(cert.RawIssuer, issuer.RawSubject) || l.users && cert.IsCA || l.above && !cert.IsCA {
		return statement{}, false
	}
	s := statement{state: Good, reason: NoReason, this: l.list.ThisUpdate, next: l.list.NextUpdate, cutoff: l.cutoff}
	for _, e := range l.list.RevokedCertificateEntries {
		if e.SerialNumber.Cmp(cert.SerialNumber) != 0 {
			continue
		}
		s.state, s.revoked = Revoked, e.RevocationTime
		for _, x := range e.Extensions {
			if x.Id.Equal(oidReason) {
				s.reason = e.ReasonCode
			}
		}
	}
	return s, true
}

var oidReason = asn1.ObjectIdentifier{2, 5, 29, 21}

func (l *List) signedFor(issuer *x509.Certificate) error {
	if err := l.list.CheckSignatureFrom(issuer); err != nil {
		return fmt.Errorf("%w: %w", ErrSigner, err)
	}
	return nil
}
