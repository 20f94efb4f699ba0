package kiosk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"countersign/internal/fault"
	"countersign/kiosk/catalog"
)

// MaxFile is the size in bytes of the largest file that a field takes: a scan of many pages, or a photo.
const MaxFile = 8 << 20

// maxFileName bounds a file's name, in characters; it is printed in the work order.
const maxFileName = 80

// CheckFileSize refuses a size that no file of a field may have; a terminal asks before it reads.
func CheckFileSize(bytes int64) error {
	switch {
	case bytes <= 0:
		return fault.New(fault.Invalid, "file.empty", nil)
	case bytes > MaxFile:
		size := strconv.FormatInt((bytes+999_999)/1_000_000, 10)
		return fault.New(fault.Invalid, "file.too_big", fault.Args{"size": size, "limit": strconv.Itoa(MaxFile >> 20)})
	}
	return nil
}

// forms are the kinds of file that a field takes: how each begins, and what stands near its end when it is whole.
var forms = [...]struct{ begin, end string }{
	{"%PDF-", "%%EOF"},
	{"\xff\xd8\xff", "\xff\xd9"},
	{"\x89PNG\r\n\x1a\n", "IEND"},
}

// CheckFile refuses what is no PDF, JPEG or PNG, whatever its name says, and what is too big or was cut off.
func CheckFile(data []byte) error {
	if err := CheckFileSize(int64(len(data))); err != nil {
		return err
	}
	for _, form := range forms {
		if bytes.HasPrefix(data, []byte(form.begin)) {
			if !bytes.Contains(data[max(0, len(data)-1024):], []byte(form.end)) {
				return fault.New(fault.Invalid, "file.cut", nil)
			}
			return nil
		}
	}
	return fault.New(fault.Invalid, "file.type", nil)
}

// fileName is a file's own name as it is shown and printed: without its folder, and with _ for what is neither a
// letter, a digit nor plain punctuation.
func fileName(name string) (string, error) {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) && !strings.ContainsRune(" .-_,()+&'", r) {
			return '_'
		}
		return r
	}, norm.NFC.String(strings.ToValidUTF8(name, "_")))
	name = strings.TrimSpace(name)
	if strings.Trim(name, "._ ") == "" {
		return "", fault.New(fault.Invalid, "file.name", nil)
	}
	if r := []rune(name); len(r) > maxFileName {
		name = string(r[:maxFileName/2]) + ".." + string(r[len(r)-maxFileName/2+2:])
	}
	return name, nil
}

// SetFile saves a file in a field of the form; it returns when the file is durable. base is the Base of the value that
// the clerk saw. The file that stood there before stays stored as long as it can be brought back by Undo.
func (h *Hall) SetFile(ctx context.Context, a Actor, key, field, base, name string, data []byte) (*Order, error) {
	id, err := h.key()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	return h.change(ctx, a, key, "form.file", func(tx Tx, o *Order) (facts, error) {
		_, f, err := h.field(o, field)
		if err != nil {
			return nil, err
		}
		if f.Type != catalog.File {
			return nil, fault.New(fault.Invalid, "order.takes_no_file", fault.Args{"number": strconv.Itoa(f.Number)})
		}
		if err := CheckFile(data); err != nil {
			return nil, err
		}
		ref := catalog.FileRef{Document: id, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(data))}
		if ref.Name, err = fileName(name); err != nil {
			return nil, err
		}
		if err := o.SetField(a.User.Name, field, base, catalog.Value{File: &ref}, h.Clock.Now()); err != nil {
			return nil, err
		}
		salted := sha256.Sum256([]byte(ref.SHA256 + o.Key))
		return facts{"field": field, "file": hex.EncodeToString(salted[:8])}, tx.PutDocument(id, o.Key, "file", data)
	})
}

// FieldFile returns the file that a field holds.
func (h *Hall) FieldFile(ctx context.Context, a Actor, key, field string) ([]byte, error) {
	var out []byte
	err := h.Store.View(ctx, func(tx Tx) error {
		o, err := h.load(tx, a, key)
		if err != nil {
			return err
		}
		ref := o.Values[field].File
		if ref == nil {
			return fault.New(fault.NotFound, "store.not_found", nil)
		}
		out, err = tx.Document(ref.Document)
		return err
	})
	return out, err
}

// files are the stored files that the order needs: those in its fields and, while the form can still be changed, those
// that Undo and Redo would bring back. Every other one is deleted by the act that left it behind.
func (o *Order) files() []string {
	var out []string
	add := func(v *catalog.Value) {
		if v != nil && v.File != nil && !slices.Contains(out, v.File.Document) {
			out = append(out, v.File.Document)
		}
	}
	for _, v := range o.Values {
		add(&v)
	}
	switch o.State {
	case Draft, Invited, Reading, Agreed, Confirming:
		for _, exits := range [][]Exit{o.Exits, o.Undone} {
			for _, e := range exits {
				add(e.Before)
				add(e.After)
			}
		}
	}
	return out
}

// dropFiles deletes the files that an act left behind.
func dropFiles(tx Tx, before, after []string) error {
	for _, id := range before {
		if slices.Contains(after, id) {
			continue
		}
		if err := tx.DeleteDocument(id); err != nil && fault.KindOf(err) != fault.NotFound {
			return err
		}
	}
	return nil
}
