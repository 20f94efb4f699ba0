package service

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"countersign/internal/fault"
	"countersign/kiosk"
	"countersign/signing/ca"
	"countersign/signing/key"
	"countersign/signing/revoke"
	"countersign/signing/seal"
)

const (
	keyResponder = "ca-ocsp"
	fileRootList = "ca/root.crl" // signed while the root's key is here; it must do until the key is brought back

	statusLife    = 24 * time.Hour           // how long an answer about a certificate of ours is good
	rootListLife  = 400 * 24 * time.Hour     // how long the root's list is good
	responderLife = 2 * 365 * 24 * time.Hour // of the responder's certificate
	responderSoon = 60 * 24 * time.Hour      // before its end it gets a new one

	// Where the house's status is served, below the service's own address or the one of its own.
	pathOCSP     = "/pki/ocsp"
	pathList     = "/pki/issuing.crl"
	pathRootList = "/pki/root.crl"
	pathIssuing  = "/pki/issuing.pem"
	pathRoot     = "/pki/root.pem"
)

// house is the certificate authority of an installation while it is open: what it issued, what it says about it, and the
// lists on the disk. Issuing authorities that were replaced go on answering for what they issued.
type house struct {
	service *Service
	offices []*office // the one that issues now first

	mu   sync.Mutex // one list is written at a time
	next time.Time
}

// office is one issuing authority.
type office struct {
	id        string // of its key, in its files' names
	authority *ca.Authority
	responder *ca.Responder
}

// openHouse enters the house's own certificates into the register, gets the responders their keys and writes the lists.
func (s *Service) openHouse(ctx context.Context) error {
	s.house = &house{service: s}
	authorities, err := s.formerAuthorities()
	if err != nil {
		return err
	}
	for _, a := range append([]*ca.Authority{s.Issuing}, authorities...) {
		r := ca.NewResponder(a, ledger{s.Store, a.Certificate.Subject.CommonName}, statusLife)
		s.house.offices = append(s.house.offices, &office{keyID(a.Certificate), a, r})
	}
	if err := s.enterOwn(ctx); err != nil {
		return err
	}
	if err := s.house.delegate(ctx); err != nil {
		return err
	}
	s.Hall.OnTakeBack = s.tookBack
	return s.house.publish(ctx)
}

// formerAuthorities opens the issuing authorities that were replaced, newest first.
func (s *Service) formerAuthorities() ([]*ca.Authority, error) {
	files, err := filepath.Glob(filepath.Join(s.Options.Dir, "ca", "issuing-*.pem"))
	if err != nil {
		return nil, err
	}
	var out []*ca.Authority
	for _, path := range files {
		name := "ca/" + filepath.Base(path)
		certs, err := s.certificates(name)
		if err != nil {
			return nil, err
		}
		if certs[0].Equal(s.Issuing.Certificate) {
			continue // the replacement was cut off before it took effect
		}
		a, err := s.openIssuing(certs[0], name)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b *ca.Authority) int { return b.Certificate.NotBefore.Compare(a.Certificate.NotBefore) })
	return out, nil
}

// openIssuing opens an issuing authority. Its key has the certificate's key id in its name, the first one's has none.
func (s *Service) openIssuing(cert *x509.Certificate, file string) (*ca.Authority, error) {
	private, err := s.Keys.Signer(keyIssuing + "-" + keyID(cert))
	if fault.Is(err, "key.missing") {
		private, err = s.Keys.Signer(keyIssuing)
	}
	if err != nil {
		return nil, err
	}
	a, err := ca.Open(cert, nil, private, s.Options.Clock, rand.Reader)
	if err != nil {
		return nil, s.badFile(err, file)
	}
	a.Publish(s.Options.points(listPath(cert), true))
	return a, nil
}

// keyID names an authority's key in file names and addresses.
func keyID(c *x509.Certificate) string { return hex.EncodeToString(c.SubjectKeyId)[:16] }

func listPath(c *x509.Certificate) string { return "/pki/" + keyID(c) + ".crl" }

func (h *house) responders() ca.Responders {
	out := ca.Responders{}
	for _, o := range h.offices {
		out = append(out, o.responder)
	}
	return out
}

// tookBack cuts what runs under a certificate that was taken back, and publishes the news.
func (s *Service) tookBack() {
	s.live.cutDenied(func(c *x509.Certificate) bool {
		denied, err := s.Hall.Denied(context.Background(), c)
		return denied || err != nil
	})
	s.publishSoon()
}

// publishSoon writes a new list without keeping whoever took a certificate back waiting. The answers of the responder and
// the refusals at the counters come from the register itself and need no list.
func (s *Service) publishSoon() {
	s.publishing.Add(1)
	go func() {
		defer s.publishing.Done()
		if err := s.house.publish(context.Background()); err != nil {
			s.Options.Log.Error("the revocation list is not written anew", "err", err)
		}
	}()
}

// points are the addresses that go into certificates; none without a public address.
func (o Options) points(list string, ocsp bool) ca.Points {
	if o.PublicURL == "" {
		return ca.Points{}
	}
	base := strings.TrimRight(o.PublicURL, "/")
	p := ca.Points{CRL: []string{base + list}}
	if ocsp {
		p.OCSP = []string{base + pathOCSP}
	}
	return p
}

// enterOwn puts the authorities', the timestamp's and the seals' certificates into the register, where they are not there.
func (s *Service) enterOwn(ctx context.Context) error {
	own := []*x509.Certificate{s.Root}
	for _, o := range s.house.offices {
		own = append(own, o.authority.Certificate)
	}
	if chain, err := s.certificates(fileTSA); err == nil {
		own = append(own, chain[0])
	} else if s.Options.LocalTSA {
		return err
	}
	seals, err := s.Store.Register().Seals(ctx)
	if err != nil {
		return err
	}
	for _, x := range seals {
		own = append(own, x.Chain[0])
	}
	return s.enter(ctx, own...)
}

// enter puts certificates into the register; those that are there stay as they are.
func (s *Service) enter(ctx context.Context, certs ...*x509.Certificate) error {
	var missing []*kiosk.Certificate
	err := s.Store.View(ctx, func(tx kiosk.Tx) error {
		missing = nil
		for _, c := range certs {
			line := kiosk.NewCertificate(c)
			_, err := tx.Certificate(line.SHA256)
			if fault.KindOf(err) == fault.NotFound {
				missing = append(missing, line)
			} else if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || len(missing) == 0 {
		return err
	}
	return s.Store.Update(ctx, func(tx kiosk.Tx) error {
		for _, line := range missing {
			again := *line
			if err := tx.PutCertificate(&again); err != nil {
				return err
			}
		}
		return nil
	})
}

// delegate gives each responder a key and a certificate for nothing else, and new ones before they end.
func (h *house) delegate(ctx context.Context) error {
	for _, o := range h.offices {
		if err := h.service.delegate(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) delegate(ctx context.Context, o *office) error {
	name, file := keyResponder+"-"+o.id, "ca/ocsp-"+o.id+".pem"
	private, err := s.Keys.Signer(name)
	if fault.Is(err, "key.missing") {
		private, err = s.Keys.Create(name, key.P256)
	}
	if err != nil {
		return err
	}
	chain, err := s.certificates(file)
	if err != nil || !s.responds(chain[0], o.authority.Certificate, private) {
		subject := o.authority.Certificate.Subject
		subject = pkix.Name{CommonName: subject.CommonName + " OCSP", Organization: subject.Organization}
		if chain, err = o.authority.IssueResponder(private.Public(), subject, responderLife); err != nil {
			return err
		}
		if err := replaceFile(filepath.Join(s.Options.Dir, filepath.FromSlash(file)), ca.PEM(chain...)); err != nil {
			return err
		}
	}
	if err := s.enter(ctx, chain[0]); err != nil {
		return err
	}
	o.responder.Delegate(private, chain[0])
	return nil
}

// responds reports whether a responder's certificate will do: the authority's, for this key, and not near its end.
func (s *Service) responds(c, authority *x509.Certificate, private crypto.Signer) bool {
	public, ok := private.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(c.PublicKey) && c.CheckSignatureFrom(authority) == nil && c.NotAfter.After(s.Options.Clock.Now().Add(responderSoon))
}

// publish writes the issuing authorities' lists, and the root's while its key is here.
func (h *house) publish(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.service
	for _, o := range h.offices {
		path := filepath.Join(s.Options.Dir, "ca", o.id+".crl")
		last, err := lastList(path)
		if err != nil {
			return err
		}
		list, err := o.responder.ListAfter(ctx, last)
		if err != nil {
			return err
		}
		if err := replaceFile(path, list); err != nil {
			return err
		}
	}
	h.next = s.Options.Clock.Now().Add(statusLife / 2)
	root, err := s.rootAuthority()
	if err != nil || root == nil {
		return err
	}
	return s.publishRoot(ctx, root)
}

// lastList reads the list that is to be replaced; nil when it is the first.
func lastList(path string) ([]byte, error) {
	last, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the last revocation list: %w", err)
	}
	return last, nil
}

// publishRoot signs the root's own list.
func (s *Service) publishRoot(ctx context.Context, root *ca.Authority) error {
	path := filepath.Join(s.Options.Dir, filepath.FromSlash(fileRootList))
	last, err := lastList(path)
	if err != nil {
		return err
	}
	list, err := ca.NewResponder(root, ledger{s.Store, s.Root.Subject.CommonName}, rootListLife).ListAfter(ctx, last)
	if err != nil {
		return err
	}
	return replaceFile(path, list)
}

// due writes a new list when the last one has lived half its time.
func (h *house) due(ctx context.Context) {
	h.mu.Lock()
	soon := !h.service.Options.Clock.Now().Before(h.next)
	h.mu.Unlock()
	if !soon {
		return
	}
	if err := errors.Join(h.delegate(ctx), h.publish(ctx)); err != nil {
		h.service.Options.Log.Error("the revocation list is not written anew", "err", err)
	}
}

// rootAuthority returns the root with its key, or nil while the key is elsewhere.
func (s *Service) rootAuthority() (*ca.Authority, error) {
	private, err := s.Keys.Signer(keyRoot)
	if fault.Is(err, "key.missing") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	root, err := ca.Open(s.Root, nil, private, s.Options.Clock, rand.Reader)
	if err != nil {
		return nil, err
	}
	root.Publish(s.Options.points(pathRootList, false))
	return root, nil
}

// ownStatus answers for the house's certificates in this process.
func (s *Service) ownStatus() revoke.Source {
	return revoke.InOrder{s.house.responders(), rootStatus{s}}
}

// rootStatus answers from the root's list as it lies on the disk now.
type rootStatus struct{ service *Service }

func (r rootStatus) Status(ctx context.Context, q revoke.Question) (revoke.Answer, error) {
	lists := revoke.Lists{Clock: r.service.Options.Clock}
	if list, err := os.ReadFile(filepath.Join(r.service.Options.Dir, filepath.FromSlash(fileRootList))); err == nil {
		lists.DER = [][]byte{list}
	}
	return lists.Status(ctx, q)
}

// ledger is the register as an authority's ledger.
type ledger struct {
	store  kiosk.Store
	issuer string
}

// Look implements ca.Ledger.
func (l ledger) Look(ctx context.Context, serial *big.Int) (known bool, r *ca.Revocation, err error) {
	err = l.store.View(ctx, func(tx kiosk.Tx) error {
		lines, err := tx.Certificates(kiosk.CertificateQuery{Serial: serial.Text(16), Issuer: l.issuer})
		for _, c := range lines {
			if c.Class == kiosk.ClassOutside {
				continue
			}
			known = true
			if back, ok := revocation(c); ok {
				r = &back
			}
		}
		return err
	})
	return known, r, err
}

// Revoked implements ca.Ledger.
func (l ledger) Revoked(ctx context.Context) (out []ca.Revocation, err error) {
	err = l.store.View(ctx, func(tx kiosk.Tx) error {
		lines, err := tx.TakenBack(l.issuer)
		out = nil
		for _, c := range lines {
			if back, ok := revocation(c); ok && c.Class != kiosk.ClassOutside {
				out = append(out, back)
			}
		}
		return err
	})
	return out, err
}

func revocation(c *kiosk.Certificate) (ca.Revocation, bool) {
	if c.State != kiosk.CertificateRevoked && c.State != kiosk.CertificateSuspended {
		return ca.Revocation{}, false
	}
	serial, ok := new(big.Int).SetString(c.Serial, 16)
	return ca.Revocation{Serial: serial, At: c.TakenAt, Reason: c.Reason}, ok
}

// PKI serves the status of the house's certificates: OCSP, both lists and both authorities' certificates. It needs no
// sign-in and tells nobody's name.
func (s *Service) PKI() http.Handler {
	answers := revoke.Serve(s.house.responders())
	lists := map[string]string{pathList: "ca/" + s.house.offices[0].id + ".crl", pathRootList: fileRootList}
	for _, o := range s.house.offices {
		lists[listPath(o.authority.Certificate)] = "ca/" + o.id + ".crl"
	}
	file := func(w http.ResponseWriter, kind, name string) {
		data, err := os.ReadFile(filepath.Join(s.Options.Dir, filepath.FromSlash(name)))
		if err != nil {
			http.Error(w, "it is not there", http.StatusNotFound)
			return
		}
		if kind == revoke.ListType {
			revoke.SetListHeaders(w.Header(), data, s.Options.Clock.Now())
		}
		w.Header().Set("Content-Type", kind)
		w.Write(data)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.EscapedPath(); {
		case path == pathOCSP || strings.HasPrefix(path, pathOCSP+"/"):
			answers.ServeHTTP(w, r)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			http.Error(w, "get it", http.StatusMethodNotAllowed)
		case lists[path] != "":
			file(w, revoke.ListType, lists[path])
		case path == pathIssuing:
			file(w, "application/x-pem-file", fileIssuing)
		case path == pathRoot:
			file(w, "application/x-pem-file", fileRoot)
		default:
			http.NotFound(w, r)
		}
	})
}

// beside puts the status of certificates beside the API.
func beside(api, pki http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.EscapedPath(), "/pki/") {
			pki.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
}

// heldSeals is the register of seals in which one whose certificate was taken back is at its end.
type heldSeals struct {
	seal.Register
	service *Service
}

// Seals lists the seals. When nobody can say which certificates were taken back there are none.
func (h heldSeals) Seals(ctx context.Context) ([]seal.Seal, error) {
	list, err := h.Register.Seals(ctx)
	if err != nil {
		return nil, err
	}
	for i, x := range list {
		denied, err := h.service.Hall.Denied(ctx, x.Chain[0])
		if err != nil {
			return nil, fault.Wrap(err, fault.Unavailable, "trust.denials_away", nil)
		}
		if denied {
			list[i].ValidUntil = x.Chain[0].NotBefore
		}
	}
	return list, nil
}

// replaceFile writes a file beside the old one and then puts it in its place, so that nobody ever reads half of it.
func replaceFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(f.Name())
	_, err = f.ReadFrom(bytes.NewReader(data))
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
