package pdf

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"

	"countersign/signing/pdf/pdftest"
)

// TestAGrowingDocumentIsWhatSeparateUpdatesMake fills fifty fields, once in one document that grows and once in a file that is
// read anew for each.
func TestAGrowingDocumentIsWhatSeparateUpdatesMake(t *testing.T) {
	names := make([]string, 50)
	for i := range names {
		names[i] = fmt.Sprintf("f%d", i)
	}
	apart := pdftest.Base(names...)
	base := bytes.Clone(apart)
	g := Open(base)
	looks := &Appearance{Width: 10, Height: 10, Stream: []byte("0 0 m")}
	for i, name := range names {
		r := Request{Field: name, At: noon, Appearance: looks, Room: 512}
		if got, want := g.SHA256(), sha256.Sum256(g.Bytes()); i%3 == 0 && got != want {
			t.Fatalf("before update %d: digest %x, want %x", i, got, want)
		}
		before := g.Bytes()
		kept := bytes.Clone(before)
		p, err := Prepare(apart, r)
		if err != nil {
			t.Fatal(err)
		}
		message := append([]byte{0x30, 3, 2, 1}, byte(i))
		if apart, err = p.Finish(message); err != nil {
			t.Fatal(err)
		}
		var digest [32]byte
		if err := g.Fill(r, func(d [32]byte) ([]byte, error) { digest = d; return message, nil }); err != nil {
			t.Fatal(err)
		}
		if digest != p.Digest() {
			t.Errorf("update %d: another digest", i)
		}
		if !bytes.Equal(g.Bytes(), apart) {
			t.Fatalf("update %d: other bytes", i)
		}
		if !bytes.Equal(before, kept) {
			t.Fatalf("update %d changed what was given out before", i)
		}
	}
	if !bytes.Equal(base, pdftest.Base(names...)) {
		t.Error("the base was changed")
	}
	if f := mustParse(t, g.Bytes()); len(f.Revisions) != 51 {
		t.Errorf("%d revisions", len(f.Revisions))
	}
}

func TestAFailedUpdateLeavesAGrowingDocumentAsItWas(t *testing.T) {
	away := errors.New("the key is away")
	for _, before := range []int{0, 1} {
		g := Open(pdftest.Base("a", "b", "c"))
		if before == 1 {
			if err := g.Fill(Request{Field: "c", At: noon, Room: 512}, func([32]byte) ([]byte, error) { return []byte{0x30, 0}, nil }); err != nil {
				t.Fatal(err)
			}
		}
		kept, sum := bytes.Clone(g.Bytes()), g.SHA256()
		for name, f := range map[string]func() error{
			"the key fails": func() error {
				return g.Fill(Request{Field: "a", At: noon, Room: 512}, func([32]byte) ([]byte, error) { return nil, away })
			},
			"the signature is too long": func() error {
				return g.Fill(Request{Field: "a", At: noon, Room: 512}, func([32]byte) ([]byte, error) { return make([]byte, 513), nil })
			},
			"the field is not there": func() error {
				return g.Fill(Request{Field: "x", At: noon, Room: 512}, func([32]byte) ([]byte, error) { return []byte{1}, nil })
			},
		} {
			if err := f(); err == nil {
				t.Errorf("%s, and it is filled", name)
			}
			if !bytes.Equal(g.Bytes(), kept) || g.SHA256() != sum {
				t.Errorf("%s: the document changed", name)
			}
		}
		message := []byte{0x30, 3, 2, 1, 5}
		if err := g.Fill(Request{Field: "a", At: noon, Room: 512}, func([32]byte) ([]byte, error) { return message, nil }); err != nil {
			t.Fatal(err)
		}
		want := filled(t, kept, Request{Field: "a", At: noon, Room: 512})
		if !bytes.Equal(g.Bytes(), want) {
			t.Error("after failures another document is made")
		}
		err := g.Fill(Request{Field: "a", At: noon, Room: 512}, func([32]byte) ([]byte, error) { return message, nil })
		if !errors.Is(err, ErrFieldFilled) {
			t.Errorf("a field is filled twice: %v", err)
		}
	}
}
