package kiosk

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/signing"
	"countersign/signing/ink"
	"countersign/signing/pdf"
	"countersign/signing/pdf/stamp"
)

// Pen is a handwriting under way: the customer was given the pen, wrote, and the clerk is to say that they saw it.
type Pen struct {
	Counter   string    `json:"counter"` // where it was given; nobody elsewhere can have seen the customer write
	Began     time.Time `json:"began"`
	Ended     time.Time `json:"ended"` // handed in; zero while the customer writes
	StrokesID string    `json:"strokes_id"`
	SHA256    string    `json:"sha256"` // of the canonical strokes
}

// Written reports whether there is handwriting to be attested.
func (p *Pen) Written() bool { return p != nil && !p.Ended.IsZero() }

// Pad is the handwriting under way as a clerk sees it.
type Pad struct {
	Began    time.Time     `json:"began"`
	Ended    time.Time     `json:"ended"`
	Preview  []string      `json:"preview"` // braille cells
	Source   ink.Source    `json:"source"`
	Strokes  int           `json:"strokes"`
	Duration time.Duration `json:"duration"`
	Length   int           `json:"length_mm"`
}

// The size of the preview on the clerk's screen, in cells.
const (
	previewWide = 60
	previewHigh = 7
)

// givePen begins a handwriting.
func (h *Hall) givePen(tx Tx, a Actor, o *Order) error {
	if err := o.dropPen(tx); err != nil {
		return err
	}
	return o.TakePen(Pen{Counter: a.Counter, Began: h.Clock.Now()}, h.Clock.Now())
}

// dropPen forgets a handwriting that will not be used.
func (o *Order) dropPen(tx Tx) error {
	p := o.Pen
	o.Pen = nil
	if p == nil || p.StrokesID == "" {
		return nil
	}
	return tx.DeleteDocument(p.StrokesID)
}

// Write takes the strokes that the customer handed in on their own screen. They are no confirmation before the clerk has
// attested them. Besides the faults of ink.Parse and ink.Facts.Refuse:
//
//	ink.no_pen    the customer did not choose to write by hand, or has handed the writing in
//	ink.replayed  the same strokes were handed in for another order
func (h *Hall) Write(ctx context.Context, a Actor, key string, strokes []byte) (*Order, error) {
	drawing, err := ink.Parse(strokes)
	if err != nil {
		return nil, err
	}
	if err := drawing.Facts().Refuse(); err != nil {
		return nil, err
	}
	id, err := h.key()
	if err != nil {
		return nil, err
	}
	digest := drawing.Digest()
	return h.change(ctx, a, key, "confirm.written", func(tx Tx, o *Order) (facts, error) {
		now := h.Clock.Now()
		if err := o.Wrote(id, hex.EncodeToString(digest[:]), now); err != nil {
			return nil, err
		}
		if err := remember(tx, drawing, o.Key); err != nil {
			return nil, err
		}
		return facts{"strokes": o.Pen.SHA256, "source": string(drawing.Source)}, tx.PutDocument(id, o.Key, "strokes", drawing.Canonical())
	})
}

// remember keeps the prints of a drawing, and refuses one that was taken for another order: its very strokes, or strokes
// that look the same and were only moved or retimed.
func remember(tx Tx, d ink.Drawing, order string) error {
	digest := d.Digest()
	prints := []string{"strokes " + hex.EncodeToString(digest[:])}
	if shape, ok := d.Shape(); ok {
		prints = append(prints, "shape "+hex.EncodeToString(shape[:]))
	}
	for _, p := range prints {
		err := tx.PutWriting(p, order)
		if fault.Is(err, "store.conflict") {
			return fault.Wrap(err, fault.Conflict, "ink.replayed", nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Rewrite gives the customer the pen again, at the clerk's wish: nobody saw them write, or it went wrong.
func (h *Hall) Rewrite(ctx context.Context, a Actor, key string) (*Order, error) {
	return h.change(ctx, a, key, "confirm.rewrite", func(tx Tx, o *Order) (facts, error) {
		if o.Way != ByInk {
			return nil, fault.New(fault.Conflict, "ink.no_pen", nil)
		}
		return nil, h.givePen(tx, a, o)
	})
}

// Attest is the clerk's word that they saw the customer write: the counter's witness key signs in the clerk's name.
// Besides the faults of signing.Ceremony.Witness:
//
//	ink.unwritten  there is no handwriting to attest
//	ink.elsewhere  it was written at another counter
func (h *Hall) Attest(ctx context.Context, a Actor, key string) (*Order, error) {
	release, ok := h.busy.try(key)
	if !ok {
		return nil, fault.New(fault.Conflict, "otp.busy", nil)
	}
	defer release()
	ids, err := h.keys(2)
	if err != nil {
		return nil, err
	}
	var before *Order
	var base, strokes []byte
	err = h.Store.View(ctx, func(tx Tx) error {
		if before, err = h.load(tx, a, key); err != nil {
			return err
		}
		if err := before.MayAttest(a.Counter); err != nil {
			return err
		}
		if base, err = tx.Document(before.Document.BaseID); err != nil {
			return err
		}
		strokes, err = tx.Document(before.Pen.StrokesID)
		return err
	})
	if err != nil {
		return nil, err
	}
	drawing, err := ink.Parse(strokes)
	if err != nil {
		return nil, fmt.Errorf("read the stored strokes of order %s: %w", before.Number, err)
	}
	ask, err := h.handwritten(a, before, base, drawing)
	if err != nil {
		return nil, err
	}
	signed, err := h.Ceremony.Witness(ctx, ask)
	if err != nil {
		return nil, err
	}
	c := Confirmation{Method: ByInk.Record(), Tries: 1, Asked: before.Pen.Began, At: ask.Writing.Ended, StrokesID: before.Pen.StrokesID, Witness: a.person()}
	return h.keepSignature(ctx, a, key, ids, signed, c)
}

// handwritten puts together what the ceremony checks before the counter's key witnesses.
func (h *Hall) handwritten(a Actor, o *Order, base []byte, d ink.Drawing) (signing.Handwritten, error) {
	s, err := h.service(o)
	if err != nil {
		return signing.Handwritten{}, err
	}
	u := h.Units[o.Unit]
	ask := signing.Handwritten{Order: o.Number, Document: base, Person: o.person(), Needed: s.Assurance, Reading: o.read(), Language: s.Language, Location: u.Place,
		Writing: signing.Writing{Order: o.Number, Drawing: d, Began: o.Pen.Began, Ended: o.Pen.Ended},
		Witness: signing.Witness{StaffID: a.User.StaffID, Name: a.User.FullName, Counter: a.Counter, Organisation: u.Name, Key: WitnessKey(o.Unit, a.Counter)}}
	if ask.Caption, err = h.inkCaption(a, o, s.Language); err != nil {
		return ask, err
	}
	for _, d := range []*[32]byte{&ask.Displayed, &ask.Writing.Document} {
		if err := digestOf(o.Document.BaseSHA256, d); err != nil {
			return ask, err
		}
	}
	if err := digestOf(o.Document.ContentSHA256, &ask.Content); err != nil {
		return ask, err
	}
	ask.Writing.Content = ask.Content
	return ask, nil
}

// inkCaption stands under the handwriting on the page: what it is worth, and who saw it written.
func (h *Hall) inkCaption(a Actor, o *Order, l locale.Lang) (*pdf.Appearance, error) {
	block, err := stamp.Block([]string{locale.Text(l, "stamp.ink", locale.Args{"rank": ByInk.Rank().String()}),
		locale.Text(l, "stamp.witness", locale.Args{"name": a.User.FullName, "counter": a.Counter}),
		o.Pen.Ended.In(clock.Vietnam).Format(stampTime) + "  " + ShortHash(o.Document.ContentSHA256)}, 6.5, stamp.Blue, h.Fonts.Regular...)
	if err != nil {
		return nil, fmt.Errorf("draw the caption of order %s: %w", o.Number, err)
	}
	return &block, nil
}

// WitnessKey is the name of the key with which a counter's clerks witness handwriting.
func WitnessKey(unit, counter string) string {
	return signing.WitnessKey + strings.ToLower(unit+"-"+counter)
}

// pad reads the handwriting under way for the clerk's screen.
func (o *Order) pad(tx Tx) (*Pad, error) {
	if o.Pen == nil {
		return nil, nil
	}
	out := &Pad{Began: o.Pen.Began, Ended: o.Pen.Ended}
	if !o.Pen.Written() {
		return out, nil
	}
	strokes, err := tx.Document(o.Pen.StrokesID)
	if err != nil {
		return nil, err
	}
	d, err := ink.Parse(strokes)
	if err != nil {
		return nil, fmt.Errorf("read the stored strokes of order %s: %w", o.Number, err)
	}
	f := d.Facts()
	out.Preview, out.Source = d.Preview(previewWide, previewHigh), d.Source
	out.Strokes, out.Duration, out.Length = f.Strokes, f.Duration, int(f.Length)
	return out, nil
}
