package seal_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"

	"countersign/internal/fault"
	"countersign/signing/seal"
)

// holder keeps released documents in memory.
type holder struct {
	mu   sync.Mutex
	kept map[string]heldFile
	fail error
}

type heldFile struct {
	document [32]byte
	result   seal.Result
}

func (h *holder) Hold(_ context.Context, order string, document [32]byte, r seal.Result) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fail != nil {
		return h.fail
	}
	if h.kept == nil {
		h.kept = map[string]heldFile{}
	}
	h.kept[order] = heldFile{document, r}
	return nil
}

func (h *holder) Held(_ context.Context, order string) (seal.Result, [32]byte, bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f, ok := h.kept[order]
	return f.result, f.document, ok, nil
}

func (h *holder) Drop(_ context.Context, order string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.kept, order)
	return nil
}

func (h *holder) Orders(context.Context) ([]string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Keys(h.kept)), nil
}

func TestWhatWasReleasedIsReleasedAgainAndNotSealedTwice(t *testing.T) {
	o := openStrict(t)
	h := &holder{}
	o.Holder = h
	first, err := o.Release(context.Background(), o.asked(t))
	if err != nil {
		t.Fatal(err)
	}
	opened := len(o.keys.opened)
	unsigned := o.asked(t)
	unsigned.Asked = nil
	if _, err := o.Release(context.Background(), unsigned); !fault.Is(err, "seal.unsigned") {
		t.Errorf("what is held was given to somebody who may not have it: %v", err)
	}
	other := o.asked(t)
	other.Seals = all[:2]
	s := o.statement(other)
	other.Asked = o.approve(t, o.clerk, s)
	if _, err := o.Release(context.Background(), other); !fault.Is(err, "seal.busy") {
		t.Errorf("other seals while three are open: %v", err)
	}
	if void, err := o.Recover(context.Background()); err != nil || void != 0 {
		t.Errorf("a restart of the sealer made %d uses void, %v", void, err)
	}
	again, err := o.Release(context.Background(), o.asked(t))
	if err != nil || !bytes.Equal(first.Document, again.Document) || len(o.keys.opened) != opened {
		t.Errorf("the second release: %v; keys opened %v", err, o.keys.opened[opened:])
	}
	if err := o.Confirm(context.Background(), first.Uses[0].Order, [32]byte{1}); !fault.Is(err, "seal.other_file") {
		t.Errorf("another file was stored: %v", err)
	}
	for range 2 {
		if err := o.Confirm(context.Background(), first.Uses[0].Order, first.SHA256); err != nil {
			t.Error(err)
		}
	}
	if s := o.book.states(); s[seal.Done] != 3 || len(o.book.uses) != 3 || len(h.kept) != 0 {
		t.Errorf("book %v, held %d", s, len(h.kept))
	}
	h.kept = map[string]heldFile{first.Uses[0].Order: {unsigned.Consent.Signed, first}}
	if _, err := o.Release(context.Background(), o.asked(t)); !fault.Is(err, "seal.done") {
		t.Errorf("a document left behind after its uses were booked: %v", err)
	}
}

func TestWhatCouldNotBeHeldIsVoidAndDoesNotLeave(t *testing.T) {
	o := openStrict(t)
	h := &holder{fail: errors.New("the disk is full")}
	o.Holder = h
	if r, err := o.Release(context.Background(), o.asked(t)); !fault.Is(err, "seal.away") || r.Document != nil {
		t.Fatal(err)
	}
	if s := o.book.states(); s[seal.Void] != 3 || len(s) != 1 {
		t.Errorf("book %v", s)
	}
	h.fail = nil
	r, err := o.Release(context.Background(), o.asked(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Discard(context.Background(), r.Uses[0].Order, "the order was cancelled"); err != nil {
		t.Fatal(err)
	}
	if s := o.book.states(); s[seal.Void] != 6 || len(h.kept) != 0 {
		t.Errorf("book %v, held %d", s, len(h.kept))
	}
}
