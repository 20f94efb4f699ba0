package pdf

import (
	"bytes"
	"encoding/binary"
	"strconv"
)

// lexer reads values from buf. budget counts down the values that a file may still have.
type lexer struct {
	buf    []byte
	pos    int
	budget *int
	store  *store // nil: the lexer makes its own
}

// store is where the items of arrays and the pairs of dictionaries lie that a file's values consist of. A file has
// thousands of short ones, so they share blocks. It also has the room in which they are gathered.
type store struct {
	items, open []Value // the block that is being filled; the arrays that are being read, innermost last
	pairs, keys []Pair  // the same for dictionaries
}

// The first block of a store holds so many; each further one twice as many, up to the most.
const (
	blockFirst = 24
	blockMost  = 256
)

func newStore() store {
	return store{open: make([]Value, 0, blockFirst), keys: make([]Pair, 0, blockFirst)}
}

func (l *lexer) stored() {
	if l.store == nil {
		l.store = &store{}
	}
}

// keepItems ends the array that began at the given place among the open ones.
func (s *store) keepItems(from int) []Value {
	var kept []Value
	s.items, kept = place(s.items, len(s.open)-from)
	kept = append(kept, s.open[from:]...)
	s.open = s.open[:from]
	return kept
}

// keepPairs ends the dictionary that began at the given place among the open ones.
func (s *store) keepPairs(from int) []Pair {
	var kept []Pair
	s.pairs, kept = place(s.pairs, len(s.keys)-from)
	kept = append(kept, s.keys[from:]...)
	s.keys = s.keys[:from]
	return kept
}

// place takes n from the block, or from a new one when they don't fit, and returns the block and the empty place. What is
// long has a place of its own, so that little of a block is lost.
func place[T any](block []T, n int) (rest, taken []T) {
	if n > blockMost/8 {
		return block, make([]T, 0, n)
	}
	if block == nil || cap(block)-len(block) < n {
		block = make([]T, 0, max(n, min(max(blockFirst, 2*cap(block)), blockMost)))
	}
	at := len(block)
	return block[:at+n], block[at : at : at+n]
}

// The classes of byte (ISO 32000-1 §7.2.2).
func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == 0 || c == '\f'
}

func isDelimiter(c byte) bool {
	switch c {
	case '(', ')', '<', '>', '[', ']', '{', '}', '/', '%':
		return true
	}
	return false
}

func isRegular(c byte) bool { return !isSpace(c) && !isDelimiter(c) }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// space steps over white space and comments.
func (l *lexer) space() {
	for l.pos < len(l.buf) {
		c := l.buf[l.pos]
		if c == '%' {
			for l.pos < len(l.buf) && l.buf[l.pos] != '\n' && l.buf[l.pos] != '\r' {
				l.pos++
			}
			continue
		}
		if !isSpace(c) {
			return
		}
		l.pos++
	}
}

// keyword steps over the given word, which must stand alone.
func (l *lexer) keyword(word string) bool {
	l.space()
	end := l.pos + len(word)
	if end > len(l.buf) || string(l.buf[l.pos:end]) != word || end < len(l.buf) && isRegular(l.buf[end]) {
		return false
	}
	l.pos = end
	return true
}

// number reads a plain decimal number of at most 15 digits.
func (l *lexer) number() (int, bool) {
	l.space()
	start, n := l.pos, 0
	for l.pos < len(l.buf) && isDigit(l.buf[l.pos]) && l.pos-start < 15 {
		n = n*10 + int(l.buf[l.pos]-'0')
		l.pos++
	}
	if l.pos == start || l.pos < len(l.buf) && isRegular(l.buf[l.pos]) {
		l.pos = start
		return 0, false
	}
	return n, true
}

// value reads one value.
func (l *lexer) value(depth int) (Value, error) {
	l.space()
	if depth > maxDepth {
		return Value{}, tooLarge(l.pos, "values are nested more than %d deep", maxDepth)
	}
	if *l.budget--; *l.budget < 0 {
		return Value{}, tooLarge(l.pos, "it has more than %d values", maxValues)
	}
	if l.pos >= len(l.buf) {
		return Value{}, malformed(l.pos, "a value is missing")
	}
	v := Value{Start: l.pos}
	var err error
	switch c := l.buf[l.pos]; {
	case c == '/':
		err = l.name(&v)
	case c == '(':
		err = l.literal(&v)
	case c == '<' && l.pos+1 < len(l.buf) && l.buf[l.pos+1] == '<':
		err = l.dict(&v, depth)
	case c == '<':
		err = l.hex(&v)
	case c == '[':
		err = l.array(&v, depth)
	case isDigit(c) || c == '+' || c == '-' || c == '.':
		err = l.numeric(&v)
	default:
		err = l.word(&v)
	}
	v.End = l.pos
	return v, err
}

func (l *lexer) word(v *Value) error {
	switch {
	case l.keyword("true"):
		v.Kind, v.Int = Bool, 1
	case l.keyword("false"):
		v.Kind = Bool
	case l.keyword("null"):
		v.Kind = Null
	default:
		return malformed(l.pos, "byte %q begins no value", l.buf[l.pos])
	}
	return nil
}

func (l *lexer) name(v *Value) error {
	l.pos++
	start, escaped := l.pos, false
	for l.pos < len(l.buf) && isRegular(l.buf[l.pos]) {
		escaped = escaped || l.buf[l.pos] == '#'
		l.pos++
	}
	v.Kind, v.Raw = Name, l.buf[start:l.pos]
	if !escaped {
		return nil
	}
	var out []byte
	for i := 0; i < len(v.Raw); i++ {
		if v.Raw[i] != '#' {
			out = append(out, v.Raw[i])
			continue
		}
		if i+2 >= len(v.Raw) {
			return malformed(start+i, "a name's escape is cut short")
		}
		high, ok1 := hexDigit(v.Raw[i+1])
		low, ok2 := hexDigit(v.Raw[i+2])
		if !ok1 || !ok2 || high == 0 && low == 0 {
			return malformed(start+i, "a name's escape is not a hexadecimal number above 0")
		}
		out = append(out, high<<4|low)
		i += 2
	}
	v.Raw = out
	return nil
}

func (l *lexer) literal(v *Value) error {
	start, open := l.pos, 0
	for ; l.pos < len(l.buf); l.pos++ {
		switch l.buf[l.pos] {
		case '\\':
			l.pos++
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				l.pos++
				v.Kind, v.Raw = String, l.buf[start:l.pos]
				return nil
			}
		}
	}
	l.pos = len(l.buf)
	return malformed(start, "a string does not end")
}

func (l *lexer) hex(v *Value) error {
	start := l.pos
	end := bytes.IndexByte(l.buf[start:], '>')
	if end < 0 {
		return malformed(start, "a hexadecimal string does not end")
	}
	digits := l.buf[start+1 : start+end]
	// Nearly all that is read here is the zeros behind signatures.
	const eight = 0x3030303030303030
	for len(digits) >= 8 && binary.LittleEndian.Uint64(digits[len(digits)-8:]) == eight {
		digits = digits[:len(digits)-8]
	}
	for i, c := range digits {
		if digit := c-'0' <= 9 || c|0x20 >= 'a' && c|0x20 <= 'f'; !digit && !isSpace(c) {
			return malformed(start+1+i, "byte %q is in a hexadecimal string", c)
		}
	}
	l.pos = start + end + 1
	v.Kind, v.Raw = String, l.buf[start:l.pos]
	return nil
}

func (l *lexer) array(v *Value, depth int) error {
	v.Kind = Array
	l.pos++
	l.stored()
	if n, plain, ok := l.numbers(); ok {
		return l.flat(v, n, plain, depth)
	}
	bottom := len(l.store.open)
	for {
		l.space()
		if l.pos < len(l.buf) && l.buf[l.pos] == ']' {
			l.pos++
			v.Items = l.store.keepItems(bottom)
			return nil
		}
		item, err := l.value(depth + 1)
		if err != nil {
			return err
		}
		l.store.open = append(l.store.open, item)
	}
}

// numbers reports whether an array, whose bracket was just read, holds only numbers and references, how many, and whether
// it is plain: without a reference. More than the file may have are not looked for a place; reading them fails.
func (l *lexer) numbers() (count int, plain, ok bool) {
	apart, plain := true, true
	for _, c := range l.buf[l.pos:] {
		switch {
		case isDigit(c) || c == '.' || c == '-' || c == '+':
			if apart {
				count++
			}
			apart = false
		case isSpace(c):
			apart = true
		case c == 'R': // the two numbers before it are not values of their own
			count--
			apart, plain = false, false
		case c == ']':
			return max(count, 0), plain, count <= *l.budget
		default:
			return 0, false, false
		}
	}
	return 0, false, false
}

// flat reads an array of about n numbers and references. Widths of fonts are such, thousands in a file: they are read
// into the place where they stay.
func (l *lexer) flat(v *Value, n int, plain bool, depth int) error {
	l.store.items, v.Items = place(l.store.items, n)
	for {
		l.space()
		if l.buf[l.pos] == ']' { // numbers saw it
			l.pos++
			return nil
		}
		if plain && depth < maxDepth && *l.budget > 0 {
			if item, ok := l.count(); ok {
				*l.budget--
				v.Items = append(v.Items, item)
				continue
			}
		}
		item, err := l.value(depth + 1)
		if err != nil {
			return err
		}
		v.Items = append(v.Items, item)
	}
}

// count reads a short whole number that no reference can begin with. Others are left to value.
func (l *lexer) count() (Value, bool) {
	at, n := l.pos, int64(0)
	for at < len(l.buf) && isDigit(l.buf[at]) && at-l.pos < 15 {
		n = n*10 + int64(l.buf[at]-'0')
		at++
	}
	if at == l.pos || at < len(l.buf) && isRegular(l.buf[at]) {
		return Value{}, false
	}
	v := Value{Kind: Integer, Int: n, Start: l.pos, End: at, Raw: l.buf[l.pos:at]}
	l.pos = at
	return v, true
}

func (l *lexer) dict(v *Value, depth int) error {
	v.Kind = Dict
	l.pos += 2
	l.stored()
	bottom := len(l.store.keys)
	for {
		l.space()
		if l.pos+1 < len(l.buf) && l.buf[l.pos] == '>' && l.buf[l.pos+1] == '>' {
			l.pos += 2
			v.Pairs = l.store.keepPairs(bottom)
			return v.unique()
		}
		if l.pos >= len(l.buf) || l.buf[l.pos] != '/' {
			return malformed(l.pos, "a dictionary's key is missing")
		}
		key := Value{Start: l.pos}
		if err := l.name(&key); err != nil {
			return err
		}
		item, err := l.value(depth + 1)
		if err != nil {
			return err
		}
		l.store.keys = append(l.store.keys, Pair{Key: key.Raw, Start: key.Start, Value: item})
	}
}

// unique refuses a dictionary with a key given twice: readers differ in which one counts.
func (v *Value) unique() error {
	if len(v.Pairs) <= 16 {
		for i := range v.Pairs {
			for j := range i {
				if bytes.Equal(v.Pairs[i].Key, v.Pairs[j].Key) {
					return malformed(v.Pairs[i].Start, "key /%s is given twice", v.Pairs[i].Key)
				}
			}
		}
		return nil
	}
	seen := make(map[string]bool, len(v.Pairs))
	for _, p := range v.Pairs {
		if seen[string(p.Key)] {
			return malformed(p.Start, "key /%s is given twice", p.Key)
		}
		seen[string(p.Key)] = true
	}
	return nil
}

// numeric reads an integer, a real number or a reference.
func (l *lexer) numeric(v *Value) error {
	start := l.pos
	if c := l.buf[l.pos]; c == '+' || c == '-' {
		l.pos++
	}
	digits, dots := 0, 0
	for l.pos < len(l.buf) && isRegular(l.buf[l.pos]) {
		switch c := l.buf[l.pos]; {
		case isDigit(c):
			digits++
		case c == '.':
			dots++
		default:
			return malformed(l.pos, "byte %q is in a number", c)
		}
		l.pos++
	}
	v.Raw = l.buf[start:l.pos]
	if digits == 0 || dots > 1 || len(v.Raw) > 40 {
		return malformed(start, "%.40q is not a number", v.Raw)
	}
	if dots == 1 {
		v.Kind = Real
		return nil
	}
	v.Kind = Integer
	for _, c := range v.Raw {
		if isDigit(c) {
			if v.Int > (1<<62)/10 {
				return malformed(start, "number %.40q is too large", v.Raw)
			}
			v.Int = v.Int*10 + int64(c-'0')
		}
	}
	if v.Raw[0] == '-' {
		v.Int = -v.Int
	}
	if isDigit(v.Raw[0]) {
		l.reference(v)
	}
	return nil
}

// reference turns the integer just read into a reference when a generation and R follow it.
func (l *lexer) reference(v *Value) {
	after := l.pos
	if l.pos < len(l.buf) && isSpace(l.buf[l.pos]) {
		l.space()
		if l.pos < len(l.buf) && isDigit(l.buf[l.pos]) {
			if gen, ok := l.number(); ok && gen < 65536 && l.pos < len(l.buf) && isSpace(l.buf[l.pos]) && l.keyword("R") {
				v.Kind, v.Gen = Reference, uint16(gen)
				return
			}
		}
	}
	l.pos = after
}

// Float returns the value of an Integer or a Real.
func (v Value) Float() (float64, bool) {
	switch v.Kind {
	case Integer:
		return float64(v.Int), true
	case Real:
		f, err := strconv.ParseFloat(string(v.Raw), 64)
		return f, err == nil
	}
	return 0, false
}
