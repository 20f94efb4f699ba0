package trust

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/signing/ca"
	"countersign/signing/key"
	"countersign/signing/revoke"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, clock.Vietnam)

// house is an authority with its register and a web server that answers for it.
type house struct {
	root, issuing *ca.Authority
	register      *ca.Register
	down          bool
}

func newHouse(t *testing.T, name string, now *clock.Set) *house {
	t.Helper()
	h := &house{register: &ca.Register{}}
	var err error
	if h.root, err = ca.NewRoot(pkix.Name{CommonName: name + " Root"}, now, rand.Reader); err != nil {
		t.Fatal(err)
	}
	answers := func(a func() *ca.Authority) ca.Points {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if h.down {
				http.Error(w, "away", http.StatusServiceUnavailable)
				return
			}
			revoke.Serve(ca.NewResponder(a(), h.register, time.Hour)).ServeHTTP(w, r)
		}))
		t.Cleanup(s.Close)
		return ca.Points{OCSP: []string{s.URL}, CRL: []string{s.URL + "/list.crl"}}
	}
	h.root.Publish(answers(func() *ca.Authority { return h.root }))
	if h.issuing, err = h.root.NewIssuing(pkix.Name{CommonName: name + " Issuing"}); err != nil {
		t.Fatal(err)
	}
	h.issuing.Publish(answers(func() *ca.Authority { return h.issuing }))
	return h
}

func newKey(t *testing.T) crypto.Signer {
	t.Helper()
	k, _, err := key.OneOff()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (h *house) person(t *testing.T) []*x509.Certificate {
	t.Helper()
	chain, err := h.issuing.IssueToken(newKey(t).Public(), "NGUYỄN VĂN THỬ", "CCCD:001099000017", 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return chain
}

type lost struct {
	serials map[string]bool
	err     error
}

func (l *lost) Denied(_ context.Context, c *x509.Certificate) (bool, error) {
	return l.serials[c.SerialNumber.String()], l.err
}

type world struct {
	now                            *clock.Set
	public, government, banks, own *house
	lost                           *lost
	judge                          *Judge
}

func newWorld(t *testing.T) *world {
	w := &world{now: clock.At(noon), lost: &lost{serials: map[string]bool{}}}
	w.public, w.government, w.banks, w.own = newHouse(t, "Public", w.now), newHouse(t, "Government", w.now), newHouse(t, "Bank", w.now), newHouse(t, "Own", w.now)
	anchor := func(h *house) []*x509.Certificate { return []*x509.Certificate{h.root.Certificate} }
	w.judge = &Judge{
		Lists:   Lists{Public: anchor(w.public), Government: anchor(w.government), Banks: anchor(w.banks), Own: anchor(w.own)},
		Allowed: map[Purpose][]Source{Customer: {Own, Public, Banks}, Staff: {Government}},
		Status:  revoke.NewCache(revoke.NewClient(5*time.Second, w.now, rand.Reader), w.now), Denials: w.lost,
	}
	return w
}

func (w *world) refused(t *testing.T, what string, chain []*x509.Certificate, p Purpose, code string) {
	t.Helper()
	if v, err := w.judge.Accept(t.Context(), chain, p, w.now.Now()); !fault.Is(err, code) || v.Chain != nil {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}

func TestACertificateIsAcceptedFromTheListsThatAreGoodForThePurpose(t *testing.T) {
	w := newWorld(t)
	for source, h := range map[Source]*house{Public: w.public, Banks: w.banks, Own: w.own} {
		chain := h.person(t)
		v, err := w.judge.Accept(t.Context(), chain, Customer, noon)
		if err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		digest := sha256.Sum256(chain[0].Raw)
		if v.Source != source || v.Status != "ocsp" || v.Unchecked() || !v.Checked.Equal(noon) || len(v.Chain) != 3 || v.SHA256 != hex.EncodeToString(digest[:]) {
			t.Errorf("%s: %+v", source, v)
		}
		if (v.Class == ca.KindToken) != (source == Own) {
			t.Errorf("%s: class %q", source, v.Class)
		}
		w.refused(t, string(source)+" for staff", chain, Staff, "trust.list")
	}
	official := w.government.person(t)
	if _, err := w.judge.Accept(t.Context(), official, Staff, noon); err != nil {
		t.Error(err)
	}
	w.refused(t, "a civil servant's as a customer", official, Customer, "trust.list")
	w.refused(t, "a stranger's", newHouse(t, "Stranger", w.now).person(t), Customer, "trust.unknown")
	w.refused(t, "no certificate", nil, Customer, "trust.none")
	w.refused(t, "a purpose without lists", official, "other", "trust.none")
}

func TestTheWayUpIsFoundWithoutTheOthersCertificates(t *testing.T) {
	w := newWorld(t)
	chain := w.public.person(t)
	w.refused(t, "alone", chain[:1], Customer, "trust.unknown")
	w.judge.Lists[Public] = append(w.judge.Lists[Public], w.public.issuing.Certificate)
	v, err := w.judge.Accept(t.Context(), chain[:1], Customer, noon)
	if err != nil || len(v.Chain) != 3 {
		t.Errorf("%d certificates, %v", len(v.Chain), err)
	}
}

func TestARevokedOrLostCertificateIsRefused(t *testing.T) {
	w := newWorld(t)
	chain := w.public.person(t)
	w.lost.serials[chain[0].SerialNumber.String()] = true
	w.refused(t, "reported lost", chain, Customer, "trust.denied")
	w.lost.err = errors.New("the store is away")
	w.refused(t, "nobody can say what was lost", w.public.person(t), Customer, "trust.denials_away")
	w.lost.err = nil
	gone := w.public.person(t)
	w.public.register.Revoke(ca.Revocation{Serial: gone[0].SerialNumber, At: noon.Add(-time.Hour), Reason: 1})
	w.refused(t, "revoked", gone, Customer, "trust.revoked")
	other := w.banks.person(t)
	w.banks.register.Revoke(ca.Revocation{Serial: w.banks.issuing.Certificate.SerialNumber, At: noon.Add(-time.Hour), Reason: 2})
	w.refused(t, "the authority is revoked", other, Customer, "trust.revoked")
}

func TestAStatusThatNobodyTellsIsARefusalUnlessTheHouseChoseOtherwise(t *testing.T) {
	w := newWorld(t)
	first, second := w.public.person(t), w.public.person(t)
	if _, err := w.judge.Accept(t.Context(), first, Customer, noon); err != nil {
		t.Fatal(err)
	}
	w.public.down = true
	if _, err := w.judge.Accept(t.Context(), first, Customer, noon); err != nil {
		t.Errorf("what was asked within the hour is known: %v", err)
	}
	w.refused(t, "not asked before", second, Customer, "trust.status")
	w.now.Advance(2 * time.Hour)
	w.refused(t, "the answer has run out", first, Customer, "trust.status")
	w.judge.WithoutStatus = true
	v, err := w.judge.Accept(t.Context(), second, Customer, w.now.Now())
	if err != nil || !v.Unchecked() || v.Status != "unavailable" {
		t.Errorf("%+v, %v", v, err)
	}
	w.lost.serials[second[0].SerialNumber.String()] = true
	w.refused(t, "reported lost all the same", second, Customer, "trust.denied")
}

func TestWhatIsNotAPersonsSigningCertificateIsRefused(t *testing.T) {
	w := newWorld(t)
	w.refused(t, "an authority", []*x509.Certificate{w.public.issuing.Certificate}, Customer, "trust.usage")
	for what, issue := range map[string]func() ([]*x509.Certificate, error){
		"a server": func() ([]*x509.Certificate, error) {
			return w.own.issuing.IssueServer(newKey(t).Public(), []string{"a.example"}, time.Hour)
		},
		"a timestamp authority": func() ([]*x509.Certificate, error) {
			return w.own.issuing.IssueTimestamp(newKey(t).Public(), pkix.Name{CommonName: "T"}, time.Hour)
		},
		"a responder": func() ([]*x509.Certificate, error) {
			return w.own.issuing.IssueResponder(newKey(t).Public(), pkix.Name{CommonName: "T"}, time.Hour)
		},
	} {
		chain, err := issue()
		if err != nil {
			t.Fatal(err)
		}
		w.refused(t, what, chain, Customer, "trust.usage")
	}
	seal, err := w.own.issuing.IssueSeal(newKey(t).Public(), ca.Seal{Name: "Dấu", Life: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	w.refused(t, "the house's seal", seal, Customer, "trust.class")
	chain := w.public.person(t)
	w.now.Advance(48 * time.Hour)
	w.refused(t, "one that ended", chain, Customer, "trust.dates")
}

func TestAnAuthorityMustHaveBeenLicensedWhenItIssued(t *testing.T) {
	w := newWorld(t)
	chain := w.public.person(t)
	digest := sha256.Sum256(w.public.issuing.Certificate.Raw)
	for name, c := range map[string]struct {
		from, until time.Time
		good        bool
	}{
		"licensed then": {noon.AddDate(-1, 0, 0), time.Time{}, true},
		"ended before":  {noon.AddDate(-1, 0, 0), noon.AddDate(0, 0, -1), false},
		"begins later":  {noon.AddDate(0, 0, 1), time.Time{}, false},
	} {
		data, err := json.Marshal([]Licence{{SHA256: hex.EncodeToString(digest[:]), Name: "Public", Paper: "GP 1/2026", From: c.from, Until: c.until}})
		if err != nil {
			t.Fatal(err)
		}
		if w.judge.Licences, err = ReadLicences(data); err != nil {
			t.Fatal(err)
		}
		v, err := w.judge.Accept(t.Context(), chain, Customer, noon)
		if c.good && (err != nil || v.Licence != "GP 1/2026") || !c.good && !fault.Is(err, "trust.licence") {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
	if _, err := w.judge.Accept(t.Context(), w.banks.person(t), Customer, noon); err != nil {
		t.Errorf("banks need no licence for the public: %v", err)
	}
	for _, bad := range []string{"", "{}", `[{"sha256":"00"}]`, `[{"sha256":"` + hex.EncodeToString(digest[:]) + `","from":"2026-01-01T00:00:00Z"}]`} {
		if _, err := ReadLicences([]byte(bad)); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

func TestListsAreReadFromFilesAndFolders(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	for name, c := range map[string][]byte{"a.pem": ca.PEM(w.public.root.Certificate), "b.der": w.banks.root.Certificate.Raw, "notes.txt": []byte("x")} {
		if err := os.WriteFile(filepath.Join(dir, name), c, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list, err := Read([]string{dir, filepath.Join(dir, "a.pem")})
	if err != nil || len(list) != 3 {
		t.Fatalf("%d certificates, %v", len(list), err)
	}
	if all := (Lists{Public: list}).All(); len(all) != 2 {
		t.Errorf("%d certificates in all", len(all))
	}
	if err := os.WriteFile(filepath.Join(dir, "c.pem"), ca.PEM(w.public.person(t)[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{filepath.Join(dir, "c.pem"), filepath.Join(dir, "none"), filepath.Join(dir, "notes.txt"), t.TempDir()} {
		if _, err := Read([]string{bad}); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
}
