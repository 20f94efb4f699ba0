package clerk

import (
	"strings"

	"countersign/internal/tui"
	"countersign/kiosk/catalog"
)

// table is a field of repeating rows as the clerk fills it. What is accepted stands in it in canonical form, what is
// refused as it was typed.
type table struct {
	rows [][]string
	errs map[[2]int]error // by row and column
	turn int              // of the save that is on its way; 0 = none
	err  error            // the service's refusal of the rows as a whole
	held bool             // rows were changed since they were sent last
}

// table returns the rows in hand, as the service has them unless the clerk is changing them.
func (f *formPage) table(a *App, def *catalog.Field) *table {
	t := f.tables[def.Name]
	if t == nil {
		t = &table{errs: map[[2]int]error{}}
		f.tables[def.Name] = t
	}
	if !t.held && t.turn == 0 {
		t.rows = nil
		for _, row := range a.value(def.Name).Rows {
			t.rows = append(t.rows, append([]string(nil), row...))
		}
	}
	return t
}

// open is the number of rows with a caret's place: one more than are filled while there is room.
func (t *table) open(def *catalog.Field) int {
	n := len(t.rows)
	if n == 0 || (n < def.MaxRows && !blank(t.rows[n-1])) {
		n++
	}
	return n
}

func blank(row []string) bool {
	for _, c := range row {
		if c != "" {
			return false
		}
	}
	return true
}

func (t *table) at(p cell) string {
	if p.row < len(t.rows) && p.col < len(t.rows[p.row]) {
		return t.rows[p.row][p.col]
	}
	return ""
}

// cellRaw is the text by which a cell is edited.
func (t *table) cellRaw(a *App, p cell) string {
	if t.errs[[2]int{p.row, p.col}] != nil {
		return t.at(p)
	}
	return rawText(a, p.column(), catalog.Value{Text: t.at(p)})
}

// cellText is what a cell shows.
func (t *table) cellText(a *App, p cell) string {
	if t.errs[[2]int{p.row, p.col}] != nil || p.row >= len(t.rows) {
		return t.at(p)
	}
	return p.field.ShowCell(t.rows[p.row], p.col, a.lang)
}

// put takes in what was typed into the cell in hand. Rows that are complete are saved at once.
func (t *table) put(a *App, f *formPage, typed string) tui.Cmd {
	p := f.at
	typed = strings.TrimSpace(typed)
	canonical, err := p.field.AcceptCell(p.row+1, p.col, typed, a.now(), a.typingLang())
	if p.row >= len(t.rows) && typed == "" {
		return nil
	}
	key := [2]int{p.row, p.col}
	delete(t.errs, key)
	if err != nil {
		canonical = typed
		t.errs[key] = err
	} else if canonical == t.at(p) {
		return nil
	}
	for len(t.rows) <= p.row {
		t.rows = append(t.rows, make([]string, len(p.field.Columns)))
	}
	for len(t.rows[p.row]) < len(p.field.Columns) {
		t.rows[p.row] = append(t.rows[p.row], "")
	}
	t.rows[p.row][p.col] = canonical
	t.held, t.err = true, nil
	if len(t.errs) == 0 {
		t.rows = p.field.Compute(t.rows)
	}
	if t.complete(p.field) {
		return t.save(a, p.field)
	}
	return nil
}

// complete reports whether every row that is not blank has all that it needs.
func (t *table) complete(def *catalog.Field) bool {
	if len(t.errs) > 0 {
		return false
	}
	for _, row := range t.rows {
		if blank(row) {
			continue
		}
		for i, c := range def.Columns {
			if c.Required && !c.ReadOnly && (i >= len(row) || row[i] == "") {
				return false
			}
		}
	}
	return true
}

// save queues the rows; blank ones are left out.
func (t *table) save(a *App, def *catalog.Field) tui.Cmd {
	var rows [][]string
	for _, row := range t.rows {
		if blank(row) {
			continue
		}
		// The cells go as they would be typed: "1.125" is another number in Vietnamese than in canonical form.
		cells := make([]string, len(row))
		for i := range cells {
			cells[i] = def.ShowCell(row, i, a.typingLang())
		}
		rows = append(rows, cells)
	}
	a.saves.turn++
	t.turn, t.held = a.saves.turn, false
	return a.queueSave(save{kind: saveRows, field: def.Name, rows: rows, turn: t.turn})
}

// saved takes in the service's answer.
func (t *table) saved(_ *formPage, s save, err error) {
	if t.turn != s.turn {
		return
	}
	t.turn, t.err = 0, err
	// What was typed since then stays, whatever the answer was.
	t.held = t.held || err != nil
}

func (t *table) firstErr() error {
	var best *[2]int
	for key := range t.errs {
		if best == nil || key[0] < best[0] || key[0] == best[0] && key[1] < best[1] {
			best = &key
		}
	}
	if best != nil {
		return t.errs[*best]
	}
	return t.err
}

func (f *formPage) inTable(*App) bool { return f.at.field != nil && f.at.row >= 0 }

// nextInTable is the next cell of the row, else the first of the next row. From an empty row it leads out of the
// table.
func (f *formPage) nextInTable(a *App) (cell, bool) {
	def := f.at.field
	t := f.table(a, def)
	if f.at.row >= len(t.rows) || blank(t.rows[f.at.row]) {
		return cell{}, false
	}
	for c := f.at.col + 1; c < len(def.Columns); c++ {
		if !def.Columns[c].ReadOnly {
			return cell{def, f.at.row, c}, true
		}
	}
	if f.at.row+1 < t.open(def) {
		return cell{def, f.at.row + 1, firstColumn(def)}, true
	}
	return cell{}, false
}

func firstColumn(def *catalog.Field) int {
	for i, c := range def.Columns {
		if !c.ReadOnly {
			return i
		}
	}
	return 0
}

// leaveTable saves what is left of a table when the caret goes elsewhere: also rows that lack something, so that the
// service says what.
func (f *formPage) leaveTable(a *App) tui.Cmd {
	if f.at.field == nil || f.at.row < 0 {
		return nil
	}
	t := f.table(a, f.at.field)
	if t.held && len(t.errs) == 0 {
		return t.save(a, f.at.field)
	}
	return nil
}

// deleteRow takes the row in hand out; Ctrl+Z brings it back.
func (f *formPage) deleteRow(a *App) tui.Cmd {
	f.typing = false
	def := f.at.field
	t := f.table(a, def)
	if f.at.row >= len(t.rows) {
		return nil
	}
	t.rows = append(t.rows[:f.at.row:f.at.row], t.rows[f.at.row+1:]...)
	errs := map[[2]int]error{}
	for key, err := range t.errs {
		switch {
		case key[0] < f.at.row:
			errs[key] = err
		case key[0] > f.at.row:
			errs[[2]int{key[0] - 1, key[1]}] = err
		}
	}
	t.errs, t.held = errs, true
	f.at = cell{def, min(f.at.row, t.open(def)-1), firstColumn(def)}
	if !t.complete(def) {
		return f.tell(a)
	}
	return tui.Batch(t.save(a, def), f.tell(a))
}
