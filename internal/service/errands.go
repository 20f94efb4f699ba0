package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"countersign/internal/backoffice"
	"countersign/internal/fault"
	"countersign/internal/job"
	"countersign/internal/store"
	"countersign/kiosk"
	"countersign/kiosk/receipt"
	"countersign/mail/outbox"
)

// Printer is where receipts on paper go: a command that reads a PDF on standard input, or a folder.
type Printer struct {
	Command []string
	Dir     string
}

// told is the store's job queue that tells the screens what became of a job, once that is durable.
type told struct {
	*store.Store
	after func(j job.Job)
}

// Settle ends a try and then tells.
func (t told) Settle(ctx context.Context, j job.Job, then func(kiosk.Tx) error) error {
	err := t.Store.Settle(ctx, j, then)
	if err == nil {
		t.after(j)
	}
	return err
}

// errands are the jobs that carry things out of the hall.
func (s *Service) errands() *job.Runner[kiosk.Tx] {
	kind := func(handle func(context.Context, job.Job) job.Outcome, ordered bool) job.Kind[kiosk.Tx] {
		return job.Kind[kiosk.Tx]{Handle: handle, Complete: s.complete, Workers: 4, Ordered: ordered}
	}
	options := s.Options.Jobs
	options.Clock = s.Options.Clock
	options.Failed = func(kind string, id int64, err error) {
		s.Options.Log.Warn("an errand failed", "kind", kind, "id", id, "code", fault.CodeOf(err))
	}
	return job.NewRunner(told{s.Store, s.tell}, map[string]job.Kind[kiosk.Tx]{
		kiosk.JobCodeMail: kind(s.mailCode, false),
		kiosk.JobMail:     kind(s.mailReceipt, false),
		kiosk.JobPrint:    kind(s.print, false),
		kiosk.JobHandOver: kind(s.handOver, true),
		jobRaise:          {Handle: s.raise, Complete: s.raised, Workers: 1},
		kiosk.JobStamp:    {Handle: s.raise, Complete: s.raised, Workers: 1},
	}, options)
}

// tell wakes the screens that show the job's order.
func (s *Service) tell(j job.Job) {
	var o *kiosk.Order
	err := s.Store.View(context.Background(), func(tx kiosk.Tx) error {
		var err error
		o, err = tx.Order(j.Order)
		return err
	})
	if err != nil {
		s.Options.Log.Error("an errand's order can't be read", "err", err)
		return
	}
	s.Hub.OrderChanged(o)
}

// complete writes what became of a try onto the order.
func (s *Service) complete(tx kiosk.Tx, j job.Job, o job.Outcome) error {
	note, _ := o.Result.(string)
	failed := o.Err
	if failed != nil && j.Kind != kiosk.JobHandOver {
		note = words(failed)
	}
	_, err := s.Hall.Delivered(tx, j.Order, j.Kind, note, failed)
	return err
}

// maxNote is how much of a server's own words is kept.
const maxNote = 120

// words is the receiver's own words without addresses, short enough for a line.
func words(err error) string {
	words := strings.Fields(err.Error())
	for i, w := range words {
		if strings.Contains(w, "@") {
			words[i] = "***"
		}
	}
	text := strings.Join(words, " ")
	if len(text) > maxNote {
		text = strings.ToValidUTF8(text[:maxNote], "")
	}
	return text
}

func (s *Service) mailCode(ctx context.Context, j job.Job) job.Outcome {
	var c kiosk.CodeMail
	if err := json.Unmarshal(j.Payload, &c); err != nil {
		return job.Refused(fmt.Errorf("read the errand: %w", err))
	}
	now := s.Options.Clock.Now()
	if now.After(c.Expires) {
		return job.Refused(errors.New("the code ran out before the mail server took it"))
	}
	// The time of asking, not of sending: another try must send the same bytes.
	raw, err := receipt.Code(s.Options.Sender, c, j.Created)
	if err != nil {
		return job.Refused(err)
	}
	return s.send(ctx, c.To, raw)
}

func (s *Service) mailReceipt(ctx context.Context, j job.Job) job.Outcome {
	o, e, err := s.finished(ctx, j)
	if err != nil {
		return job.Again(err)
	}
	again := j.Key[strings.LastIndex(j.Key, "/")+1:]
	to := e.To
	if o.Receipt.To != "" {
		// The address may have been corrected while the mail waited.
		to = o.Receipt.To
	}
	raw, err := receipt.Mail(s.Options.Sender, o, to, again)
	if err != nil {
		return job.Refused(err)
	}
	return s.send(ctx, to, raw)
}

func (s *Service) send(ctx context.Context, to string, raw []byte) job.Outcome {
	if s.Options.Mail == nil {
		return job.Refused(fault.New(fault.Unavailable, "service.no_mail", nil))
	}
	err := s.Options.Mail.Send(ctx, s.Options.Sender.Address, to, raw)
	switch {
	case err == nil:
		return job.Taken("")
	case errors.Is(err, outbox.ErrRefused):
		return job.Refused(err)
	}
	return job.Again(err)
}

func (s *Service) handOver(ctx context.Context, j job.Job) job.Outcome {
	if s.Options.BackOffice == nil {
		return job.Again(fault.New(fault.Unavailable, "service.no_back_office", nil))
	}
	o, _, err := s.finished(ctx, j)
	if err != nil {
		return job.Again(err)
	}
	data, err := receipt.Data(o)
	if err != nil {
		return job.Refused(err)
	}
	ack, err := s.Options.BackOffice.HandOver(ctx, backoffice.Delivery{Number: o.Number, Data: data, File: o.File})
	switch {
	case err == nil:
		return job.Taken(ack)
	case errors.Is(err, backoffice.ErrRefused):
		return job.Refused(fault.Wrap(err, fault.Invalid, "service.refused", nil))
	}
	return job.Away(fault.Wrap(err, fault.Unavailable, "service.away", nil))
}

func (s *Service) print(ctx context.Context, j job.Job) job.Outcome {
	o, _, err := s.finished(ctx, j)
	if err != nil {
		return job.Again(err)
	}
	page, err := receipt.Paper(o, s.Hall.Fonts)
	if err != nil {
		return job.Refused(err)
	}
	p := s.Options.Printer
	if len(p.Command) > 0 {
		cmd := exec.CommandContext(ctx, p.Command[0], p.Command[1:]...)
		cmd.Stdin = strings.NewReader(string(page))
		if out, err := cmd.CombinedOutput(); err != nil {
			return job.Refused(fmt.Errorf("the printer's command: %w: %s", err, out))
		}
		return job.Taken("")
	}
	if p.Dir == "" {
		return job.Refused(fault.New(fault.Unavailable, "service.no_printer", nil))
	}
	name := filepath.Join(p.Dir, "receipt-"+o.Number+".pdf")
	if err := os.WriteFile(name, page, 0o600); err != nil {
		return job.Refused(fmt.Errorf("print into the folder: %w", err))
	}
	return job.Taken("")
}

// finished loads what an errand is about.
func (s *Service) finished(ctx context.Context, j job.Job) (receipt.Order, kiosk.Errand, error) {
	var e kiosk.Errand
	if err := json.Unmarshal(j.Payload, &e); err != nil {
		return receipt.Order{}, e, fmt.Errorf("read the errand: %w", err)
	}
	out := receipt.Order{}
	err := s.Store.View(ctx, func(tx kiosk.Tx) error {
		var err error
		if out.Order, err = tx.Order(e.Order); err != nil {
			return err
		}
		out.File, err = tx.Document(out.Order.Document.FinalID)
		return err
	})
	if err != nil {
		return out, e, err
	}
	if err := s.Hall.Whole(out.Order, out.File); err != nil {
		// Nothing damaged leaves the house, and somebody hears of it.
		return out, e, errors.Join(err, s.Hall.Alarm(ctx, kiosk.Actor{User: kiosk.User{Name: "system"}, Unit: out.Order.Unit, Counter: out.Order.Counter}, out.Order.Key))
	}
	var ok bool
	if out.Service, ok = s.Hall.Catalog.Service(out.Order.Service); !ok {
		return out, e, fmt.Errorf("service %s of the order is gone", out.Order.Service)
	}
	out.Unit = s.Hall.Units[out.Order.Unit]
	return out, e, nil
}
