package signtest

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// SoftHSM is a box of tokens in a folder of its own, filled by other people's tools. It is the process's own by its
// environment, so tests that use one don't run beside each other.
type SoftHSM struct {
	t   testing.TB
	dir string
}

// Module is the PKCS#11 module that reaches it; PIN that of every token.
const (
	Module = "/usr/lib/softhsm/libsofthsm2.so"
	PIN    = "246810"
)

// NewSoftHSM makes an empty box.
func NewSoftHSM(t testing.TB) *SoftHSM {
	t.Helper()
	h := &SoftHSM{t: t, dir: t.TempDir()}
	tokens := filepath.Join(h.dir, "tokens")
	if err := os.Mkdir(tokens, 0o700); err != nil {
		t.Fatal(err)
	}
	text := "directories.tokendir = " + tokens + "\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = true\n"
	if err := os.WriteFile(h.Config(), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", h.Config())
	return h
}

// Config is the file that SOFTHSM2_CONF names.
func (h *SoftHSM) Config() string { return filepath.Join(h.dir, "softhsm2.conf") }

func (h *SoftHSM) run(name string, args ...string) {
	h.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		h.t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

// Plug adds a token with a key and its certificate.
func (h *SoftHSM) Plug(label string, private crypto.Signer, certificate *x509.Certificate) {
	h.t.Helper()
	h.run("softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "12345678", "--pin", PIN)
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		h.t.Fatal(err)
	}
	file := filepath.Join(h.dir, "object")
	write := func(data []byte) {
		h.t.Helper()
		if err := os.WriteFile(file, data, 0o600); err != nil {
			h.t.Fatal(err)
		}
	}
	write(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	h.run("softhsm2-util", "--import", file, "--token", label, "--label", "key", "--id", "01", "--pin", PIN)
	write(certificate.Raw)
	h.run("pkcs11-tool", "--module", Module, "--token-label", label, "--login", "--pin", PIN,
		"--write-object", file, "--type", "cert", "--id", "01", "--label", "certificate")
}

// Pull takes a token away.
func (h *SoftHSM) Pull(label string) {
	h.t.Helper()
	h.run("softhsm2-util", "--delete-token", "--token", label)
}
