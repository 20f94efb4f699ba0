package clerk

import (
	"context"
	"time"

	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk"
)

// save is one act on the form that must reach the service in the order in which the clerk made it.
type save struct {
	kind  saveKind
	field string
	base  string // what stood there before typing, by catalog.Value.Base
	typed string
	rows  [][]string
	turn  int // of the draft that waits for it
}

type saveKind int

const (
	saveField saveKind = iota
	saveSame
	saveFile // typed is the path of a file on this machine
	saveRows
	saveUndo
	saveRedo
	saveAnswer
)

// saves is the queue of one order: one act at a time is on its way, keys flow on meanwhile.
type saves struct {
	list  []save
	busy  bool
	turn  int
	drain func() tui.Cmd // what waits for the queue to be empty
}

// waiting counts the acts that are not durable yet.
func (q *saves) waiting() int { return len(q.list) }

// cut forgets that an act is on its way, because its answer will be dropped; it is sent again later.
func (q *saves) cut() { q.busy, q.drain = false, nil }

// queueSave adds an act and sends it when its turn is there.
func (a *App) queueSave(s save) tui.Cmd {
	a.saves.list = append(a.saves.list, s)
	return a.nextSave()
}

// nextSave sends the first act that waits.
func (a *App) nextSave() tui.Cmd {
	q := &a.saves
	if q.busy || a.locked || a.view == nil {
		return nil
	}
	if len(q.list) == 0 {
		return a.drained()
	}
	q.busy = true
	s, key, svc := q.list[0], a.order().Key, a.svc
	send := func(ctx context.Context) (kiosk.OrderView, error) {
		switch s.kind {
		case saveSame:
			return svc.SetSame(ctx, key, s.field, s.base)
		case saveFile:
			name, data, err := readPaper(s.typed)
			if err != nil {
				return kiosk.OrderView{}, err
			}
			return svc.SetFile(ctx, key, s.field, s.base, name, data)
		case saveRows:
			return svc.SetRows(ctx, key, s.field, s.rows)
		case saveUndo:
			return svc.Undo(ctx, key)
		case saveRedo:
			return svc.Redo(ctx, key)
		case saveAnswer:
			return svc.Answer(ctx, key, s.field)
		}
		return svc.SetField(ctx, key, s.field, s.base, s.typed)
	}
	return a.onOrder(send, func(err error) tui.Cmd {
		a.saves.busy = false
		if fault.Is(err, "service.lost") {
			a.loseService(a.now())
			return nil // It stays first in the queue; the clock tries again.
		}
		if !a.lost.IsZero() {
			a.found()
		}
		a.saves.list = a.saves.list[1:]
		if n := a.unsaved; n > 0 && len(a.saves.list) == 0 {
			a.unsaved = 0
			a.sayArgs(doneMark, "clerk.msg.back_saved", locale.Args{"n": n})
		}
		var cmds []tui.Cmd
		if f, ok := a.formPage(); ok {
			cmds = append(cmds, f.saved(a, s, err))
		} else if err != nil {
			cmds = append(cmds, a.failed(err))
		}
		return tui.Batch(append(cmds, a.nextSave())...)
	})
}

// found says that the service answers again; once what waited is saved, it says how much that was.
func (a *App) found() {
	a.lost = time.Time{}
	if a.unsaved = a.saves.waiting(); a.unsaved == 0 {
		a.say(doneMark, "clerk.msg.back", nil)
	}
}

// whenSaved runs f once nothing waits any more.
func (a *App) whenSaved(f func() tui.Cmd) tui.Cmd {
	a.saves.drain = f
	return a.nextSave()
}

func (a *App) drained() tui.Cmd {
	f := a.saves.drain
	a.saves.drain = nil
	if f == nil {
		return nil
	}
	return f()
}

// formPage returns the form, also while help lies over it.
func (a *App) formPage() (*formPage, bool) {
	f, ok := a.page.(*formPage)
	return f, ok
}
