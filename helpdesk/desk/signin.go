package desk

import (
	"context"

	"countersign/internal/fault"
	"countersign/internal/tui"
)

// asks is what the lock screen wants to know.
type asks int

const (
	askPassword    asks = iota // name and password: no shift is open
	askCode                    // the unlock code of the shift that is open
	askNewCode                 // the first unlock code, twice
	askNewPassword             // one's own password instead of a given one, twice
)

// codeLength is the length of an unlock code; its last digit sends it.
const codeLength = 6

// signIn is the lock: it stands over whatever page is open and lets nothing of it be seen.
type signIn struct {
	asks   asks
	fields [2]tui.Field
	at     int  // the field that has the caret
	busy   bool // an answer is waited for
	said   mark
	text   string
	given  string // the password that somebody else chose, until another one is set
}

// begin asks anew; a name that was typed stays.
func (s *signIn) begin(a *App, what asks) {
	name, given := s.fields[0].Value(), s.given
	*s = signIn{asks: what}
	switch what {
	case askNewPassword:
		s.given = given
		s.fields[0] = tui.Field{Kind: tui.FieldSecret, Max: 256}
		s.fields[1] = s.fields[0]
		return
	case askPassword:
		s.fields[0] = tui.Field{Max: 64}
		s.fields[0].Set(name)
		s.fields[1] = tui.Field{Kind: tui.FieldSecret, Max: 256}
		if a.user.User != "" {
			s.fields[0].Set(a.user.User)
			s.at = 1
		}
		return
	}
	digits := func(g string) bool { return isDigit(g) }
	s.fields[0] = tui.Field{Kind: tui.FieldSecret, Max: codeLength, Handling: digits, Line: true}
	s.fields[1] = s.fields[0]
}

// last is the field whose completion sends.
func (s *signIn) last() int {
	if s.asks == askCode {
		return 0
	}
	return 1
}

func (s *signIn) key(a *App, k tui.Key) tui.Cmd {
	if s.busy {
		return nil
	}
	switch k.Name {
	case "tab", "down":
		s.at = min(s.at+1, s.last())
		return nil
	case "shift+tab", "up":
		s.at = max(s.at-1, 0)
		return nil
	case "enter":
		return s.enter(a)
	case "f1":
		s.said, s.text = noteMark, a.t("desk.lock.help", nil)
		return nil
	case "esc":
		if s.asks == askNewPassword {
			return s.leave(a)
		}
		if s.asks == askCode && !s.fields[0].Empty() {
			s.fields[0].Reset()
		}
		return nil
	}
	f := &s.fields[s.at]
	if !f.Handle(k) {
		return nil
	}
	s.said, s.text = "", ""
	if s.asks == askPassword || s.asks == askNewPassword || !f.Full() {
		return nil
	}
	if s.at < s.last() {
		s.at++
		return nil
	}
	return s.send(a)
}

// paste takes a pasted password; a code is never pasted.
func (s *signIn) paste(p tui.Paste) {
	if (s.asks == askPassword || s.asks == askNewPassword) && !s.busy {
		s.fields[s.at].Paste(p.Text)
	}
}

// leave gives up before there is a password of one's own.
func (s *signIn) leave(a *App) tui.Cmd {
	s.busy = true
	return do(a, a.svc.SignOut, func(error) tui.Cmd {
		// When the service did not hear of it, its session still may do nothing.
		a.shift = false
		s.begin(a, askPassword)
		return nil
	})
}

// enter leaves the first field, or sends.
func (s *signIn) enter(a *App) tui.Cmd {
	if s.asks != askPassword && s.asks != askNewPassword {
		return nil // The sixth digit sends.
	}
	if s.at == 0 && !s.fields[0].Empty() {
		s.at = 1
		if s.fields[1].Empty() {
			return nil
		}
	}
	if s.fields[0].Empty() || s.fields[1].Empty() {
		return nil
	}
	return s.send(a)
}

func (s *signIn) send(a *App) tui.Cmd {
	first, second := s.fields[0].Value(), s.fields[1].Value()
	switch s.asks {
	case askPassword:
		s.busy = true
		return call(a, func(ctx context.Context) (SignedIn, error) { return a.svc.SignIn(ctx, first, second) },
			func(in SignedIn, err error) tui.Cmd {
				s.busy = false
				s.fields[1].Reset()
				if err != nil {
					s.refused(a, err)
					return nil
				}
				s.given = second
				return a.signedIn(in)
			})
	case askNewPassword:
		if first != second {
			s.begin(a, askNewPassword)
			s.said, s.text = errorMark, a.t("desk.lock.passwords_differ", nil)
			return nil
		}
		s.busy = true
		given := s.given
		return do(a, func(ctx context.Context) error { return a.svc.SetPassword(ctx, given, first) }, func(err error) tui.Cmd {
			s.begin(a, askNewPassword)
			if err != nil {
				s.refused(a, err)
				return nil
			}
			a.user.MustChange = false
			return a.enter()
		})
	case askNewCode:
		if first != second {
			s.begin(a, askNewCode)
			s.said, s.text = errorMark, a.t("desk.lock.codes_differ", nil)
			return nil
		}
		s.busy = true
		return do(a, func(ctx context.Context) error { return a.svc.SetUnlockCode(ctx, first) }, func(err error) tui.Cmd {
			s.begin(a, askNewCode)
			if err != nil {
				s.refused(a, err)
				return nil
			}
			return a.start()
		})
	}
	s.busy = true
	return do(a, func(ctx context.Context) error { return a.svc.Unlock(ctx, first) }, func(err error) tui.Cmd {
		s.begin(a, askCode)
		if err != nil {
			s.refused(a, err)
			return nil
		}
		return a.unlocked()
	})
}

// refused says why. When the service knows no shift any more, name and password are due again; what the agent had
// in hand is then another sign-in's affair.
func (s *signIn) refused(a *App, err error) {
	if s.asks != askPassword && fault.KindOf(err) == fault.Unauthenticated && fault.CodeOf(err) != "signin.code" {
		a.shift = false
		s.begin(a, askPassword)
	}
	s.said, s.text = errorMark, a.sentence(err)
}

func (s *signIn) hint(a *App) string {
	switch {
	case s.busy:
		return "~ " + a.t("desk.lock.busy", nil)
	case s.text != "":
		return string(s.said) + " " + s.text
	}
	return ""
}

func (s *signIn) keys(a *App) []binding {
	if s.asks == askNewPassword {
		return []binding{{show: "Enter", label: "desk.key.set_password"}, {show: "Tab", label: "desk.key.next_field"},
			{show: "F1", label: "desk.key.help"}, {show: "Ctrl+R", label: "desk.key.redraw"}, {show: "Esc", label: "desk.key.sign_out"}}
	}
	if s.asks != askPassword {
		return []binding{{show: "0-9", label: "desk.key.code"}, {show: "F1", label: "desk.key.help"}, {show: "Ctrl+R", label: "desk.key.redraw"}}
	}
	label := "desk.key.sign_in"
	if a.shift {
		label = "desk.key.unlock"
	}
	return []binding{{show: "Enter", label: label}, {show: "Tab", label: "desk.key.next_field"},
		{show: "F1", label: "desk.key.help"}, {show: "Ctrl+R", label: "desk.key.redraw"}}
}

// draw shows the lock. It shows no customer's name and no ticket, and not whether a user exists.
func (s *signIn) draw(a *App, c *tui.Canvas) {
	w, _ := c.Size()
	c.Put(0, 0, "Countersign", tui.Bold)
	c.PutRight(w-1, 0, a.minute(a.now()), tui.Text)
	title, under := "desk.lock.title", "desk.lock.kept"
	switch {
	case s.asks == askNewPassword:
		title, under = "desk.lock.pass_title", "desk.lock.pass_why"
	case s.asks == askNewCode:
		title, under = "desk.lock.new_title", "desk.lock.new_why"
	case !a.shift:
		title, under = "desk.lock.start_title", "desk.lock.start"
	}
	head := a.t(title, nil)
	c.Put((width(c)-tui.Width(head))/2, 4, head, tui.Bold)
	c.PutMax(8, 6, w-8, a.t(under, nil), tui.Text)
	switch s.asks {
	case askPassword:
		s.field(a, c, 8, 0, "desk.lock.user", 30)
		s.field(a, c, 9, 1, "desk.lock.password", 30)
	case askCode:
		fact(c, 10, 8, 28, a.t("desk.lock.user", nil), a.user.User)
		s.field(a, c, 9, 0, "desk.lock.code", codeLength)
	case askNewPassword:
		s.field(a, c, 8, 0, "desk.lock.new_password", 30)
		s.field(a, c, 9, 1, "desk.lock.password_again", 30)
	case askNewCode:
		s.field(a, c, 8, 0, "desk.lock.code", codeLength)
		s.field(a, c, 9, 1, "desk.lock.code_again", codeLength)
	}
	for i, id := range []string{"desk.lock.warn1", "desk.lock.warn2", "desk.lock.warn3"} {
		c.PutMax(8, bottom(c)-4+i, w-8, a.t(id, nil), tui.Muted)
	}
}

func (s *signIn) field(a *App, c *tui.Canvas, y, i int, label string, w int) {
	c.Put(10, y, a.t(label, nil), tui.Muted)
	if s.at == i {
		c.Put(0, y, string(focusMark), focusMark.style()|tui.Bold)
		s.fields[i].Draw(c, 28, y, w, tui.Text)
		return
	}
	s.fields[i].Show(c, 28, y, w, tui.Text)
}
