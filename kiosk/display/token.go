package display

import (
	"context"
	"strconv"
	"time"

	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk/mirror"
)

// Agent is this machine's way to the tokens and cards that are plugged in here. PINs never leave its process.
type Agent interface {
	// Certificates lists what is plugged in now; no PIN is needed for that. What could be read comes beside an error for the
	// rest.
	Certificates() ([]Certificate, error)
	// Sign lets a certificate's key sign a digest. The PIN is sent to the token once and never again.
	Sign(ref any, pin []byte, digest [32]byte) ([]byte, error)
}

// Certificate is one that is on a token, by its holder.
type Certificate struct {
	Ref            any // names it to the agent
	Token          string
	Holder, Issuer string
	Serial         string
	Ends           time.Time
	PIN            string // ready, low (a wrong one was entered), last (one try is left), locked, unset
	Pad            bool   // the PIN is entered on the reader
	Chain          [][]byte
}

// owning is the course of a signature with the customer's own token. Only this machine knows it.
type owning struct {
	asked   time.Time // the confirmation that it belongs to
	looking bool
	looked  time.Time
	found   []Certificate
	err     error // why nothing, or not all, can be read
	tried   bool  // one was refused: from now on the customer chooses
	chosen  *Certificate
	ready   bool // the service has prepared the order for the chosen certificate
	digest  [32]byte
	pin     []byte
	signing bool
}

// The longest PIN that any token takes, and how often we look whether a token was plugged in.
const (
	maxPIN    = 64
	lookEvery = 2 * time.Second
)

// wipePIN drops what was typed.
func (a *App) wipePIN() {
	clear(a.own.pin)
	a.own.pin = a.own.pin[:0]
}

// dropOwn forgets the token and what was typed for it.
func (a *App) dropOwn() {
	a.wipePIN()
	a.own = owning{}
}

// tokens is what the agent found.
type tokens struct {
	asked time.Time
	found []Certificate
	err   error
}

// lookForTokens asks the agent what is plugged in, while the customer has not chosen.
func (a *App) lookForTokens() tui.Cmd {
	o := &a.own
	if a.stage != mirror.Token || a.opt.Agent == nil || o.looking || o.chosen != nil || a.now().Sub(o.looked) < lookEvery {
		return nil
	}
	o.looking, o.asked = true, a.snap.Confirm.SentAt
	asked, agent := o.asked, a.opt.Agent
	return func(context.Context) tui.Event {
		found, err := agent.Certificates()
		return tokens{asked, found, err}
	}
}

// foundTokens takes in what is plugged in. A single certificate is chosen by itself: nothing is signed before its PIN.
func (a *App) foundTokens(ev tokens) tui.Cmd {
	o := &a.own
	if a.stage != mirror.Token || !ev.asked.Equal(o.asked) || o.chosen != nil {
		return nil
	}
	o.looking, o.looked, o.found, o.err = false, a.now(), ev.found, ev.err
	if len(o.found) == 1 && !o.tried {
		return a.useCertificate(0)
	}
	return nil
}

// useCertificate has the service check a certificate and prepare the order for it.
func (a *App) useCertificate(n int) tui.Cmd {
	o := &a.own
	c := o.found[n]
	o.chosen, o.ready = &c, false
	order, asked := a.snap.Order, o.asked
	var digest [32]byte
	return a.decide(func(ctx context.Context) (err error) {
		digest, err = a.svc.PrepareOwn(ctx, order, c.Chain)
		return err
	}, func(err error) {
		if !asked.Equal(o.asked) || o.chosen == nil {
			return
		}
		a.acts.decided = time.Time{} // the PIN is the next thing to decide
		if err != nil {
			o.chosen, o.tried, o.looked = nil, true, a.now()
			return
		}
		o.ready, o.digest = true, digest
	})
}

// tokenKeys are the keys of C6 for the customer's own token.
func (a *App) tokenKeys() []binding {
	o := &a.own
	other := binding{names: []string{"+"}, show: "+", label: "display.key.other_way", do: func(string) tui.Cmd {
		a.wipePIN()
		a.choosing = true
		return nil
	}}
	switch {
	case o.signing:
		return nil
	case o.ready && a.takesPIN():
		return append(a.pinKeys(), other, a.notSigning())
	case o.chosen == nil && len(o.found) > 0:
		last := byte('0' + min(len(o.found), 9))
		show := "1"
		if last > '1' {
			show += "-" + string(last)
		}
		return []binding{{names: digits('1', last), show: show, label: "display.key.certificate", do: func(key string) tui.Cmd {
			n, err := strconv.Atoi(key)
			if err != nil {
				return nil
			}
			return a.useCertificate(n - 1)
		}}, other, a.notSigning()}
	}
	return []binding{other, a.notSigning()}
}

// takesPIN reports whether the chosen token takes a PIN at all.
func (a *App) takesPIN() bool { return a.own.chosen.PIN != "locked" && a.own.chosen.PIN != "unset" }

func (a *App) pinKeys() []binding {
	if a.own.chosen.Pad {
		return []binding{{names: []string{"enter"}, show: "Enter", label: "display.key.on_reader", once: true, do: a.signOwn}}
	}
	out := []binding{{names: pinSigns(), show: "0-9", label: "display.key.pin", do: func(key string) tui.Cmd {
		if len(a.own.pin) < maxPIN {
			a.own.pin = append(a.own.pin, key...)
		}
		return nil
	}}}
	if len(a.own.pin) > 0 {
		out = append(out, binding{names: []string{"."}, show: ".", label: "display.key.delete_one", do: func(string) tui.Cmd {
			n := len(a.own.pin) - 1
			a.own.pin[n] = 0
			a.own.pin = a.own.pin[:n]
			return nil
		}}, binding{names: []string{"enter"}, show: "Enter", label: "display.key.sign", once: true, do: a.signOwn})
	}
	return out
}

// pinSigns are the signs that a PIN may have; the keys of the screen itself are none of them.
func pinSigns() []string {
	var out []string
	for r := '0'; r <= 'z'; r++ {
		if r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' {
			out = append(out, string(r))
		}
	}
	return out
}

// signOwn lets the token sign and hands the signature in. The PIN is dropped whatever comes of it.
func (a *App) signOwn(string) tui.Cmd {
	o := &a.own
	pin := append([]byte(nil), o.pin...)
	a.wipePIN()
	o.signing = true
	order, asked, ref, digest, agent := a.snap.Order, o.asked, o.chosen.Ref, o.digest, a.opt.Agent
	return a.decide(func(ctx context.Context) error {
		defer clear(pin)
		signature, err := agent.Sign(ref, pin, digest)
		if err != nil {
			return err
		}
		return a.svc.FinishOwn(ctx, order, signature)
	}, func(err error) {
		if !asked.Equal(o.asked) {
			return
		}
		o.signing = false
		a.acts.decided = time.Time{}
		switch {
		case err == nil:
		case fault.Is(err, "key.locked"):
			o.chosen.PIN = "locked"
		case fault.Is(err, "key.pin_last"):
			o.chosen.PIN = "last"
		case fault.Is(err, "key.pin"):
			o.chosen.PIN = "low"
		case fault.Is(err, "sign.own_stale"), fault.Is(err, "own.no_way"), fault.Is(err, "key.not_on_token"):
			o.chosen, o.ready, o.tried, o.looked = nil, false, true, a.now() // begin again with what is plugged in
		}
	})
}

// tokenNotice is what row 23 says while the customer signs with a token.
func (a *App) tokenNotice() notice {
	o := &a.own
	switch {
	case o.signing:
		return notice{mark: waitMark, text: a.t("display.msg.token_signs", nil)}
	case o.err != nil && len(o.found) == 0:
		return notice{mark: errorMark, text: locale.Fault(a.lang(), o.err)}
	}
	return notice{mark: noMark, text: a.t("display.msg.token", nil)}
}
