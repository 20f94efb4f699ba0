package service

import (
	"context"
	"crypto/x509/pkix"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"countersign/internal/fault"
	"countersign/signing/ca"
	"countersign/signing/key"
)

// The root's key is needed for three acts only: to make a new issuing authority, to sign the root's own revocation list,
// and to be exported. Between them it can lie in a safe.

// RootHere reports whether the root's key is in this installation.
func (s *Service) RootHere() (bool, error) {
	_, err := s.Keys.Signer(keyRoot)
	if fault.Is(err, "key.missing") {
		return false, nil
	}
	return err == nil, err
}

// ExportRoot returns the root's key as a PKCS#12 file under a passphrase.
func (s *Service) ExportRoot(ctx context.Context, passphrase string) ([]byte, error) {
	file, err := s.Keys.Export(keyRoot, s.Root, passphrase)
	if err != nil {
		return nil, s.rootAway(err)
	}
	return file, s.tellJournal(ctx, "root.export", s.Root.SerialNumber.Text(16))
}

// RemoveRoot takes the root's key out of the installation, after the file was opened that has it, and after a list was
// signed that must do until the key is back.
func (s *Service) RemoveRoot(ctx context.Context, file []byte, passphrase string) error {
	if _, err := key.FromFile(file, s.Root, passphrase); err != nil {
		return err
	}
	root, err := s.rootAuthority()
	if err == nil && root == nil {
		err = s.rootAway(fault.New(fault.NotFound, "key.missing", fault.Args{"name": keyRoot}))
	}
	if err != nil {
		return err
	}
	if err := s.publishRoot(ctx, root); err != nil {
		return err
	}
	if err := s.Keys.Remove(keyRoot); err != nil {
		return err
	}
	return s.tellJournal(ctx, "root.remove", s.Root.SerialNumber.Text(16))
}

// ImportRoot brings the root's key back.
func (s *Service) ImportRoot(ctx context.Context, file []byte, passphrase string) error {
	private, err := key.FromFile(file, s.Root, passphrase)
	if err != nil {
		return err
	}
	if err := s.Keys.Import(keyRoot, private); err != nil {
		return err
	}
	return s.tellJournal(ctx, "root.import", s.Root.SerialNumber.Text(16))
}

// PublishRoot signs the root's revocation list anew.
func (s *Service) PublishRoot(ctx context.Context) error {
	root, err := s.needRoot()
	if err != nil {
		return err
	}
	if err := s.publishRoot(ctx, root); err != nil {
		return err
	}
	return s.tellJournal(ctx, "root.list", s.Root.SerialNumber.Text(16))
}

// NewIssuing makes another issuing authority with a new key; from the next start on it issues. The old one goes on
// answering for what it issued. A stop at any moment leaves the old or the new one in its place.
func (s *Service) NewIssuing(ctx context.Context) (name string, err error) {
	root, err := s.needRoot()
	if err != nil {
		return "", err
	}
	old := s.Issuing.Certificate
	stamp := s.Options.Clock.Now().UTC().Format(renewed)
	subject := pkix.Name{CommonName: baseName(old.Subject.CommonName) + " " + stamp, Organization: old.Subject.Organization, Country: old.Subject.Country}
	issuing, err := root.NewIssuing(subject)
	if err != nil {
		return "", err
	}
	if err := s.enter(ctx, issuing.Certificate); err != nil {
		return "", err
	}
	if err := s.Keys.Import(keyIssuing+"-"+keyID(issuing.Certificate), issuing.Key()); err != nil {
		return "", err
	}
	if err := replaceFile(filepath.Join(s.Options.Dir, "ca", "issuing-"+keyID(old)+".pem"), ca.PEM(old)); err != nil {
		return "", err
	}
	if err := replaceFile(filepath.Join(s.Options.Dir, filepath.FromSlash(fileIssuing)), ca.PEM(issuing.Certificate)); err != nil {
		return "", err
	}
	return subject.CommonName, s.tellJournal(ctx, "issuing.new", issuing.Certificate.SerialNumber.Text(16))
}

// renewed is the date that the name of a later issuing authority ends with.
const renewed = "20060102-150405"

// baseName takes the date of an earlier renewal away.
func baseName(name string) string {
	if i := strings.LastIndex(name, " "); i > 0 {
		if _, err := time.Parse(renewed, name[i+1:]); err == nil {
			return name[:i]
		}
	}
	return name
}

func (s *Service) needRoot() (*ca.Authority, error) {
	root, err := s.rootAuthority()
	if err == nil && root == nil {
		err = s.rootAway(fmt.Errorf("there is no key %s", keyRoot))
	}
	return root, err
}

// rootAway tells that the act needs the root's key.
func (s *Service) rootAway(err error) error {
	if fault.KindOf(err) == fault.NotFound || fault.KindOf(err) == fault.Internal {
		return fault.Wrap(err, fault.Unavailable, "service.root_away", nil)
	}
	return err
}
