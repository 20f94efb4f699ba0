package smime

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"countersign/mail"
	"countersign/mail/message"
)

var now = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// person is somebody with a key, by whom openssl signs.
type person struct {
	key   crypto.Signer
	cert  *x509.Certificate
	files string // name.crt and name.key
}

// town is an authority and people with certificates of it.
type town struct {
	dir  string
	root person
	pool *x509.CertPool
	n    int64
}

func newTown(t *testing.T) *town {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Fatal("openssl is missing: run scripts/install-test-needs")
	}
	w := &town{dir: t.TempDir(), pool: x509.NewCertPool()}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Gốc thử"}, NotBefore: now.AddDate(-5, 0, 0), NotAfter: now.AddDate(10, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	w.root = w.issue(t, "root", c, c, key, key)
	w.pool.AddCert(w.root.cert)
	return w
}

func (w *town) issue(t *testing.T, name string, c, parent *x509.Certificate, key, by crypto.Signer) person {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), by)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	p := person{key, cert, filepath.Join(w.dir, name)}
	for file, block := range map[string]*pem.Block{".crt": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(p.files+file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// person gives somebody a certificate; change may spoil it.
func (w *town) person(t *testing.T, name, address string, key crypto.Signer, change func(*x509.Certificate)) person {
	t.Helper()
	w.n++
	c := &x509.Certificate{SerialNumber: big.NewInt(100 + w.n), Subject: pkix.Name{CommonName: name}, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0),
		EmailAddresses: []string{address}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}}
	if change != nil {
		change(c)
	}
	return w.issue(t, name, c, w.root.cert, key, w.root.key)
}

func rsaKey(t *testing.T, bits int) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func ecKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// openssl runs a cms command over a body and returns what it wrote.
func (w *town) openssl(t *testing.T, body string, args ...string) string {
	t.Helper()
	in, out := filepath.Join(w.dir, "in"), filepath.Join(w.dir, "out")
	if err := os.WriteFile(in, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("openssl", append([]string{"cms", "-in", in, "-out", out}, args...)...)
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("openssl %v: %v\n%s", args, err, msg)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func (w *town) sign(t *testing.T, p person, body string, more ...string) string {
	t.Helper()
	return w.openssl(t, body, append([]string{"-sign", "-signer", p.files + ".crt", "-inkey", p.files + ".key", "-certfile", w.root.files + ".crt"}, more...)...)
}

func head(from string) string {
	return "From: " + from + "\nTo: desk@house.example\nSubject: hello\nDate: Sat, 21 Nov 2026 09:00:00 +0000\n"
}

const body = "Content-Type: text/plain; charset=utf-8\n\nSố dư là 5 đồng.\n"

func (w *town) inspect(raw string) (mail.SMIME, *mail.Message) {
	m := message.Parse([]byte(raw), message.Limits{})
	return Inspect(m, Policy{Roots: w.pool, At: now.AddDate(0, 0, 0)}), m
}

// wrap puts parts into a multipart of the given kind.
func wrap(kind string, parts ...string) string {
	return "MIME-Version: 1.0\nContent-Type: multipart/" + kind + "; boundary=outer\n\n--outer\n" + strings.Join(parts, "\n--outer\n") + "\n--outer--\n"
}

func TestASignatureIsWorthWhatItCovers(t *testing.T) {
	w := newTown(t)
	an := w.person(t, "an", "an@unit.example", rsaKey(t, 2048), nil)
	eve := w.person(t, "eve", "eve@evil.example", ecKey(t), nil)
	signed := w.sign(t, an, body)
	opaque := w.sign(t, an, body, "-nodetach")
	encrypted := w.openssl(t, body, "-encrypt", "-aes256", an.files+".crt")
	// openssl writes the mail's own fields first.
	good := head("An <an@unit.example>") + signed

	for _, c := range []struct {
		name    string
		raw     string
		status  mail.SMIMEStatus
		signer  string
		from    bool
		trusted bool
	}{
		{"detached", good, mail.SMIMEValid, "an@unit.example", true, true},
		{"detached with CRLF", strings.ReplaceAll(strings.ReplaceAll(good, "\r\n", "\n"), "\n", "\r\n"), mail.SMIMEValid, "an@unit.example", true, true},
		{"address in other case", head("AN@Unit.EXAMPLE") + signed, mail.SMIMEValid, "an@unit.example", true, true},
		{"opaque", head("An <an@unit.example>") + opaque, mail.SMIMEValid, "an@unit.example", true, true},
		{"opaque in BER", head("an@unit.example") + w.sign(t, an, body, "-nodetach", "-stream", "-indef"), mail.SMIMEValid, "an@unit.example", true, true},
		{"RSA-PSS", head("an@unit.example") + w.sign(t, an, body, "-keyopt", "rsa_padding_mode:pss"), mail.SMIMEValid, "an@unit.example", true, true},
		{"without attributes", head("an@unit.example") + w.sign(t, an, body, "-noattr"), mail.SMIMEValid, "an@unit.example", true, true},
		{"by key id", head("an@unit.example") + w.sign(t, an, body, "-nodetach", "-md", "sha512"), mail.SMIMEValid, "an@unit.example", true, true},
		{"SHA-1", head("an@unit.example") + w.sign(t, an, body, "-md", "sha1"), mail.SMIMEWeak, "an@unit.example", true, true},
		{"signer is somebody else", head("An <an@unit.example>") + w.sign(t, eve, body), mail.SMIMEValid, "eve@evil.example", false, true},
		{"Sender is the signer", head("An <an@unit.example>") + "Sender: eve@evil.example\n" + w.sign(t, eve, body), mail.SMIMEValid, "eve@evil.example", false, true},
		{"two From fields", "From: eve@evil.example\n" + head("An <an@unit.example>") + w.sign(t, eve, body), mail.SMIMEValid, "eve@evil.example", false, true},
		{"two addresses in From", head("an@unit.example, eve@evil.example") + w.sign(t, eve, body), mail.SMIMEValid, "eve@evil.example", false, true},
		{"the name shows another address", head(`"an@unit.example" <eve@evil.example>`) + w.sign(t, eve, body), mail.SMIMEValid, "eve@evil.example", false, true},
		{"changed text", strings.Replace(good, "5 ", "9 ", 1), mail.SMIMEInvalid, "an@unit.example", false, false},
		{"changed signature", strings.Replace(good, "\nMII", "\nMIJ", 1), mail.SMIMEInvalid, "", false, false},
		{"a list's footer", head("an@unit.example") + wrap("mixed", strings.TrimPrefix(signed, "MIME-Version: 1.0\n"), "Content-Type: text/plain\n\nfooter"), mail.SMIMEPartial, "an@unit.example", false, true},
		{"text before it", head("an@unit.example") + wrap("mixed", "Content-Type: text/html\n\n<p>Pay 9</p><style>body>*{display:none}</style>", strings.TrimPrefix(signed, "MIME-Version: 1.0\n")), mail.SMIMEPartial, "an@unit.example", false, true},
		{"hidden in an alternative", head("an@unit.example") + wrap("alternative", "Content-Type: text/plain\n\nPay 9", strings.TrimPrefix(signed, "MIME-Version: 1.0\n")), mail.SMIMEPartial, "an@unit.example", false, true},
		{"a signed mail attached", head("an@unit.example") + wrap("mixed", "Content-Type: text/plain\n\nPay 9", "Content-Type: message/rfc822\n\n"+good), mail.SMIMENone, "", false, false},
		{"encrypted", head("an@unit.example") + encrypted, mail.SMIMEEncrypted, "", false, false},
		{"encrypted between HTML", head("an@unit.example") + wrap("mixed", "Content-Type: text/html\n\n<img src=\"http://evil.example/", strings.TrimPrefix(encrypted, "MIME-Version: 1.0\n"), "Content-Type: text/html\n\n\">"), mail.SMIMEEncrypted, "", false, false},
		{"signed, then encrypted inside", head("an@unit.example") + w.sign(t, an, strings.TrimPrefix(encrypted, "MIME-Version: 1.0\n"), "-nodetach", "-binary"), mail.SMIMEEncrypted, "an@unit.example", true, true},
		{"signed twice, inside by another", head("an@unit.example") + w.sign(t, an, strings.TrimPrefix(w.sign(t, eve, body), "MIME-Version: 1.0\n"), "-binary"), mail.SMIMEValid, "an@unit.example", false, true},
		{"inner headers differ", head("an@unit.example") + w.sign(t, an, "Subject: pay\n"+body), mail.SMIMEPartial, "an@unit.example", false, true},
		{"a whole mail signed", head("an@unit.example") + w.sign(t, an, "Content-Type: message/rfc822\n\n"+head("an@unit.example")+body), mail.SMIMEValid, "an@unit.example", true, true},
		{"a whole mail of another's signed", head("an@unit.example") + w.sign(t, an, "Content-Type: message/rfc822\n\n"+head("boss@unit.example")+body), mail.SMIMEPartial, "an@unit.example", false, true},
		{"an extra part", head("an@unit.example") + extra(signed, "Content-Type: text/plain\n\nPay 9"), mail.SMIMEPartial, "an@unit.example", false, true},
		{"its own content instead", head("an@unit.example") + swapped(t, w, an), mail.SMIMEInvalid, "an@unit.example", false, false},
		{"two signers", head("an@unit.example") + w.sign(t, an, body, "-signer", eve.files+".crt", "-inkey", eve.files+".key"), mail.SMIMEValid, "an@unit.example", true, true},
		{"nothing", head("an@unit.example") + body, mail.SMIMENone, "", false, false},
		{"OpenPGP", head("an@unit.example") + "MIME-Version: 1.0\nContent-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=p\n\n--p\n" + body + "\n--p\nContent-Type: application/pgp-signature\n\nxx\n--p--\n", mail.SMIMENone, "", false, false},
		{"a signature without one", head("an@unit.example") + wrap(`signed; protocol="application/pkcs7-signature"`, body), mail.SMIMEInvalid, "", false, false},
	} {
		got, m := w.inspect(c.raw)
		if got.Status != c.status || got.Signer != c.signer || got.MatchesFrom != c.from || got.Trusted != c.trusted {
			t.Errorf("%s: %+v, want %s %q %v %v", c.name, got, c.status, c.signer, c.from, c.trusted)
		}
		if m.Kind == mail.KindUnreadable || c.status != mail.SMIMEEncrypted && !strings.Contains(m.Text, "Pay") && !strings.Contains(m.Text, "đồng") {
			t.Errorf("%s: the text is %q", c.name, m.Text)
		}
	}
}

// extra puts a third part behind the signature of a detached mail.
func extra(signed, part string) string {
	i := strings.LastIndex(signed, "\n------")
	end := strings.TrimSpace(signed[i:])
	return signed[:i] + "\n" + strings.TrimSuffix(end, "--") + "\n" + part + "\n" + end + "\n"
}

// swapped shows one text beside a signature that carries and signs another one.
func swapped(t *testing.T, w *town, p person) string {
	opaque := w.sign(t, p, body, "-nodetach", "-outform", "DER")
	return wrap(`signed; protocol="application/pkcs7-signature"`, "Content-Type: text/plain\n\nPay 9", "Content-Type: application/pkcs7-signature\nContent-Transfer-Encoding: base64\n\n"+base64.StdEncoding.EncodeToString([]byte(opaque)))
}

func TestACertificateHasToBeGoodForIt(t *testing.T) {
	w := newTown(t)
	key := ecKey(t)
	for _, c := range []struct {
		name    string
		key     crypto.Signer
		change  func(*x509.Certificate)
		status  mail.SMIMEStatus
		from    bool
		trusted bool
	}{
		{"good", key, nil, mail.SMIMEValid, true, true},
		{"RSA 1024", rsaKey(t, 1024), nil, mail.SMIMEWeak, true, true},
		{"expired", key, func(c *x509.Certificate) { c.NotAfter = now.AddDate(0, -1, 0) }, mail.SMIMEInvalid, true, false},
		{"not yet valid", key, func(c *x509.Certificate) {
			c.NotBefore = time.Now().AddDate(1, 0, 0)
			c.NotAfter = time.Now().AddDate(2, 0, 0)
		}, mail.SMIMEInvalid, true, false},
		{"for servers", key, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }, mail.SMIMEInvalid, true, false},
		{"for keys", key, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyAgreement }, mail.SMIMEInvalid, true, false},
		{"without an address", key, func(c *x509.Certificate) { c.EmailAddresses = nil }, mail.SMIMEValid, false, true},
		{"a name that is an address", key, func(c *x509.Certificate) {
			c.EmailAddresses = []string{"eve@evil.example"}
			c.Subject.CommonName = "an@unit.example"
		}, mail.SMIMEValid, false, true},
	} {
		p := w.person(t, "p", "an@unit.example", c.key, c.change)
		got, _ := w.inspect(head("an@unit.example") + w.sign(t, p, body))
		if got.Status != c.status || got.MatchesFrom != c.from || got.Trusted != c.trusted {
			t.Errorf("%s: %+v, want %s %v %v", c.name, got, c.status, c.from, c.trusted)
		}
	}
	stranger := newTown(t)
	got, _ := w.inspect(head("an@unit.example") + stranger.sign(t, stranger.person(t, "x", "an@unit.example", key, nil), body))
	if got.Status != mail.SMIMEValid || got.Trusted || got.Proves() {
		t.Errorf("another town's certificate: %+v", got)
	}
	p := w.person(t, "r", "an@unit.example", key, nil)
	m := message.Parse([]byte(head("an@unit.example")+w.sign(t, p, body)), message.Limits{})
	revoked := Inspect(m, Policy{Roots: w.pool, At: now, Revoked: func(c *x509.Certificate) bool { return c.SerialNumber.Cmp(p.cert.SerialNumber) == 0 }})
	if revoked.Status != mail.SMIMEInvalid {
		t.Errorf("revoked: %+v", revoked)
	}
}

// TestOtherProgramsVerifyOurSignature lets openssl and gpgsm judge what Sign makes.
func TestOtherProgramsVerifyOurSignature(t *testing.T) {
	w := newTown(t)
	for name, key := range map[string]crypto.Signer{"RSA": rsaKey(t, 2048), "ECDSA": ecKey(t)} {
		p := w.person(t, "agent", "agent@house.example", key, nil)
		raw := []byte("From: agent@house.example\r\nTo: an@unit.example\r\nSubject: SD261121-000001\r\nDate: Sat, 21 Nov 2026 09:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nK=C3=ADnh g=E1=BB=ADi=20\r\n\r\n")
		out, err := Sign(raw, Identity{p.key, []*x509.Certificate{p.cert, w.root.cert}}, rand.Reader, now)
		if err != nil {
			t.Fatal(err)
		}
		got, m := w.inspect(string(out))
		if !got.Proves() || m.Text != "Kính gửi " || m.Subject != "SD261121-000001" || len(m.Attachments) > 0 {
			t.Errorf("%s: %+v, text %q", name, got, m.Text)
		}
		file := filepath.Join(w.dir, "mail.eml")
		if err := os.WriteFile(file, out, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("openssl", "cms", "-verify", "-in", file, "-CAfile", w.root.files+".crt", "-attime", "1795251600", "-out", os.DevNull)
		if msg, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(msg), "successful") {
			t.Errorf("%s: openssl says %s", name, msg)
		}
		w.gpgsm(t, name, m)
	}
}

// gpgsm verifies the signature part over the signed part with a keyring of its own.
func (w *town) gpgsm(t *testing.T, name string, m *mail.Message) {
	t.Helper()
	if _, err := exec.LookPath("gpgsm"); err != nil {
		t.Fatal("gpgsm is missing: run scripts/install-test-needs")
	}
	home := filepath.Join(w.dir, "gnupg-"+name)
	if err := os.MkdirAll(home, 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(file string, data []byte) string {
		file = filepath.Join(home, file)
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	sum := sha1Hex(w.root.cert.Raw)
	write("trustlist.txt", []byte(sum+" S relax\n"))
	common := []string{"--homedir", home, "--batch", "--disable-crl-checks", "--faked-system-time", "20261121T100000"}
	if msg, err := exec.Command("gpgsm", append(common, "--import", w.root.files+".crt")...).CombinedOutput(); err != nil {
		t.Fatalf("gpgsm: %v\n%s", err, msg)
	}
	sig := write("sig", message.Content(m.Root.Parts[1]))
	data := write("data", m.Root.Parts[0].Raw)
	msg, err := exec.Command("gpgsm", append(common, "--verify", sig, data)...).CombinedOutput()
	if err != nil || !bytes.Contains(msg, []byte("Good signature")) {
		t.Errorf("%s: gpgsm says %v %s", name, err, msg)
	}
	_ = exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run()
}

func TestSignRefusesWhatARelayWouldChange(t *testing.T) {
	for _, raw := range []string{"From: a@b\nTo: c@d\n\nx\n", "From: a@b\r\n\r\nđ\r\n", "From: a@b\r\n"} {
		if _, err := Sign([]byte(raw), Identity{}, rand.Reader, now); err == nil {
			t.Errorf("%q was signed", raw)
		}
	}
}
