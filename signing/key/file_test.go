package key_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"countersign/internal/fault"
	"countersign/signing/key"
)

// secret has letters that UTF-8 and UTF-16 write differently, one of them beyond 16 bits.
const secret = "cầu giấy 𠮷 0042"

// drawer is a folder of key files that openssl made of one key.
type drawer struct {
	*desk
	private crypto.Signer
	cert    *x509.Certificate
}

func newDrawer(t *testing.T, bits int) *drawer {
	t.Helper()
	d := &drawer{desk: newDesk(t)}
	var err error
	if bits > 0 {
		d.private, err = rsa.GenerateKey(rand.Reader, bits)
	} else {
		d.private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	d.cert = d.certify(&x509.Certificate{Subject: subject("NGUYỄN THỊ LAN", "CCCD:001190000001")}, d.private.Public())
	der, err := x509.MarshalPKCS8PrivateKey(d.private)
	if err != nil {
		t.Fatal(err)
	}
	d.file("bare.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	d.file("cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: d.cert.Raw}))
	d.file("root.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: d.root.Raw}))
	return d
}

func (d *drawer) file(name string, data []byte) string {
	d.t.Helper()
	path := filepath.Join(d.dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		d.t.Fatal(err)
	}
	return path
}

// made lets openssl make a key file and reads it.
func (d *drawer) made(args ...string) []byte {
	d.t.Helper()
	out := filepath.Join(d.dir, "made")
	with := []string{args[0]}
	if args[0] == "pkcs12" {
		with = append(with, "-export", "-inkey", filepath.Join(d.dir, "bare.pem"), "-in", filepath.Join(d.dir, "cert.pem"),
			"-certfile", filepath.Join(d.dir, "root.pem"), "-name", "lan")
	} else {
		with = append(with, "-topk8", "-in", filepath.Join(d.dir, "bare.pem"))
	}
	d.run("openssl", append(append(with, "-passout", "pass:"+secret, "-out", out), args[1:]...)...)
	data, err := os.ReadFile(out)
	if err != nil {
		d.t.Fatal(err)
	}
	return data
}

var formats = [][]string{
	{"pkcs12"},
	{"pkcs12", "-legacy"},
	{"pkcs12", "-keypbe", "AES-128-CBC", "-certpbe", "AES-192-CBC", "-macalg", "sha512", "-iter", "5000"},
	{"pkcs12", "-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-RC2-128", "-legacy", "-macalg", "sha384"},
	{"pkcs12", "-nomac"},
	{"pkcs12", "-certpbe", "NONE"},
	{"pkcs8", "-v2", "aes256", "-v2prf", "hmacWithSHA256"},
	{"pkcs8", "-v2", "aes128", "-v2prf", "hmacWithSHA512", "-outform", "DER"},
	{"pkcs8", "-v2", "des3", "-v2prf", "hmacWithSHA1"},
	{"pkcs8", "-scrypt"},
	{"pkcs8", "-scrypt", "-scrypt_N", "1024", "-scrypt_r", "4", "-scrypt_p", "2", "-outform", "DER"},
}

func TestKeyFilesOfOpenSSLAreOpened(t *testing.T) {
	for _, bits := range []int{0, 2048} {
		d := newDrawer(t, bits)
		for _, how := range formats {
			data := d.made(how...)
			passphrase := []byte(secret)
			f, err := key.OpenFile(data, passphrase, nil)
			if err != nil {
				t.Errorf("%q: %v", how, err)
				continue
			}
			if !bytes.Equal(passphrase, make([]byte, len(passphrase))) {
				t.Errorf("%q: the passphrase was not wiped: %q", how, passphrase)
			}
			works(t, f, d.private.Public())
			if how[0] == "pkcs12" && (len(f.Chain()) != 2 || !f.Chain()[0].Equal(d.cert) || !f.Chain()[1].Equal(d.root)) {
				t.Errorf("%q: %d certificates", how, len(f.Chain()))
			}
			if how[0] == "pkcs8" {
				if len(f.Chain()) != 0 {
					t.Errorf("%q: a certificate from nowhere", how)
				}
				if f, err = key.OpenFile(data, []byte(secret), []*x509.Certificate{d.root, d.cert}); err != nil || len(f.Chain()) != 2 {
					t.Errorf("%q: with certificates beside it: %v", how, err)
				}
			}
			if _, err := key.OpenFile(data, []byte("cầu giấy 0043"), nil); !fault.Is(err, "key.file_passphrase") {
				t.Errorf("%q: a wrong passphrase: %v", how, err)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			if _, err := f.Sign(rand.Reader, make([]byte, 32), crypto.SHA256); err == nil {
				t.Errorf("%q: it signs after it was closed", how)
			}
		}
	}
}

// TestADamagedKeyFileIsToldFromAWrongPassphrase: every byte of files in which something else decrypts, or the MAC, tells.
func TestADamagedKeyFileIsToldFromAWrongPassphrase(t *testing.T) {
	d := newDrawer(t, 0)
	for _, how := range [][]string{{"pkcs12", "-iter", "1"}, {"pkcs12", "-legacy", "-iter", "1"}} {
		data := d.made(how...)
		told := map[string]int{}
		for at := range data {
			harmed := slices.Clone(data)
			harmed[at] ^= 1
			f, err := key.OpenFile(harmed, []byte(secret), nil)
			switch {
			case err == nil:
				if pub := f.Public().(interface{ Equal(crypto.PublicKey) bool }); !pub.Equal(d.private.Public()) {
					t.Errorf("%q: byte %d: another key came out", how, at)
				}
				told["opened"]++
			case fault.Is(err, "key.file_broken"), fault.Is(err, "key.file_unknown"):
				told["broken"]++
			case fault.Is(err, "key.file_passphrase"):
				told["passphrase"]++
			default:
				t.Errorf("%q: byte %d: %v", how, at, err)
			}
		}
		// The MAC covers all but itself and the outermost headers; only what makes the whole undecryptable misleads.
		if told["opened"] > 8 || told["passphrase"] > len(data)/20 || told["broken"] < len(data)*9/10 {
			t.Errorf("%q: of %d bytes: %v", how, len(data), told)
		}
	}
	// PKCS#8 has no MAC: that the two halves of the key fit tells.
	data := d.made("pkcs8", "-outform", "DER", "-v2", "aes256")
	for _, back := range []int{40, 60, 90} {
		harmed := slices.Clone(data)
		harmed[len(data)-back] ^= 1
		if _, err := key.OpenFile(harmed, []byte(secret), nil); !fault.Is(err, "key.file_broken") {
			t.Errorf("a byte in the middle of a PKCS#8 file, %d from the end: %v", back, err)
		}
	}
}

func TestAKeyFileWithoutAPassphraseIsRefused(t *testing.T) {
	d := newDrawer(t, 2048)
	bare, err := os.ReadFile(filepath.Join(d.dir, "bare.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(bare)
	d.run("openssl", "rsa", "-in", filepath.Join(d.dir, "bare.pem"), "-traditional", "-aes128", "-passout", "pass:"+secret, "-out", filepath.Join(d.dir, "old.pem"))
	old, err := os.ReadFile(filepath.Join(d.dir, "old.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"PEM": {bare, "key.file_bare"}, "DER": {block.Bytes, "key.file_bare"}, "PKCS#12": {d.made("pkcs12", "-keypbe", "NONE"), "key.file_bare"},
		"old PEM": {old, "key.file_unknown"}, "a certificate": {d.cert.Raw, "key.file_broken"}, "nothing": {nil, "key.file_broken"},
		"text": {[]byte("no key"), "key.file_broken"}, "a certificate in PEM": {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: d.cert.Raw}), "key.file_broken"},
		"much": {make([]byte, 2<<20), "key.file_broken"},
	} {
		if _, err := key.OpenFile(c.data, []byte(secret), nil); !fault.Is(err, c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// TestAnSM2KeyIsCalledByItsName: nothing here signs with it, and that is no damage.
func TestAnSM2KeyIsCalledByItsName(t *testing.T) {
	d := newDrawer(t, 0)
	d.run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2", "-out", filepath.Join(d.dir, "bare.pem"))
	_, err := key.OpenFile(d.made("pkcs8", "-v2", "aes256"), []byte(secret), nil)
	if !fault.Is(err, "key.file_unknown") || !strings.Contains(err.Error(), "SM2") {
		t.Errorf("an SM2 key: %v", err)
	}
}

func TestOpenSSLReadsTheKeyFilesThatWeMake(t *testing.T) {
	for _, bits := range []int{0, 2048} {
		d := newDrawer(t, bits)
		data, err := key.EncodeFile(d.private, []*x509.Certificate{d.cert, d.root}, []byte(secret), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		path := d.file("ours.p12", data)
		out, err := exec.Command("openssl", "pkcs12", "-in", path, "-passin", "pass:"+secret, "-nodes").CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		var certs int
		var read crypto.PublicKey
		for block, rest := pem.Decode(out); block != nil; block, rest = pem.Decode(rest) {
			if block.Type == "CERTIFICATE" {
				certs++
				continue
			}
			parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			read = parsed.(crypto.Signer).Public()
		}
		if certs != 2 || read == nil || !read.(interface{ Equal(crypto.PublicKey) bool }).Equal(d.private.Public()) {
			t.Errorf("openssl reads %d certificates and %T", certs, read)
		}
		if info, err := exec.Command("openssl", "pkcs12", "-in", path, "-passin", "pass:"+secret, "-info", "-noout").CombinedOutput(); err != nil ||
			!strings.Contains(string(info), "PBES2, PBKDF2, AES-256-CBC, Iteration 600000, PRF hmacWithSHA256") {
			t.Errorf("%v\n%s", err, info)
		}
		f, err := key.OpenFile(data, []byte(secret), nil)
		if err != nil || len(f.Chain()) != 2 {
			t.Fatalf("we read %v", err)
		}
		works(t, f, d.private.Public())
		if _, err := key.OpenFile(data, []byte("x"), nil); !fault.Is(err, "key.file_passphrase") {
			t.Errorf("a wrong passphrase: %v", err)
		}
	}
}

func TestAKeyFileIsImportedUnderAName(t *testing.T) {
	d := newDrawer(t, 0)
	f, err := key.OpenFile(d.made("pkcs12"), []byte(secret), nil)
	if err != nil {
		t.Fatal(err)
	}
	s, _, _ := open(t)
	if err := s.ImportFile("seal-1", f); err != nil {
		t.Fatal(err)
	}
	if err := s.ImportFile("seal-1", f); !fault.Is(err, "key.exists") {
		t.Errorf("twice: %v", err)
	}
	k, err := s.Signer("seal-1")
	if err != nil {
		t.Fatal(err)
	}
	works(t, k, d.private.Public())
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.ImportFile("seal-2", f); err == nil {
		t.Error("a closed file was imported")
	}
}
