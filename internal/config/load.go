package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strconv"
	"strings"

	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"

	"countersign/internal/fault"
)

// variablePrefix is in front of every environment variable that is ours.
const variablePrefix = "COUNTERSIGN_"

// fileMax is the greatest size of a configuration file in bytes.
const fileMax = 1 << 20

// Default is the configuration that nobody touched, with paths below the working directory.
func Default() *Config {
	c, err := Load("", nil, nil)
	if err != nil {
		panic("config: the defaults are not valid: " + err.Error())
	}
	return c
}

// Load reads the file at path ("" for none), then the variables in environ ("NAME=value", as os.Environ returns them),
// then flags, by key. Each later one replaces what an earlier one says. Faults: config.file, config.syntax,
// config.unknown, config.secret (a secret in the place of its file's name), config.value and those of the values.
func Load(path string, environ []string, flags map[string]string) (*Config, error) {
	c := &Config{}
	keys := c.single()
	all := koanf.New(".")
	if path != "" {
		if err := readFile(all, keys, path); err != nil {
			return nil, err
		}
	}
	if err := fromEnviron(all, keys, environ); err != nil {
		return nil, err
	}
	given := values{}
	for key, text := range flags {
		f, ok := keys[key]
		if !ok {
			return nil, unknown(key, "--"+key)
		}
		v, err := f.parse(text)
		if err != nil {
			return nil, err
		}
		given.put(key, v)
	}
	if err := all.Load(given, nil); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "internal", nil)
	}
	if err := c.decode(all, keys, path); err != nil {
		return nil, err
	}
	return c, c.check()
}

// values is a koanf.Provider of values that are there already.
type values map[string]any

func (v values) Read() (map[string]any, error) { return v, nil }

func (values) ReadBytes() ([]byte, error) { return nil, errors.New("values have no bytes") }

// put stores a value under section and name.
func (v values) put(key string, value any) {
	section, name, _ := strings.Cut(key, ".")
	table, ok := v[section].(map[string]any)
	if !ok {
		table = map[string]any{}
		v[section] = table
	}
	table[name] = value
}

func readFile(all *koanf.Koanf, keys map[string]field, path string) error {
	info, err := os.Stat(path)
	if err == nil && (!info.Mode().IsRegular() || info.Size() > fileMax) {
		err = errors.New("it is no file or too large")
	}
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "config.file", fault.Args{"file": path})
	}
	err = all.Load(file.Provider(path), toml.Parser())
	var at interface{ Position() (row, column int) }
	if errors.As(err, &at) {
		row, _ := at.Position()
		return fault.Wrap(err, fault.Invalid, "config.syntax", fault.Args{"file": path, "line": strconv.Itoa(row)})
	}
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "config.file", fault.Args{"file": path})
	}
	for key, f := range keys {
		if f.tag.Get("is") != "path" || !all.Exists(key) {
			continue
		}
		if err := all.Set(key, besideAll(path, all.Get(key))); err != nil {
			return fault.Wrap(err, fault.Internal, "internal", nil)
		}
	}
	return nil
}

// besideAll is beside for a path or a list of them; what is neither is refused later.
func besideAll(file string, value any) any {
	switch v := value.(type) {
	case string:
		return beside(file, v)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = besideAll(file, item)
		}
		return out
	}
	return value
}

// beside makes a relative path start at the folder of the configuration file. What variables and flags say starts at
// the working directory, as in every other program.
func beside(file, path string) string {
	if file == "" || path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(file), path)
}

// fromEnviron takes over our variables. One that is none of ours although it has our prefix is refused, because its
// author believes that it does something.
func fromEnviron(all *koanf.Koanf, keys map[string]field, environ []string) error {
	byVariable := map[string]string{}
	for key, f := range keys {
		byVariable[f.variable()] = key
	}
	var failed error
	provider := env.Provider(".", env.Opt{
		Prefix:      variablePrefix,
		EnvironFunc: func() []string { return environ },
		TransformFunc: func(name, text string) (string, any) {
			key, ok := byVariable[name]
			if !ok {
				failed = errors.Join(failed, unknown(strings.ToLower(strings.TrimPrefix(name, variablePrefix)), name))
				return "", nil
			}
			v, err := keys[key].parse(text)
			failed = errors.Join(failed, err)
			return key, v
		},
	})
	err := all.Load(provider, nil)
	return errors.Join(failed, err)
}

// unknown refuses a key by its name. Its value is not told: it may be a secret in the wrong place.
func unknown(key, where string) error {
	for _, word := range []string{"password", "passphrase", "token", "secret"} {
		if strings.HasSuffix(key, word) {
			return fault.New(fault.Invalid, "config.secret", fault.Args{"key": key, "where": where})
		}
	}
	return fault.New(fault.Invalid, "config.unknown", fault.Args{"key": key, "where": where})
}

// decode sets the defaults and then what was given, and refuses the rest.
func (c *Config) decode(all *koanf.Koanf, keys map[string]field, path string) error {
	for _, f := range keys {
		if text := f.tag.Get("default"); text != "" {
			if f.kind() == "path" {
				text = beside(path, text)
			}
			v, err := f.parse(text)
			if err != nil {
				return err
			}
			if err := f.set(v); err != nil {
				return err
			}
		}
	}
	lists := map[string]section{}
	for _, s := range c.sections() {
		if s.list {
			lists[s.name] = s
		}
	}
	given := all.Keys()
	sort.Strings(given)
	for _, key := range given {
		if _, ok := lists[key]; ok {
			continue
		}
		f, ok := keys[key]
		if !ok {
			return unknown(key, path)
		}
		if err := f.set(all.Get(key)); err != nil {
			return err
		}
	}
	for name, s := range lists {
		if err := s.decode(all.Get(name), path); err != nil {
			return err
		}
	}
	return nil
}

// decode fills a list's items, each with the defaults first.
func (s section) decode(given any, path string) error {
	if given == nil {
		return nil
	}
	tables, ok := given.([]any)
	if !ok {
		return wrong(s.name, "", "[["+s.name+"]]")
	}
	for i, table := range tables {
		prefix := s.name + "[" + strconv.Itoa(i+1) + "]."
		m, ok := table.(map[string]any)
		if !ok {
			return wrong(s.name, "", "[["+s.name+"]]")
		}
		item := reflect.New(s.items.Type().Elem()).Elem()
		for j := range item.NumField() {
			tag := item.Type().Field(j).Tag
			f := field{key: prefix + tag.Get("koanf"), value: item.Field(j), tag: tag}
			value, ok := m[tag.Get("koanf")]
			delete(m, tag.Get("koanf"))
			if text := tag.Get("default"); !ok && text != "" {
				var err error
				if value, err = f.parse(text); err != nil {
					return err
				}
				ok = true
			}
			if !ok {
				continue
			}
			if at, is := value.(string); is && f.kind() == "path" {
				value = beside(path, at)
			}
			if err := f.set(value); err != nil {
				return err
			}
		}
		for name := range m {
			return unknown(prefix+name, path)
		}
		s.items.Set(reflect.Append(s.items, item))
	}
	return nil
}
