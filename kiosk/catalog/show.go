package catalog

import (
	"strconv"
	"strings"
	"unicode"

	"countersign/internal/locale"
)

// Show writes a value as a person reads it in the given language. For every value that Accept gives, Accept of
// what Show writes gives the same again. A table is shown in one line.
func (f *Field) Show(v Value, lang locale.Lang) string {
	switch {
	case f.Type == File && v.File != nil:
		return v.File.Name + ", " + ShowSize(v.File.Size, lang)
	case f.Type == Rows:
		return f.showRows(v.Rows, lang)
	case v.Text == "":
		return ""
	}
	switch f.Type {
	case Number:
		return withUnit(FormatNumber(v.Text, f.Decimals, lang), f.Unit)
	case MoneyType:
		return moneyText(v.Text, lang)
	case Date:
		return FormatDate(v.Text, lang)
	case ChoiceOf:
		if c, ok := f.Choice(v.Text); ok {
			return c.Label.In(lang)
		}
	case YesNo:
		return locale.Text(lang, "catalog."+v.Text, nil)
	case Phone:
		return showPhone(v.Text, f.Check)
	case IDNumber:
		return showID(v.Text)
	}
	return v.Text
}

// Mask writes a value as the customer's screen shows it: personal numbers are covered, because people stand
// behind; everything else is as in Show.
func (f *Field) Mask(v Value, lang locale.Lang) string {
	if f.Type != IDNumber || len(v.Text) < 8 {
		return f.Show(v, lang)
	}
	s := v.Text
	return s[:3] + strings.Repeat("*", len(s)-7) + s[len(s)-4:]
}

// ShowSize writes the size of a file in decimal units: 214 kB, 1,2 MB.
func ShowSize(bytes int64, lang locale.Lang) string {
	switch {
	case bytes < 1000:
		return FormatNumber(strconv.FormatInt(bytes, 10), 0, lang) + " B"
	case bytes < 999_500:
		return FormatNumber(strconv.FormatInt((bytes+500)/1000, 10), 0, lang) + " kB"
	}
	return FormatNumber(strconv.FormatFloat(float64(bytes)/1e6, 'f', 1, 64), 1, lang) + " MB"
}

func showPhone(s, check string) string {
	switch {
	case check == "cn" || len(s) == 11:
		return group(s, 3, 4)
	}
	return group(s, 4, 3)
}

func showID(s string) string {
	switch {
	case len(s) == 12:
		return group(s, 3, 3, 3)
	case len(s) == 18:
		return group(s, 6, 8)
	}
	return s
}

// ShowCell writes one cell of a table.
func (f *Field) ShowCell(row []string, column int, lang locale.Lang) string {
	if column >= len(row) || column >= len(f.Columns) {
		return ""
	}
	c := *f.Columns[column]
	c.Unit = "" // the unit stands in the head
	return c.Show(Value{Text: row[column]}, lang)
}

// showRows tells a table in one line by the service's own words: 4 loại, 9,0 kW, 882 kWh/tháng.
func (f *Field) showRows(rows [][]string, lang locale.Lang) string {
	if len(rows) == 0 {
		return ""
	}
	if len(f.RowSummary) == 0 {
		return strconv.Itoa(len(rows))
	}
	out := strings.ReplaceAll(f.RowSummary.In(lang), "{count}", strconv.Itoa(len(rows)))
	for _, t := range f.Totals {
		out = strings.ReplaceAll(out, "{total."+t.Name+"}", f.showTotal(t, rows, lang))
	}
	return out
}

func (f *Field) showTotal(t Total, rows [][]string, lang locale.Lang) string {
	sum, _ := f.Total(t.Name, rows)
	if t.Unit == "đ" { // an amount is written as the language writes amounts
		return moneyText(sum, lang)
	}
	return withUnit(FormatNumber(sum, t.Decimals, lang), t.Unit)
}

// ShowTotal writes a total of a table with its unit.
func (f *Field) ShowTotal(name string, v Value, lang locale.Lang) string {
	for _, t := range f.Totals {
		if t.Name == name {
			return f.showTotal(t, v.Rows, lang)
		}
	}
	return ""
}

// InShort names the rows of a table: Điều hòa 2, bếp từ 1.
func (f *Field) InShort(v Value, lang locale.Lang) string {
	var items []string
	for i, row := range v.Rows {
		var words []string
		for _, name := range f.Brief {
			for j, c := range f.Columns {
				if c.Name == name && j < len(row) && row[j] != "" {
					words = append(words, f.ShowCell(row, j, lang))
				}
			}
		}
		item := strings.Join(words, " ")
		if i > 0 {
			item = lowerFirst(item)
		}
		if item != "" {
			items = append(items, item)
		}
	}
	if lang == locale.Chinese {
		return strings.Join(items, "、")
	}
	return strings.Join(items, ", ")
}

// upperFirst begins a sentence.
func upperFirst(s string) string {
	r := []rune(s)
	if len(r) > 0 {
		r[0] = unicode.ToUpper(r[0])
	}
	return string(r)
}
