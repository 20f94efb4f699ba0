package ca

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"time"
)

// IssueLink returns the chain for one end of a connection between two of the house's own programs, which prove
// themselves to each other (mutual TLS). role is a DNS name that only this end bears; the other end looks for it, because
// the house certifies many who are not its programs. names are further names and addresses of a server.
func (a *Authority) IssueLink(pub crypto.PublicKey, role string, names []string, life time.Duration) ([]*x509.Certificate, error) {
	if role == "" {
		return nil, fmt.Errorf("issue a certificate of a connection: its role is missing")
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: role},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:    []string{role},
	}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, n)
		}
	}
	if err := (Mark{Kind: KindServer}).extend(template); err != nil {
		return nil, err
	}
	return a.chain(template, pub, life)
}
