package display

import (
	"context"

	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk/mirror"
)

// failed is the state of a delivery that did not get through.
const failed = "failed"

// chosen reports that the customer has chosen and that no part of the choice has failed. What failed earlier and was
// then left out of the choice asks for nothing any more.
func chosen(d *mirror.Delivery) bool {
	if d == nil {
		return false
	}
	mail, print := d.MailState != failed, d.Print != failed
	switch d.Medium {
	case "none":
		return true
	case "mail":
		return mail
	case "print":
		return print
	case "both":
		return mail && print
	}
	return false
}

// offers reports whether a medium can be chosen: it needs an address, and it has not failed.
func offers(d *mirror.Delivery, medium string) bool {
	mail, print := d.Mail != "" && d.MailState != failed, d.Print != failed
	switch medium {
	case "mail":
		return mail
	case "print":
		return print
	case "both":
		return mail && print
	}
	return true
}

// mediumOf is what a digit chooses on C7.
func mediumOf(key string) string {
	switch key {
	case "1":
		return "mail"
	case "2":
		return "print"
	case "3":
		return "both"
	}
	return "none"
}

// receiptKeys are the keys of C7.
func (a *App) receiptKeys() []binding {
	d := a.snap.Delivery
	if d == nil {
		return nil
	}
	var names []string
	for _, key := range digits('1', '4') {
		if offers(d, mediumOf(key)) {
			names = append(names, key)
		}
	}
	show := "1-4"
	if len(names) < 4 {
		show = names[0]
		for _, n := range names[1:] {
			show += " " + n
		}
	}
	out := []binding{{names: names, show: show, label: "display.key.choose", once: true, do: func(key string) tui.Cmd {
		order, medium := a.snap.Order, mediumOf(key)
		return a.decide(func(ctx context.Context) error { return a.svc.Receipt(ctx, order, medium) }, nil)
	}}}
	if d.Mail == "" {
		return out
	}
	return append(out, binding{names: []string{"0"}, show: "0", label: "display.key.wrong_address", do: a.wrongMail},
		binding{names: []string{"9"}, show: "9", label: "display.key.address", do: func(string) tui.Cmd {
			a.full = a.now().Add(addressTime)
			return nil
		}})
}

func (a *App) wrongMail(string) tui.Cmd {
	order := a.snap.Order
	return a.do(func(ctx context.Context) error { return a.svc.WrongMail(ctx, order) }, func(err error) {
		if err == nil {
			a.say(doneMark, "display.msg.wrong_address", nil)
		}
	})
}

// receiptNotice is what row 23 says on C7.
func (a *App) receiptNotice() notice {
	d := a.snap.Delivery
	switch {
	case d != nil && d.MailState == failed:
		return notice{mark: errorMark, text: a.t("display.msg.mail_refused", nil)}
	case d != nil && d.Print == failed:
		return notice{mark: errorMark, text: a.t("display.msg.printer", nil)}
	case d != nil && d.Mail == "":
		return notice{mark: noMark, text: a.t("display.msg.receipt_no_mail", nil)}
	}
	return notice{mark: noMark, text: a.t("display.msg.receipt", nil)}
}

// ratingKeys are the keys of C8.
func (a *App) ratingKeys() []binding {
	rate := func(key string) tui.Cmd {
		order, n := a.snap.Order, 0
		if key != "enter" {
			n = int(key[0] - '0')
		}
		return a.decide(func(ctx context.Context) error { return a.svc.Rate(ctx, order, n) }, nil)
	}
	return []binding{
		{names: digits('1', '5'), show: "1-5", label: "display.key.choose", do: rate, once: true},
		{names: []string{"enter"}, show: "Enter", label: "display.key.skip", do: rate, once: true},
	}
}

// addressShown is the masked address, or for five seconds the whole one.
func (a *App) addressShown() string {
	d := a.snap.Delivery
	if !a.full.IsZero() && d.MailFull != "" {
		return d.MailFull
	}
	return d.Mail
}

// orderArgs name the order and when it was sealed.
func (a *App) orderArgs() locale.Args {
	return locale.Args{"order": a.snap.Serial, "at": a.minute(a.snap.SealedAt)}
}
