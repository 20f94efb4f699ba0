package pdf

import (
	"bytes"
	"slices"
)

// Kind tells the kinds of value apart.
type Kind uint8

// The kinds of value.
const (
	Null Kind = iota
	Bool
	Integer
	Real
	String
	Name
	Array
	Dict
	Stream
	Reference
)

// Value is one PDF value as it stands in the file.
type Value struct {
	Kind       Kind
	Gen        uint16  // of Reference
	Start, End int     // span of its token; within the decoded container for objects in object streams
	Int        int64   // of Integer; the object number of Reference; 1 for true
	Raw        []byte  // the token of String, with its delimiters; of Name without the slash; of Real; a Stream's data as stored
	Items      []Value // of Array
	Pairs      []Pair  // of Dict and Stream, in file order
}

// Pair is an entry of a dictionary.
type Pair struct {
	Key   []byte // without the slash
	Start int    // where the key's slash is
	Value Value
}

// Get returns the value of a key, Null when there is none.
func (v Value) Get(key string) Value {
	for i := range v.Pairs {
		if string(v.Pairs[i].Key) == key {
			return v.Pairs[i].Value
		}
	}
	return Value{}
}

// Is reports whether v is the given name.
func (v Value) Is(name string) bool { return v.Kind == Name && string(v.Raw) == name }

// Equal reports whether two values mean the same: dictionaries without regard to order, streams with their stored
// bytes, references by number.
func (v Value) Equal(w Value) bool {
	if v.Kind != w.Kind || v.Int != w.Int || v.Gen != w.Gen {
		return false
	}
	switch v.Kind {
	case Real, Name:
		return bytes.Equal(v.Raw, w.Raw)
	case String:
		return bytes.Equal(v.Bytes(), w.Bytes())
	case Array:
		return slices.EqualFunc(v.Items, w.Items, Value.Equal)
	case Dict, Stream:
		return (v.Kind == Dict || bytes.Equal(v.Raw, w.Raw)) && equalPairs(v.Pairs, w.Pairs)
	}
	return true
}

// equalPairs compares dictionaries, whose keys are unique, in any order.
func equalPairs(a, b []Pair) bool {
	if len(a) != len(b) {
		return false
	}
	byKey := make(map[string]Value, len(b))
	for _, p := range b {
		byKey[string(p.Key)] = p.Value
	}
	for _, p := range a {
		if o, ok := byKey[string(p.Key)]; !ok || !p.Value.Equal(o) {
			return false
		}
	}
	return true
}

// Bytes returns what a String token stands for, nil for other kinds.
func (v Value) Bytes() []byte {
	if v.Kind != String || len(v.Raw) < 2 {
		return nil
	}
	in := v.Raw[1 : len(v.Raw)-1]
	if v.Raw[0] == '<' {
		return unhex(in)
	}
	out := make([]byte, 0, len(in))
	for i := 0; i < len(in); i++ {
		c := in[i]
		if c == '\r' { // a line end in a string reads as \n, however it was written
			if i+1 < len(in) && in[i+1] == '\n' {
				i++
			}
			c = '\n'
		}
		if c != '\\' {
			out = append(out, c)
			continue
		}
		i++
		if i == len(in) {
			break
		}
		switch c = in[i]; c {
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case '\r':
			if i+1 < len(in) && in[i+1] == '\n' {
				i++
			}
		case '\n':
		case '0', '1', '2', '3', '4', '5', '6', '7':
			n := int(c - '0')
			for k := 0; k < 2 && i+1 < len(in) && in[i+1] >= '0' && in[i+1] <= '7'; k++ {
				i++
				n = n*8 + int(in[i]-'0')
			}
			out = append(out, byte(n))
		default:
			out = append(out, c)
		}
	}
	return out
}

func unhex(in []byte) []byte {
	out := make([]byte, 0, len(in)/2+1)
	var high byte
	half := false
	for _, c := range in {
		d, ok := hexDigit(c)
		if !ok {
			continue
		}
		if half {
			out = append(out, high<<4|d)
		} else {
			high = d
		}
		half = !half
	}
	if half {
		out = append(out, high<<4)
	}
	return out
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
