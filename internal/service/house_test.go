package service_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"countersign/internal/fault"
	"countersign/internal/service"
	"countersign/kiosk"
	"countersign/signing/ca"
	"countersign/signing/key"
	"countersign/signing/revoke"
	"countersign/signing/seal"
)

// office is an installation whose status is served over a socket under the address in its certificates.
type office struct {
	*service.Service
	options service.Options
	url     string
	handler atomic.Pointer[http.Handler]
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{options: options(t.TempDir())}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*o.handler.Load()).ServeHTTP(w, r) }))
	t.Cleanup(web.Close)
	o.url, o.options.PublicURL = web.URL, web.URL
	if err := service.Found(t.Context(), o.options, "Điện lực Mẫu"); err != nil {
		t.Fatal(err)
	}
	o.open(t)
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	return o
}

func (o *office) open(t *testing.T) {
	t.Helper()
	s, err := service.Open(t.Context(), o.options)
	if err != nil {
		t.Fatal(err)
	}
	h := s.PKI()
	o.Service = s
	o.handler.Store(&h)
}

func (o *office) again(t *testing.T) {
	t.Helper()
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	o.open(t)
}

func (o *office) user(t *testing.T, name string, roles ...kiosk.Role) {
	t.Helper()
	if err := o.AddUser(t.Context(), kiosk.User{Name: name, FullName: "Trần Thị " + name, StaffID: "77" + name, Unit: "PA0505", Roles: roles}, "Quay3@BacGiang", ""); err != nil {
		t.Fatal(err)
	}
}

func (o *office) staff(t *testing.T, name string) *x509.Certificate {
	t.Helper()
	chain, file, err := o.IssueStaff(t.Context(), name, nil, "một câu dài để giữ khóa")
	if err != nil {
		t.Fatal(err)
	}
	certs, err := ca.Certificates(chain)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := key.FromFile(file, certs[0], "một câu dài để giữ khóa"); err != nil {
		t.Fatal(err)
	}
	return certs[0]
}

func (o *office) get(t *testing.T, path string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.Get(o.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(r.Body); err != nil {
		t.Fatal(err)
	}
	return r, b.Bytes()
}

func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// openssl asks the responder and judges the lists as a stranger would.
func (o *office) openssl(t *testing.T, cert *x509.Certificate, want string) {
	t.Helper()
	_, root := o.get(t, "/pki/root.pem")
	_, issuing := o.get(t, "/pki/issuing.pem")
	rootFile, issuingFile, leaf := write(t, "root.pem", root), write(t, "issuing.pem", issuing), write(t, "leaf.pem", ca.PEM(cert))
	out, _ := exec.Command("openssl", "ocsp", "-issuer", issuingFile, "-cert", leaf, "-url", cert.OCSPServer[0], "-CAfile", rootFile, "-verify_other", issuingFile).CombinedOutput()
	if text := string(out); !strings.Contains(text, "Response verify OK") || !strings.Contains(text, "leaf.pem: "+want) {
		t.Errorf("openssl ocsp, want %s:\n%s", want, text)
	}
	lists := bytes.Buffer{}
	for _, url := range []string{cert.CRLDistributionPoints[0], o.url + "/pki/root.crl"} {
		r, der := o.get(t, strings.TrimPrefix(url, o.url))
		if r.Header.Get("Content-Type") != revoke.ListType || !strings.Contains(r.Header.Get("Cache-Control"), "max-age=") {
			t.Errorf("%s comes with %v", url, r.Header)
		}
		if err := pem.Encode(&lists, &pem.Block{Type: "X509 CRL", Bytes: der}); err != nil {
			t.Fatal(err)
		}
	}
	crl := write(t, "all.crl", lists.Bytes())
	if out, err := exec.Command("openssl", "crl", "-in", crl, "-CAfile", issuingFile, "-noout", "-crlnumber", "-nextupdate").CombinedOutput(); err != nil || !strings.Contains(string(out), "verify OK") {
		t.Errorf("openssl crl: %v\n%s", err, out)
	}
	out, err := exec.Command("openssl", "verify", "-crl_check_all", "-CAfile", rootFile, "-untrusted", issuingFile, "-CRLfile", crl, leaf).CombinedOutput()
	if revoked := strings.Contains(string(out), "certificate revoked"); revoked != (want == "revoked") || !revoked && err != nil {
		t.Errorf("openssl verify -crl_check_all, want %s: %v\n%s", want, err, out)
	}
}

func TestOthersFindTheStatusOfOurCertificatesWhereTheCertificatesSay(t *testing.T) {
	o := newOffice(t)
	o.user(t, "lan", kiosk.RoleClerk)
	cert := o.staff(t, "lan")
	if len(cert.OCSPServer) != 1 || !strings.HasPrefix(cert.OCSPServer[0], o.url) || len(cert.CRLDistributionPoints) != 1 {
		t.Fatalf("the certificate names %v and %v", cert.OCSPServer, cert.CRLDistributionPoints)
	}
	o.openssl(t, cert, "good")
	before := number(t, o, cert)
	if _, err := o.TakeBackCertificate(t.Context(), cert.SerialNumber.Text(16), "", kiosk.TakeBack{Reason: "key_compromise", Why: "mất USB"}); err != nil {
		t.Fatal(err)
	}
	// The list is written in the background; closing waits for it. The responder needs no list.
	o.again(t)
	o.openssl(t, cert, "revoked")
	if after := number(t, o, cert); after <= before {
		t.Errorf("the list's number went from %s to %s", before, after)
	}
	stranger, err := o.Issuing.IssueToken(mustKey(t), "Ai Đó", "CCCD:001099000017", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	o.openssl(t, stranger[0], "unknown")
}

func mustKey(t *testing.T) any {
	t.Helper()
	k, _, err := key.OneOff()
	if err != nil {
		t.Fatal(err)
	}
	return k.Public()
}

// number is the list's number, as text of one length.
func number(t *testing.T, o *office, cert *x509.Certificate) string {
	t.Helper()
	_, der := o.get(t, strings.TrimPrefix(cert.CRLDistributionPoints[0], o.url))
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		t.Fatal(err)
	}
	return list.Number.String()
}

func TestTheResponderSignsWithItsOwnKeyAndLetsProxiesKeepItsAnswers(t *testing.T) {
	o := newOffice(t)
	o.user(t, "lan", kiosk.RoleClerk)
	cert := o.staff(t, "lan")
	query := func(nonce []byte) []byte {
		r, err := revoke.NewRequest(cert, o.Issuing.Certificate, nonce)
		if err != nil {
			t.Fatal(err)
		}
		der, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	text := base64.StdEncoding.EncodeToString(query(nil))
	for _, path := range []string{url.PathEscape(text), text} {
		r, body := o.get(t, "/pki/ocsp/"+path)
		answer, err := revoke.ParseOCSP(body)
		if err != nil {
			t.Fatal(err)
		}
		h := r.Header
		if h.Get("Content-Type") != "application/ocsp-response" || h.Get("ETag") == "" || h.Get("Expires") == "" || h.Get("Last-Modified") == "" || !strings.Contains(h.Get("Cache-Control"), "max-age=86400, public, no-transform, must-revalidate") {
			t.Errorf("headers %v", h)
		}
		signer := answer.Certificates[0]
		noCheck := false
		for _, e := range signer.Extensions {
			noCheck = noCheck || e.Id.String() == "1.3.6.1.5.5.7.48.1.5"
		}
		if signer.Equal(o.Issuing.Certificate) || len(signer.ExtKeyUsage) != 1 || signer.ExtKeyUsage[0] != x509.ExtKeyUsageOCSPSigning || !noCheck {
			t.Errorf("the answer is signed by %s", signer.Subject)
		}
		if s, err := (revoke.Answer{OCSP: body}).Check(revoke.Question{Certificate: cert, Issuer: o.Issuing.Certificate}, time.Now().Add(time.Second)); err != nil || s.State != revoke.Good {
			t.Errorf("%+v, %v", s, err)
		}
	}
	if r, _ := o.get(t, "/pki/ocsp/"+url.PathEscape(base64.StdEncoding.EncodeToString(query([]byte("0123456789abcdef"))))); r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("an answer with a nonce may be kept: %v", r.Header)
	}
	for path, want := range map[string]int{"/pki/ocsp/AAAA": 200, "/pki/nothing": 404, "/pki/issuing.crl": 200} {
		if r, _ := o.get(t, path); r.StatusCode != want {
			t.Errorf("%s is %s", path, r.Status)
		}
	}
	r, err := http.Post(o.url+"/pki/issuing.crl", "text/plain", strings.NewReader("x"))
	if err != nil || r.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("a list takes a POST: %v %v", r.Status, err)
	}
	r.Body.Close()
}

func TestASuspensionIsLiftedByTwoOperatorsOnly(t *testing.T) {
	o := newOffice(t)
	o.user(t, "lan", kiosk.RoleClerk)
	o.user(t, "admin1", kiosk.RoleAdmin)
	o.user(t, "admin2", kiosk.RoleAdmin)
	cert := o.staff(t, "lan")
	serial := cert.SerialNumber.Text(16)
	denied := func() bool {
		yes, err := o.Hall.Denied(t.Context(), cert)
		if err != nil {
			t.Fatal(err)
		}
		return yes
	}
	if denied() {
		t.Fatal("a fresh certificate is refused")
	}
	refused(t, second(o.TakeBackCertificate(t.Context(), serial, "admin1", kiosk.TakeBack{Reason: "because", Why: "x"})), "certificate.reason")
	refused(t, second(o.TakeBackCertificate(t.Context(), serial, "admin1", kiosk.TakeBack{Reason: "hold"})), "certificate.why")
	refused(t, second(o.TakeBackCertificate(t.Context(), "77", "admin1", kiosk.TakeBack{Reason: "hold", Why: "x"})), "certificate.none")
	if _, err := o.TakeBackCertificate(t.Context(), serial, "admin1", kiosk.TakeBack{Reason: "hold", Why: "để quên thẻ ở nhà"}); err != nil {
		t.Fatal(err)
	}
	refused(t, second(o.TakeBackCertificate(t.Context(), serial, "admin1", kiosk.TakeBack{Reason: "hold", Why: "x"})), "certificate.state")
	if !denied() {
		t.Fatal("a suspended certificate is accepted")
	}
	refused(t, second(o.LiftCertificate(t.Context(), serial, "admin1", "Sai mật khẩu 1!")), "signin.wrong")
	o.wait(t)
	refused(t, second(o.LiftCertificate(t.Context(), serial, "lan", "Quay3@BacGiang")), "certificate.role")
	for _, who := range []string{"admin1", "admin1", "admin2"} {
		c, err := o.LiftCertificate(t.Context(), serial, who, "Quay3@BacGiang")
		switch {
		case who == "admin2" && (err != nil || c.State != kiosk.CertificateActive):
			t.Errorf("the second operator: %+v, %v", c, err)
		case who == "admin1" && err != nil:
			refused(t, err, "certificate.same_person")
		}
		if denied() == (who == "admin2") {
			t.Errorf("after %s the certificate is refused: %t", who, denied())
		}
	}
	if _, err := o.TakeBackCertificate(t.Context(), serial, "", kiosk.TakeBack{Reason: "superseded", Why: "thẻ mới"}); err != nil {
		t.Fatal(err)
	}
	refused(t, second(o.LiftCertificate(t.Context(), serial, "admin1", "Quay3@BacGiang")), "certificate.state")
	if r, err := o.VerifyJournal(t.Context(), nil); err != nil || !r.OK() {
		t.Errorf("the journal is %+v, %v", r, err)
	}
}

// wait lets the delay after a wrong password pass: the tests' clock is the machine's, so the failure is taken away instead.
func (o *office) wait(t *testing.T) {
	t.Helper()
	err := o.Store.Update(t.Context(), func(tx kiosk.Tx) error {
		u, err := tx.User("admin1")
		if err != nil {
			return err
		}
		u.Failures = 0
		return tx.PutUser(u)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestAStaffCertificateThatIsTakenBackEndsItsHoldersSessions(t *testing.T) {
	o := newOffice(t)
	o.user(t, "lan", kiosk.RoleClerk)
	cert := o.staff(t, "lan")
	token, _, err := o.Hall.SignIn(t.Context(), "PA0505", "3", "lan", "Quay3@BacGiang")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Hall.Actor(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	if _, err := o.TakeBackCertificate(t.Context(), cert.SerialNumber.Text(16), "", kiosk.TakeBack{Reason: "key_compromise", Why: "mất USB"}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Hall.Actor(t.Context(), token); !fault.Is(err, "signin.session") {
		t.Errorf("the session goes on: %v", err)
	}
}

func TestASealWhoseCertificateIsTakenBackIsRefusedAtOnceAndWhenNobodyCanSay(t *testing.T) {
	o := newOffice(t)
	n := service.NewSeal{Seal: seal.Seal{ID: "dau", Kind: seal.Business, Name: "CÔNG TY MẪU", Geometry: "vn-company"}}
	if err := o.AddSeal(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	if err := o.Grant(t.Context(), seal.Grant{Seal: "dau", Clerk: "77lan", Service: "*", Paper: "1/QĐ"}); err != nil {
		t.Fatal(err)
	}
	usable := func(ctx context.Context) (int, error) {
		list, err := o.Seals.Seals(ctx, seal.Clerk{StaffID: "77lan"})
		n := 0
		for _, x := range list {
			if x.ValidUntil.After(time.Now()) {
				n++
			}
		}
		return n, err
	}
	if n, err := usable(t.Context()); err != nil || n != 1 {
		t.Fatalf("%d seals, %v", n, err)
	}
	list, err := o.Store.Register().Seals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.TakeBackCertificate(t.Context(), list[0].Chain[0].SerialNumber.Text(16), "", kiosk.TakeBack{Reason: "key_compromise", Why: "lộ khóa"}); err != nil {
		t.Fatal(err)
	}
	if n, _ := usable(t.Context()); n != 0 {
		t.Error("the seal can still be used")
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := usable(t.Context()); err == nil || n != 0 {
		t.Errorf("nobody can say what was taken back, and %d seals are usable: %v", n, err)
	}
	if denied, err := o.Hall.Denied(t.Context(), list[0].Chain[0]); err == nil || !denied {
		t.Errorf("with the register away it is refused: %t, %v", denied, err)
	}
	o.open(t)
}

func TestTheRootsKeyLiesInASafeAndComesBackForWhatNeedsIt(t *testing.T) {
	o := newOffice(t)
	o.user(t, "lan", kiosk.RoleClerk)
	old := o.staff(t, "lan")
	const words = "câu để trong két sắt"
	refused(t, second(o.ExportRoot(t.Context(), "ngắn")), "key.passphrase")
	file, err := o.ExportRoot(t.Context(), words)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(file, []byte("PRIVATE")) {
		t.Error("the file holds the key in clear")
	}
	refused(t, o.RemoveRoot(t.Context(), file, "câu khác hẳn đấy"), "key.file")
	if err := o.RemoveRoot(t.Context(), file, words); err != nil {
		t.Fatal(err)
	}
	o.again(t)
	if here, err := o.RootHere(); err != nil || here {
		t.Errorf("the root's key is here: %t, %v", here, err)
	}
	refused(t, second(o.NewIssuing(t.Context())), "service.root_away")
	refused(t, o.PublishRoot(t.Context()), "service.root_away")
	refused(t, second(o.ExportRoot(t.Context(), words)), "service.root_away")
	o.openssl(t, old, "good") // the root's list does without its key
	if err := o.ImportRoot(t.Context(), file, words); err != nil {
		t.Fatal(err)
	}
	name, err := o.NewIssuing(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	was := o.Issuing.Certificate
	o.again(t)
	if o.Issuing.Certificate.Subject.CommonName != name || o.Issuing.Certificate.Equal(was) {
		t.Fatalf("%s issues, not %s", o.Issuing.Certificate.Subject.CommonName, name)
	}
	fresh := o.staff(t, "lan")
	o.openssl(t, fresh, "good")
	// The authority that was replaced goes on answering for what it issued.
	answer, err := o.Status.Status(t.Context(), revoke.Question{Certificate: old, Issuer: was})
	if err != nil {
		t.Fatal(err)
	}
	if s, err := answer.Check(revoke.Question{Certificate: old, Issuer: was}, time.Now().Add(time.Second)); err != nil || s.State != revoke.Good {
		t.Errorf("%+v, %v", s, err)
	}
	if r, _ := o.get(t, strings.TrimPrefix(old.CRLDistributionPoints[0], o.url)); r.StatusCode != http.StatusOK {
		t.Errorf("the old authority's list is %s", r.Status)
	}
}
