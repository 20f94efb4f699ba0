package clerk

import (
	"context"
	"strconv"
	"strings"

	"countersign/internal/fault"
	"countersign/internal/tui"
	"countersign/kiosk"
	"countersign/kiosk/catalog"
)

// cells are all places of the form in order. A table has a place for every typed column of its rows, and of one
// more, empty row while there is room.
func (f *formPage) cells(a *App) []cell {
	var out []cell
	for _, sec := range a.service().Sections {
		for _, def := range sec.Fields {
			if def.Type != catalog.Rows {
				out = append(out, cell{def, -1, 0})
				continue
			}
			for r := range f.table(a, def).open(def) {
				for c, col := range def.Columns {
					if !col.ReadOnly {
						out = append(out, cell{def, r, c})
					}
				}
			}
		}
	}
	return out
}

func (f *formPage) index(cells []cell) int {
	for i, p := range cells {
		if p.same(f.at) {
			return i
		}
	}
	// The row is gone, by undo or by another clerk: stay at the field.
	for i, p := range cells {
		if p.field == f.at.field {
			return i
		}
	}
	return 0
}

// first is the first required place that is empty, else the first that may be typed into.
func (f *formPage) first(a *App) cell {
	cells := f.cells(a)
	for _, p := range cells {
		if f.empty(a, p) && a.required(p.field) && !p.field.ReadOnly {
			return p
		}
	}
	for _, p := range cells {
		if !p.field.ReadOnly && f.visits(a, p) {
			return p
		}
	}
	if len(cells) > 0 {
		return cells[0]
	}
	return cell{row: -1}
}

func (f *formPage) empty(a *App, p cell) bool {
	if p.row >= 0 {
		return len(f.table(a, p.field).rows) == 0
	}
	return f.drafts[p.field.Name] == nil && a.value(p.field.Name).Empty()
}

// required reports whether a field must hold something, given the other values.
func (a *App) required(def *catalog.Field) bool {
	if def.Required {
		return true
	}
	if len(def.RequiredIf) == 0 {
		return false
	}
	for _, p := range a.current().Problems {
		if p.Field == def.Name && p.Code == "field.required" {
			return true
		}
	}
	return false
}

// visits reports whether Enter stops at a place: what a source filled is passed over.
func (f *formPage) visits(a *App, p cell) bool {
	if p.field.ReadOnly {
		return false
	}
	if f.trouble(a, p) != nil {
		return true
	}
	if _, ok := f.coming[p.field.Name]; ok {
		return false
	}
	if p.row >= 0 {
		return p.row == 0 && p.col == 0 || p.field == f.at.field
	}
	v := a.value(p.field.Name)
	return v.Empty() || v.Source == "" || v.Edited
}

// goTo moves the caret; what was being typed is saved on the way.
func (f *formPage) goTo(a *App, p cell) tui.Cmd {
	cmd := f.commit(a)
	cmds := []tui.Cmd{cmd}
	if p.field != f.at.field {
		cmds = append(cmds, f.leaveTable(a))
	}
	f.at, f.summary = p, false
	return tui.Batch(append(cmds, f.tell(a))...)
}

// enter is the field exit.
func (f *formPage) enter(a *App) tui.Cmd {
	if f.at.field == nil {
		return nil
	}
	if f.at.field.Type == catalog.Multiline && f.typing && f.box.Kind == tui.FieldMultiline {
		f.box.Handle(tui.Key{Name: "enter"})
		return f.tell(a)
	}
	return f.leave(a, true)
}

// advance goes to the place after the one that was left: back to K9, to the next error, or to the next place that
// nobody has filled.
func (f *formPage) advance(a *App) tui.Cmd {
	if f.at.row >= 0 {
		if p, ok := f.nextInTable(a); ok {
			return f.goTo(a, p)
		}
	}
	if f.back {
		return f.check(a)
	}
	if f.fixing {
		return f.nextError(a)
	}
	cells := f.cells(a)
	for i := f.index(cells) + 1; i < len(cells); i++ {
		if p := cells[i]; p.field != f.at.field && f.visits(a, p) {
			return f.goTo(a, p)
		}
	}
	leave := f.leaveTable(a)
	if len(f.errors(a)) == 0 {
		a.say(noteMark, "clerk.msg.end_of_form", nil)
	} else {
		a.say(noteMark, "clerk.msg.end_with_gaps", nil)
	}
	return tui.Batch(leave, f.tell(a))
}

// forward and backward go by lines, also to fields that are filled or read-only.
func (f *formPage) forward(a *App) tui.Cmd  { return f.step(a, 1) }
func (f *formPage) backward(a *App) tui.Cmd { return f.step(a, -1) }

func (f *formPage) step(a *App, by int) tui.Cmd {
	cells := f.cells(a)
	i := f.index(cells) + by
	if i < 0 || i >= len(cells) {
		return f.leave(a, false)
	}
	return f.goTo(a, cells[i])
}

func (f *formPage) pageDown(a *App) tui.Cmd { return f.page(a, 1) }
func (f *formPage) pageUp(a *App) tui.Cmd   { return f.page(a, -1) }

// page moves by what is visible.
func (f *formPage) page(a *App, by int) tui.Cmd {
	cells := f.cells(a)
	if len(cells) == 0 {
		return nil
	}
	i := f.index(cells) + by*max(f.shown-4, 5)
	return f.goTo(a, cells[min(max(i, 0), len(cells)-1)])
}

func (f *formPage) sectionBefore(a *App) tui.Cmd { return f.toSection(a, -1) }

// toSection goes to the first place of the section before or after.
func (f *formPage) toSection(a *App, by int) tui.Cmd {
	secs := a.service().Sections
	for i, sec := range secs {
		for _, def := range sec.Fields {
			if def != f.at.field {
				continue
			}
			j := min(max(i+by, 0), len(secs)-1)
			for _, p := range f.cells(a) {
				if len(secs[j].Fields) > 0 && p.field == secs[j].Fields[0] {
					return f.goTo(a, p)
				}
			}
		}
	}
	return nil
}

// trouble is why a place can't stay as it is: refused, contested, or found wrong by the service.
func (f *formPage) trouble(a *App, p cell) error {
	if p.row >= 0 {
		if t := f.tables[p.field.Name]; t != nil {
			if err := t.errs[[2]int{p.row, p.col}]; err != nil {
				return err
			}
			if t.err != nil {
				return t.err
			}
		}
	}
	if d := f.drafts[p.field.Name]; d != nil {
		return d.err
	}
	for _, pr := range a.current().Problems {
		if pr.Field == p.field.Name && !pr.Note && (f.fixing || !a.value(p.field.Name).Empty()) && f.concerns(pr, p) {
			return pr.Err()
		}
	}
	return nil
}

// problem is one line of K8.
type problem struct {
	field  *catalog.Field
	number int
	err    error
}

// concerns reports whether what the service found wrong in a field is about this place of it: in a table it names
// the row, and says nothing of rows that are being saved.
func (f *formPage) concerns(pr kiosk.Problem, p cell) bool {
	if p.row < 0 {
		return true
	}
	if t := f.tables[p.field.Name]; t != nil && (t.turn > 0 || t.held) {
		return false
	}
	_, row, ok := strings.Cut(pr.Args["n"], ".")
	return !ok || row == strconv.Itoa(p.row+1)
}

// attention is what the service would have looked at in a field without stopping the order for it.
func (a *App) attention(name string) error {
	for _, p := range a.current().Problems {
		if p.Field == name && p.Note {
			return p.Err()
		}
	}
	return nil
}

// errors are what stops the form: what the clerk's cells hold and the service does not accept, then what the service
// found, in the order of the fields.
func (f *formPage) errors(a *App) []problem {
	var out []problem
	for _, def := range a.service().Fields() {
		if d := f.drafts[def.Name]; d != nil {
			if d.err != nil {
				out = append(out, problem{def, def.Number, d.err})
			}
			continue // It is being saved; the service's old finding no longer holds.
		}
		if _, ok := f.coming[def.Name]; ok {
			continue
		}
		if t := f.tables[def.Name]; t != nil {
			if err := t.firstErr(); err != nil {
				out = append(out, problem{def, def.Number, err})
				continue
			}
			if t.turn > 0 {
				continue
			}
		}
		for _, p := range a.current().Problems {
			if p.Field == def.Name && !p.Note {
				out = append(out, problem{def, def.Number, p.Err()})
				break
			}
		}
	}
	return out
}

// waits reports whether an error is an objection that the customer is looking at again.
func (p problem) waits() bool { return fault.Is(p.err, "order.objection_waits") }

// nextError goes to the first error behind the caret, else to the first of all.
func (f *formPage) nextError(a *App) tui.Cmd {
	errs := f.errors(a)
	here := f.at.field.Number
	var best *problem
	for i := range errs {
		p := &errs[i]
		if p.waits() || p.field == f.at.field {
			continue
		}
		if p.number > here {
			best = p
			break
		}
		if best == nil {
			best = p
		}
	}
	if best == nil {
		for i := range errs {
			if errs[i].field == f.at.field && !errs[i].waits() {
				return nil // The one error left is here.
			}
		}
		a.say(doneMark, "clerk.msg.repaired", nil)
		return f.leaveTable(a)
	}
	return f.goTo(a, f.cellOf(a, best.field))
}

// cellOf is the place in a field where its error is, or its first place.
func (f *formPage) cellOf(a *App, def *catalog.Field) cell {
	if t := f.tables[def.Name]; t != nil {
		for key := range t.errs {
			return cell{def, key[0], key[1]}
		}
	}
	for _, p := range f.cells(a) {
		if p.field == def {
			return p
		}
	}
	return f.at
}

func (f *formPage) objected(a *App) bool { return a.order().OpenObjection("") != nil }
func (f *formPage) calm(a *App) bool     { return !f.objected(a) && !f.refused(a) }

// refused reports whether a field was refused and the customer objects to none: an objection goes first.
func (f *formPage) refused(a *App) bool {
	if f.objected(a) {
		return false
	}
	for _, d := range f.drafts {
		if d.err != nil {
			return true
		}
	}
	return false
}

// nextTrouble goes to the next field that was refused or that the customer objects to, else to the next section.
func (f *formPage) nextTrouble(a *App) tui.Cmd {
	var fields []*catalog.Field
	for _, def := range a.service().Fields() {
		d := f.drafts[def.Name]
		if (d != nil && d.err != nil) || a.order().OpenObjection(def.Name) != nil {
			fields = append(fields, def)
		}
	}
	if len(fields) == 0 {
		return f.toSection(a, 1)
	}
	next := fields[0]
	for _, def := range fields {
		if f.at.field != nil && def.Number > f.at.field.Number {
			next = def
			break
		}
	}
	return f.goTo(a, f.cellOf(a, next))
}

// answerable reports whether the customer objects to the field in hand and nobody has answered yet.
func (f *formPage) answerable(a *App) bool {
	if f.at.field == nil {
		return false
	}
	ob := a.order().OpenObjection(f.at.field.Name)
	return ob != nil && ob.Answered.IsZero()
}

// answer says that the clerk explained the field, which stays as it is.
func (f *formPage) answer(a *App) tui.Cmd {
	return a.queueSave(save{kind: saveAnswer, field: f.at.field.Name})
}

// undo takes back what is being typed, else the last field exit, value and tick together.
func (f *formPage) undo(a *App) tui.Cmd {
	if f.typing {
		if f.box.Undo() {
			return f.tell(a)
		}
		f.typing = false
		return f.tell(a)
	}
	if d := f.drafts[f.at.field.Name]; d != nil && d.err != nil {
		delete(f.drafts, f.at.field.Name)
		return f.tell(a)
	}
	return a.queueSave(save{kind: saveUndo})
}

func (f *formPage) redo(a *App) tui.Cmd {
	if f.typing && f.box.Redo() {
		return f.tell(a)
	}
	return a.queueSave(save{kind: saveRedo})
}

// copies reports whether = copies another field into the one in hand: an empty address.
func (f *formPage) copies(a *App) bool {
	if f.at.field == nil || f.at.row >= 0 || f.at.field.SameAs() == "" {
		return false
	}
	return f.typing && f.box.Empty() || !f.typing && f.empty(a, f.at)
}

// same copies the residence into an empty address, and leaves. The service looks the value up itself, so that it can
// tell where it came from.
func (f *formPage) same(a *App) tui.Cmd {
	def := f.at.field
	from, ok := a.service().Field(def.SameAs())
	if !ok || f.raw(a, cell{from, -1, 0}) == "" {
		a.say(noteMark, "clerk.why.nothing_to_copy", nil)
		return nil
	}
	canonical, err := def.Accept(f.raw(a, cell{from, -1, 0}), a.now(), a.typingLang())
	if err != nil {
		a.say(errorMark, "", err)
		return nil
	}
	f.typing, f.live, f.base = false, "", a.value(def.Name).Base()
	return tui.Batch(f.sendAs(a, saveSame, def, canonical, canonical), f.advance(a))
}

// hasLast reports whether the customer's earlier order can be asked for: in an order that nothing was typed into.
func (f *formPage) hasLast(a *App) bool {
	return a.visit != nil && a.visit.Customer != nil && len(a.visit.Customer.Last) > 0 &&
		len(a.order().Exits) == 0 && len(f.drafts) == 0 && !f.typing
}

// asLast fills the form as the customer's last order of this service was.
func (f *formPage) asLast(a *App) tui.Cmd {
	visit, service := a.order().Visit, a.order().Service
	old := a.order().Key
	return open(a, "clerk.wait.form", func(ctx context.Context) (kiosk.OrderView, error) {
		v, err := a.svc.StartOrder(ctx, visit, service, true)
		if err == nil && v.Order.Key != old {
			// The empty form that this one replaces is not left behind among the day's work.
			err = a.svc.Cancel(ctx, old)
			if err == nil {
				return a.svc.Resume(ctx, v.Order.Key)
			}
		}
		return v, err
	}, a.begin)
}

// check is F10: once all is saved it goes to K9, or shows what stops the form.
func (f *formPage) check(a *App) tui.Cmd {
	cmds := []tui.Cmd{f.commit(a), f.leaveTable(a)}
	if !a.lost.IsZero() {
		a.say(errorMark, "clerk.msg.lost_check", nil)
		return tui.Batch(cmds...)
	}
	turn := a.wait("clerk.wait.saving")
	cmds = append(cmds, a.whenSaved(func() tui.Cmd {
		if errs := f.errors(a); len(errs) > 0 {
			f.fixing, f.summary, f.pick, f.back, f.top = true, true, 0, false, 0
			return a.release(turn, true)
		}
		cmd := a.turn(&checkPage{})
		return tui.Batch(cmd, a.release(turn, true))
	}))
	return tui.Batch(cmds...)
}

func (f *formPage) aside(a *App) tui.Cmd {
	cmds := []tui.Cmd{f.commit(a), f.leaveTable(a)}
	turn := a.wait("clerk.wait.saving")
	return tui.Batch(append(cmds, a.whenSaved(func() tui.Cmd {
		return tui.Batch(a.release(turn, false), a.aside())
	}))...)
}

// escape gives up what is being typed.
func (f *formPage) escape(a *App) tui.Cmd {
	switch {
	case f.typing:
		f.typing = false
		return f.tell(a)
	case f.fixing:
		f.fixing = false
	default:
		a.say(noteMark, "clerk.why.esc_form", nil)
	}
	return nil
}

// number names the place of the caret: 10, or 14.2.
func (f *formPage) number(*App) string {
	if f.at.field == nil {
		return ""
	}
	n := strconv.Itoa(f.at.field.Number)
	if f.at.row >= 0 {
		n += "." + strconv.Itoa(f.at.row+1)
	}
	return n
}

// input takes a scan, which offers its values to the form, or a pasted text. A paste is never a field exit.
func (f *formPage) input(a *App, ev tui.Event) tui.Cmd {
	switch ev := ev.(type) {
	case tui.Scan:
		f.list, f.help = nil, false
		return f.takeScan(a, ev.Text)
	case tui.Paste:
		if f.list == nil && !f.summary {
			return f.paste(a, ev.Text)
		}
	}
	return nil
}

func (f *formPage) takeScan(a *App, text string) tui.Cmd {
	key := a.order().Key
	cmd := f.commit(a)
	return tui.Batch(cmd, a.onOrder(func(ctx context.Context) (kiosk.OrderView, error) { return a.svc.ScanCard(ctx, key, text) },
		func(err error) tui.Cmd {
			if err != nil {
				return a.failed(err)
			}
			a.say(doneMark, "clerk.msg.card_read", nil)
			if !f.typing && f.at.field != nil && !f.visits(a, f.at) {
				f.at = f.first(a)
			}
			return f.tell(a)
		}))
}

func (f *formPage) paste(a *App, text string) tui.Cmd {
	if f.at.field == nil || f.at.column().ReadOnly {
		return nil
	}
	f.start(a, tui.Key{Name: "paste"})
	if f.box.Paste(text) {
		return f.tell(a)
	}
	return nil
}
