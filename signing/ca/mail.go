package ca

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"time"
)

// KindMail: the helpdesk, or one of its agents, signing mails (S/MIME). It signs no documents.
const KindMail Kind = "mail"

// MailSigner is who signs the helpdesk's mails.
type MailSigner struct {
	Name, StaffID, Organisation string
	Address                     string // the official mailbox that the mails come from: what receivers compare
	Life                        time.Duration
}

// IssueMail returns the chain for signing mails (RFC 8550): its address is the mailbox, its holder the agent, and its only
// purpose the protection of mail.
func (a *Authority) IssueMail(pub crypto.PublicKey, r MailSigner) ([]*x509.Certificate, error) {
	if r.Name == "" || r.Address == "" {
		return nil, fmt.Errorf("issue a mail certificate: a name and an address are needed")
	}
	name := pkix.Name{CommonName: r.Name, SerialNumber: r.StaffID}
	if r.Organisation != "" {
		name.Organization = []string{r.Organisation}
	}
	template := &x509.Certificate{
		Subject:        name,
		EmailAddresses: []string{r.Address},
		KeyUsage:       x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
		ExtKeyUsage:    []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
	}
	if err := (Mark{Kind: KindMail}).extend(template); err != nil {
		return nil, err
	}
	return a.chain(template, pub, r.Life)
}
