package service

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/internal/store"
	"countersign/internal/vault"
	"countersign/kiosk"
	"countersign/signing/ca"
	"countersign/signing/journal"
	"countersign/signing/key"
	"countersign/signing/pdf/stamp"
	"countersign/signing/seal"
)

// Lives of the certificates that Found and AddSeal issue.
const (
	tsaLife  = 5 * 365 * 24 * time.Hour
	sealLife = 3 * 365 * 24 * time.Hour
)

// Found makes a new installation: the vault, the certificate authority, the keys of timestamps and journal, and the
// empty database. It refuses a data directory that is not empty.
func Found(ctx context.Context, o Options, organisation string) error {
	o = o.filled()
	entries, err := os.ReadDir(o.Dir)
	if err == nil && len(entries) > 0 {
		return fault.New(fault.Conflict, "service.not_empty", fault.Args{"dir": o.Dir})
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("look into the data directory: %w", err)
	}
	_, err = os.Stat(o.KeyFile)
	hadKey := err == nil
	if err := found(ctx, o, organisation); err != nil {
		return errors.Join(err, sweep(o, hadKey))
	}
	return nil
}

// sweep takes away the half of an installation, so that the next try meets what this one met. A vault that was there
// before is somebody's and stays.
func sweep(o Options, keepKey bool) error {
	entries, err := os.ReadDir(o.Dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(o.Dir, e.Name())))
	}
	if keepKey {
		return err
	}
	if gone := os.Remove(o.KeyFile); !errors.Is(gone, os.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

func found(ctx context.Context, o Options, organisation string) error {
	v, err := vault.Create(o.KeyFile, o.Passphrase)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(o.Dir, "ca"), 0o700); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	keys, err := key.New(filepath.Join(o.Dir, dirKeys), v)
	if err != nil {
		return err
	}
	if err := foundAuthority(o, keys, organisation); err != nil {
		return err
	}
	if _, err := keys.Create(keyJournal, key.Ed25519); err != nil {
		return err
	}
	db, err := store.Open(ctx, store.Options{Dir: o.Dir, Vault: v, Clock: o.Clock})
	if err != nil {
		return err
	}
	return db.Close()
}

// foundAuthority makes root, issuing authority and timestamp certificate.
func foundAuthority(o Options, keys *key.Store, organisation string) error {
	name := func(cn string) pkix.Name {
		return pkix.Name{CommonName: cn, Organization: []string{organisation}, Country: []string{"VN"}}
	}
	root, err := ca.NewRoot(name(organisation+" Root CA"), o.Clock, rand.Reader)
	if err != nil {
		return err
	}
	root.Publish(o.points(pathRootList, false))
	issuing, err := root.NewIssuing(name(organisation + " Issuing CA"))
	if err != nil {
		return err
	}
	if err := keys.Import(keyRoot, root.Key()); err != nil {
		return err
	}
	if err := keys.Import(keyIssuing, issuing.Key()); err != nil {
		return err
	}
	issuing.Publish(o.points(listPath(issuing.Certificate), true))
	stamp, err := keys.Create(keyTSA, key.P256)
	if err != nil {
		return err
	}
	chain, err := issuing.IssueTimestamp(stamp.Public(), name(organisation+" TSA"), tsaLife)
	if err != nil {
		return err
	}
	for file, certs := range map[string][]*x509.Certificate{fileRoot: {root.Certificate}, fileIssuing: {issuing.Certificate}, fileTSA: chain} {
		if err := writeNew(filepath.Join(o.Dir, filepath.FromSlash(file)), ca.PEM(certs...)); err != nil {
			return err
		}
	}
	return nil
}

// writeNew writes a file that must survive a power cut before anything depends on it.
func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("write a new file: %w", err)
	}
	if _, err := f.Write(data); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), f.Close())
	}
	if err := f.Sync(); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), f.Close())
	}
	return f.Close()
}

// NewSeal says which seal to make.
type NewSeal struct {
	seal.Seal
	RSA            bool   // RSA-2048 instead of P-256
	OrganisationID string // tax code
}

// AddSeal makes a seal's key and certificate and enters it in the register.
func (s *Service) AddSeal(ctx context.Context, n NewSeal) error {
	if err := s.ownSeals(); err != nil {
		return err
	}
	if err := n.check(); err != nil {
		return err
	}
	kind := key.P256
	if n.RSA {
		kind = key.RSA2048
	}
	n.KeyName = "seal-" + n.ID
	private, err := s.Keys.Create(n.KeyName, kind)
	if err != nil {
		return err
	}
	if n.Chain, err = s.certify(n, private.Public()); err != nil {
		return err
	}
	if n.ValidUntil.IsZero() {
		n.ValidUntil = n.Chain[0].NotAfter
	}
	if err := s.enter(ctx, n.Chain[0]); err != nil {
		return err
	}
	if err := s.Store.Register().PutSeal(ctx, n.Seal); err != nil {
		return err
	}
	return s.tellJournal(ctx, "seal.add", n.ID)
}

// certify issues a seal's certificate.
func (s *Service) certify(n NewSeal, public crypto.PublicKey) ([]*x509.Certificate, error) {
	if n.Kind == seal.Counter {
		return s.Issuing.IssueClerk(public, ca.Clerk{Name: n.Name, StaffID: n.ID, Organisation: n.Organisation, Counter: n.Line, Life: sealLife})
	}
	return s.Issuing.IssueSeal(public, ca.Seal{Name: n.Name, Organisation: n.Organisation, OrganisationID: n.OrganisationID, Life: sealLife})
}

// check refuses what could be stored but never be stamped.
func (n NewSeal) check() error {
	switch {
	case n.Kind != seal.Counter && n.Kind != seal.Business && n.Kind != seal.Unit:
		return fault.New(fault.Invalid, "service.seal_kind", fault.Args{"kind": string(n.Kind)})
	case n.Name == "":
		return fault.New(fault.Invalid, "service.seal_name", nil)
	case n.Kind != seal.Counter && !stamp.KnownLook(n.Geometry, n.Star):
		return fault.New(fault.Invalid, "service.seal_geometry", fault.Args{"geometry": n.Geometry})
	}
	return nil
}

// tellJournal writes what an administrator did.
func (s *Service) tellJournal(ctx context.Context, act, subject string) error {
	return s.Store.Update(ctx, func(tx kiosk.Tx) error {
		_, err := tx.Append(adminEntry(s.Options.Clock.Now(), act, subject))
		return err
	})
}

// Grant gives a clerk the right to use a seal for a service, on the strength of a paper.
func (s *Service) Grant(ctx context.Context, g seal.Grant) error {
	if err := s.ownSeals(); err != nil {
		return err
	}
	if g.Paper == "" {
		return fault.New(fault.Invalid, "service.no_paper", nil)
	}
	seals, err := s.Store.Register().Seals(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(seals, func(x seal.Seal) bool { return x.ID == g.Seal }) {
		return fault.New(fault.NotFound, "service.no_seal", fault.Args{"seal": g.Seal})
	}
	if err := s.Store.Register().PutGrant(ctx, g); err != nil {
		return err
	}
	return s.tellJournal(ctx, "seal.grant", g.Seal+" "+g.Clerk)
}

// HoldSeals stops sealing at every counter, or lets it go on; orders wait meanwhile. A restart changes nothing of it.
func (s *Service) HoldSeals(ctx context.Context, held bool) error {
	if err := s.ownSeals(); err != nil {
		return err
	}
	if held {
		s.Seals.Suspend() // first: whatever fails below, no seal is set from here on
		if err := s.Store.Register().Hold(ctx, true); err != nil {
			return err
		}
		return s.tellJournal(ctx, "seal.suspend", "*")
	}
	if err := s.tellJournal(ctx, "seal.resume", "*"); err != nil {
		return err
	}
	if err := s.Store.Register().Hold(ctx, false); err != nil {
		return err
	}
	s.Seals.Resume()
	return nil
}

// AddUser makes a member of staff with a first password, which must keep to the rule. unlock may be "".
func (s *Service) AddUser(ctx context.Context, u kiosk.User, password, unlock string) error {
	if err := kiosk.CheckPassword(password); err != nil {
		return err
	}
	if _, ok := s.Hall.Units[u.Unit]; !ok {
		return fault.New(fault.NotFound, "signin.unit", fault.Args{"unit": u.Unit})
	}
	var err error
	if u.Password, err = s.Options.Cost.Hash(password, rand.Reader); err != nil {
		return err
	}
	if unlock != "" {
		if err := kiosk.CheckUnlockCode(unlock); err != nil {
			return err
		}
		if u.UnlockCode, err = s.Options.Cost.Hash(unlock, rand.Reader); err != nil {
			return err
		}
	}
	u.PasswordAt, u.Rev = s.Options.Clock.Now(), 0
	return s.Store.Update(ctx, func(tx kiosk.Tx) error {
		if _, err := tx.User(u.Name); err == nil {
			return fault.New(fault.Conflict, "service.user_exists", fault.Args{"user": u.Name})
		}
		again := u
		if err := tx.PutUser(&again); err != nil {
			return err
		}
		_, err := tx.Append(adminEntry(s.Options.Clock.Now(), "user.add", u.Name))
		return err
	})
}

func adminEntry(at time.Time, act, subject string) journal.Entry {
	return journal.Entry{At: at.In(clock.Vietnam), Actor: "admin", Role: "admin", Place: "host", Act: act, Subject: subject}
}

// LockUser closes a member of staff's name, or opens it again; open sessions end with it for good.
func (s *Service) LockUser(ctx context.Context, name string, locked bool) error {
	return s.Store.Update(ctx, func(tx kiosk.Tx) error {
		u, err := tx.User(name)
		if fault.KindOf(err) == fault.NotFound {
			return fault.Wrap(err, fault.NotFound, "service.no_user", fault.Args{"user": name})
		}
		if err != nil {
			return err
		}
		u.Locked, u.Failures = locked, 0
		if locked {
			u.EndedAt = s.Options.Clock.Now()
		}
		if err := tx.PutUser(u); err != nil {
			return err
		}
		act := "user.unlock"
		if locked {
			act = "user.lock"
		}
		_, err = tx.Append(adminEntry(s.Options.Clock.Now(), act, name))
		return err
	})
}

// RotateKey adds a newer data key and moves every record and private key under it; it returns how many were moved. A
// stop in the middle loses nothing: both keys are in the vault, and the next call goes on.
func (s *Service) RotateKey(ctx context.Context) (int, error) {
	if err := s.Vault.Rotate(); err != nil {
		return 0, err
	}
	records, err := s.Store.Rewrap(ctx, func(string, int) {})
	if err != nil {
		return records, err
	}
	keys, err := s.Keys.Rewrap()
	if err != nil {
		return records, err
	}
	return records + keys, s.tellJournal(ctx, "key.rotate", "vault")
}
