package clerk

import (
	"context"
	"maps"
	"path/filepath"
	"strings"

	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk"
	"countersign/kiosk/catalog"
)

// cell is a place that the caret can be in: a field, or one column in one row of a table field.
type cell struct {
	field *catalog.Field
	row   int // -1 when the field is no table
	col   int
}

// column is the definition by which the cell is typed.
func (p cell) column() *catalog.Field {
	if p.row >= 0 {
		return p.field.Columns[p.col]
	}
	return p.field
}

func (p cell) same(q cell) bool { return p.field == q.field && p.row == q.row && p.col == q.col }

// draft is what the clerk typed and the service does not have: on its way, refused, or contested.
type draft struct {
	typed string
	shown string // as it will read once saved
	turn  int
	err   error  // why it was refused; nil while it is on its way
	by    string // who was first, in a conflict
}

// coming is a value that the service will fill in because of another one: the caret already passes it over.
type coming struct {
	text string // canonical
	turn int    // of the save that it comes with
}

// formPage is K5, with K6 (list), K7 (help) and K8 (errors) over parts of it.
type formPage struct {
	at     cell
	box    tui.Field
	typing bool // the cell holds what the input has, not what is stored
	base   string

	drafts map[string]*draft
	coming map[string]coming // what follows from a value that is on its way
	tables map[string]*table
	top    int // first line that is visible
	shown  int // lines that were visible when drawn last
	lines  int

	fixing  bool // K8: the list of errors stands above the form
	summary bool // the focus is in that list
	pick    int
	marked  *catalog.Field // the field of the marked error, while the list has the focus
	back    bool           // the clerk came from K9 to change one field

	list *listBox
	help bool

	live     string // field and text that the customer's screen was told last
	liveNext string
	liveBusy bool
}

// newFormPage opens the form of the order in hand at its first empty required field.
func newFormPage(a *App) *formPage {
	f := &formPage{drafts: map[string]*draft{}, coming: map[string]coming{}, tables: map[string]*table{}}
	f.at = f.first(a)
	return f
}

// open shows the customer which field is in hand.
func (f *formPage) open(a *App) tui.Cmd { return f.tell(a) }

func (f *formPage) keys() []binding {
	switch {
	case f.list != nil:
		return listKeys()
	case f.help:
		return helpKeys()
	case f.summary:
		return errorKeys()
	}
	return formKeys()
}

func formKeys() []binding {
	return []binding{
		{names: []string{"1", "2"}, show: "1 2", label: "clerk.key.conflict", rank: 0,
			on: when((*formPage).contested, ""), do: actKey((*formPage).settle)},
		{names: []string{"enter"}, show: "Enter", label: "clerk.key.next_field", rank: 1, do: act((*formPage).enter)},
		{names: []string{"tab", "down"}, label: "clerk.key.next_field", do: act((*formPage).forward)},
		{names: []string{"shift+tab", "up"}, label: "clerk.key.previous_field", do: act((*formPage).backward)},
		{names: []string{"f4"}, show: "F4", label: "clerk.key.list", rank: 3, on: when((*formPage).hasList, "clerk.why.no_list"), do: act((*formPage).openList)},
		{names: []string{"f7"}, show: "F7", label: "clerk.key.section_before", rank: 9, wide: true, do: act((*formPage).sectionBefore)},
		{names: []string{"f8"}, show: "F8", label: "clerk.key.objected", rank: 2, on: when((*formPage).objected, ""), do: act((*formPage).nextTrouble)},
		{names: []string{"f8"}, show: "F8", label: "clerk.key.to_error", rank: 2, on: when((*formPage).refused, ""), do: act((*formPage).nextTrouble)},
		{names: []string{"f8"}, show: "F8", label: "clerk.key.section_after", rank: 9, wide: true, on: when((*formPage).calm, ""), do: act((*formPage).nextTrouble)},
		{names: []string{"f9"}, show: "F9", label: "clerk.key.as_last", rank: 7, on: when((*formPage).hasLast, "clerk.why.no_last"), do: act((*formPage).asLast)},
		{names: []string{"f6"}, show: "F6", label: "clerk.key.answer", rank: 3, on: when((*formPage).answerable, "clerk.why.no_objection"), do: act((*formPage).answer)},
		{names: []string{"="}, label: "clerk.key.same", on: when((*formPage).copies, ""), do: act((*formPage).same)},
		{names: []string{"ctrl+d"}, show: "Ctrl+D", label: "clerk.key.delete_row", rank: 8, on: when((*formPage).inTable, "clerk.why.no_table"), do: act((*formPage).deleteRow)},
		{names: []string{"ctrl+z"}, show: "Ctrl+Z", label: "clerk.key.undo", rank: 8, wide: true, do: act((*formPage).undo)},
		{names: []string{"ctrl+y"}, label: "clerk.key.redo", do: act((*formPage).redo)},
		{names: []string{"ctrl+u"}, label: "clerk.key.clear", do: actKey((*formPage).edit)},
		{names: []string{"f10"}, show: "F10", label: "clerk.key.check", rank: 1, do: act((*formPage).check)},
		{names: []string{"pgup"}, label: "clerk.key.page_up", do: act((*formPage).pageUp)},
		{names: []string{"pgdn"}, label: "clerk.key.page_down", do: act((*formPage).pageDown)},
		{names: []string{"f3"}, show: "F3", label: "clerk.key.aside", rank: 8, wide: true, do: act((*formPage).aside)},
		{names: []string{"f1"}, show: "F1", label: "clerk.key.help", rank: 6, do: act((*formPage).openHelp)},
		{names: []string{"esc"}, label: "clerk.key.cancel_field", do: act((*formPage).escape)},
		keyLock().wider(),
	}
}

// value is what is stored in a field.
func (a *App) value(name string) catalog.Value { return a.order().Values[name] }

// service is the definition of the order in hand; an empty one when there is none.
func (a *App) service() *catalog.Service {
	if a.view == nil || a.view.Service == nil {
		return &catalog.Service{}
	}
	return a.view.Service
}

// numberOf returns the number by which both sides of the counter call a field.
func (a *App) numberOf(name string) int {
	if f, ok := a.service().Field(name); ok {
		return f.Number
	}
	return 0
}

// reason puts the number of an objection's reason into words.
func (a *App) reason(n int) string { return a.t("clerk.reason."+string(rune('0'+n)), nil) }

// typed edits the cell: a key that makes text begins with an empty cell where a value is replaced as a whole.
func (f *formPage) typed(a *App, k tui.Key) tui.Cmd {
	switch {
	case f.list != nil:
		return f.list.typed(a, f, k)
	case f.summary:
		return nil
	case f.help:
		f.help = false // Typing goes on where the caret is; help was only looked at.
	}
	if f.at.field == nil {
		return nil
	}
	if k.Name == "+" || (k.Name == "rune" && k.Text == "+" && f.plusLeaves(a)) {
		return f.enter(a)
	}
	switch k.Name {
	case "rune", "backspace", "delete", "left", "right", "home", "end":
		return f.edit(a, k)
	}
	return nil
}

// plusLeaves reports whether + is the field exit here: in number fields, and not at the beginning of a phone.
func (f *formPage) plusLeaves(*App) bool {
	switch f.at.column().Type {
	case catalog.Number, catalog.MoneyType, catalog.Digits, catalog.Date, catalog.IDNumber, catalog.TaxCode:
		return true
	case catalog.Phone:
		return f.typing && !f.box.Empty()
	}
	return false
}

// edit gives a key to the input; the cell leaves by itself at the last character of a known length.
func (f *formPage) edit(a *App, k tui.Key) tui.Cmd {
	if f.at.field == nil {
		return nil
	}
	if f.at.column().ReadOnly {
		a.say(noteMark, "clerk.why.read_only", nil)
		return nil
	}
	f.start(a, k)
	if !f.box.Handle(k) {
		return nil
	}
	if k.Name == "rune" && f.at.column().Full(f.box.Value()) {
		return f.leave(a, true)
	}
	return f.tell(a)
}

// start begins to type into the cell. What is replaced as a whole begins empty at the first character; a text goes
// on where it ends.
func (f *formPage) start(a *App, k tui.Key) {
	if f.typing {
		return
	}
	f.typing = true
	f.base = a.value(f.at.field.Name).Base()
	f.box = inputFor(a, f.at.column())
	raw := f.raw(a, f.at)
	if k.Name == "rune" && replaced(f.at.column().Type) {
		raw = ""
	}
	if raw != "" {
		f.box.Set(raw)
	}
}

// replaced reports whether typing replaces the value: short coded values are typed anew, texts are repaired.
func replaced(t catalog.Type) bool {
	switch t {
	case catalog.TextField, catalog.Multiline, catalog.Email:
		return false
	}
	return true
}

// inputFor makes the input of a field. What may be typed is never narrower than what the field accepts.
func inputFor(a *App, f *catalog.Field) tui.Field {
	in := tui.Field{Max: 200}
	if f.Type == catalog.File {
		in.Max = 1000 // a path
	}
	if f.MaxLength > 0 {
		in.Max = f.MaxLength
	}
	switch f.Type {
	case catalog.ChoiceOf, catalog.YesNo:
		in.Kind, in.Max = tui.FieldDigits, 1
	case catalog.Multiline:
		in.Max = 2000
		in.Compose = a.opt.Compose
	case catalog.TextField:
		in.Compose = a.opt.Compose
	}
	return in
}

// raw is the text by which a cell is edited.
func (f *formPage) raw(a *App, p cell) string {
	if p.row >= 0 {
		return f.table(a, p.field).cellRaw(a, p)
	}
	if d := f.drafts[p.field.Name]; d != nil {
		return d.typed
	}
	return rawText(a, p.field, a.value(p.field.Name))
}

// rawText writes a stored value as it would be typed.
func rawText(a *App, f *catalog.Field, v catalog.Value) string {
	switch f.Type {
	case catalog.File:
		if v.File != nil {
			return v.File.Name
		}
	case catalog.Number, catalog.MoneyType:
		if v.Text != "" {
			return catalog.FormatNumber(v.Text, f.Decimals, a.typingLang())
		}
	case catalog.Date:
		return f.Show(v, a.typingLang())
	case catalog.YesNo:
		switch v.Text {
		case "yes":
			return "1"
		case "no":
			return "2"
		}
	}
	return v.Text
}

// typingLang is the language whose decimal sign and order of dates hold on the form: that of the service.
func (a *App) typingLang() locale.Lang { return a.service().Language }

// leave ends typing in the cell: what was typed is looked at and sent to be saved. move tells to go on to the next
// place.
func (f *formPage) leave(a *App, move bool) tui.Cmd {
	cmd := f.commit(a)
	if !move {
		return cmd
	}
	return tui.Batch(cmd, f.advance(a))
}

// commit takes what was typed out of the input.
func (f *formPage) commit(a *App) tui.Cmd {
	if !f.typing {
		return nil
	}
	f.typing = false
	if f.at.row >= 0 {
		return f.table(a, f.at.field).put(a, f, f.box.Value())
	}
	def, typed := f.at.field, strings.TrimSpace(f.box.Value())
	f.live = ""
	if def.Type == catalog.File && typed != "" {
		if f.drafts[def.Name] == nil && typed == rawText(a, def, a.value(def.Name)) {
			return nil
		}
		return f.sendFile(a, def, typed)
	}
	canonical, err := def.Accept(typed, a.now(), a.typingLang())
	if err != nil {
		f.drafts[def.Name] = &draft{typed: typed, shown: withUnit(typed, def), err: err}
		return nil
	}
	d := f.drafts[def.Name]
	if d == nil && canonical == a.value(def.Name).Base() {
		return nil
	}
	return f.send(a, def, typed, canonical)
}

// sendFile queues the reading and saving of a file on this machine.
func (f *formPage) sendFile(a *App, def *catalog.Field, path string) tui.Cmd {
	a.saves.turn++
	f.drafts[def.Name] = &draft{typed: path, shown: filepath.Base(localPath(path)), turn: a.saves.turn}
	return a.queueSave(save{kind: saveFile, field: def.Name, base: f.base, typed: path, turn: a.saves.turn})
}

// send queues the saving of a field.
func (f *formPage) send(a *App, def *catalog.Field, typed, canonical string) tui.Cmd {
	return f.sendAs(a, saveField, def, typed, canonical)
}

func (f *formPage) sendAs(a *App, kind saveKind, def *catalog.Field, typed, canonical string) tui.Cmd {
	a.saves.turn++
	f.drafts[def.Name] = &draft{typed: typed, shown: a.show(def, catalog.Value{Text: canonical}), turn: a.saves.turn}
	now := make(catalog.Values, len(a.order().Values)+1)
	maps.Copy(now, a.order().Values)
	now[def.Name] = catalog.Value{Text: canonical}
	for _, fill := range a.service().Derive(def.Name, now) {
		f.coming[fill.Field] = coming{fill.Value, a.saves.turn}
	}
	return a.queueSave(save{kind: kind, field: def.Name, base: f.base, typed: typed, turn: a.saves.turn})
}

// saved takes in what became of an act.
func (f *formPage) saved(a *App, s save, err error) tui.Cmd {
	switch s.kind {
	case saveUndo, saveRedo, saveAnswer:
		if err != nil {
			return a.failed(err)
		}
		if s.kind == saveAnswer {
			a.sayArgs(doneMark, "clerk.msg.answered", locale.Args{"n": a.numberOf(s.field)})
		}
		return f.tell(a)
	case saveRows:
		if t := f.tables[s.field]; t != nil {
			t.saved(f, s, err)
		}
		return nil
	}
	maps.DeleteFunc(f.coming, func(_ string, c coming) bool { return c.turn == s.turn })
	d := f.drafts[s.field]
	if d == nil || d.turn != s.turn {
		return nil // The clerk has typed something else there meanwhile.
	}
	if err == nil {
		delete(f.drafts, s.field)
		return nil
	}
	d.err = err
	if fault.Is(err, "order.field_taken") {
		return f.contest(a, s.field, d, err)
	}
	if fault.KindOf(err) == fault.Unauthenticated {
		return a.failed(err)
	}
	return nil
}

// contest learns what the other clerk saved, and asks which of the two holds.
func (f *formPage) contest(a *App, field string, d *draft, err error) tui.Cmd {
	d.by = faultArg(err, "by")
	return a.onOrder(func(ctx context.Context) (kiosk.OrderView, error) { return a.svc.Order(ctx, a.order().Key) },
		func(err error) tui.Cmd {
			if err != nil {
				return a.failed(err)
			}
			if f.at.field == nil || f.at.field.Name != field {
				a.sayArgs(errorMark, "clerk.msg.taken_far", locale.Args{"by": d.by, "n": a.numberOf(field)})
			}
			return nil
		})
}

// contested reports whether the focus stands, not typing, in a field that somebody else saved first.
func (f *formPage) contested(*App) bool {
	if f.typing || f.at.field == nil {
		return false
	}
	d := f.drafts[f.at.field.Name]
	return d != nil && d.by != ""
}

// settle keeps the clerk's own value (1) or takes the other's (2).
func (f *formPage) settle(a *App, k tui.Key) tui.Cmd {
	def := f.at.field
	d := f.drafts[def.Name]
	if k.Text == "2" {
		delete(f.drafts, def.Name)
		return nil
	}
	f.base = a.value(def.Name).Base()
	if def.Type == catalog.File {
		return f.sendFile(a, def, d.typed)
	}
	canonical, err := def.Accept(d.typed, a.now(), a.typingLang())
	if err != nil {
		d.by, d.err = "", err
		return nil
	}
	return f.send(a, def, d.typed, canonical)
}

// news is called when a newer state of the order came from elsewhere. The cell in hand is not touched.
func (f *formPage) news(a *App) {
	if f.at.field == nil {
		f.at = f.first(a)
	}
}

// tell shows the customer the field in hand and what stands in it. It is lossy: one message is on its way at most,
// and the latest wins.
func (f *formPage) tell(a *App) tui.Cmd {
	if f.at.field == nil || a.locked {
		return nil
	}
	text := f.text(a, f.at)
	if f.typing {
		text = f.box.Value()
	}
	if f.at.field.Type == catalog.File {
		text = "" // Paths of this machine are not the customer's; the file's name comes once it is saved.
	}
	f.liveNext = f.at.field.Name + "\x00" + text
	return f.sendLive(a)
}

func (f *formPage) sendLive(a *App) tui.Cmd {
	if f.liveBusy || f.liveNext == f.live || a.view == nil {
		return nil
	}
	f.liveBusy, f.live = true, f.liveNext
	field, text, _ := strings.Cut(f.live, "\x00")
	key := a.order().Key
	return do(a, func(ctx context.Context) error { return a.svc.Typing(ctx, key, field, text) }, func(err error) tui.Cmd {
		f.liveBusy = false
		if err != nil {
			return nil // The next exit shows it anyway.
		}
		return f.sendLive(a)
	})
}

func withUnit(typed string, f *catalog.Field) string {
	if f.Unit == "" || typed == "" || strings.HasSuffix(typed, f.Unit) {
		return typed
	}
	return typed + " " + f.Unit
}

// show writes a value as the form shows it: a choice with the digit that picks it.
func (a *App) show(def *catalog.Field, v catalog.Value) string {
	s := def.Show(v, a.lang)
	switch def.Type {
	case catalog.ChoiceOf:
		if v.Text != "" {
			return v.Text + " " + s
		}
	case catalog.YesNo:
		switch v.Text {
		case "yes":
			return "1 " + s
		case "no":
			return "2 " + s
		}
	}
	return s
}

// text is what a cell shows while it is not typed into.
func (f *formPage) text(a *App, p cell) string {
	if p.row >= 0 {
		return f.table(a, p.field).cellText(a, p)
	}
	if d := f.drafts[p.field.Name]; d != nil {
		return d.shown
	}
	if c, ok := f.coming[p.field.Name]; ok {
		return a.show(p.field, catalog.Value{Text: c.text})
	}
	return a.show(p.field, a.value(p.field.Name))
}

// hint is what row 23 says while nothing is wrong in the cell.
func (f *formPage) hint(a *App) string {
	switch {
	case f.list != nil:
		return f.list.hint(a)
	case f.help:
		return a.t("clerk.hint.help", nil)
	case f.summary:
		return a.t("clerk.hint.errors", nil)
	case f.at.field == nil:
		return ""
	}
	if f.at.column().ReadOnly {
		return a.t("clerk.why.read_only", nil)
	}
	h := f.at.column().Help.Typing.In(a.lang)
	switch {
	case h == "" && f.at.column().Type == catalog.File && a.opt.Papers != nil:
		return a.t("clerk.hint.file_list", nil)
	case h == "" && f.at.column().Type == catalog.File:
		return a.t("clerk.hint.file", nil)
	case h == "":
		return a.t("clerk.hint.form", nil)
	}
	return a.t("clerk.hint.typing", locale.Args{"how": h})
}

// alert is the full sentence about the cell in hand.
func (f *formPage) alert(a *App) (mark, string) {
	if f.list != nil || f.at.field == nil {
		return "", ""
	}
	d := f.drafts[f.at.field.Name]
	if d != nil && d.by != "" {
		return errorMark, a.t("clerk.msg.taken", locale.Args{"by": d.by, "n": f.at.field.Number,
			"value": a.show(f.at.field, a.value(f.at.field.Name))})
	}
	if f.help || f.summary {
		return "", ""
	}
	if err := f.trouble(a, f.at); err != nil {
		return errorMark, a.sentence(err)
	}
	if err := a.attention(f.at.field.Name); err != nil {
		return noteMark, a.sentence(err)
	}
	return "", ""
}

// seam says, over a list or help, that the customer does not see it.
func (f *formPage) seam(a *App) string {
	if f.at.field == nil {
		return ""
	}
	n := locale.Args{"n": f.at.field.Number}
	switch {
	case f.list != nil:
		return a.t("seam.customer.no_list", n)
	case f.help:
		return a.t("seam.customer.no_help", n)
	}
	return ""
}
