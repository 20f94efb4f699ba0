package demo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"countersign/internal/api"
	"countersign/kiosk"
	"countersign/kiosk/mirror"
	"countersign/mail/message"
	"countersign/signing/ca"
	"countersign/signing/verify"
)

// program runs a Debian program, which must be there.
func program(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// firstHash is the hash line of the first snapshot at a stage.
func firstHash(ctx context.Context, d *api.Display, stage mirror.Stage) string {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for s := range d.Snapshots(ctx) {
		if s.Stage == stage {
			return s.Hash
		}
	}
	return ""
}

func TestOtherProgramsAcceptTheWorkOrderOfTheDemonstration(t *testing.T) {
	w := build(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	j, err := w.Capacity(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var hashes []string
	for _, part := range []func(context.Context) error{j.open, j.fill, j.agree} {
		if err := part(ctx); err != nil {
			t.Fatal(err)
		}
	}
	hashes = append(hashes, j.Order.Hash, firstHash(ctx, j.Display, mirror.Reading))
	for _, part := range []func(context.Context) error{j.read, j.show, j.confirm, j.seal, j.handOver, j.receive} {
		if err := part(ctx); err != nil {
			t.Fatal(err)
		}
	}
	_, letter, err := w.Inbox.find(ctx, j.Mail, 0, codeLine)
	if err != nil {
		t.Fatal(err)
	}
	text := message.Parse(letter.Raw, message.Limits{}).Text
	hashes = append(hashes, regexp.MustCompile(`(?:[0-9A-F]{4} ){3}[0-9A-F]{4}`).FindString(text))
	if strings.Contains(text, "://") || strings.Contains(text, "www.") {
		t.Errorf("the message with the code has a link:\n%s", text)
	}
	file, err := j.Clerk.Document(ctx, j.Order.Order.Key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "work-order.pdf")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	acceptedByOthers(t, w, path, dir)
	t.Run("the attached order is the one whose hash stood on both screens and in the message", func(t *testing.T) {
		program(t, "pdfdetach", "-savefile", "order.json", "-o", filepath.Join(dir, "order.json"), path)
		data, err := os.ReadFile(filepath.Join(dir, "order.json"))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		short := kiosk.ShortHash(hex.EncodeToString(sum[:]))
		if j.Order.Order.Document.ContentSHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("order.json has digest %x, the order says %s", sum, j.Order.Order.Document.ContentSHA256)
		}
		for i, h := range hashes {
			if h != short {
				t.Errorf("%s shows the hash %q, order.json has %q", []string{"the clerk's screen", "the customer's screen", "the message"}[i], h, short)
			}
		}
	})
	flips(t, file, verify.Policy{Roots: w.Service.Hall.Roots, At: w.Service.Options.Clock.Now()})
}

func acceptedByOthers(t *testing.T, w *World, path, dir string) {
	t.Run("pdfsig trusts every signature and the last one covers the whole file", func(t *testing.T) {
		db := filepath.Join(dir, "nss")
		if err := os.Mkdir(db, 0o700); err != nil {
			t.Fatal(err)
		}
		root := filepath.Join(dir, "root.pem")
		if err := os.WriteFile(root, ca.PEM(w.Service.Root), 0o600); err != nil {
			t.Fatal(err)
		}
		program(t, "certutil", "-N", "-d", db, "--empty-password")
		program(t, "certutil", "-A", "-d", db, "-n", "root", "-t", "CT,C,C", "-i", root)
		out := program(t, "pdfsig", "-nssdir", "sql:"+db, path)
		parts := strings.Split(out, "\nSignature #")[1:]
		if len(parts) != 4 {
			t.Fatalf("pdfsig finds %d signatures, want 4:\n%s", len(parts), out)
		}
		for i, p := range parts {
			if !strings.Contains(p, "Signature is Valid.") || !strings.Contains(p, "Certificate is Trusted.") || !strings.Contains(p, "ETSI.CAdES.detached") {
				t.Errorf("signature %d:\n%s", i+1, p)
			}
			if total := strings.Contains(p, "Total document signed"); total != (i == len(parts)-1) {
				t.Errorf("signature %d covers the total document: %t", i+1, total)
			}
		}
	})
	t.Run("qpdf finds nothing wrong", func(t *testing.T) {
		if out := program(t, "qpdf", "--check", path); !strings.Contains(out, "No syntax or stream encoding errors found") {
			t.Error(out)
		}
	})
	t.Run("pdftotext has every accent", func(t *testing.T) {
		out := program(t, "pdftotext", "-layout", path, "-")
		for _, want := range []string{"NGUYỄN VĂN THỬ", "Điện lực Bắc Giang", "phố Mẫu, phường Thử", "Thỏa thuận thay đổi công suất", "Điều hòa", "Bếp từ",
			"Ngô Lan Anh", "Số định danh"} {
			if !strings.Contains(out, want) {
				t.Errorf("the text has no %q", want)
			}
		}
	})
}

var hole = regexp.MustCompile(`/Contents<[0-9A-Fa-f]+>`)

func flips(t *testing.T, file []byte, p verify.Policy) {
	if r := verify.Verify(file, p); r.Verdict != verify.Passed {
		t.Fatalf("the whole file is %s: %s", r.Verdict, r.Summary.English)
	}
	seed := uint64(time.Now().UnixNano())
	dice := rand.New(rand.NewPCG(seed, 1))
	passes := func(t *testing.T, at int, bit byte) {
		copied := bytes.Clone(file)
		copied[at] ^= bit
		if r := verify.Verify(copied, p); r.Verdict == verify.Passed {
			t.Errorf("bit %#x of byte %d is flipped and the file is PASSED (seed %d)", bit, at, seed)
		}
	}
	t.Run("none of 500 flipped bits passes", func(t *testing.T) {
		for i := range 500 {
			// One in each five-hundredth, so that every part of the file has its turn.
			at := len(file)*i/500 + dice.IntN(max(len(file)/500, 1))
			passes(t, min(at, len(file)-1), 1<<dice.IntN(8))
		}
	})
	t.Run("no flipped bit inside the signatures' own bytes passes", func(t *testing.T) {
		holes := hole.FindAllIndex(file, -1)
		if len(holes) != 4 {
			t.Fatalf("%d signatures have contents, want 4", len(holes))
		}
		for _, h := range holes {
			for range holeBytes() {
				at := h[0] + len("/Contents") + dice.IntN(h[1]-h[0]-len("/Contents"))
				for bit := range 8 {
					passes(t, at, 1<<bit)
				}
			}
		}
	})
}
