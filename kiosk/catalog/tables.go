package catalog

import (
	"sort"
	"strconv"
	"strings"
	"time"

	"countersign/internal/fault"
	"countersign/internal/locale"
)

// tables are the dated facts that checks look things up in.
type tables struct {
	calendar  *Calendar
	provinces map[string]string // first three digits of a personal number → place of birth
	units     map[string]string // electricity unit code → name
	offices   map[string]office // treasury office by SHKB
	mobiles   []string          // prefixes of mobile numbers
	moved     map[string]string // old prefix of an eleven-digit mobile number → new prefix
	sources   map[string]source
	fields    map[string]*mapping // templates that a service file may use
}

// office is one treasury office; names changed in time, so each row is dated.
type office struct {
	name     string
	from, to time.Time
}

// source is one place that values come from.
type source struct {
	label    Text // for staff: thẻ QR
	customer Text // for the customer: từ thẻ của quý khách
	keys     map[string]bool
	open     bool // any key: the names are those of fields
}

// dataFiles are the tables that must be there, by file name.
var dataFiles = []string{"fields.yaml", "holidays.yaml", "phones.yaml", "provinces.yaml", "sources.yaml", "treasury.yaml", "units.yaml"}

// overlay lays the operator's tables over the built-in ones: a whole file replaces the one of the same name when
// its version is higher.
func (r *reader) overlay(builtin, own map[string]*yamlFile) map[string]*yamlFile {
	for name, f := range own {
		old, ok := builtin[name]
		if !ok {
			r.refuse("catalog.data_unknown", f.label, 1, fault.Args{"known": strings.Join(dataFiles, ", ")})
			continue
		}
		mine := r.mapping(f.label, "", f.root).text("version")
		theirs := r.mapping(old.label, "", old.root).text("version")
		if mine <= theirs {
			r.refuse("catalog.data_version", f.label, 1, fault.Args{"version": mine, "other": theirs})
			continue
		}
		builtin[name] = f
	}
	return builtin
}

// tables reads the data files.
func (r *reader) tables(files map[string]*yamlFile) *tables {
	t := &tables{}
	open := make(map[string]*mapping)
	for _, name := range dataFiles {
		f, ok := files[name]
		if !ok {
			r.refuse("catalog.data_missing", "data/"+name, 0, nil)
			return t
		}
		m := r.mapping(f.label, "", f.root)
		m.need("version")
		m.text("version")
		m.date("valid_from")
		m.texts("basis")
		open[name] = m
	}
	t.calendar = r.calendar(open["holidays.yaml"])
	t.provinces = codes(open["provinces.yaml"], "provinces")
	t.units = codes(open["units.yaml"], "units")
	t.offices = offices(open["treasury.yaml"])
	t.mobiles = open["phones.yaml"].texts("mobile")
	t.moved = codes(open["phones.yaml"], "moved")
	t.sources = sources(open["sources.yaml"])
	t.fields = make(map[string]*mapping)
	if all := open["fields.yaml"].sub("fields"); all != nil {
		for name, s := range all.slots {
			all.known[name] = true
			t.fields[name] = r.mapping(s.file, "fields."+name, s.node)
		}
	}
	for _, name := range dataFiles {
		open[name].done()
	}
	return t
}

// codes reads a mapping of codes to names. Codes are quoted, because 001 unquoted is a number.
func codes(m *mapping, key string) map[string]string {
	out := make(map[string]string)
	all := m.sub(key)
	if all == nil {
		m.need(key)
		return out
	}
	for code := range all.slots {
		out[code] = all.text(code)
	}
	all.done()
	return out
}

func offices(m *mapping) map[string]office {
	out := make(map[string]office)
	m.need("offices")
	for _, o := range m.mappings("offices") {
		code := o.text("code")
		row := office{name: o.text("name"), from: o.date("valid_from")}
		if o.has("valid_to") {
			row.to = o.date("valid_to")
		}
		o.done()
		// Of several rows of one code the youngest is kept; older names matter only for older documents.
		if old, ok := out[code]; !ok || row.from.After(old.from) {
			out[code] = row
		}
	}
	return out
}

func sources(m *mapping) map[string]source {
	out := make(map[string]source)
	m.need("sources")
	for _, s := range m.mappings("sources") {
		keys := make(map[string]bool)
		for _, k := range s.texts("keys") {
			keys[k] = true
		}
		out[s.text("name")] = source{
			label: s.words("label", locale.English), customer: s.words("customer", locale.English),
			keys: keys, open: s.flag("any", false),
		}
		s.done()
	}
	return out
}

// splitSource parts card.number and same:residence; a source without a key (list, preset) is its own kind.
func splitSource(s string) (kind, key string) {
	if i := strings.IndexAny(s, ".:"); i > 0 {
		return s[:i], s[i+1:]
	}
	return s, ""
}

func (t *tables) sourceLabel(s string, lang locale.Lang, customer bool) string {
	kind, _ := splitSource(s)
	src, ok := t.sources[kind]
	if !ok {
		return s
	}
	if customer {
		return src.customer.In(lang)
	}
	return src.label.In(lang)
}

// sourceKnown reports whether a source may be named in a file.
func (t *tables) sourceKnown(s string) bool {
	kind, key := splitSource(s)
	src, ok := t.sources[kind]
	return ok && (src.open || src.keys[key] || (key == "" && len(src.keys) == 0))
}

// sourceNames lists the known sources for a message.
func (t *tables) sourceNames() string {
	var names []string
	for kind, src := range t.sources {
		for key := range src.keys {
			names = append(names, kind+"."+key)
		}
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}

// unitOf finds the electricity unit whose code begins the given one, the longest first.
func (t *tables) unitOf(code string) (string, bool) {
	for n := min(6, len(code)); n >= 4; n-- {
		if name, ok := t.units[code[:n]]; ok {
			return name, true
		}
	}
	return "", false
}

// officeOf finds a treasury office and the code of its province: province codes end in 10 or 60, and the offices
// of a province follow its code.
func (t *tables) officeOf(code string) (o office, province string, ok bool) {
	o, ok = t.offices[code]
	if !ok {
		return office{}, "", false
	}
	n, err := strconv.Atoi(code)
	if err != nil || n < 10 {
		return o, code, true
	}
	base := strconv.Itoa((n-10)/50*50 + 10)
	return o, strings.Repeat("0", 4-len(base)) + base, true
}
