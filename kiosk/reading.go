package kiosk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/kiosk/catalog"
	"countersign/kiosk/idcard"
	"countersign/kiosk/portrait"
	"countersign/kiosk/workorder"
)

// ShowPage records that the customer's screen shows a page.
func (h *Hall) ShowPage(ctx context.Context, a Actor, key string, page int) (*Order, error) {
	return h.change(ctx, a, key, "read.page", func(tx Tx, o *Order) (facts, error) {
		return facts{"page": strconv.Itoa(page)}, o.ShowPage(page, h.Clock.Now())
	})
}

// AskHelp records that the customer wants the shown page explained.
func (h *Hall) AskHelp(ctx context.Context, a Actor, key string) (*Order, error) {
	return h.change(ctx, a, key, "read.help", func(tx Tx, o *Order) (facts, error) {
		return nil, o.AskHelp(h.Clock.Now())
	})
}

// Agree records the customer's agreement with the text that carries digest. A card that was read earlier in the visit
// is compared with the form now and needs no second reading.
func (h *Hall) Agree(ctx context.Context, a Actor, key, digest string) (*Order, error) {
	return h.change(ctx, a, key, "read.agree", func(tx Tx, o *Order) (facts, error) {
		if err := o.Agree(digest, h.Clock.Now()); err != nil {
			return nil, err
		}
		v, err := tx.Visit(o.Visit)
		if err != nil {
			return nil, err
		}
		if v.Card != nil {
			if err := h.compare(o, *v.Card, v.CardAt); err != nil {
				return nil, err
			}
		}
		return facts{"content": digest, "agreement": o.Document.Agreement}, nil
	})
}

// TakePortrait keeps the picture taken at the counter; it waits for the clerk's judgement by eye.
func (h *Hall) TakePortrait(ctx context.Context, a Actor, key string, picture []byte) (*Order, error) {
	seen, jpeg, err := portrait.Take(picture, portrait.DefaultLimits())
	if err != nil {
		return nil, err
	}
	id, err := h.key()
	if err != nil {
		return nil, err
	}
	return h.change(ctx, a, key, "portrait.take", func(tx Tx, o *Order) (facts, error) {
		if o.Portrait != nil && o.Portrait.DocumentID != "" {
			if err := tx.DeleteDocument(o.Portrait.DocumentID); err != nil && fault.KindOf(err) != fault.NotFound {
				return nil, err
			}
		}
		if err := tx.PutDocument(id, o.Key, "portrait", jpeg); err != nil {
			return nil, err
		}
		now := h.Clock.Now()
		return facts{"ok": strconv.FormatBool(seen.Err() == nil)}, o.TakePortrait(PortraitFacts{DocumentID: id, Facts: seen, At: now}, now)
	})
}

// Retake discards the picture, at the customer's or the clerk's wish.
func (h *Hall) Retake(ctx context.Context, a Actor, key string) (*Order, error) {
	return h.change(ctx, a, key, "portrait.retake", func(tx Tx, o *Order) (facts, error) {
		if o.Portrait != nil && o.Portrait.DocumentID != "" {
			if err := tx.DeleteDocument(o.Portrait.DocumentID); err != nil {
				return nil, err
			}
		}
		return nil, o.Retake(a.User.Name == "", h.Clock.Now())
	})
}

// PortraitImage returns the normalised picture of an order.
func (h *Hall) PortraitImage(ctx context.Context, a Actor, key string) ([]byte, error) {
	var out []byte
	err := h.Store.View(ctx, func(tx Tx) error {
		o, err := h.load(tx, a, key)
		if err != nil {
			return err
		}
		if o.Portrait == nil || o.Portrait.DocumentID == "" {
			return fault.New(fault.NotFound, "order.no_portrait", nil)
		}
		out, err = tx.Document(o.Portrait.DocumentID)
		return err
	})
	return out, err
}

// Judge records the clerk's judgement by eye and makes the document that will be signed: the content that the
// customer read, unchanged, with card, portrait and the record of reading on the evidence pages.
func (h *Hall) Judge(ctx context.Context, a Actor, key string) (*Order, error) {
	id, err := h.key()
	if err != nil {
		return nil, err
	}
	var before *Order
	var raw, picture []byte
	err = h.Store.View(ctx, func(tx Tx) error {
		if before, err = h.load(tx, a, key); err != nil {
			return err
		}
		if err := before.Judge(h.Clock.Now()); err != nil {
			return err
		}
		before.Portrait.JudgedBy = a.person()
		if raw, err = tx.Document(before.Document.ContentID); err != nil {
			return err
		}
		picture, err = tx.Document(before.Portrait.DocumentID)
		return err
	})
	if err != nil {
		return nil, err
	}
	base, err := h.base(before, raw, picture)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(base)
	return h.change(ctx, a, key, "portrait.judge", func(tx Tx, o *Order) (facts, error) {
		if o.Rev != before.Rev {
			return nil, fault.New(fault.Conflict, "order.changed", nil)
		}
		now := h.Clock.Now()
		if err := o.Judge(now); err != nil {
			return nil, err
		}
		o.Portrait.JudgedBy = a.person()
		if err := tx.PutDocument(id, o.Key, "base", base); err != nil {
			return nil, err
		}
		return facts{"document": hex.EncodeToString(sum[:])}, o.Based(id, hex.EncodeToString(sum[:]), now)
	})
}

// base builds the document to be signed from the stored content, which must be the one that was read.
func (h *Hall) base(o *Order, raw, picture []byte) ([]byte, error) {
	content, err := readable(o, raw)
	if err != nil {
		return nil, err
	}
	evidence, err := h.evidence(o, picture)
	if err != nil {
		return nil, err
	}
	return workorder.Build(content, evidence, h.Fonts)
}

// readable is the stored content of an order, which is shown to nobody and signed by nobody unless it has the digest that
// stands on both screens.
func readable(o *Order, raw []byte) (workorder.Content, error) {
	var c workorder.Content
	digest := workorder.Digest(raw)
	if hex.EncodeToString(digest[:]) != o.Document.ContentSHA256 {
		return c, fmt.Errorf("order %s: the stored content is not the one that was made", o.Key)
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return c, fmt.Errorf("read the content of order %s: %w", o.Key, err)
	}
	return c, nil
}

// evidence is what the pages after the agreement tell about identity, reading and confirmation.
func (h *Hall) evidence(o *Order, picture []byte) (*workorder.Evidence, error) {
	s, err := h.service(o)
	if err != nil {
		return nil, err
	}
	lang := s.Language
	sum := sha256.Sum256(picture)
	e := &workorder.Evidence{ContentSHA256: o.Document.ContentSHA256, Portrait: picture, PortraitSHA256: hex.EncodeToString(sum[:]),
		PortraitAt: o.Portrait.At, JudgedBy: o.Portrait.JudgedBy.Name, Agreed: o.Times.Agreed, ReadToEnd: lastShown(o), Lines: o.Document.Lines, Pages: len(o.Document.Pages)}
	c := o.Card.Card
	e.Identity.Kind = locale.Text(lang, "idcard.kind."+string(c.Kind), nil)
	e.Identity.Number, e.Identity.Name = MaskNumber(c.Fields[idcard.Number]), c.Fields[idcard.Name]
	e.Identity.Birth, e.Identity.Address = catalog.FormatDate(c.Fields[idcard.Birth], lang), c.Fields[idcard.Address]
	if sex := c.Fields[idcard.Sex]; sex != "" {
		e.Identity.Sex = locale.Text(lang, "idcard.sex."+sex, nil)
	}
	e.Identity.Source = locale.Text(lang, "evidence.source."+string(c.Kind), nil)
	e.Identity.Assurance, e.Identity.ReadAt = c.Assurance, o.Card.At
	for _, check := range c.Checks {
		e.Identity.Checks = append(e.Identity.Checks, workorder.Check{Name: check.Label(lang), OK: check.OK, Detail: check.Text(lang)})
	}
	for _, ob := range o.Objections {
		label := ob.Field
		if f, ok := s.Field(ob.Field); ok {
			label = f.Label.In(lang)
		}
		e.Objections = append(e.Objections, workorder.Objection{Field: label, Reason: locale.Text(lang, "objection."+strconv.Itoa(ob.Reason), nil),
			Outcome: locale.Text(lang, "objection.accepted", nil), At: ob.At})
	}
	e.Confirmation.Purpose = h.purpose(o, s)
	return e, nil
}

// lastShown is the moment at which the last page had been shown.
func lastShown(o *Order) (last time.Time) {
	for _, p := range o.Document.Pages {
		last = lastOf(last, p.Shown)
	}
	return last
}
