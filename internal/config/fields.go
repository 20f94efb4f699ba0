package config

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// field is one key of the configuration, read from the tags of Config:
//
//	koanf    the key's name within its section
//	default  its value when nobody sets it
//	is       "path" for a file or folder, or a list of them
//	one      the values that it may have
//	min max  the numbers between which it may be
//	var      its variable, when the terminals know it by a shorter name
//	doc      what the documentation says
type field struct {
	key   string // mail.password_file
	value reflect.Value
	tag   reflect.StructTag
}

// section is a table of the file.
type section struct {
	name   string
	doc    string
	list   bool          // [[units]]
	items  reflect.Value // of a list: the slice
	fields []field
}

// sections returns the tables of c with their keys, in the order of the file. A list has one field for each key of its
// items, without a value.
func (c *Config) sections() []section {
	var out []section
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		s := section{name: f.Tag.Get("koanf"), doc: f.Tag.Get("doc"), list: f.Type.Kind() == reflect.Slice}
		if s.list {
			s.items = v.Field(i)
			for j := range f.Type.Elem().NumField() {
				item := f.Type.Elem().Field(j)
				s.fields = append(s.fields, field{key: item.Tag.Get("koanf"), value: reflect.New(item.Type).Elem(), tag: item.Tag})
			}
		} else {
			for j := range f.Type.NumField() {
				tag := f.Type.Field(j).Tag
				s.fields = append(s.fields, field{key: s.name + "." + tag.Get("koanf"), value: v.Field(i).Field(j), tag: tag})
			}
		}
		out = append(out, s)
	}
	return out
}

// single returns every key that is not in a list: what variables and flags may set.
func (c *Config) single() map[string]field {
	out := map[string]field{}
	for _, s := range c.sections() {
		if s.list {
			continue
		}
		for _, f := range s.fields {
			out[f.key] = f
		}
	}
	return out
}

// variable is the name of the environment variable for a key.
func (f field) variable() string {
	if name := f.tag.Get("var"); name != "" {
		return name
	}
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(f.key, ".", "_"))
}

// kind says in one word what a key's value is.
func (f field) kind() string {
	switch {
	case f.tag.Get("is") == "path" && f.value.Kind() == reflect.String:
		return "path"
	case f.value.Kind() == reflect.Int:
		return "number"
	case f.value.Kind() == reflect.Slice:
		return "list"
	}
	return "text"
}

// want is an example or a description of what the key may have, for a refusal.
func (f field) want() string {
	switch {
	case f.tag.Get("one") != "":
		return strings.ReplaceAll(f.tag.Get("one"), " ", " | ")
	case f.kind() == "number":
		return f.tag.Get("min") + " - " + f.tag.Get("max")
	case f.kind() == "list":
		return `["...", "..."]`
	}
	return `"..."`
}

// set takes a value over, as the TOML parser returns it.
func (f field) set(value any) error {
	switch f.value.Kind() {
	case reflect.String:
		s, ok := value.(string)
		if !ok || strings.ContainsRune(s, 0) {
			return wrong(f.key, fmt.Sprint(value), f.want())
		}
		if one := f.tag.Get("one"); one != "" && !slices.Contains(strings.Fields(one), s) {
			return wrong(f.key, s, f.want())
		}
		f.value.SetString(s)
	case reflect.Int:
		n, ok := value.(int64)
		low, _ := strconv.ParseInt(f.tag.Get("min"), 10, 64)
		high, _ := strconv.ParseInt(f.tag.Get("max"), 10, 64)
		if !ok || n < low || n > high {
			return wrong(f.key, fmt.Sprint(value), f.want())
		}
		f.value.SetInt(n)
	case reflect.Slice:
		items, ok := value.([]any)
		if !ok {
			return wrong(f.key, fmt.Sprint(value), f.want())
		}
		var list []string // an empty list is none
		for _, item := range items {
			s, ok := item.(string)
			if !ok || s == "" {
				return wrong(f.key, fmt.Sprint(item), f.want())
			}
			list = append(list, s)
		}
		f.value.Set(reflect.ValueOf(list))
	default:
		panic("config: field " + f.key + " has a type that no key can have")
	}
	return nil
}

// parse turns the text of a variable or flag into what the TOML parser would return.
func (f field) parse(text string) (any, error) {
	switch f.value.Kind() {
	case reflect.Int:
		n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		if err != nil {
			return nil, wrong(f.key, text, f.want())
		}
		return n, nil
	case reflect.Slice:
		list := []any{}
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
		return list, nil
	}
	return text, nil
}

// String prints the configuration as the file would have it. Addresses lose a password that somebody put into them.
func (c Config) String() string {
	var b strings.Builder
	for _, s := range c.sections() {
		if s.list {
			for k := range s.items.Len() {
				v := s.items.Index(k)
				fmt.Fprintf(&b, "[[%s]]\n", s.name)
				for i := range v.NumField() {
					fmt.Fprintf(&b, "%s = %s\n", v.Type().Field(i).Tag.Get("koanf"), literal(v.Field(i)))
				}
				b.WriteByte('\n')
			}
			continue
		}
		fmt.Fprintf(&b, "[%s]\n", s.name)
		for _, f := range s.fields {
			fmt.Fprintf(&b, "%s = %s\n", strings.TrimPrefix(f.key, s.name+"."), literal(f.value))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// literal is a value in TOML.
func literal(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Int:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Slice:
		var parts []string
		for i := range v.Len() {
			parts = append(parts, quote(redacted(v.Index(i).String())))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return quote(redacted(v.String()))
}

// quote makes a TOML basic string.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// redacted hides the password in an address.
func redacted(s string) string {
	if !strings.Contains(s, "@") || !strings.Contains(s, "://") {
		return s
	}
	u, err := url.Parse(s)
	if err != nil {
		// What can't be read can't be cleaned either.
		return "xxxxx"
	}
	return u.Redacted()
}
