package catalog

import (
	"fmt"
	"math/big"
	"strings"
)

// formula is a product of columns and plain numbers: qty * watt * hours * 30 / 1000. Nothing else is possible, so
// a service file can't make the program run away; division is by plain numbers only.
type formula []factor

type factor struct {
	column string // "" = the number
	number *big.Rat
}

// maxFactors bounds a formula.
const maxFactors = 12

// parseFormula reads a formula over the given columns.
func parseFormula(s string, columns map[string]bool) (formula, error) {
	words := strings.Fields(strings.NewReplacer("*", " * ", "/", " / ").Replace(s))
	if len(words) == 0 || len(words)%2 == 0 || len(words) > 2*maxFactors {
		return nil, fmt.Errorf("formula %q is not factors joined by * or /", s)
	}
	var out formula
	for i := 0; i < len(words); i += 2 {
		divide := false
		if i > 0 {
			switch words[i-1] {
			case "*":
			case "/":
				divide = true
			default:
				return nil, fmt.Errorf("formula %q: %q is neither * nor /", s, words[i-1])
			}
		}
		word := words[i]
		if columns[word] {
			if divide {
				return nil, fmt.Errorf("formula %q divides by column %q", s, word)
			}
			out = append(out, factor{column: word})
			continue
		}
		p, ok := plain(word)
		if !ok {
			return nil, fmt.Errorf("formula %q: no column %q", s, word)
		}
		n, _ := new(big.Rat).SetString(p)
		if divide {
			if n.Sign() == 0 {
				return nil, fmt.Errorf("formula %q divides by zero", s)
			}
			n.Inv(n)
		}
		out = append(out, factor{number: n})
	}
	return out, nil
}

// value computes the product; ok is false while a cell is empty.
func (f formula) value(cell func(column string) string) (r *big.Rat, ok bool) {
	r = big.NewRat(1, 1)
	for _, x := range f {
		n := x.number
		if x.column != "" {
			text := cell(x.column)
			if len(text) > 24 {
				return nil, false
			}
			n, ok = new(big.Rat).SetString(text)
			if !ok {
				return nil, false
			}
		}
		r.Mul(r, n)
	}
	return r, true
}

// cellOf returns a look-up of one row's cells by column name.
func (f *Field) cellOf(row []string) func(string) string {
	return func(name string) string {
		for i, c := range f.Columns {
			if c.Name == name && i < len(row) {
				return row[i]
			}
		}
		return ""
	}
}

// Compute returns the rows with the computed columns filled; a row that lacks a factor has an empty cell there.
func (f *Field) Compute(rows [][]string) [][]string {
	out := make([][]string, len(rows))
	for i, row := range rows {
		cells := make([]string, len(f.Columns))
		copy(cells, row)
		for j, c := range f.Columns {
			if c.formula == nil {
				continue
			}
			cells[j] = ""
			if v, ok := c.formula.value(f.cellOf(cells)); ok {
				cells[j] = decimal(v, c.Decimals)
			}
		}
		out[i] = cells
	}
	return out
}

// Total returns the total of the given name over all rows, canonical.
func (f *Field) Total(name string, rows [][]string) (string, bool) {
	for _, t := range f.Totals {
		if t.Name != name {
			continue
		}
		sum := new(big.Rat)
		for _, row := range rows {
			if v, ok := t.formula.value(f.cellOf(row)); ok {
				sum.Add(sum, v)
			}
		}
		return decimal(sum, t.Decimals), true
	}
	return "", false
}
