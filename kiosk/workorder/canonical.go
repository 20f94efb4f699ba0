package workorder

import (
	"fmt"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"countersign/internal/clock"
)

// canonical writes a value as JSON in the one form that is hashed and attached. It knows what Content and Evidence
// are made of: structs, slices, texts, whole numbers, truth values and times. A zero time is left out, and so is what
// is empty and marked omitempty.
func canonical(v any) ([]byte, error) {
	return appendValue(make([]byte, 0, 8<<10), reflect.ValueOf(v))
}

var timeType = reflect.TypeFor[time.Time]()

func appendValue(b []byte, v reflect.Value) ([]byte, error) {
	if v.Type() == timeType {
		return appendString(b, v.Interface().(time.Time).In(clock.Vietnam).Format(time.RFC3339))
	}
	switch v.Kind() {
	case reflect.String:
		return appendString(b, v.String())
	case reflect.Int:
		return strconv.AppendInt(b, v.Int(), 10), nil
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool()), nil
	case reflect.Slice:
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			var err error
			if b, err = appendValue(b, v.Index(i)); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	case reflect.Struct:
		return appendStruct(b, v)
	}
	return nil, fmt.Errorf("canonical JSON has no form for %s", v.Type())
}

// key is a field of a struct with its JSON name.
type key struct {
	name     string
	index    int
	optional bool // left out when empty
}

// keysOf remembers the sorted keys of each struct type.
var keysOf sync.Map

func sortedKeys(t reflect.Type) []key {
	if known, ok := keysOf.Load(t); ok {
		return known.([]key)
	}
	var keys []key
	for i := range t.NumField() {
		if name, option, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "-" {
			keys = append(keys, key{name, i, option == "omitempty"})
		}
	}
	sort.Slice(keys, func(i, j int) bool { return keys[i].name < keys[j].name })
	keysOf.Store(t, keys)
	return keys
}

func appendStruct(b []byte, v reflect.Value) ([]byte, error) {
	b = append(b, '{')
	first := true
	for _, k := range sortedKeys(v.Type()) {
		if (k.optional || v.Field(k.index).Type() == timeType) && v.Field(k.index).IsZero() {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(b, '"')
		b = append(b, k.name...)
		b = append(b, '"', ':')
		var err error
		if b, err = appendValue(b, v.Field(k.index)); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

func appendString(b []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, fmt.Errorf("text %q is not UTF-8", s)
	}
	s = nfc(s)
	b = append(b, '"')
	for {
		i := strings.IndexFunc(s, func(r rune) bool { return r < 0x20 || r == '"' || r == '\\' })
		if i < 0 {
			b = append(b, s...)
			return append(b, '"'), nil
		}
		b = append(b, s[:i]...)
		switch c := s[i]; c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\t':
			b = append(b, '\\', 't')
		case '\r':
			b = append(b, '\\', 'r')
		default:
			b = fmt.Appendf(b, "\\u%04x", c)
		}
		s = s[i+1:]
	}
}
