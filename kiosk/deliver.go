package kiosk

import (
	"context"
	"encoding/json"
	"strconv"

	"countersign/internal/fault"
	"countersign/internal/job"
)

// Errand is the payload of jobs that carry a finished order out of the hall: the handler loads the order itself.
type Errand struct {
	Order string `json:"order"` // key
	Unit  string `json:"unit"`
	To    string `json:"to,omitempty"` // address of a mail
}

// The kinds of job that the hall queues.
const (
	JobCodeMail = "otp_mail"
	JobHandOver = "handover"
	JobMail     = "receipt_mail"
	JobPrint    = "receipt_print"
	// JobStamp gets a file the timestamp that no authority gave when it was sealed.
	JobStamp = "stamp"
)

// queue adds a job for an order; its key is stable, so that it is done once however often it is asked for.
func (h *Hall) queue(tx Tx, o *Order, kind, key, to string) error {
	payload, err := json.Marshal(Errand{Order: o.Key, Unit: o.Unit, To: to})
	if err != nil {
		return err
	}
	return tx.Enqueue(job.Job{Key: key, Kind: kind, Order: o.Key, Payload: payload})
}

// ChooseReceipt queues the receipt for the medium that the customer chose; nothing leaves before this.
func (h *Hall) ChooseReceipt(ctx context.Context, a Actor, key, medium string) (*Order, error) {
	return h.change(ctx, a, key, "receipt.choose", func(tx Tx, o *Order) (facts, error) {
		s, err := h.service(o)
		if err != nil {
			return nil, err
		}
		before, again := o.Receipt, "1"
		if before.Medium != "" {
			if before.Mail.State != "failed" && before.Print.State != "failed" {
				return nil, fault.New(fault.Conflict, "order.receipt_chosen", nil)
			}
			o.Receipt.Again++
			again = "c" + strconv.Itoa(o.Receipt.Again)
		}
		to := o.Receipt.To
		if to == "" {
			to = o.mail(s)
		}
		if (medium == "mail" || medium == "both") && to == "" {
			return nil, fault.New(fault.Invalid, "order.no_mail", nil)
		}
		if err := o.ChooseReceipt(medium, h.Clock.Now()); err != nil {
			return nil, err
		}
		o.Receipt.To = to
		return facts{"medium": medium}, h.queueReceipt(tx, o, before, again)
	})
}

// queueReceipt queues what waits to leave and did not wait before; again tells repeats that a person asked for apart.
func (h *Hall) queueReceipt(tx Tx, o *Order, before Receipt, again string) error {
	if o.Receipt.Mail.State == "waiting" && before.Mail.State != "waiting" {
		if err := h.queue(tx, o, JobMail, "mail/"+o.Number+"/"+again, o.Receipt.To); err != nil {
			return err
		}
	}
	if o.Receipt.Print.State == "waiting" && before.Print.State != "waiting" {
		return h.queue(tx, o, JobPrint, "print/"+o.Number+"/"+again, "")
	}
	return nil
}

// FixMail corrects the address to which the receipt goes; the signed order stays as it is. A mail may come back after
// the customer has rated and gone.
func (h *Hall) FixMail(ctx context.Context, a Actor, key, address string) (*Order, error) {
	return h.change(ctx, a, key, "receipt.address", func(tx Tx, o *Order) (facts, error) {
		before := o.Receipt
		if before.Mail.State != "failed" {
			if err := o.in(Sealed); err != nil {
				return nil, err
			}
		}
		s, err := h.service(o)
		if err != nil {
			return nil, err
		}
		f := fieldFrom(s, "email")
		if f == nil {
			return nil, fault.New(fault.Invalid, "order.no_mail", nil)
		}
		text, err := f.Accept(address, h.Clock.Now(), s.Language)
		if err != nil {
			return nil, err
		}
		o.Receipt.To, o.Receipt.WrongMail = text, false
		if o.Receipt.Mail.State == "failed" {
			o.Receipt.Mail = Delivery{State: "waiting", At: h.Clock.Now()}
			o.Receipt.Again++
			return nil, h.queueReceipt(tx, o, before, "m"+strconv.Itoa(o.Receipt.Again))
		}
		return nil, nil
	})
}

// WrongMail records that the customer finds the address for the receipt wrong; the clerk is asked to correct it.
func (h *Hall) WrongMail(ctx context.Context, a Actor, key string) (*Order, error) {
	return h.change(ctx, a, key, "receipt.wrong_address", func(tx Tx, o *Order) (facts, error) {
		if err := o.in(Sealed); err != nil {
			return nil, err
		}
		o.Receipt.WrongMail = true
		return nil, nil
	})
}

// Reprint prints a chosen paper receipt again after the printer failed.
func (h *Hall) Reprint(ctx context.Context, a Actor, key string) (*Order, error) {
	return h.change(ctx, a, key, "receipt.again", func(tx Tx, o *Order) (facts, error) {
		if err := o.in(Sealed, Closed); err != nil {
			return nil, err
		}
		if o.Receipt.Print.State == "" {
			return nil, fault.New(fault.Conflict, "order.no_print", nil)
		}
		o.Receipt.Print = Delivery{State: "waiting", At: h.Clock.Now()}
		o.Receipt.Again++
		return nil, h.queue(tx, o, JobPrint, "print/"+o.Number+"/r"+strconv.Itoa(o.Receipt.Again), "")
	})
}

// Rate records the customer's rating; 0 skips it. The clerk's views never hold it.
func (h *Hall) Rate(ctx context.Context, a Actor, key string, n int) (*Order, error) {
	return h.change(ctx, a, key, "rate", func(tx Tx, o *Order) (facts, error) {
		return nil, o.Rate(n, h.Clock.Now())
	})
}

// Delivered records what became of a job: the acknowledgement of the back office, the mail server's or the printer's
// word. It runs in the transaction that ends the job.
func (h *Hall) Delivered(tx Tx, orderKey, kind, note string, failed error) (*Order, error) {
	o, err := tx.Order(orderKey)
	if err != nil {
		return nil, err
	}
	now := h.Clock.Now()
	state := "done"
	if failed != nil {
		state = "failed"
	}
	act := kind + "." + state
	switch kind {
	case JobHandOver:
		o.HandOver.Tries++
		o.HandOver.At, o.HandOver.LastErr = now, ""
		switch {
		case failed == nil:
			o.HandOver.State, o.HandOver.Ack = "done", note
		case fault.KindOf(failed) == fault.Invalid:
			o.HandOver.State, o.HandOver.LastErr = "refused", fault.CodeOf(failed)
		default:
			o.HandOver.State, o.HandOver.LastErr = "waiting", fault.CodeOf(failed)
		}
	case JobMail:
		o.Receipt.Mail = Delivery{State: state, Note: note, At: now}
	case JobPrint:
		o.Receipt.Print = Delivery{State: state, Note: note, At: now}
	case JobCodeMail:
		o.CodeSent = Delivery{State: state, Note: note, At: now}
	}
	if err := h.log(tx, system(o), o, act, nil); err != nil {
		return nil, err
	}
	return o, tx.PutOrder(o)
}
