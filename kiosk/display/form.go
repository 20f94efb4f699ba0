package display

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk/mirror"
)

// asking is an objection on its way: two digits name the row, one more the reason.
type asking struct {
	phase  phase
	typed  string
	number int
	field  string
}

type phase int

const (
	notAsking phase = iota
	askRow
	askReason
)

// report is the objection that was told last, for the sentence on row 23.
type report struct {
	number int
	at     time.Time
}

// formKeys are the keys of C2: while the clerk types, while a repaired row is shown, and when asked to agree.
func (a *App) formKeys() []binding {
	wrong := binding{names: []string{"0"}, show: "0", label: "display.key.wrong", do: a.object}
	if q := a.snap.Question; q != nil {
		return []binding{
			{names: []string{"enter"}, show: "Enter", label: "display.key.right_now", do: a.accept, once: true},
			{names: []string{"0"}, show: "0", label: "display.key.still_wrong", do: func(string) tui.Cmd {
				a.asking = asking{phase: askReason, number: q.Number, field: q.Field, typed: fmt.Sprintf("%02d", q.Number)}
				return nil
			}},
		}
	}
	if a.stage == mirror.Invite {
		return []binding{{names: []string{"enter"}, show: "Enter", label: "display.key.all_right", do: a.agreeForm, whole: true, once: true}, wrong}
	}
	return []binding{wrong}
}

// askingKeys are the keys while the customer says what is wrong.
func (a *App) askingKeys() []binding {
	quit := binding{names: []string{"-"}, show: "-", label: "display.key.never_mind", do: func(string) tui.Cmd {
		a.asking = asking{}
		return nil
	}}
	if a.asking.phase == askReason {
		return []binding{{names: digits('1', '4'), show: "1-4", label: "display.key.reason", do: a.sendObjection, once: true}, quit}
	}
	out := []binding{{names: digits('0', '9'), show: "0-9", label: "display.key.row", do: a.typeRow}}
	if a.asking.typed != "" {
		out = append(out, binding{names: []string{"."}, show: ".", label: "display.key.delete", do: func(string) tui.Cmd {
			a.asking.typed = ""
			return nil
		}})
	}
	return append(out, quit)
}

// object begins an objection. A screen that was restarted while the customer read does not know the rows any more;
// then the clerk is called.
func (a *App) object(string) tui.Cmd {
	if len(a.rows) == 0 {
		order := a.snap.Order
		return a.do(func(ctx context.Context) error { return a.svc.Help(ctx, order) }, func(err error) {
			if err == nil {
				a.say(doneMark, "display.msg.clerk_called", nil)
			}
		})
	}
	a.asking = asking{phase: askRow}
	a.scroll, a.held = 0, false
	return nil
}

// typeRow takes a digit of the row's number; the second one runs.
func (a *App) typeRow(key string) tui.Cmd {
	a.asking.typed += key
	if len(a.asking.typed) < 2 {
		return nil
	}
	n, _ := strconv.Atoi(a.asking.typed)
	for _, r := range a.rows {
		if r.Number == n {
			a.asking.phase, a.asking.number, a.asking.field = askReason, n, r.Field
			a.held = false
			return nil
		}
	}
	a.say(errorMark, "display.msg.no_row", locale.Args{"number": a.asking.typed})
	a.asking.typed = ""
	return nil
}

// sendObjection tells the service which row is wrong and why.
func (a *App) sendObjection(key string) tui.Cmd {
	order, ask, reason := a.snap.Order, a.asking, int(key[0]-'0')
	a.asking = asking{}
	return a.decide(func(ctx context.Context) error { return a.svc.Object(ctx, order, ask.field, reason) }, func(err error) {
		if err == nil {
			a.reported = report{ask.number, a.serviceNow()}
		}
	})
}

// closeReport forgets the report when its row is not objected to any more.
func (a *App) closeReport() {
	for _, r := range a.snap.Rows {
		if r.Number == a.reported.number && (r.Objected || a.snap.Question != nil) {
			return
		}
	}
	if a.serviceNow().Sub(a.reported.at) > patience { // The state may be older than the objection.
		a.reported = report{}
	}
}

// accept closes the objection to the row in question.
func (a *App) accept(string) tui.Cmd {
	order, field := a.snap.Order, a.snap.Question.Field
	return a.decide(func(ctx context.Context) error { return a.svc.Accept(ctx, order, field) }, nil)
}

// agreeForm says that all rows are right.
func (a *App) agreeForm(string) tui.Cmd {
	order := a.snap.Order
	return a.decide(func(ctx context.Context) error { return a.svc.AgreeForm(ctx, order) }, nil)
}

// formNotice is what row 23 says about the form.
func (a *App) formNotice() notice {
	s := &a.snap
	if q := s.Question; q != nil {
		return notice{mark: noMark, text: a.t("display.msg.question", locale.Args{"number": q.Number, "value": q.Value})}
	}
	open := false
	for _, r := range s.Rows {
		open = open || r.Objected
	}
	switch {
	case a.asking.phase == notAsking && s.Stage == mirror.Invite:
		return notice{mark: noMark, text: a.t("display.msg.invite", locale.Args{"n": len(s.Rows)})}
	case open && a.reported.number != 0:
		return notice{mark: noMark, text: a.t("display.msg.reported_at", locale.Args{"number": a.reported.number, "at": a.minute(a.reported.at)})}
	case open:
		return notice{mark: noMark, text: a.t("display.msg.reported", nil)}
	}
	return notice{mark: noMark, text: a.t("display.msg.form", nil)}
}
