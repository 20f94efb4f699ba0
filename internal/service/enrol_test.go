package service_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"countersign/internal/api"
	"countersign/internal/demo"
	"countersign/internal/fault"
	"countersign/kiosk"
	"countersign/kiosk/idcard"
	"countersign/signing/ca"
	"countersign/signing/key"
	"countersign/signing/trust"
)

// counter is a demonstration with a clerk at the counter and a customer whose card was just read.
type counter struct {
	*demo.World
	clerk *api.Clerk
	visit kiosk.Visit
}

func newCounter(t *testing.T) *counter {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	w, err := demo.Build(ctx, t.TempDir(), demo.Choices{Cost: cheap})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	j, err := w.Capacity(ctx)
	if err != nil {
		t.Fatal(err)
	}
	v, err := j.Clerk.ScanVisit(ctx, "", j.Person.QR())
	if err != nil {
		t.Fatal(err)
	}
	return &counter{w, j.Clerk, v.Visit}
}

// token is a key and its request as openssl writes it.
func token(t *testing.T, algorithm ...string) (request []byte, sign func(challenge []byte) []byte) {
	t.Helper()
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	shell := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
			t.Fatalf("openssl %v: %v\n%s", args, err, out)
		}
	}
	shell(append([]string{"genpkey", "-out", file("key.pem")}, algorithm...)...)
	shell("req", "-new", "-key", file("key.pem"), "-subj", "/CN=whatever the token says", "-out", file("csr.pem"))
	request, err := os.ReadFile(file("csr.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return request, func(challenge []byte) []byte {
		if err := os.WriteFile(file("challenge"), challenge, 0o600); err != nil {
			t.Fatal(err)
		}
		shell("dgst", "-sha256", "-sign", file("key.pem"), "-out", file("signature"), file("challenge"))
		out, err := os.ReadFile(file("signature"))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

func (c *counter) accepted(t *testing.T, chain []byte) error {
	t.Helper()
	certs, err := ca.Certificates(chain)
	if err != nil {
		t.Fatal(err)
	}
	v, err := c.Service.Hall.Trust.Accept(t.Context(), certs, trust.Customer, c.Service.Options.Clock.Now())
	if err == nil && (v.Source != trust.Own || v.Status == "unavailable") {
		t.Errorf("accepted as %+v", v)
	}
	return err
}

// atTheCounter offers a certificate as a customer's token does at the fifth step.
func (c *counter) atTheCounter(t *testing.T, chain []byte) error {
	t.Helper()
	certs, err := ca.Certificates(chain)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Service.Hall.Owners.Accept(t.Context(), certs, kiosk.Holder{CCCD: "001099000017"}, c.Service.Options.Clock.Now())
	return err
}

func TestATokensCertificateIsUsableOnceItsTestSignatureHolds(t *testing.T) {
	for _, algorithm := range [][]string{{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"}, {"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"}} {
		c := newCounter(t)
		request, sign := token(t, algorithm...)
		out, err := c.clerk.Enrol(t.Context(), kiosk.EnrolRequest{Visit: c.visit.Key, Request: request, Compared: true})
		if err != nil {
			t.Fatal(err)
		}
		if out.State != kiosk.CertificatePending || out.Class != ca.KindToken || out.File != nil {
			t.Fatalf("got %+v", out)
		}
		refused(t, c.accepted(t, out.Chain), "trust.denied")
		refused(t, second(c.clerk.TestCertificate(t.Context(), out.SHA256, sign([]byte("something else")))), "enrol.test")
		refused(t, c.accepted(t, out.Chain), "trust.denied")
		tested, err := c.clerk.TestCertificate(t.Context(), out.SHA256, sign(out.Challenge))
		if err != nil || tested.State != kiosk.CertificateActive {
			t.Fatalf("got %+v, %v", tested, err)
		}
		refused(t, second(c.clerk.TestCertificate(t.Context(), out.SHA256, sign(out.Challenge))), "certificate.state")
		if err := c.accepted(t, out.Chain); err != nil {
			t.Fatal(err)
		}
		certs, err := ca.Certificates(out.Chain)
		if err != nil {
			t.Fatal(err)
		}
		// The certificate names the customer of the record, not whom the request names, and fits the customer's card.
		if name := certs[0].Subject.CommonName; name == "whatever the token says" || !strings.Contains(strings.ToLower(name), "th") {
			t.Errorf("issued to %q", name)
		}
		if err := key.Match(certs[0], key.Person{CCCD: c.visit.Card.Fields[idcard.Number]}); err != nil {
			t.Errorf("it is not the customer's: %v", err)
		}
		rows, err := c.clerk.Certificates(t.Context(), c.visit.Customer)
		if err != nil || len(rows) != 1 || rows[0].SHA256 != out.SHA256 || rows[0].State != kiosk.CertificateActive {
			t.Errorf("the register has %+v, %v", rows, err)
		}
	}
}

func TestAKeyThatTheHouseMadeLeavesInAFileThatOthersCanOpen(t *testing.T) {
	c := newCounter(t)
	const words = "câu do khách chọn"
	out, err := c.clerk.Enrol(t.Context(), kiosk.EnrolRequest{Visit: c.visit.Key, Passphrase: words, Compared: true})
	if err != nil {
		t.Fatal(err)
	}
	if out.State != kiosk.CertificateActive || out.Class != ca.KindFile {
		t.Fatalf("got %s %s", out.State, out.Class)
	}
	if err := c.accepted(t, out.Chain); err != nil {
		t.Fatal(err)
	}
	file := write(t, "key.p12", out.File)
	pemKey, err := exec.Command("openssl", "pkcs12", "-in", file, "-passin", "pass:"+words, "-nodes", "-nocerts").Output()
	if err != nil {
		t.Fatalf("openssl can't open the file: %v", err)
	}
	i := strings.Index(string(pemKey), "-----BEGIN")
	block, _ := pem.Decode(pemKey[max(i, 0):])
	if block == nil {
		t.Fatal("the file holds no key")
	}
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	certs, err := ca.Certificates(out.Chain)
	if err != nil {
		t.Fatal(err)
	}
	if p, ok := private.(*ecdsa.PrivateKey); !ok || !p.PublicKey.Equal(certs[0].PublicKey) {
		t.Error("the key in the file is not the certificate's")
	}
	names, err := c.Service.Keys.Names()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if strings.Contains(n, "customer") || strings.Contains(n, out.Serial) {
			t.Errorf("a key %s stayed here", n)
		}
	}
}

func TestNobodyGetsACertificateWithoutProofOfWhoTheyAre(t *testing.T) {
	c := newCounter(t)
	request, _ := token(t, "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
	weak, _ := token(t, "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")
	block, _ := pem.Decode(request)
	forged := append([]byte{}, block.Bytes...)
	forged[len(forged)-1] ^= 1
	ask := func(change func(*kiosk.EnrolRequest)) error {
		r := kiosk.EnrolRequest{Visit: c.visit.Key, Request: request, Compared: true}
		change(&r)
		_, err := c.clerk.Enrol(t.Context(), r)
		return err
	}
	refused(t, ask(func(r *kiosk.EnrolRequest) { r.Compared = false }), "enrol.compared")
	refused(t, ask(func(r *kiosk.EnrolRequest) { r.Visit = "none" }), "store.not_found")
	refused(t, ask(func(r *kiosk.EnrolRequest) { r.Request = []byte("x") }), "enrol.request")
	refused(t, ask(func(r *kiosk.EnrolRequest) { r.Request = forged }), "enrol.request")
	refused(t, ask(func(r *kiosk.EnrolRequest) { r.Request = weak }), "enrol.key")
	refused(t, ask(func(r *kiosk.EnrolRequest) { r.Request, r.Passphrase = nil, "ngắn" }), "key.passphrase")
	unread, err := c.clerk.OpenVisit(t.Context(), c.visit.Customer, "")
	if err != nil {
		t.Fatal(err)
	}
	refused(t, ask(func(r *kiosk.EnrolRequest) { r.Visit = unread.Visit.Key }), "enrol.card")
	rows, err := c.clerk.Certificates(t.Context(), c.visit.Customer)
	if err != nil || len(rows) != 0 {
		t.Errorf("the register has %+v, %v", rows, err)
	}
}

func TestAReportedLossRefusesAtOnceAndANewCertificateNeedsASecondPerson(t *testing.T) {
	c := newCounter(t)
	request, sign := token(t, "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
	out, err := c.clerk.Enrol(t.Context(), kiosk.EnrolRequest{Visit: c.visit.Key, Request: request, Compared: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.clerk.TestCertificate(t.Context(), out.SHA256, sign(out.Challenge)); err != nil {
		t.Fatal(err)
	}
	if err := c.accepted(t, out.Chain); err != nil { // and its status is known now
		t.Fatal(err)
	}
	if err := c.atTheCounter(t, out.Chain); fault.Is(err, "trust.denied") {
		t.Errorf("before the loss: %v", err)
	}
	refused(t, second(c.clerk.ReportLoss(t.Context(), c.visit.Customer, " ")), "certificate.why")
	if n, err := c.clerk.ReportLoss(t.Context(), c.visit.Customer, "khách báo mất USB qua điện thoại"); err != nil || n != 1 {
		t.Fatalf("%d refused, %v", n, err)
	}
	refused(t, c.accepted(t, out.Chain), "trust.denied")
	refused(t, c.atTheCounter(t, out.Chain), "trust.denied")
	if n, err := c.clerk.ReportLoss(t.Context(), c.visit.Customer, "báo lại"); err != nil || n != 0 {
		t.Errorf("%d refused again, %v", n, err)
	}
	ask := kiosk.EnrolRequest{Visit: c.visit.Key, Request: request, Compared: true}
	refused(t, second(c.clerk.Enrol(t.Context(), ask)), "enrol.approval")
	ask.Approver, ask.ApproverPassword = demo.User, demo.Password
	refused(t, second(c.clerk.Enrol(t.Context(), ask)), "certificate.same_person")
	boss := kiosk.User{Name: "truongca", FullName: "Lê Trưởng Ca", StaffID: "9001", Unit: demo.Unit, Roles: []kiosk.Role{kiosk.RoleSupervisor}}
	if err := c.Service.AddUser(t.Context(), boss, "Truongca@2026", ""); err != nil {
		t.Fatal(err)
	}
	ask.Approver, ask.ApproverPassword = "truongca", "Truongca@2026"
	again, err := c.clerk.Enrol(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.clerk.TestCertificate(t.Context(), again.SHA256, sign(again.Challenge)); err != nil {
		t.Fatal(err)
	}
	if err := c.accepted(t, again.Chain); err != nil {
		t.Error(err)
	}
	refused(t, c.accepted(t, out.Chain), "trust.denied")
	if r, err := c.Service.VerifyJournal(t.Context(), nil); err != nil || !r.OK() {
		t.Errorf("the journal is %+v, %v", r, err)
	}
}

func TestEveryCertificateOfAnOrderIsInTheRegister(t *testing.T) {
	c := newCounter(t)
	if err := c.Play(t.Context(), t.Output(), "en"); err != nil {
		t.Fatal(err)
	}
	counts, err := c.Service.CertificateReport(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	have := map[ca.Kind]int{}
	for _, n := range counts {
		have[n.Class] += n.Total()
	}
	for class, want := range map[ca.Kind]int{ca.KindOTP: 1, ca.KindTimestamp: 1, kiosk.ClassAuthority: 2, ca.KindResponder: 1} {
		if have[class] != want {
			t.Errorf("%d certificates of class %s, want %d: %v", have[class], class, want, counts)
		}
	}
	if have[ca.KindSeal] < 1 || have[ca.KindClerk] < 1 {
		t.Errorf("the seals are not in the register: %v", counts)
	}
	lines, err := c.Service.Hall.Certificates(t.Context(), kiosk.Actor{}, kiosk.CertificateQuery{Class: ca.KindOTP})
	if err != nil || len(lines) != 1 || !strings.HasPrefix(lines[0].Order, "WO-") || lines[0].DER != nil {
		t.Errorf("the order's line is %+v, %v", lines, err)
	}
}

func TestACertificateWithTheHousesMarkThatNobodyIssuedIsRefused(t *testing.T) {
	c := newCounter(t)
	chain, err := c.Service.Issuing.IssueToken(mustKey(t), "Ai Đó", "CCCD:001099000017", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.accepted(t, ca.PEM(chain...)); !fault.Is(err, "trust.denied") {
		t.Errorf("got %v", err)
	}
}

// outsider is a customer's certificate of another authority, with that authority's root.
func outsider(t *testing.T, number string) (leaf, root *x509.Certificate) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	issue := func(template, parent *x509.Certificate) *x509.Certificate {
		template.SerialNumber, template.NotBefore, template.NotAfter = big.NewInt(7), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, template, parent, private.Public(), private)
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	authority := &x509.Certificate{Subject: pkix.Name{CommonName: "A bank's CA"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	root = issue(authority, authority)
	return issue(&x509.Certificate{Subject: pkix.Name{CommonName: "NGUYỄN VĂN THỬ", SerialNumber: "CCCD:" + number}, KeyUsage: x509.KeyUsageDigitalSignature}, root), root
}

func TestACustomersCertificateOfAnotherAuthorityIsTakenByTheListsAndItsStatus(t *testing.T) {
	leaf, root := outsider(t, "001099000017")
	for name, test := range map[string]struct {
		lists   trust.Lists
		without bool
		number  string
		code    string
	}{
		"in no list":                   {nil, true, "001099000017", "own.unknown"},
		"in a list, status unknown":    {trust.Lists{trust.Banks: {root}}, false, "001099000017", "trust.status"},
		"in a list, status left aside": {trust.Lists{trust.Banks: {root}}, true, "001099000017", ""},
		"another person's":             {trust.Lists{trust.Banks: {root}}, true, "001099000025", "key.other_person"},
	} {
		t.Run(name, func(t *testing.T) {
			o := founded(t)
			o.Trust.Lists, o.Trust.WithoutStatus = test.lists, test.without
			s := opened(t, o)
			_, err := s.Hall.Owners.Accept(t.Context(), []*x509.Certificate{leaf}, kiosk.Holder{CCCD: test.number}, time.Now())
			if err == nil != (test.code == "") || err != nil && !fault.Is(err, test.code) {
				t.Errorf("got %v, want %q", err, test.code)
			}
		})
	}
}
