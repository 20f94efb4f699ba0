package service

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/internal/job"
	"countersign/kiosk"
	"countersign/signing"
	"countersign/signing/augment"
	"countersign/signing/journal"
	"countersign/signing/tsa"
	"countersign/signing/verify"
)

// jobRaise brings a finished order's file to B-LTA.
const jobRaise = "raise_level"

const (
	askTimeout = 10 * time.Second

	nightBegins = 2  // o'clock
	nightsBack  = 35 // days for which a file is tried again
	nightOrders = 10000
)

// openAugmenter prepares what raises levels: our own authorities answer in this process, others by their addresses. It
// trusts what the lists of trust name, and the roots of the timestamp authorities.
func (s *Service) openAugmenter(authority tsa.Authority) {
	s.augment = &augment.Augmenter{Roots: s.roots(), Authority: authority, Status: s.Status, Clock: s.Options.Clock, Chains: &verify.Chains{}}
}

// nightly puts the orders of the last weeks whose files are not at B-LTA into the queue, once a night.
func (s *Service) nightly(ctx context.Context) {
	now := s.Options.Clock.Now().In(clock.Vietnam)
	night := now.Format(time.DateOnly)
	if s.augment.Authority == nil || now.Hour() < nightBegins || s.night == night {
		return
	}
	if err := s.RaiseOrders(ctx, night); err != nil {
		s.Options.Log.Error("the orders' files are not raised tonight", "err", err)
		return
	}
	s.night = night
}

// probe is what is stamped to find out whether an authority is back.
var probe = []byte("countersign: is the timestamp authority back?")

// StampWaiting brings the files that wait for a timestamp to the front as soon as an authority answers again; their own waits
// between tries grow up to an hour.
func (s *Service) StampWaiting(ctx context.Context) error {
	if s.augment.Authority == nil {
		return nil
	}
	waiting, err := s.Store.Waiting(ctx, nightOrders)
	if err != nil {
		return err
	}
	asked := false
	for _, j := range waiting {
		if j.Kind != kiosk.JobStamp || j.State != job.Waiting || j.LastErr == "" {
			continue
		}
		if !asked {
			if _, err := s.augment.Authority.Stamp(ctx, probe); err != nil {
				return nil // still away
			}
			asked = true
		}
		if err := s.Store.Retry(ctx, j.ID); err != nil && fault.KindOf(err) != fault.Conflict { // it runs already
			return err
		}
	}
	return nil
}

// RaiseOrders asks for the files of finished orders to be raised; the name of the night keeps it from asking twice.
func (s *Service) RaiseOrders(ctx context.Context, night string) error {
	now := s.Options.Clock.Now()
	return s.Store.Update(ctx, func(tx kiosk.Tx) error {
		for unit := range s.Hall.Units {
			orders, err := tx.ListOrders(unit, now.AddDate(0, 0, -nightsBack), now, nightOrders)
			if err != nil {
				return err
			}
			for _, o := range orders {
				if !raisable(o) {
					continue
				}
				if err := tx.Enqueue(job.Job{Key: "raise/" + o.Number + "/" + night, Kind: jobRaise, Order: o.Key, Payload: []byte("{}"), RunAt: now, Created: now}); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// settled reports whether an order's file may be replaced by its raised form: the order is closed and everything that
// carries the file has left.
func settled(o *kiosk.Order) bool {
	return o.State == kiosk.Closed && o.Document.FinalID != "" && o.HandOver.State != "waiting" && o.Receipt.Mail.State != "waiting" && o.Receipt.Print.State != "waiting"
}

// raisable reports whether an order's file may and can be raised.
func raisable(o *kiosk.Order) bool {
	if !settled(o) {
		return false
	}
	for _, g := range o.Document.Signatures {
		if g.Level != string(signing.BLTA) {
			return true
		}
	}
	return false
}

// lasting is a file that was raised.
type lasting struct {
	from string // the file that it was made of
	augment.Result
}

// raise brings the file of the job's order to B-LTA, or to B-T for one that only waits for its timestamp.
func (s *Service) raise(ctx context.Context, j job.Job) job.Outcome {
	to := signing.BLTA
	if j.Kind == kiosk.JobStamp {
		to = signing.BT
	}
	var file []byte
	var o *kiosk.Order
	err := s.Store.View(ctx, func(tx kiosk.Tx) error {
		var err error
		if o, err = tx.Order(j.Order); err != nil {
			return err
		}
		file, err = tx.Document(o.Document.FinalID)
		return err
	})
	switch {
	case err != nil:
		return job.Again(err)
	case to == signing.BT && !o.Document.Untimed, to == signing.BLTA && !raisable(o):
		return job.Taken("")
	case !settled(o):
		return job.Away(errNotSettled)
	}
	r, err := s.augment.Raise(ctx, file, to)
	if err != nil {
		return job.Refused(err)
	}
	if r.Level != to && r.Level != signing.BLTA && r.Level != signing.BLT {
		// An authority that is away for a week kills no job.
		return job.Away(r.Short)
	}
	if to == signing.BLTA && r.Level != to {
		return job.Again(r.Short)
	}
	return job.Taken(lasting{o.Document.FinalID, r})
}

// errNotSettled waits for what still carries the file.
var errNotSettled = errors.New("the order is not closed, or its file has not left yet")

// raised stores the file in the transaction that ends the job. The file that it was made of stays: it is what was sent.
func (s *Service) raised(tx kiosk.Tx, j job.Job, out job.Outcome) error {
	l, ok := out.Result.(lasting)
	if !ok {
		return nil // nothing was to be done, or the try failed; the order is as it was
	}
	o, err := tx.Order(j.Order)
	if err != nil {
		return err
	}
	if o.Document.FinalID != l.from {
		return fmt.Errorf("store the raised file of an order: its file was replaced meanwhile")
	}
	sum := sha256.Sum256(l.Document)
	before := o.Document.FinalSHA256
	id := "raised-" + hex.EncodeToString(sum[:16])
	if err := tx.PutDocument(id, o.Key, "final", l.Document); err != nil {
		return err
	}
	if o.Document.SentID == "" {
		o.Document.SentID = o.Document.FinalID
	}
	o.Document.Untimed = false
	o.Document.FinalID, o.Document.FinalSHA256, o.Updated = id, hex.EncodeToString(sum[:]), s.Options.Clock.Now()
	for i := range o.Document.Signatures {
		o.Document.Signatures[i].Level = string(l.Level)
	}
	if err := tx.PutOrder(o); err != nil {
		return err
	}
	_, err = tx.Append(journal.Entry{At: o.Updated, Actor: "system", Role: "system", Place: o.Unit, Act: "document.raise", Subject: o.Number,
		Facts: map[string]string{"level": string(l.Level), "before": before, "document": o.Document.FinalSHA256}})
	return err
}
