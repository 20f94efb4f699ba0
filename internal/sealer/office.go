package sealer

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/internal/store"
	"countersign/internal/vault"
	"countersign/kiosk"
	"countersign/signing"
	"countersign/signing/journal"
	"countersign/signing/key"
	"countersign/signing/pdf"
	"countersign/signing/pdf/stamp"
	"countersign/signing/seal"
	"countersign/signing/tsa"
)

// Options say where a sealer's own things lie and what surrounds it.
type Options struct {
	Dir        string // data directory of its own
	KeyFile    string // vault of its own
	Passphrase []byte
	Roots      []*x509.Certificate // whom the house trusts: the customers', clerks' and seals' certificates lead there
	Authority  tsa.Authority       // nil: no timestamps
	Tokens     *key.Standing       // nil: no keys on tokens
	Least      func(service string) signing.Rank
	Look       func(s seal.Seal, c seal.Clerk, at time.Time) (*pdf.Appearance, error)
	Clock      clock.Clock
}

// Office is an open sealer. Its policy is Local's: people sign for each use, and nothing is taken on anybody's word.
type Office struct {
	*seal.Local
	options Options
	vault   *vault.Vault
	store   *store.Store
	keys    *key.Store
}

const dirKeys = "keys"

// onToken is before the fingerprint in the name of a key that is on a token.
const onToken = "token:"

// Found makes a sealer's vault and empty data directory.
func Found(ctx context.Context, o Options) error {
	entries, err := os.ReadDir(o.Dir)
	if err == nil && len(entries) > 0 {
		return fault.New(fault.Conflict, "service.not_empty", fault.Args{"dir": o.Dir})
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look into the sealer's data directory: %w", err)
	}
	v, err := vault.Create(o.KeyFile, o.Passphrase)
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, store.Options{Dir: o.Dir, Vault: v, Clock: o.Clock})
	if err != nil {
		return errors.Join(err, os.Remove(o.KeyFile))
	}
	return db.Close()
}

// Start opens a sealer and decides what a stop left open.
func Start(ctx context.Context, o Options) (*Office, error) {
	if _, err := os.Stat(o.Dir); errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(err, fault.NotFound, "sealer.not_founded", fault.Args{"dir": o.Dir})
	}
	f := &Office{options: o}
	var err error
	if f.vault, err = vault.Open(o.KeyFile, o.Passphrase); err != nil {
		return nil, err
	}
	if f.store, err = store.Open(ctx, store.Options{Dir: o.Dir, Vault: f.vault, Clock: o.Clock}); err != nil {
		return nil, err
	}
	if err := f.assemble(ctx); err != nil {
		return nil, errors.Join(err, f.store.Close())
	}
	return f, nil
}

func (f *Office) assemble(ctx context.Context) error {
	o := f.options
	var err error
	if f.keys, err = key.New(filepath.Join(o.Dir, dirKeys), f.vault); err != nil {
		return err
	}
	r := f.store.Register()
	f.Local = &seal.Local{Register: r, Policy: r, Strict: true, Book: f.store.Book(), Holder: f.store.Holder(), Keys: f, Clock: o.Clock,
		Authority: o.Authority, Judge: seal.Verified(o.Roots, o.Clock), Look: o.Look, Least: o.Least}
	held, err := r.Held(ctx)
	if err != nil {
		return err
	}
	if held {
		f.Suspend()
	}
	_, err = f.Recover(ctx)
	return err
}

// Close closes the database and the tokens.
func (f *Office) Close() error {
	err := f.store.Close()
	if f.options.Tokens != nil {
		err = errors.Join(err, f.options.Tokens.Close())
	}
	return err
}

// Signer opens a seal's key, in the vault or on a token.
func (f *Office) Signer(name string) (crypto.Signer, error) {
	fingerprint, ok := strings.CutPrefix(name, onToken)
	if !ok {
		return f.keys.Signer(name)
	}
	if f.options.Tokens == nil {
		return nil, fault.New(fault.Unavailable, "sealer.no_tokens", nil)
	}
	return f.options.Tokens.Signer(fingerprint)
}

// Open returns the uses that are not decided.
func (f *Office) Open(ctx context.Context) ([]seal.Use, error) { return f.Book.Open(ctx) }

// Uses returns the lines of the book between two moments.
func (f *Office) Uses(ctx context.Context, from, to time.Time) ([]seal.Use, error) {
	return f.store.Book().Uses(ctx, from, to)
}

// Backup writes the book, the register and the sealed keys, encrypted to the recipients, while the sealer works on.
func (f *Office) Backup(ctx context.Context, w io.Writer, keys []age.Recipient) (store.Manifest, error) {
	return f.store.Backup(ctx, w, keys, dirKeys)
}

// AllSeals lists the seals, the ended ones too.
func (f *Office) AllSeals(ctx context.Context) ([]seal.Seal, error) {
	return f.store.Register().Seals(ctx)
}

// AllGrants lists the grants, the ended ones too.
func (f *Office) AllGrants(ctx context.Context) ([]seal.Grant, error) {
	return f.store.Register().Grants(ctx)
}

// tell writes what the keeper of the seals did into the sealer's own journal.
func (f *Office) tell(ctx context.Context, act, subject string) error {
	return f.store.Update(ctx, func(tx kiosk.Tx) error {
		_, err := tx.Append(journal.Entry{At: f.options.Clock.Now().In(clock.Vietnam), Actor: "keeper", Role: "admin", Place: "sealer", Act: act, Subject: subject})
		return err
	})
}

// Request makes the key of a seal to come and returns the request for its certificate (PKCS#10, PEM).
func (f *Office) Request(ctx context.Context, id string, rsa bool) ([]byte, error) {
	kind := key.P256
	if rsa {
		kind = key.RSA2048
	}
	private, err := f.keys.Create(keyName(id), kind)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: id}}, private)
	if err != nil {
		return nil, fmt.Errorf("ask for a certificate for seal %s: %w", id, err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), f.tell(ctx, "seal.request", id)
}

func keyName(id string) string { return "seal-" + id }

// Add enters a seal with its certificates. Its key is the one that Request made, or, with a token's certificate, the one
// there; either must be the certificate's.
func (f *Office) Add(ctx context.Context, s seal.Seal, token bool) error {
	switch {
	case s.Kind.Field() == "":
		return fault.New(fault.Invalid, "service.seal_kind", fault.Args{"kind": string(s.Kind)})
	case s.Name == "":
		return fault.New(fault.Invalid, "service.seal_name", nil)
	case s.Kind != seal.Counter && !stamp.KnownLook(s.Geometry, s.Star):
		return fault.New(fault.Invalid, "service.seal_geometry", fault.Args{"geometry": s.Geometry})
	case len(s.Chain) == 0:
		return fault.New(fault.Invalid, "sealer.certificate", fault.Args{"seal": s.ID})
	}
	s.KeyName = keyName(s.ID)
	if token {
		sum := fingerprint(s.Chain[0])
		s.KeyName = onToken + hex.EncodeToString(sum[:])
	}
	if err := f.fits(s); err != nil {
		return fault.Wrap(err, fault.Invalid, "sealer.certificate", fault.Args{"seal": s.ID})
	}
	if s.ValidUntil.IsZero() {
		s.ValidUntil = s.Chain[0].NotAfter
	}
	if err := f.store.Register().PutSeal(ctx, s); err != nil {
		return err
	}
	return f.tell(ctx, "seal.add", s.ID)
}

// fits refuses a certificate that the house does not trust or whose key we don't have.
func (f *Office) fits(s seal.Seal) error {
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	for _, c := range f.options.Roots {
		roots.AddCert(c)
	}
	for _, c := range s.Chain[1:] {
		between.AddCert(c)
	}
	_, err := s.Chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: f.options.Clock.Now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil {
		return err
	}
	private, err := f.Signer(s.KeyName)
	if err != nil {
		return err
	}
	public, ok := private.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(s.Chain[0].PublicKey) {
		return errors.New("the certificate is another key's")
	}
	return nil
}

// Chain returns the certificate with a fingerprint on a token, and its issuers'.
func (f *Office) Chain(sum [32]byte) ([]*x509.Certificate, error) {
	if f.options.Tokens == nil {
		return nil, fault.New(fault.Unavailable, "sealer.no_tokens", nil)
	}
	return f.options.Tokens.Chain(sum)
}

// Grant gives a clerk the right to use a seal for a service, on the strength of a paper.
func (f *Office) Grant(ctx context.Context, g seal.Grant) error {
	if g.Paper == "" {
		return fault.New(fault.Invalid, "service.no_paper", nil)
	}
	seals, err := f.store.Register().Seals(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(seals, func(s seal.Seal) bool { return s.ID == g.Seal }) {
		return fault.New(fault.NotFound, "service.no_seal", fault.Args{"seal": g.Seal})
	}
	if err := f.store.Register().PutGrant(ctx, g); err != nil {
		return err
	}
	return f.tell(ctx, "seal.grant", g.Seal+" "+g.Clerk)
}

// Enroll makes a member of staff's key known, on the strength of a paper.
func (f *Office) Enroll(ctx context.Context, p seal.Signatory) error {
	if p.Paper == "" {
		return fault.New(fault.Invalid, "service.no_paper", nil)
	}
	if len(p.Public) != 32 || p.Staff == "" {
		return fault.New(fault.Invalid, "sealer.public", nil)
	}
	if err := f.store.Register().PutSignatory(ctx, p); err != nil {
		return err
	}
	return f.tell(ctx, "staff.enroll", p.Staff)
}

// Withdraw ends every key of a member of staff.
func (f *Office) Withdraw(ctx context.Context, staff string) error {
	people, err := f.store.Register().Signatories(ctx)
	if err != nil {
		return err
	}
	found := false
	for _, p := range people {
		if p.Staff != staff || !p.Until.IsZero() {
			continue
		}
		found = true
		p.Until = f.options.Clock.Now()
		if err := f.store.Register().PutSignatory(ctx, p); err != nil {
			return err
		}
	}
	if !found {
		return fault.New(fault.NotFound, "sealer.no_staff", fault.Args{"staff": staff})
	}
	return f.tell(ctx, "staff.withdraw", staff)
}

// People lists whose keys are known.
func (f *Office) People(ctx context.Context) ([]seal.Signatory, error) {
	return f.store.Register().Signatories(ctx)
}

// Rule sets when two people are needed.
func (f *Office) Rule(ctx context.Context, r seal.Rule) error {
	if r.Paper == "" {
		return fault.New(fault.Invalid, "service.no_paper", nil)
	}
	if err := f.store.Register().PutRule(ctx, r); err != nil {
		return err
	}
	return f.tell(ctx, "seal.rule", r.Seal+" "+r.Service)
}

// Rules lists when two people are needed.
func (f *Office) Rules(ctx context.Context) ([]seal.Rule, error) {
	return f.store.Register().Rules(ctx)
}

// Suspended stops sealing, or lets it go on; a restart changes nothing of it.
func (f *Office) Suspended(ctx context.Context, held bool) error {
	if held {
		f.Suspend() // first: whatever fails below, no seal is set from here on
	}
	if err := f.store.Register().Hold(ctx, held); err != nil {
		return err
	}
	if err := f.tell(ctx, map[bool]string{true: "seal.suspend", false: "seal.resume"}[held], "*"); err != nil {
		return err
	}
	if !held {
		f.Resume()
	}
	return nil
}
