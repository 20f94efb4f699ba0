package sealer_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"countersign/internal/fault"
	"countersign/internal/sealer"
	"countersign/signing/ca"
	"countersign/signing/key"
	"countersign/signing/seal"
)

const (
	softHSM = "/usr/lib/softhsm/libsofthsm2.so"
	pin     = "246810"
)

// tool runs somebody else's program.
func tool(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

// box is a SoftHSM with the unit's seal in it, and the house's sealer that uses it.
func box(t *testing.T, h *house) (tokens string, f *sealer.Office) {
	t.Helper()
	dir := t.TempDir()
	tokens = filepath.Join(dir, "tokens")
	must(t, os.Mkdir(tokens, 0o700))
	conf := filepath.Join(dir, "softhsm2.conf")
	must(t, os.WriteFile(conf, []byte("directories.tokendir = "+tokens+"\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = true\n"), 0o600))
	t.Setenv("SOFTHSM2_CONF", conf)
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	chain, err := h.world.Issuing.IssueSeal(private.Public(), ca.Seal{Name: "ĐIỆN LỰC MẪU", Organisation: "Điện lực Mẫu", OrganisationID: "0100100417", Life: 24 * time.Hour})
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	tool(t, "softhsm2-util", "--init-token", "--free", "--label", "dau", "--so-pin", "12345678", "--pin", pin)
	tool(t, "softhsm2-util", "--import", filepath.Join(dir, "key.pem"), "--token", "dau", "--label", "k", "--id", "01", "--pin", pin)
	for i, c := range chain {
		file := filepath.Join(dir, "c.der")
		must(t, os.WriteFile(file, c.Raw, 0o600))
		tool(t, "pkcs11-tool", "--module", softHSM, "--token-label", "dau", "--login", "--pin", pin, "--write-object", file, "--type", "cert", "--id", "0"+string(rune('1'+i)))
	}
	o := h.options
	o.Tokens = key.NewStanding(func() *key.Tokens { return key.OpenTokens(softHSM) }, map[string][]byte{"": []byte(pin)})
	f, err = sealer.Start(context.Background(), o)
	must(t, err)
	t.Cleanup(func() { must(t, f.Close()) })
	sum := sha256.Sum256(chain[0].Raw)
	onToken, err := f.Chain(sum)
	must(t, err)
	if len(onToken) < 2 {
		t.Fatalf("%d certificates on the token", len(onToken))
	}
	must(t, f.Add(context.Background(), seal.Seal{ID: "unit", Name: "ĐIỆN LỰC MẪU", Geometry: "vn-company", Kind: seal.Unit, Organisation: "Điện lực Mẫu", Chain: chain}, true))
	return tokens, f
}

func states(t *testing.T, h *house, f *sealer.Office) map[seal.State]int {
	t.Helper()
	uses, err := f.Uses(context.Background(), h.world.Now.Add(-time.Hour), h.world.Now.Add(time.Hour))
	must(t, err)
	out := map[seal.State]int{}
	for _, u := range uses {
		out[u.State]++
	}
	return out
}

// puller pulls the token when the last key was opened and has not signed yet.
type puller struct {
	seal.Keys
	pull func()
}

func (p puller) Signer(name string) (crypto.Signer, error) {
	s, err := p.Keys.Signer(name)
	if len(name) > 64 && p.pull != nil {
		p.pull()
	}
	return s, err
}

func TestASealOnATokenThatIsPulledReleasesNothingAndSealsWhenItIsPutBack(t *testing.T) {
	h := found(t)
	tokens, f := box(t, h)
	aside := tokens + ".pulled"
	pull := func() {
		must(t, os.Rename(tokens, aside))
		must(t, os.Mkdir(tokens, 0o700))
	}
	put := func() {
		must(t, os.Remove(tokens))
		must(t, os.Rename(aside, tokens))
	}
	ctx := context.Background()
	keys := f.Keys
	f.Keys = puller{keys, pull}
	if r, err := f.Release(ctx, h.order); !fault.Is(err, "seal.away") || r.Document != nil {
		t.Fatalf("pulled between the intent and the signature: %v", err)
	}
	f.Keys = keys
	if _, err := f.Release(ctx, h.order); !fault.Is(err, "seal.away") {
		t.Fatalf("while it is away: %v", err)
	}
	if s := states(t, h, f); s[seal.Void] != 6 || len(s) != 1 {
		t.Errorf("the book has %v", s)
	}
	put()
	r, err := f.Release(ctx, h.order)
	if err != nil {
		t.Fatalf("after it was put back: %v", err)
	}
	h.world.Accepted(t, r.Document, 4)
	pull() // after the signature: what was released is confirmed without the token
	must(t, f.Confirm(ctx, h.order.ID, r.SHA256))
	if s := states(t, h, f); s[seal.Done] != 3 || s[seal.Void] != 6 || len(s) != 2 {
		t.Errorf("the book has %v", s)
	}
	put()
}
