package display

import (
	"context"
	"strings"
	"time"

	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk"
	"countersign/kiosk/mirror"
	"countersign/signing/otp"
)

// confirming is the stage within the confirmation: which way, scanning the app's QR code, or typing.
func (a *App) confirming() mirror.Stage {
	c := a.snap.Confirm
	switch {
	case c == nil || a.snap.Stage == mirror.Channel || a.choosing:
		return mirror.Channel
	case a.snap.Stage == mirror.Ink, a.snap.Stage == mirror.Token, a.snap.Stage == mirror.Remote:
		return a.snap.Stage
	case c.Enrol != "" && !a.enrolled:
		return mirror.Enrol
	}
	return mirror.Code
}

// sameQuestion reports whether both ask for the same code.
func sameQuestion(a, b *mirror.Confirm) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.SentAt.Equal(b.SentAt) && a.Method == b.Method && a.Enrol == b.Enrol && a.Expires.Equal(b.Expires)
}

// wipe drops the digits that were typed.
func (a *App) wipe() {
	clear(a.code)
	a.code = a.code[:0]
}

func (a *App) channelKeys() []binding {
	c := a.snap.Confirm
	if c == nil {
		return nil
	}
	var out []binding
	var keys []string
	for i, o := range c.Offers {
		if a.whyNot(o) == "" {
			keys = append(keys, digit(i))
		}
	}
	if len(keys) > 0 {
		out = append(out, binding{names: keys, show: strings.Join(keys, " "), label: "display.key.choose", once: true, do: func(key string) tui.Cmd {
			return a.channel(string(c.Offers[key[0]-'1'].Method))
		}})
	}
	if a.choosing {
		return append(out, binding{names: []string{"-"}, show: "-", label: "display.key.to_code", do: func(string) tui.Cmd {
			a.choosing = false
			return nil
		}})
	}
	return append(out, a.notSigning())
}

func (a *App) notSigning() binding {
	return binding{names: []string{"-"}, show: "-", label: "display.key.no_sign", do: a.stop, once: true}
}

// whyNot says what keeps the customer from a way: what the service knows, and what only this machine does.
func (a *App) whyNot(o kiosk.Offer) string {
	if o.Why == "" && o.Method == kiosk.ByToken && a.opt.Agent == nil {
		return "no_agent"
	}
	return o.Why
}

// digit is the key that chooses the nth offer, counted from 0.
func digit(n int) string { return string(rune('1' + n)) }

// channel begins a confirmation in the given way.
func (a *App) channel(method string) tui.Cmd {
	order := a.snap.Order
	a.wipe()
	return a.decide(func(ctx context.Context) error { return a.svc.Channel(ctx, order, method) }, func(err error) {
		if err == nil {
			a.choosing = false
			a.settle()
		}
	})
}

func (a *App) enrolKeys() []binding {
	label := "display.key.letters"
	if a.secret {
		label = "display.key.no_letters"
	}
	return []binding{
		{names: []string{"enter"}, show: "Enter", label: "display.key.scanned", do: func(string) tui.Cmd {
			a.enrolled, a.secret = true, false
			return nil
		}},
		{names: []string{"."}, show: ".", label: label, do: func(string) tui.Cmd {
			a.secret = !a.secret
			return nil
		}},
		a.notSigning(),
	}
}

// open reports whether the code that was asked for still takes answers.
func (a *App) open() bool {
	c := a.snap.Confirm
	return c != nil && (c.State == "" || c.State == string(otp.Open)) && (c.Expires.IsZero() || a.serviceNow().Before(c.Expires))
}

// codeKeys are the keys of C6.
func (a *App) codeKeys() []binding {
	c := a.snap.Confirm
	var out []binding
	if a.open() {
		out = append(out, binding{names: digits('0', '9'), show: "0-9", label: "display.key.type", do: a.digit},
			binding{names: []string{"."}, show: ".", label: "display.key.delete_one", do: a.deleteDigit})
	}
	wait := c.Again.Sub(a.serviceNow())
	switch {
	case c.Method == "otp_app" && a.open():
	case wait > 0 && a.open():
		args := locale.Args{"wait": a.left(wait + second - 1)}
		out = append(out, binding{names: []string{"*"}, show: "*", label: "display.key.resend_in", args: args, do: func(string) tui.Cmd {
			a.say(noteMark, "display.why.too_early", args)
			return nil
		}})
	default:
		out = append(out, binding{names: []string{"*"}, show: "*", label: "display.key.resend", do: a.resend, once: true})
	}
	switch {
	case c.Enrol != "":
		out = append(out, binding{names: []string{"+"}, show: "+", label: "display.key.qr", do: func(string) tui.Cmd {
			a.enrolled = false
			return nil
		}})
	case !a.open() || c.Sent == "failed":
		out = append(out, binding{names: []string{"+"}, show: "+", label: "display.key.other_way", do: func(string) tui.Cmd {
			a.choosing = true
			return nil
		}})
	}
	return append(out, a.notSigning())
}

// digit takes one digit; the sixth sends the code.
func (a *App) digit(key string) tui.Cmd {
	if len(a.code) >= otp.Digits || !a.undecided() {
		return nil
	}
	a.code = append(a.code, key[0])
	if len(a.code) < otp.Digits {
		return a.count()
	}
	order, code, question := a.snap.Order, string(a.code), *a.snap.Confirm
	return a.decide(func(ctx context.Context) error { return a.svc.Code(ctx, order, code) }, func(err error) {
		if err != nil && sameQuestion(&question, a.snap.Confirm) {
			a.wipe()
			if fault.Is(err, "otp.changed") {
				a.say(errorMark, "display.msg.changed", nil)
			}
		}
	})
}

func (a *App) deleteDigit(string) tui.Cmd {
	if n := len(a.code); n > 0 && n < otp.Digits {
		a.code[n-1] = 0
		a.code = a.code[:n-1]
		return a.count()
	}
	return nil
}

// count tells the clerk's screen how many digits there are, never which.
func (a *App) count() tui.Cmd {
	order, n := a.snap.Order, len(a.code)
	return a.do(func(ctx context.Context) error { return a.svc.Digits(ctx, order, n) }, nil)
}

// resend asks for another code in the same way; the one before is void.
func (a *App) resend(string) tui.Cmd {
	if a.snap.Confirm.Method == "otp_app" {
		return a.channel("app")
	}
	order := a.snap.Order
	a.wipe()
	return a.decide(func(ctx context.Context) error { return a.svc.Resend(ctx, order) }, func(err error) {
		if err == nil {
			a.say(doneMark, "display.msg.resent", nil)
		}
	})
}

// codeNotice is what row 23 says while a code is asked for.
func (a *App) codeNotice() notice {
	c := a.snap.Confirm
	state := c.State
	if state == string(otp.Open) && !a.open() {
		state = string(otp.Expired)
	}
	switch otp.State(state) {
	case otp.Dead:
		return notice{mark: errorMark, text: a.t("display.msg.dead", nil)}
	case otp.Expired:
		return notice{mark: errorMark, text: a.t("display.msg.expired", nil)}
	case otp.Void:
		return notice{mark: errorMark, text: a.t("display.msg.changed", nil)}
	case otp.Used:
		return notice{mark: waitMark, text: a.t("display.msg.signing", nil)}
	}
	if len(a.code) == otp.Digits {
		return notice{mark: waitMark, text: a.t("display.msg.checking", nil)}
	}
	if c.Sent == "failed" {
		return notice{mark: errorMark, text: a.t("display.msg.mail_failed", nil)}
	}
	return notice{mark: noMark, text: a.t("display.msg.code", nil)}
}

// codeLeft is how long the code is good.
func (a *App) codeLeft() time.Duration { return a.snap.Confirm.Expires.Sub(a.serviceNow()) }
