package service_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"countersign/internal/demo"
	"countersign/internal/locale"
	"countersign/kiosk"
	"countersign/signing/verify"
)

// final returns the unit's newest order and its file.
func final(t *testing.T, w *demo.World) (o *kiosk.Order, file []byte) {
	t.Helper()
	err := w.Service.Store.View(t.Context(), func(tx kiosk.Tx) error {
		list, err := tx.ListOrders(demo.Unit, time.Now().AddDate(0, 0, -2), time.Now().AddDate(0, 0, 2), 1)
		if err != nil || len(list) == 0 {
			t.Fatalf("%d orders, %v", len(list), err)
		}
		o = list[0]
		file, err = tx.Document(o.Document.FinalID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return o, file
}

func TestAClosedOrdersFileIsRaisedOvernightAndTheOneThatWasSentStays(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	w, err := demo.Build(ctx, t.TempDir(), demo.Choices{Cost: cheap})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Play(ctx, io.Discard, locale.English); err != nil {
		t.Fatal(err)
	}
	before, sent := final(t, w)
	if before.State != kiosk.Closed || before.Document.Signatures[0].Level != "B-T" {
		t.Fatalf("the order is %s, its signatures %+v", before.State, before.Document.Signatures)
	}
	for range 2 { // asking twice raises once
		if err := w.Service.RaiseOrders(ctx, "2026-11-22"); err != nil {
			t.Fatal(err)
		}
	}
	after, file := before, sent
	for after.Document.FinalID == before.Document.FinalID {
		if ctx.Err() != nil {
			t.Fatal("the file is not raised")
		}
		after, file = final(t, w)
	}
	if !bytes.HasPrefix(file, sent) {
		t.Error("the raised file does not begin with the one that was sent")
	}
	r := verify.Verify(file, verify.Policy{Roots: w.Service.Hall.Roots, At: w.Service.Options.Clock.Now(), Status: true})
	for _, s := range r.Signatures {
		if r.Verdict != verify.Passed || s.Kind != "timestamp" && s.Level != "B-LTA" {
			t.Errorf("%s %s: %s is at %s", r.Verdict, r.Sub, s.Field, s.Level)
		}
	}
	path := filepath.Join(t.TempDir(), "raised.pdf")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("qpdf", "--check", path).CombinedOutput(); err != nil {
		t.Errorf("qpdf: %v\n%s", err, out)
	}
	if out, err := exec.Command("pdfsig", "-nocert", path).CombinedOutput(); err != nil || strings.Count(string(out), "Signature is Valid.") != 4 {
		t.Errorf("pdfsig: %v\n%s", err, out)
	}
	for _, g := range after.Document.Signatures {
		if g.Level != "B-LTA" {
			t.Errorf("the order says %s of %s", g.Level, g.Field)
		}
	}
	err = w.Service.Store.View(ctx, func(tx kiosk.Tx) error {
		old, err := tx.Document(before.Document.FinalID)
		if err == nil && !bytes.Equal(old, sent) {
			t.Error("the file that was sent is not kept")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if report, err := w.Service.VerifyJournal(ctx, nil); err != nil || !report.OK() {
		t.Errorf("the journal: %+v %v", report, err)
	}
}
