package catalog

import "time"

// Type says what kind of value a field holds.
type Type string

// The types of a field. Canonical forms are told beside each.
const (
	TextField Type = "text"      // NFC, one line
	Multiline Type = "multiline" // NFC, lines parted by \n
	Digits    Type = "digits"    // digits only
	Number    Type = "number"    // plain decimal with a point: 7.5
	MoneyType Type = "money"     // whole đồng
	Date      Type = "date"      // 2026-11-21
	ChoiceOf  Type = "choice"    // the key: 1
	YesNo     Type = "yesno"     // yes or no
	Phone     Type = "phone"     // 0900000018
	Email     Type = "email"     // local@domain, domain in lower case
	IDNumber  Type = "idnumber"  // without spaces
	TaxCode   Type = "taxcode"   // 0199990011 or 0199990011-001
	Code      Type = "code"      // a code with a table of its own, named by Check
	File      Type = "file"      // Value.File
	Rows      Type = "rows"      // Value.Rows
)

// Help is what F1 tells about a field, under six heads.
type Help struct {
	Meaning Text // what it is
	Ask     Text // a sentence to say aloud
	Typing  Text // how to type it
	Accept  Text // what is accepted
	Hint    Text // may hold placeholders
	Basis   Text // the rule that it rests on
}

// Choice is one of a few values, chosen by its key.
type Choice struct {
	Key   string // one digit
	Value string // what the back office calls it
	Label Text
}

// List is a longer table of proposals behind F4; choosing a row may fill other fields.
type List struct {
	Title     Text
	ValidFrom time.Time
	Columns   []Text
	Rows      []ListRow
}

// ListRow is one proposal: its canonical value, the further cells, and what it fills elsewhere.
type ListRow struct {
	Value string
	Cells []Text
	Fills map[string]string
}

// Total is a figure over all rows of a table.
type Total struct {
	Name     string
	Label    Text
	Decimals int
	Unit     string
	formula  formula
}

// Field is one numbered box of a form, or one column of a table. It is read-only.
type Field struct {
	Name       string
	Number     int
	Type       Type
	Label      Text
	Help       Help
	Visible    bool // the customer sees it
	Printed    bool // it stands in the work order, so it is signed
	Required   bool
	RequiredIf []When // required when all hold
	ReadOnly   bool
	Length     int // digits: exactly so many; 0 = any
	MinLength  int
	MaxLength  int
	Min, Max   string // inclusive, canonical; dates may also be "today"
	Below      string // exclusive upper limit of a number
	See        string // number of the service to use when a value is over the limit
	Decimals   int
	Unit       string
	UnitWords  Text
	Choices    []Choice
	List       *List
	Columns    []*Field
	MinRows    int
	MaxRows    int
	Totals     []Total
	RowSummary Text     // of a table in one line, with {count} and {total.NAME}
	Brief      []string // columns that name a row in a short list
	Formula    string   // of a computed column
	Source     []string // where a value may come from, best first: card.number, cmis.capacity, same:residence
	AutoLeave  bool     // the last character is the exit
	Default    string   // canonical
	Check      string   // a named check: cccd, person_id, cn_id, customer_code, budget_unit, treasury_account, shkb, person_name

	formula formula
	tables  *tables
	line    int
}

// SameAs returns the field whose value the key "=" copies into this one, or "".
func (f *Field) SameAs() string {
	for _, s := range f.Source {
		if kind, name := splitSource(s); kind == "same" {
			return name
		}
	}
	return ""
}

// Choice returns the choice with the given key.
func (f *Field) Choice(key string) (Choice, bool) {
	for _, c := range f.Choices {
		if c.Key == key {
			return c, true
		}
	}
	return Choice{}, false
}

// fills reports whether the field gets a value in a typed form without any key, by a preset, by derivation from
// another field or from the back office. A card is not counted: a typed form has none.
func (f *Field) fills() bool {
	if f.Default != "" {
		return true
	}
	for _, s := range f.Source {
		switch kind, _ := splitSource(s); kind {
		case "derive", "list":
			return true
		case "card", "customer", "last", "same":
		default:
			return true
		}
	}
	return false
}

// FileRef names a stored file by its content; Document is the name under which it is stored.
type FileRef struct {
	Document string `json:"document"`
	Name     string `json:"name"`
	SHA256   string `json:"sha256"`
	Size     int64  `json:"size"` // in bytes
}

// Value is what a field holds, with where it came from and what it was before an edit.
type Value struct {
	Text     string     `json:"text,omitempty"` // canonical
	Rows     [][]string `json:"rows,omitempty"` // canonical cells, computed columns included
	File     *FileRef   `json:"file,omitempty"`
	Source   string     `json:"source,omitempty"` // "" = typed
	SourceAt time.Time  `json:"source_at,omitzero"`
	Old      string     `json:"old,omitempty"` // what stood there before it was edited
	Edited   bool       `json:"edited,omitempty"`
}

// Empty reports whether the field holds nothing.
func (v Value) Empty() bool { return v.Text == "" && len(v.Rows) == 0 && v.File == nil }

// Base names the content of a value, so that whoever changes it can say what they saw before.
func (v Value) Base() string {
	if v.File != nil {
		return v.File.SHA256
	}
	return v.Text
}

// Values are the values of a form by field name. Facts that rules look at but that are no fields have dotted
// names, such as cmis.area.
type Values map[string]Value
