package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/signing/ca"
	"countersign/signing/pdf/pdftest"
)

// signer is somebody with a key in a .p12 file of openssl's and on a token.
type signer struct {
	dir, pdf, p12, root, secret string
}

func newSigner(t *testing.T) signer {
	t.Helper()
	dir := t.TempDir()
	now := clock.At(time.Now().Add(-time.Minute).Truncate(time.Second))
	root := must[*ca.Authority](t)(ca.NewRoot(pkix.Name{CommonName: "Root"}, now, rand.Reader))
	issuing := must[*ca.Authority](t)(root.NewIssuing(pkix.Name{CommonName: "Issuing"}))
	private := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	chain := must[[]*x509.Certificate](t)(issuing.IssueSeal(private.Public(), ca.Seal{Name: "Điện lực Mẫu", Life: 24 * time.Hour}))
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	s := signer{dir: dir, pdf: write("form.pdf", pdftest.Base("seal")), root: write("root.pem", ca.PEM(root.Certificate)), p12: filepath.Join(dir, "key.p12")}
	bare := write("bare.pem", pemOf(t, private))
	s.secret = write("secret", []byte("mưa phùn 0042\n"))
	run := func(name string, args ...string) {
		if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	run("openssl", "pkcs12", "-export", "-inkey", bare, "-in", write("chain.pem", ca.PEM(chain...)), "-passout", "pass:mưa phùn 0042", "-out", s.p12)
	conf := write("softhsm2.conf", []byte("directories.tokendir = "+dir+"\nlog.level = ERROR\n"))
	t.Setenv("SOFTHSM2_CONF", conf)
	run("softhsm2-util", "--init-token", "--free", "--label", "mau", "--so-pin", "12345678", "--pin", "246810")
	run("softhsm2-util", "--import", bare, "--token", "mau", "--label", "k", "--id", "01", "--pin", "246810")
	for i, c := range chain {
		run("pkcs11-tool", "--module", softHSM, "--token-label", "mau", "--login", "--pin", "246810", "--type", "cert", "--id", "0"+string(rune('1'+i)),
			"--write-object", write("c.der", c.Raw))
	}
	return s
}

const softHSM = "/usr/lib/softhsm/libsofthsm2.so"

func pemOf(t *testing.T, private crypto.Signer) []byte {
	t.Helper()
	der := must[[]byte](t)(x509.MarshalPKCS8PrivateKey(private))
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func TestAFileIsSignedWithAKeyFileAndWithAToken(t *testing.T) {
	s := newSigner(t)
	before := must[[]byte](t)(os.ReadFile(s.pdf))
	for name, c := range map[string]struct {
		in   string
		args []string
	}{
		"key file":                       {"mưa phùn 0042\n", []string{"--key", s.p12}},
		"key file, secret in a file":     {"", []string{"--key", s.p12, "--secret-file", s.secret, "--field", "seal"}},
		"token in a process of its own":  {"246810\n", []string{"--module", softHSM}},
		"token, by the serial's leading": {"246810\n", []string{"--module", softHSM, "--reason", "Đã thu tiền"}},
	} {
		out := filepath.Join(s.dir, "signed.pdf")
		if r := command(t, c.in, append([]string{"sign", s.pdf, "--out", out}, c.args...)...); r.code != 0 || !strings.Contains(r.out, "field seal signed, B-B") {
			t.Fatalf("%s: %d %s %s", name, r.code, r.out, r.err)
		}
		if after := must[[]byte](t)(os.ReadFile(out)); !bytes.HasPrefix(after, before) {
			t.Errorf("%s: the signed file does not begin with the given one", name)
		}
		if r := command(t, "", "verify", "--trust", s.root, out); r.code == 1 || !strings.Contains(r.out, "Điện lực Mẫu") {
			t.Errorf("%s: %d %s", name, r.code, r.out)
		}
		if r := command(t, c.in, append([]string{"sign", out}, c.args...)...); r.code != 1 || !strings.Contains(r.err, "empty") {
			t.Errorf("%s: a second time: %d %s", name, r.code, r.err)
		}
	}
	if again := must[[]byte](t)(os.ReadFile(s.pdf)); !bytes.Equal(again, before) {
		t.Error("the given file was changed although --out was given")
	}
}

func TestAFileIsSignedAtTheLevelThatIsAskedFor(t *testing.T) {
	s := newSigner(t)
	h := newHouse(t)
	for level, code := range map[string]int{"B-T": 0, "B-LT": 2} {
		out := filepath.Join(s.dir, level+".pdf")
		// This signer's authorities answer nobody about revocation, so B-LT is not reached, and the signature is kept.
		r := command(t, "mưa phùn 0042\n", "sign", s.pdf, "--key", s.p12, "--out", out, "--level", level, "--tsa", h.url+"/tsa", "--trust", s.root, "--trust", h.root)
		if r.code != code || !strings.Contains(r.out, "B-T") {
			t.Errorf("%s: %d %s %s", level, r.code, r.out, r.err)
		}
		if r := command(t, "", "verify", "--trust", s.root, "--trust", h.root, out); r.code != 0 {
			t.Errorf("%s: %d %s", level, r.code, r.out)
		}
	}
}

func TestNothingIsSignedWithoutTheRightKeyAndField(t *testing.T) {
	s := newSigner(t)
	two := filepath.Join(s.dir, "two.pdf")
	if err := os.WriteFile(two, pdftest.Base("seal", "clerk"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		in, want string
		args     []string
	}{
		"a wrong passphrase":   {"mưa phùn 0043\n", "passphrase of the key file is wrong", []string{s.pdf, "--key", s.p12}},
		"a wrong PIN":          {"000000\n", "PIN of token", []string{s.pdf, "--module", softHSM}},
		"another certificate":  {"246810\n", "--certificate", []string{s.pdf, "--module", softHSM, "--certificate", "99"}},
		"no key":               {"", "--key FILE", []string{s.pdf}},
		"two keys":             {"", "--key FILE", []string{s.pdf, "--key", s.p12, "--module", softHSM}},
		"a bare key":           {"x\n", "no passphrase", []string{s.pdf, "--key", filepath.Join(s.dir, "bare.pem")}},
		"a level without time": {"", "--tsa", []string{s.pdf, "--key", s.p12, "--level", "B-T"}},
		"no level":             {"", "B-X", []string{s.pdf, "--key", s.p12, "--level", "B-X"}},
		"which field":          {"", "seal, clerk", []string{two, "--key", s.p12}},
		"no such field":        {"", "seal, clerk", []string{two, "--key", s.p12, "--field", "x"}},
		"no PDF":               {"", "can't be read", []string{s.p12, "--key", s.p12}},
		"no file":              {"", "none.p12", []string{s.pdf, "--key", filepath.Join(s.dir, "none.p12")}},
		"a driver of the past": {"1234\n", "none.so", []string{s.pdf, "--module", "/none.so"}},
	} {
		before := must[[]byte](t)(os.ReadFile(c.args[0]))
		if r := command(t, c.in, append([]string{"sign"}, c.args...)...); r.code != 1 || !strings.Contains(r.err, c.want) {
			t.Errorf("%s: %d %q %q", name, r.code, r.out, r.err)
		}
		if after := must[[]byte](t)(os.ReadFile(c.args[0])); !bytes.Equal(after, before) {
			t.Errorf("%s: the file was changed", name)
		}
	}
}
