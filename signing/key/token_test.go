package key_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/miekg/pkcs11"

	"countersign/internal/fault"
	"countersign/signing/cms"
	"countersign/signing/key"
)

const (
	softHSM = "/usr/lib/softhsm/libsofthsm2.so"
	pin     = "246810"
)

// desk is a SoftHSM of its own, in a folder, with the authority that certifies what its tokens hold.
type desk struct {
	t      *testing.T
	dir    string
	root   *x509.Certificate
	issuer *ecdsa.PrivateKey
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, dir: t.TempDir()}
	conf := filepath.Join(d.dir, "softhsm2.conf")
	tokens := filepath.Join(d.dir, "tokens")
	if err := os.Mkdir(tokens, 0o700); err != nil {
		t.Fatal(err)
	}
	text := "directories.tokendir = " + tokens + "\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = true\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	var err error
	if d.issuer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	d.root = d.certify(&x509.Certificate{
		Subject: pkix.Name{CommonName: "CA thử nghiệm"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, d.issuer.Public())
	return d
}

func (d *desk) run(name string, args ...string) {
	d.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		d.t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

func (d *desk) certify(want *x509.Certificate, public crypto.PublicKey) *x509.Certificate {
	d.t.Helper()
	want.SerialNumber = big.NewInt(0x5401)
	want.NotBefore, want.NotAfter = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2029, 1, 1, 0, 0, 0, 0, time.UTC)
	parent := d.root
	if parent == nil {
		parent = want
	}
	der, err := x509.CreateCertificate(rand.Reader, want, parent, public, d.issuer)
	if err != nil {
		d.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		d.t.Fatal(err)
	}
	return cert
}

func (d *desk) token(label string) {
	d.t.Helper()
	d.run("softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "12345678", "--pin", pin)
}

// put brings a key and its certificate onto a token, by other people's tools.
func (d *desk) put(label, id string, private crypto.Signer, cert *x509.Certificate) {
	d.t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		d.t.Fatal(err)
	}
	file := filepath.Join(d.dir, "key.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		d.t.Fatal(err)
	}
	d.run("softhsm2-util", "--import", file, "--token", label, "--label", "k"+id, "--id", id, "--pin", pin)
	d.putCertificate(label, id, cert)
}

func (d *desk) putCertificate(label, id string, cert *x509.Certificate) {
	d.t.Helper()
	file := filepath.Join(d.dir, "cert.der")
	if err := os.WriteFile(file, cert.Raw, 0o600); err != nil {
		d.t.Fatal(err)
	}
	d.run("pkcs11-tool", "--module", softHSM, "--token-label", label, "--login", "--pin", pin,
		"--write-object", file, "--type", "cert", "--id", id, "--label", "c"+id)
}

// person brings a person's P-256 key onto a token.
func (d *desk) person(label, id, holder, uid string) *x509.Certificate {
	d.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		d.t.Fatal(err)
	}
	cert := d.certify(&x509.Certificate{Subject: subject(holder, uid), KeyUsage: x509.KeyUsageContentCommitment}, private.Public())
	d.put(label, id, private, cert)
	return cert
}

func subject(holder, uid string) pkix.Name {
	return pkix.Name{CommonName: holder, ExtraNames: []pkix.AttributeTypeAndValue{
		{Type: asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}, Value: uid},
	}}
}

// openssl has a signature over content judged by other code.
func (d *desk) openssl(content, signature []byte) {
	d.t.Helper()
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: d.root.Raw})
	for name, data := range map[string][]byte{"content": content, "signature": signature, "root.pem": root} {
		if err := os.WriteFile(filepath.Join(d.dir, name), data, 0o600); err != nil {
			d.t.Fatal(err)
		}
	}
	d.run("openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", filepath.Join(d.dir, "signature"),
		"-content", filepath.Join(d.dir, "content"), "-CAfile", filepath.Join(d.dir, "root.pem"), "-purpose", "any", "-out", os.DevNull)
}

// flags changes what a token's file says of its PIN, as a card with a try counter does by itself: SoftHSM never locks.
func (d *desk) flags(set uint64) uint64 {
	d.t.Helper()
	files, err := filepath.Glob(filepath.Join(d.dir, "tokens", "*", "token.object"))
	if err != nil || len(files) != 1 {
		d.t.Fatalf("token files %v, %v", files, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		d.t.Fatal(err)
	}
	// Attribute CKA_OS_TOKENFLAGS, of the kind "number"; the number follows.
	head := []byte{0, 0, 0, 0, 0x80, 0, 0x53, 0x4b, 0, 0, 0, 0, 0, 0, 0, 2}
	at := bytes.Index(data, head)
	if at < 0 || len(data) < at+len(head)+8 {
		d.t.Fatal("the token's file has no flags")
	}
	field := data[at+len(head):][:8]
	binary.BigEndian.PutUint64(field, binary.BigEndian.Uint64(field)|set)
	if err := os.WriteFile(files[0], data, 0o600); err != nil {
		d.t.Fatal(err)
	}
	return binary.BigEndian.Uint64(field)
}

func (d *desk) open(more ...string) *key.Tokens {
	d.t.Helper()
	tokens := key.OpenTokens(append([]string{softHSM}, more...)...)
	d.t.Cleanup(func() {
		if err := tokens.Close(); err != nil {
			d.t.Error(err)
		}
	})
	return tokens
}

// only returns the one certificate of the token with a label.
func only(t *testing.T, tokens *key.Tokens, label string) key.Held {
	t.Helper()
	list, err := tokens.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range list {
		if token.Label == label && len(token.Certificates) == 1 {
			return token.Certificates[0]
		}
	}
	t.Fatalf("no token %s with one certificate: %+v", label, list)
	return key.Held{}
}

func TestEachTokenIsListedWithItsCertificates(t *testing.T) {
	d := newDesk(t)
	d.token("lan")
	d.token("minh")
	lan := d.person("lan", "01", "NGUYỄN THỊ LAN", "CCCD:001190000001")
	d.person("minh", "01", "TRẦN VĂN MINH", "CCCD:001090000002")
	d.putCertificate("lan", "99", d.root)
	missing := filepath.Join(d.dir, "gone.so")
	text := filepath.Join(d.dir, "softhsm2.conf")
	tokens := d.open(softHSM, missing, text)
	list, err := tokens.List()
	if !fault.Is(err, "key.module") {
		t.Errorf("two modules that can't be loaded: %v", err)
	}
	if len(list) != 2 {
		t.Fatalf("%d tokens: %+v", len(list), list)
	}
	for _, token := range list {
		if token.Serial == "" || token.PIN != key.PINReady || token.Pad || token.Unread != 0 || len(token.Certificates) != 1 {
			t.Fatalf("token %+v", token)
		}
		c := token.Certificates[0]
		if c.Issuer != "CA thử nghiệm" || c.Serial != "5401" || c.Ends.Year() != 2029 || c.Ref.Token != token.Serial {
			t.Errorf("certificate %+v", c)
		}
		holder, links := "TRẦN VĂN MINH", 1
		if token.Label == "lan" {
			holder, links = "NGUYỄN THỊ LAN", 2
			if !c.Chain[0].Equal(lan) {
				t.Error("Lan's chain begins with another certificate")
			}
		}
		if c.Holder != holder || len(c.Chain) != links {
			t.Errorf("%s: holder %q, %d certificates in the chain", token.Label, c.Holder, len(c.Chain))
		}
	}
}

func TestATokensKeySignsADocument(t *testing.T) {
	d := newDesk(t)
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	d.token("ec")
	d.token("rsa")
	d.person("ec", "01", "NGUYỄN THỊ LAN", "CCCD:001190000001")
	d.put("rsa", "02", private, d.certify(&x509.Certificate{Subject: subject("CÔNG TY A", "MST:0100000000")}, private.Public()))
	tokens := d.open()
	for _, label := range []string{"ec", "rsa"} {
		held := only(t, tokens, label)
		k, err := tokens.Signer(held.Ref, []byte(pin))
		if err != nil {
			t.Fatal(err)
		}
		works(t, k, held.Chain[0].PublicKey)
		digest := sha256.Sum256([]byte("phiếu"))
		der, err := cms.Sign(digest, k, k.Chain(), nil)
		if err != nil {
			t.Fatalf("%s: CMS: %v", label, err)
		}
		d.openssl([]byte("phiếu"), der)
		if _, err := k.Sign(nil, digest[:20], crypto.SHA256); err == nil {
			t.Errorf("%s signed a digest that was cut", label)
		}
		if _, err := tokens.Signer(held.Ref, []byte(pin)); !fault.Is(err, "key.token_busy") {
			t.Errorf("%s: a second login beside the first: %v", label, err)
		}
		if label == "rsa" {
			opts := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
			sig, err := k.Sign(nil, digest[:], opts)
			if err != nil || rsa.VerifyPSS(&private.PublicKey, crypto.SHA256, digest[:], sig, opts) != nil {
				t.Errorf("PSS: %v", err)
			}
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
		if _, err := k.Sign(nil, digest[:], crypto.SHA256); err == nil {
			t.Errorf("%s signed after it was closed", label)
		}
	}
}

func TestAWrongPINCountsAndLeavesTheTokenClosed(t *testing.T) {
	d := newDesk(t)
	d.token("lan")
	d.person("lan", "01", "NGUYỄN THỊ LAN", "CCCD:001190000001")
	tokens := d.open()
	held := only(t, tokens, "lan")
	for _, short := range []string{"", "123"} {
		if _, err := tokens.Signer(held.Ref, []byte(short)); !fault.Is(err, "key.pin_form") {
			t.Errorf("PIN %q: %v", short, err)
		}
	}
	other := held.Ref
	other.Fingerprint[0] ^= 1
	if _, err := tokens.Signer(other, []byte("000000")); !fault.Is(err, "key.not_on_token") {
		t.Errorf("a certificate that is not there: %v", err)
	}
	if d.flags(0)&pkcs11.CKF_USER_PIN_COUNT_LOW != 0 {
		t.Error("what can't be right was sent to the token")
	}
	if _, err := tokens.Signer(held.Ref, []byte("000000")); !fault.Is(err, "key.pin") {
		t.Errorf("a wrong PIN: %v", err)
	}
	if d.flags(0)&pkcs11.CKF_USER_PIN_COUNT_LOW == 0 {
		t.Error("the token did not count the wrong PIN")
	}
	list, err := tokens.List()
	if err != nil || list[0].PIN != key.PINLow {
		t.Errorf("after it: %+v, %v", list, err)
	}
	k, err := tokens.Signer(held.Ref, []byte(pin))
	if err != nil {
		t.Fatalf("the right PIN after it: %v", err)
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
	if _, err := tokens.Signer(held.Ref, []byte("000000")); !fault.Is(err, "key.pin") {
		t.Errorf("a wrong PIN after a right one: %v", err)
	}
}

// TestAStrangersLoginLetsNoWrongPINPass: another part of the process has logged in to the same token.
func TestAStrangersLoginLetsNoWrongPINPass(t *testing.T) {
	d := newDesk(t)
	d.token("lan")
	d.person("lan", "01", "NGUYỄN THỊ LAN", "CCCD:001190000001")
	tokens := d.open()
	held := only(t, tokens, "lan")
	stranger := pkcs11.New(softHSM)
	defer stranger.Destroy()
	for _, guess := range []string{"000000", pin} {
		slots, err := stranger.GetSlotList(true)
		if err != nil {
			t.Fatal(err)
		}
		session, err := stranger.OpenSession(slots[0], pkcs11.CKF_SERIAL_SESSION)
		if err != nil {
			t.Fatal(err)
		}
		if err := stranger.Login(session, pkcs11.CKU_USER, pin); err != nil {
			t.Fatal(err)
		}
		k, err := tokens.Signer(held.Ref, []byte(guess))
		if guess == pin && err != nil || guess != pin && !fault.Is(err, "key.pin") {
			t.Errorf("PIN %s: %v", guess, err)
		}
		if k != nil {
			if err := k.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := stranger.CloseSession(session); err != nil {
			t.Error(err)
		}
	}
}

func TestALockedTokenIsNotAsked(t *testing.T) {
	d := newDesk(t)
	d.token("lan")
	d.person("lan", "01", "NGUYỄN THỊ LAN", "CCCD:001190000001")
	d.flags(pkcs11.CKF_USER_PIN_FINAL_TRY)
	tokens := key.OpenTokens(softHSM)
	held := only(t, tokens, "lan")
	list, err := tokens.List()
	if err != nil || list[0].PIN != key.PINLast {
		t.Errorf("before the last try: %+v, %v", list, err)
	}
	if _, err := tokens.Signer(held.Ref, []byte("000000")); !fault.Is(err, "key.pin_last") {
		t.Errorf("a wrong PIN with one try left: %v", err)
	}
	if err := tokens.Close(); err != nil {
		t.Fatal(err)
	}
	d.flags(pkcs11.CKF_USER_PIN_LOCKED)
	tokens = d.open()
	if list, err := tokens.List(); err != nil || list[0].PIN != key.PINLocked {
		t.Errorf("locked: %+v, %v", list, err)
	}
	// SoftHSM would still take the right PIN: that it isn't sent shows by the refusal.
	if _, err := tokens.Signer(held.Ref, []byte(pin)); !fault.Is(err, "key.locked") {
		t.Errorf("a locked token: %v", err)
	}
}

func TestATokenThatWasPulledMeanwhileIsMissed(t *testing.T) {
	d := newDesk(t)
	d.token("lan")
	d.person("lan", "01", "NGUYỄN THỊ LAN", "CCCD:001190000001")
	tokens := d.open()
	held := only(t, tokens, "lan")
	k, err := tokens.Signer(held.Ref, []byte(pin))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(d.dir, "tokens")); err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("phiếu"))
	if _, err := k.Sign(nil, digest[:], crypto.SHA256); !fault.Is(err, "key.token_gone") {
		t.Errorf("between PIN and signature: %v", err)
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
	if _, err := tokens.Signer(held.Ref, []byte(pin)); !fault.Is(err, "key.token_gone") {
		t.Errorf("between prepare and finish: %v", err)
	}
}

func TestAnotherTokenIsNotTakenForTheOneThatPrepared(t *testing.T) {
	d := newDesk(t)
	d.token("lan")
	d.person("lan", "01", "NGUYỄN THỊ LAN", "CCCD:001190000001")
	tokens := key.OpenTokens(softHSM)
	held := only(t, tokens, "lan")
	if err := tokens.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := tokens.Signer(held.Ref, []byte(pin)); !fault.Is(err, "key.module") {
		t.Errorf("after closing: %v", err)
	}
	d.run("softhsm2-util", "--delete-token", "--token", "lan")
	d.token("lan")
	d.person("lan", "01", "NGUYỄN THỊ LAN", "CCCD:001190000001")
	tokens = d.open()
	if _, err := tokens.Signer(held.Ref, []byte(pin)); !fault.Is(err, "key.token_gone") {
		t.Errorf("another token with the same label: %v", err)
	}
	strange := held.Ref
	strange.Module = "/lib/other.so"
	if _, err := tokens.Signer(strange, []byte(pin)); !fault.Is(err, "key.module") {
		t.Errorf("a module that is not configured: %v", err)
	}
}

func TestACertificateThatIsNotTheKeysReleasesNoSignature(t *testing.T) {
	d := newDesk(t)
	d.token("lan")
	mine, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d.put("lan", "01", mine, d.certify(&x509.Certificate{Subject: subject("LÊ LAN", "CCCD:001190000001")}, other.Public()))
	tokens := d.open()
	k, err := tokens.Signer(only(t, tokens, "lan").Ref, []byte(pin))
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("phiếu"))
	if sig, err := k.Sign(nil, digest[:], crypto.SHA256); !fault.Is(err, "key.signature") || sig != nil {
		t.Errorf("released %x, %v", sig, err)
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
}

func TestACertificateWithoutItsKeyIsSaidSo(t *testing.T) {
	d := newDesk(t)
	d.token("lan")
	d.putCertificate("lan", "07", d.certify(&x509.Certificate{Subject: subject("LÊ LAN", "CCCD:001190000001")}, d.issuer.Public()))
	tokens := d.open()
	if _, err := tokens.Signer(only(t, tokens, "lan").Ref, []byte(pin)); !fault.Is(err, "key.not_on_token") {
		t.Errorf("no private key: %v", err)
	}
}

func TestAKeyThatAsksEachTimeSignsEachTime(t *testing.T) {
	d := newDesk(t)
	d.token("lan")
	d.run("pkcs11-tool", "--module", softHSM, "--token-label", "lan", "--login", "--pin", pin, "--keypairgen",
		"--key-type", "EC:prime256v1", "--id", "03", "--always-auth", "--usage-sign")
	file := filepath.Join(d.dir, "public.der")
	d.run("pkcs11-tool", "--module", softHSM, "--token-label", "lan", "--read-object", "--type", "pubkey", "--id", "03", "-o", file)
	der, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		t.Fatal(err)
	}
	d.putCertificate("lan", "03", d.certify(&x509.Certificate{Subject: subject("LÊ LAN", "CCCD:001190000001")}, public))
	tokens := d.open()
	k, err := tokens.Signer(only(t, tokens, "lan").Ref, []byte(pin))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		works(t, k, public)
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
}

func TestOnlyTheCustomersOwnCertificateMatches(t *testing.T) {
	lan := key.Person{CCCD: "001190000001", CMND: "011900001", Passport: "C1234567"}
	uid := asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}
	serial := asn1.ObjectIdentifier{2, 5, 4, 5}
	type attributes []pkix.AttributeTypeAndValue
	for i, c := range []struct {
		names attributes
		want  string // fault, or nothing
	}{
		{attributes{{Type: uid, Value: "CCCD:001190000001"}}, ""},
		{attributes{{Type: uid, Value: "cccd: 001190000001 "}}, ""},
		{attributes{{Type: uid, Value: "CMND:011900001"}}, ""},
		{attributes{{Type: uid, Value: "HC:c1234567"}}, ""},
		{attributes{{Type: uid, Value: "MST:0100000000"}, {Type: uid, Value: "CCCD:001190000001"}}, ""},
		{attributes{{Type: uid, Value: "CCCD:001190000001"}, {Type: serial, Value: "99"}}, ""},
		{attributes{{Type: serial, Value: "001190000001"}}, ""},
		{attributes{{Type: serial, Value: "PASVN-C1234567"}}, ""},
		{attributes{{Type: serial, Value: "IDCVN-001190000001"}}, ""},
		{attributes{{Type: uid, Value: "CCCD:001190000002"}}, "key.other_person"},
		{attributes{{Type: uid, Value: "CCCD:001190000001"}, {Type: serial, Value: "CCCD:001190000002"}}, "key.other_person"},
		{attributes{{Type: uid, Value: "CCCD:001190000001"}, {Type: uid, Value: "CMND:011900002"}}, "key.other_person"},
		{attributes{{Type: serial, Value: "001190000002"}}, "key.other_person"},
		{attributes{{Type: uid, Value: "CCCD:"}}, "key.other_person"},
		{attributes{{Type: uid, Value: "MST:001190000001"}}, "key.no_person"},
		{attributes{{Type: serial, Value: "PASUS-C1234567"}}, "key.no_person"},
		{attributes{{Type: serial, Value: "5401"}}, "key.no_person"},
		{attributes{{Type: uid, Value: "MST:0100000000"}, {Type: serial, Value: "001190000001"}}, "key.no_person"},
		{nil, "key.no_person"},
	} {
		cert := &x509.Certificate{Subject: pkix.Name{CommonName: "NGUYỄN THỊ LAN", Names: c.names}}
		err := key.Match(cert, lan)
		if c.want == "" && err != nil || c.want != "" && !fault.Is(err, c.want) {
			t.Errorf("%s: %v, want %q", fmt.Sprint(i, c.names), err, c.want)
		}
	}
	if err := key.Match(&x509.Certificate{Subject: subject("LAN", "CCCD:")}, key.Person{}); !fault.Is(err, "key.no_person") {
		t.Errorf("nobody's number: %v", err)
	}
}
