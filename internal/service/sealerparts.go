package service

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/internal/sealer"
	"countersign/kiosk"
	"countersign/signing/ca"
	"countersign/signing/key"
	"countersign/signing/seal"
	"countersign/signing/tsa"
)

// linkLife is how long the certificates of a connection between counters and sealer last.
const linkLife = 398 * 24 * time.Hour

// SealerParts complete a sealer's options with what it shares with an installation: fonts, timestamps, tokens.
func SealerParts(o sealer.Options, cjk string, authorities, modules []string, pin []byte) (sealer.Options, error) {
	fonts, err := loadFonts(cjk)
	if err != nil {
		return o, err
	}
	o.Look = seal.Drawn(clerkLines, fonts.Regular...)
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if len(authorities) > 0 {
		if o.Authority, err = tsa.NewClient(authorities, 5*time.Second, rand.Reader); err != nil {
			return o, err
		}
	}
	if len(modules) > 0 {
		o.Tokens = key.NewStanding(func() *key.Tokens { return key.OpenTokens(modules...) }, map[string][]byte{"": pin})
	}
	return o, nil
}

// CertifySeal issues the certificate for a seal whose key another process made, on its request (PKCS#10, PEM).
func (s *Service) CertifySeal(ctx context.Context, n NewSeal, request []byte) ([]*x509.Certificate, error) {
	if err := n.check(); err != nil {
		return nil, err
	}
	refuse := func(err error) ([]*x509.Certificate, error) {
		return nil, fault.Wrap(err, fault.Invalid, "service.request", fault.Args{"seal": n.ID})
	}
	block, _ := pem.Decode(request)
	if block == nil || block.Type != "CERTIFICATE REQUEST" {
		return refuse(errors.New("it is no PEM of a certificate request"))
	}
	r, err := x509.ParseCertificateRequest(block.Bytes)
	if err == nil {
		err = r.CheckSignature()
	}
	if err != nil {
		return refuse(err)
	}
	chain, err := s.certify(n, r.PublicKey)
	if err != nil {
		return refuse(err)
	}
	return chain, s.tellJournal(ctx, "seal.certify", n.ID)
}

// Link issues the certificate of one end of the connection between counters and sealer, and writes it and its key into
// a folder: link-ROLE.pem and link-ROLE.key.
func (s *Service) Link(ctx context.Context, role string, names []string, dir string) error {
	bears := map[string]string{"sealer": sealer.RoleSealer, "counter": sealer.RoleCounter}[role]
	if bears == "" {
		return fault.New(fault.Invalid, "service.link_role", fault.Args{"role": role})
	}
	private, pemKey, err := key.NewLink()
	if err != nil {
		return err
	}
	defer clear(pemKey)
	chain, err := s.Issuing.IssueLink(private.Public(), bears, names, linkLife)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := writeSecret(filepath.Join(dir, "link-"+role+".key"), pemKey); err != nil {
		return err
	}
	if err := writeNew(filepath.Join(dir, "link-"+role+".pem"), ca.PEM(chain...)); err != nil {
		return err
	}
	return s.tellJournal(ctx, "link.issue", role)
}

// writeSecret writes a new file that only its owner reads.
func writeSecret(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// OwnKey returns a member of staff's id and the public key that the keeper of the seals enrolls.
func (s *Service) OwnKey(ctx context.Context, name string) (staff string, public []byte, err error) {
	err = s.Store.View(ctx, func(tx kiosk.Tx) error {
		u, err := tx.User(name)
		if fault.KindOf(err) == fault.NotFound && err != nil {
			return fault.Wrap(err, fault.NotFound, "service.no_user", fault.Args{"user": name})
		}
		if err != nil {
			return err
		}
		staff, public = u.StaffID, u.OwnPublic
		return nil
	})
	if err == nil && len(public) == 0 {
		err = fault.New(fault.NotFound, "service.no_own_key", fault.Args{"user": name})
	}
	return staff, public, err
}
