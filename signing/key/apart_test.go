package key_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"countersign/internal/fault"
	"countersign/internal/service"
	"countersign/signing"
	"countersign/signing/key"
	"countersign/signing/pdf"
	"countersign/signing/pdf/pdftest"
)

// TestMain lets this program be what it starts: the process of one module.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == service.ModuleCommand {
		if err := service.ServeModule(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// apart opens modules in processes of their own.
func (d *desk) apart(modules ...string) *key.Tokens {
	d.t.Helper()
	self, err := os.Executable()
	if err != nil {
		d.t.Fatal(err)
	}
	tokens := key.OpenTokensApart(service.LaunchModule(self, service.ModuleCommand), modules...)
	d.t.Cleanup(func() {
		if err := tokens.Close(); err != nil {
			d.t.Error(err)
		}
	})
	return tokens
}

// faulty compiles the module that fails when it is told to.
func (d *desk) faulty() string {
	d.t.Helper()
	headers, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/miekg/pkcs11").Output()
	if err != nil {
		d.t.Fatalf("where PKCS#11's headers are: %v", err)
	}
	module := filepath.Join(d.dir, "faulty.so")
	d.run("gcc", "-shared", "-fPIC", "-Wall", "-Werror", "-I", strings.TrimSpace(string(headers)), "-o", module, "testdata/faulty.c", "-ldl")
	d.t.Setenv("TEST_MODULE_FAULT", filepath.Join(d.dir, "fault"))
	d.t.Setenv("TEST_MODULE_LOGINS", filepath.Join(d.dir, "logins"))
	d.tell("")
	return module
}

// tell says how the module fails from now on.
func (d *desk) tell(what string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, "fault"), []byte(what), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// logins counts how often the PIN was sent since the last call.
func (d *desk) logins() int {
	d.t.Helper()
	name := filepath.Join(d.dir, "logins")
	data, err := os.ReadFile(name)
	if err == nil {
		err = os.Remove(name)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		d.t.Fatal(err)
	}
	return strings.Count(string(data), "login")
}

func TestATokenInAProcessOfItsOwnSignsTheSame(t *testing.T) {
	d := newDesk(t)
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	d.token("ec")
	d.token("rsa")
	d.person("ec", "01", "NGUYỄN THỊ LAN", "CCCD:001190000001")
	d.put("rsa", "02", private, d.certify(&x509.Certificate{Subject: subject("CÔNG TY A", "MST:0100000000")}, private.Public()))
	tokens := d.apart(softHSM, filepath.Join(d.dir, "softhsm2.conf"), "/none.so")
	list, err := tokens.List()
	if len(list) != 2 || !fault.Is(err, "key.module") {
		t.Fatalf("%d tokens beside two files that are no modules: %v", len(list), err)
	}
	for _, token := range list {
		if _, err := tokens.Signer(token.Certificates[0].Ref, []byte("000000")); !fault.Is(err, "key.pin") {
			t.Errorf("%s: a wrong PIN: %v", token.Label, err)
		}
		k, err := tokens.Signer(token.Certificates[0].Ref, []byte(pin))
		if err != nil {
			t.Fatal(err)
		}
		works(t, k, token.Certificates[0].Chain[0].PublicKey)
		if token.Label == "rsa" {
			digest := sha256.Sum256([]byte("phiếu"))
			opts := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
			sig, err := k.Sign(nil, digest[:], opts)
			if err != nil || rsa.VerifyPSS(&private.PublicKey, crypto.SHA256, digest[:], sig, opts) != nil {
				t.Errorf("PSS: %v", err)
			}
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAModuleThatFailsReleasesNothingAndIsUsedAgainWithoutARestart(t *testing.T) {
	d := newDesk(t)
	d.token("lan")
	d.person("lan", "01", "NGUYỄN THỊ LAN", "CCCD:001190000001")
	tokens := d.apart(d.faulty())
	held := only(t, tokens, "lan")
	digest := sha256.Sum256([]byte("phiếu"))
	for _, c := range []struct {
		fault, want string
		opens       bool // the PIN is taken, and it fails later
		logins      int
	}{
		{"sign removed", "key.token_gone", true, 1},
		{"sign wrong", "key.signature", true, 1},
		{"sign crash", "key.module_crashed", true, 1},
		{"login locked", "key.locked", false, 1},
		{"login crash", "key.module_crashed", false, 1},
		{"slots removed", "key.token_gone", false, 0},
		{"slots crash", "key.module_crashed", false, 0},
	} {
		d.tell(c.fault)
		d.logins()
		k, err := tokens.Signer(held.Ref, []byte(pin))
		if c.opens {
			if err != nil {
				t.Fatalf("%s: %v", c.fault, err)
			}
			var sig []byte
			if sig, err = k.Sign(nil, digest[:], crypto.SHA256); sig != nil {
				t.Errorf("%s: released %x", c.fault, sig)
			}
			if err := k.Close(); err != nil {
				t.Errorf("%s: %v", c.fault, err)
			}
		}
		if !fault.Is(err, c.want) {
			t.Errorf("%s: %v, want %s", c.fault, err, c.want)
		}
		if n := d.logins(); n != c.logins {
			t.Errorf("%s: the PIN was sent %d times", c.fault, n)
		}
		d.tell("")
		if k, err = tokens.Signer(held.Ref, []byte(pin)); err != nil {
			t.Fatalf("after %s: %v", c.fault, err)
		}
		works(t, k, held.Chain[0].PublicKey)
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestACrashTakesOnlyItsOwnModulesSignersWithIt(t *testing.T) {
	d := newDesk(t)
	d.token("lan")
	d.token("minh")
	d.person("lan", "01", "NGUYỄN THỊ LAN", "CCCD:001190000001")
	d.person("minh", "01", "TRẦN VĂN MINH", "CCCD:001090000002")
	bad := d.faulty()
	tokens := d.apart(bad, softHSM)
	list, err := tokens.List()
	if err != nil || len(list) != 4 {
		t.Fatalf("%d tokens, %v", len(list), err)
	}
	signer := func(module, label string) *key.TokenSigner {
		for _, token := range list {
			if token.Module == module && token.Label == label {
				k, err := tokens.Signer(token.Certificates[0].Ref, []byte(pin))
				if err != nil {
					t.Fatal(err)
				}
				return k
			}
		}
		t.Fatalf("no token %s at %s", label, module)
		return nil
	}
	lan, minh := signer(bad, "lan"), signer(softHSM, "minh")
	digest := sha256.Sum256([]byte("phiếu"))
	d.tell("sign crash")
	if _, err := lan.Sign(nil, digest[:], crypto.SHA256); !fault.Is(err, "key.module_crashed") {
		t.Errorf("the crash: %v", err)
	}
	works(t, minh, minh.Public())
	d.tell("")
	// The next process numbers its sessions from the beginning: the old signer must not meet somebody else's.
	next := signer(bad, "minh")
	if sig, err := lan.Sign(nil, digest[:], crypto.SHA256); !fault.Is(err, "key.token_gone") || sig != nil {
		t.Errorf("a signer of the process that ended: %x, %v", sig, err)
	}
	works(t, next, next.Public())
	for _, k := range []*key.TokenSigner{lan, minh, next} {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestATokenThatWasPulledBetweenPrepareAndFinish is put back, and what was prepared is finished with it.
func TestATokenThatWasPulledBetweenPrepareAndFinish(t *testing.T) {
	d := newDesk(t)
	d.token("lan")
	d.person("lan", "01", "NGUYỄN THỊ LAN", "CCCD:001190000001")
	tokens := d.apart(softHSM)
	held := only(t, tokens, "lan")
	document := pdftest.Base("customer")
	made, err := signing.Prepare(document, pdf.Request{Field: "customer", At: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}, held.Chain)
	if err != nil {
		t.Fatal(err)
	}
	k, err := tokens.Signer(held.Ref, []byte(pin))
	if err != nil {
		t.Fatal(err)
	}
	// The reader is emptied and filled again.
	socket, drawer := filepath.Join(d.dir, "tokens"), filepath.Join(d.dir, "drawer")
	if err := os.Rename(socket, drawer); err != nil {
		t.Fatal(err)
	}
	if sig, err := k.Sign(nil, made.Digest[:], crypto.SHA256); !fault.Is(err, "key.token_gone") || sig != nil {
		t.Errorf("pulled: %x, %v", sig, err)
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
	if err := os.Rename(drawer, socket); err != nil {
		t.Fatal(err)
	}
	if k, err = tokens.Signer(held.Ref, []byte(pin)); err != nil {
		t.Fatalf("put back: %v", err)
	}
	sig, err := k.Sign(nil, made.Digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signing.Finish(t.Context(), document, made, sig, nil); err != nil {
		t.Error(err)
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
}
