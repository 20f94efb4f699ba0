package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"path"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"countersign/internal/fault"
	"countersign/internal/locale"
)

// Limits of a file: far above any real form, low enough that a hostile one costs little.
const (
	maxFileSize = 256 << 10
	maxDepth    = 24
	maxRefusals = 50
	maxItems    = 2000
	maxText     = 4000
)

// reader reads YAML strictly and collects every refusal, so that an author sees all of them at once.
type reader struct {
	refusals []*fault.Error
}

// yamlFile is one parsed file.
type yamlFile struct {
	label string // as named in messages
	root  *yaml.Node
}

// refuse notes why a file is refused.
func (r *reader) refuse(code, file string, line int, args fault.Args) {
	if len(r.refusals) >= maxRefusals {
		return
	}
	all := fault.Args{"file": file, "line": strconv.Itoa(line)}
	for k, v := range args {
		all[k] = shorten(v)
	}
	r.refusals = append(r.refusals, fault.New(fault.Invalid, code, all))
}

func (r *reader) err() error {
	errs := make([]error, len(r.refusals))
	for i, f := range r.refusals {
		errs[i] = f
	}
	return errors.Join(errs...)
}

// shorten keeps what a hostile file says from filling a message; control characters become spaces.
func shorten(s string) string {
	s = strings.Map(func(c rune) rune {
		if forbidden(c) {
			return ' '
		}
		return c
	}, s)
	if c := []rune(s); len(c) > 120 {
		s = string(c[:118]) + ".."
	}
	return s
}

// files parses every *.yaml file of a folder. A folder that is not there holds none.
func (r *reader) files(dir fs.FS, folder, prefix string) map[string]*yamlFile {
	out := make(map[string]*yamlFile)
	entries, err := fs.ReadDir(dir, folder)
	if err != nil {
		if folder == "." || !errors.Is(err, fs.ErrNotExist) {
			r.refuse("catalog.unreadable", prefix+folder, 0, fault.Args{"cause": err.Error()})
		}
		return out
	}
	for _, e := range entries {
		if e.IsDir() || path.Ext(e.Name()) != ".yaml" {
			continue
		}
		name := path.Join(folder, e.Name())
		if root, ok := r.parse(dir, name, prefix+name); ok {
			out[e.Name()] = &yamlFile{label: prefix + name, root: root}
		}
	}
	return out
}

// parse reads one file: one document, a mapping, no anchors or aliases.
func (r *reader) parse(dir fs.FS, name, label string) (*yaml.Node, bool) {
	file, err := dir.Open(name)
	if err != nil {
		r.refuse("catalog.unreadable", label, 0, fault.Args{"cause": err.Error()})
		return nil, false
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFileSize+1))
	if err != nil {
		r.refuse("catalog.unreadable", label, 0, fault.Args{"cause": err.Error()})
		return nil, false
	}
	if len(data) > maxFileSize {
		r.refuse("catalog.too_big", label, 1, fault.Args{"limit": strconv.Itoa(maxFileSize >> 10)})
		return nil, false
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := decoder.Decode(&doc); err != nil {
		line, cause := yamlLine(err)
		r.refuse("catalog.not_yaml", label, line, fault.Args{"cause": cause})
		return nil, false
	}
	var second yaml.Node
	if err := decoder.Decode(&second); err != io.EOF {
		r.refuse("catalog.many_documents", label, max(second.Line, 1), nil)
		return nil, false
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		r.refuse("catalog.not_mapping", label, max(doc.Line, 1), fault.Args{"key": "/"})
		return nil, false
	}
	if bad, code := unsafeNode(doc.Content[0], 0); bad != nil {
		r.refuse(code, label, bad.Line, nil)
		return nil, false
	}
	return doc.Content[0], true
}

var lineInError = regexp.MustCompile(`^yaml: line ([0-9]{1,7}): `)

// yamlLine takes the line out of a syntax error.
func yamlLine(err error) (line int, cause string) {
	cause = err.Error()
	if m := lineInError.FindStringSubmatch(cause); m != nil {
		line, _ = strconv.Atoi(m[1])
		return line, cause[len(m[0]):]
	}
	return 1, strings.TrimPrefix(cause, "yaml: ")
}

// unsafeNode finds what a service file may not use: aliases, anchors, depth.
func unsafeNode(n *yaml.Node, depth int) (*yaml.Node, string) {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return n, "catalog.alias"
	}
	if depth > maxDepth {
		return n, "catalog.too_deep"
	}
	if len(n.Content) > maxItems {
		return n, "catalog.too_long"
	}
	for _, c := range n.Content {
		if bad, code := unsafeNode(c, depth+1); bad != nil {
			return bad, code
		}
	}
	return nil, ""
}

// slot is one value of a mapping with the file that it stands in; a field may draw on two files.
type slot struct {
	node *yaml.Node
	file string
	line int
}

// mapping is one YAML mapping, read strictly: each key is asked for, and done refuses those that nobody asked for.
type mapping struct {
	r     *reader
	file  string
	line  int
	path  string
	slots map[string]slot
	known map[string]bool
}

// mapping opens a node as a mapping; anything else is refused and reads as empty.
func (r *reader) mapping(file, where string, n *yaml.Node) *mapping {
	m := &mapping{r: r, file: file, line: n.Line, path: where, slots: map[string]slot{}, known: map[string]bool{}}
	if n.Kind != yaml.MappingNode {
		r.refuse("catalog.not_mapping", file, n.Line, fault.Args{"key": where})
		return m
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode {
			r.refuse("catalog.bad_key", file, key.Line, fault.Args{"key": where})
			continue
		}
		if _, dup := m.slots[key.Value]; dup {
			r.refuse("catalog.key_twice", file, key.Line, fault.Args{"key": m.at(key.Value)})
			continue
		}
		m.slots[key.Value] = slot{node: n.Content[i+1], file: file, line: key.Line}
	}
	return m
}

// under lays m over a template: what m has not is taken from the template.
func (m *mapping) under(template *mapping) {
	for key, s := range template.slots {
		if _, own := m.slots[key]; !own {
			m.slots[key] = s
		}
	}
}

func (m *mapping) at(key string) string {
	if m.path == "" {
		return key
	}
	return m.path + "." + key
}

func (m *mapping) has(key string) bool {
	m.known[key] = true
	_, ok := m.slots[key]
	return ok
}

// refuse notes a refusal at the line of the key, or of the mapping when the key is not there.
func (m *mapping) refuse(code, key string, args fault.Args) {
	file, line := m.file, m.line
	if s, ok := m.slots[key]; ok {
		file, line = s.file, s.node.Line
	}
	all := fault.Args{"key": m.at(key)}
	for k, v := range args {
		all[k] = v
	}
	m.r.refuse(code, file, line, all)
}

// need refuses when a key is missing.
func (m *mapping) need(key string) bool {
	if m.has(key) {
		return true
	}
	m.refuse("catalog.missing", key, nil)
	return false
}

// done refuses every key that was not asked for.
func (m *mapping) done() {
	var unknown []string
	for key := range m.slots {
		if !m.known[key] {
			unknown = append(unknown, key)
		}
	}
	sort.Slice(unknown, func(i, j int) bool { return m.slots[unknown[i]].line < m.slots[unknown[j]].line })
	known := make([]string, 0, len(m.known))
	for key := range m.known {
		known = append(known, key)
	}
	sort.Strings(known)
	for _, key := range unknown {
		m.r.refuse("catalog.unknown_key", m.slots[key].file, m.slots[key].line,
			fault.Args{"key": m.at(key), "known": nearest(key, known)})
	}
}

// nearest puts the known key that looks most like the unknown one first.
func nearest(key string, known []string) string {
	best, bestDistance := "", 3
	for _, k := range known {
		if d := distance(key, k); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	if best != "" {
		return best
	}
	return strings.Join(known, ", ")
}

// distance is the edit distance of two short words.
func distance(a, b string) int {
	if len(a) > 40 || len(b) > 40 {
		return 40
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}

// scalar returns the node of a key when it is a scalar of one of the given YAML types.
func (m *mapping) scalar(key, want string, tags ...string) (string, bool) {
	if !m.has(key) {
		return "", false
	}
	n := m.slots[key].node
	if n.Kind == yaml.ScalarNode {
		for _, tag := range tags {
			if n.ShortTag() == tag {
				return n.Value, true
			}
		}
	}
	m.refuse("catalog.bad_type", key, fault.Args{"want": want, "got": shorten(n.Value)})
	return "", false
}

// text reads a text of one line or more.
func (m *mapping) text(key string) string {
	s, ok := m.scalar(key, "text", "!!str")
	if !ok {
		return ""
	}
	return m.clean(key, s)
}

func (m *mapping) clean(key, s string) string {
	out, bad := normal(s, true)
	if bad {
		m.refuse("catalog.bad_text", key, nil)
		return ""
	}
	if len(out) > maxText {
		m.refuse("catalog.text_long", key, fault.Args{"limit": strconv.Itoa(maxText)})
		return ""
	}
	if out == "" {
		m.refuse("catalog.empty", key, nil)
	}
	return out
}

// figure reads a plain decimal number and returns its canonical form.
func (m *mapping) figure(key string) string {
	s, ok := m.scalar(key, "number", "!!int", "!!float", "!!str")
	if !ok {
		return ""
	}
	v, good := plain(s)
	if !good {
		m.refuse("catalog.bad_type", key, fault.Args{"want": "number", "got": s})
		return ""
	}
	return v
}

// whole reads a whole number between two limits.
func (m *mapping) whole(key string, low, high int) int {
	s, ok := m.scalar(key, "whole number", "!!int")
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high {
		m.refuse("catalog.bad_range", key, fault.Args{"got": s, "low": strconv.Itoa(low), "high": strconv.Itoa(high)})
		return low
	}
	return n
}

// flag reads true or false, or the default when the key is missing.
func (m *mapping) flag(key string, missing bool) bool {
	if !m.has(key) {
		return missing
	}
	s, _ := m.scalar(key, "true / false", "!!bool")
	return strings.EqualFold(s, "true")
}

// date reads a day.
func (m *mapping) date(key string) time.Time {
	s, ok := m.scalar(key, "date", "!!timestamp", "!!str")
	if !ok {
		return time.Time{}
	}
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		m.refuse("catalog.bad_type", key, fault.Args{"want": "date 2026-11-21", "got": s})
		return time.Time{}
	}
	return dateOf(d)
}

// items returns the nodes of a list.
func (m *mapping) items(key string) []slot {
	if !m.has(key) {
		return nil
	}
	s := m.slots[key]
	if s.node.Kind != yaml.SequenceNode {
		m.refuse("catalog.bad_type", key, fault.Args{"want": "list", "got": shorten(s.node.Value)})
		return nil
	}
	out := make([]slot, len(s.node.Content))
	for i, n := range s.node.Content {
		out[i] = slot{node: n, file: s.file, line: n.Line}
	}
	return out
}

// mappings returns the mappings of a list.
func (m *mapping) mappings(key string) []*mapping {
	var out []*mapping
	for i, s := range m.items(key) {
		out = append(out, m.r.mapping(s.file, fmt.Sprintf("%s[%d]", m.at(key), i+1), s.node))
	}
	return out
}

// sub returns the mapping under a key, nil when there is none.
func (m *mapping) sub(key string) *mapping {
	if !m.has(key) {
		return nil
	}
	s := m.slots[key]
	return m.r.mapping(s.file, m.at(key), s.node)
}

// texts reads a list of texts.
func (m *mapping) texts(key string) []string {
	var out []string
	for _, s := range m.items(key) {
		if s.node.Kind != yaml.ScalarNode || (s.node.ShortTag() != "!!str" && s.node.ShortTag() != "!!int") {
			m.r.refuse("catalog.bad_type", s.file, s.line, fault.Args{"key": m.at(key), "want": "text", "got": s.node.Value})
			continue
		}
		out = append(out, m.clean(key, s.node.Value))
	}
	return out
}

// word reads a text that must be one of a few.
func (m *mapping) word(key string, allowed ...string) string {
	s := m.text(key)
	if s == "" {
		return ""
	}
	for _, a := range allowed {
		if s == a {
			return s
		}
	}
	m.refuse("catalog.not_allowed", key, fault.Args{"got": s, "known": strings.Join(allowed, ", ")})
	return ""
}

// words reads a text in several languages: a mapping by language. Vietnamese and the service's own language must
// be there.
func (m *mapping) words(key string, own locale.Lang) Text {
	if !m.has(key) {
		return nil
	}
	s := m.slots[key]
	return m.r.words(s.file, m.at(key), s.node, own)
}

func (r *reader) words(file, where string, n *yaml.Node, own locale.Lang) Text {
	m := r.mapping(file, where, n)
	out := Text{}
	for _, l := range locale.Langs {
		if m.has(string(l)) {
			out[l] = m.text(string(l))
		}
	}
	m.done()
	if n.Kind == yaml.MappingNode {
		for _, l := range []locale.Lang{locale.Vietnamese, own} {
			if _, ok := out[l]; !ok && l != "" {
				m.refuse("catalog.language_missing", string(l), fault.Args{"key": where, "lang": string(l)})
			}
		}
	}
	return out
}

// plain brings a plain decimal to canonical form: no plus, no needless zeros, a point.
func plain(s string) (string, bool) {
	if s == "" || len(s) > 24 {
		return "", false
	}
	for i, c := range s {
		if !(c >= '0' && c <= '9') && c != '.' && (c != '-' || i != 0) {
			return "", false
		}
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return "", false
	}
	return decimal(r, 9), true
}

// decimal writes r with at most the given decimals, rounded half away from zero, without needless zeros.
func decimal(r *big.Rat, decimals int) string {
	s := r.FloatString(decimals)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if s == "-0" || s == "" {
		return "0"
	}
	return s
}
