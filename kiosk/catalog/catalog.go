// Package catalog holds the services of the counter as data: their forms, checks, sources of values, terms, fees,
// agreements, signers and seals.
//
// A service is one YAML file. The built-in ones come with the program, an operator's own directory adds others or
// replaces one by a higher version. Loading is strict: an unknown key, a wrong type, a doubled number, an unknown
// source, a field that is printed but hidden from the customer, or a form that breaks the key budget is refused
// with file, line, key and what to do; nothing is repaired silently. After loading everything is read-only, so a
// Catalog is safe for any number of goroutines.
//
// The package is pure: it reads only the fs.FS it is given and is told what day it is. Values inside are canonical
// (dates ISO, numbers plain with a point, a choice by its key); what a person types becomes canonical in
// Field.Accept and what a person reads comes from Field.Show.
//
// Start reading at Load, then Service and Field; how a file is written is told in docs/services.md.
package catalog

import (
	"errors"
	"io/fs"
	"path"
	"sort"
	"strings"

	"countersign/internal/fault"
	"countersign/internal/locale"
)

// Catalog is a loaded set of services with the dated tables that their checks need.
type Catalog struct {
	services []*Service
	byNumber map[string]*Service
	tables   *tables
}

// Load reads the built-in services and, when own is not nil, the operator's. Every refusal is in the returned
// error; Refusals lists them.
func Load(builtin, own fs.FS) (*Catalog, error) {
	r := &reader{}
	data := r.files(builtin, "data", "")
	var ownData map[string]*yamlFile
	if own != nil {
		ownData = r.files(own, "data", "own/")
	}
	t := r.tables(r.overlay(data, ownData))
	if len(r.refusals) > 0 {
		return nil, r.err()
	}

	services := r.services(builtin, "", t)
	var ownServices []*Service
	if own != nil {
		ownServices = r.services(own, "own/", t)
	}
	all := r.merge(services, ownServices)
	r.references(all)
	if len(r.refusals) > 0 {
		return nil, r.err()
	}
	c := &Catalog{services: all, byNumber: make(map[string]*Service, len(all)), tables: t}
	for _, s := range all {
		c.byNumber[s.Number] = s
	}
	return c, nil
}

// Refusals returns each reason for which Load refused, in the order of files and lines.
func Refusals(err error) []*fault.Error {
	var many interface{ Unwrap() []error }
	if errors.As(err, &many) {
		var out []*fault.Error
		for _, e := range many.Unwrap() {
			var f *fault.Error
			if errors.As(e, &f) {
				out = append(out, f)
			}
		}
		return out
	}
	var f *fault.Error
	if errors.As(err, &f) {
		return []*fault.Error{f}
	}
	return nil
}

// Services returns every service in the order of their numbers.
func (c *Catalog) Services() []*Service { return append([]*Service(nil), c.services...) }

// Service returns the service with the given two-digit number.
func (c *Catalog) Service(number string) (*Service, bool) {
	s, ok := c.byNumber[number]
	return s, ok
}

// Search returns the services of which every typed word begins a word of the number, code, group or title, in any
// language and without regard to case and diacritics. Nothing typed finds all.
func (c *Catalog) Search(typed string) []*Service {
	want := strings.Fields(Fold(typed))
	var out []*Service
	for _, s := range c.services {
		if s.matches(want) {
			out = append(out, s)
		}
	}
	return out
}

// Calendar returns the working days that terms are counted in.
func (c *Catalog) Calendar() *Calendar { return c.tables.calendar }

// SourceLabel returns the words for where a value came from ("thẻ QR", "CMIS") as staff read them.
func (c *Catalog) SourceLabel(source string, lang locale.Lang) string {
	return c.tables.sourceLabel(source, lang, false)
}

// SourceForCustomer returns the words for where a value came from as the customer reads them.
func (c *Catalog) SourceForCustomer(source string, lang locale.Lang) string {
	return c.tables.sourceLabel(source, lang, true)
}

// Unit returns the name of the electricity unit whose code begins the given customer or unit code.
func (c *Catalog) Unit(code string) (string, bool) { return c.tables.unitOf(code) }

// services reads all service files of one directory.
func (r *reader) services(dir fs.FS, prefix string, t *tables) []*Service {
	files := r.files(dir, ".", prefix)
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	var out []*Service
	numbers := make(map[string]string)
	for _, name := range names {
		f := files[name]
		before := len(r.refusals)
		s := r.service(f, t)
		if len(r.refusals) > before {
			continue
		}
		if first, dup := numbers[s.Number]; dup {
			r.refuse("catalog.number_twice", f.label, 1, fault.Args{"number": s.Number, "other": first})
			continue
		}
		numbers[s.Number] = f.label
		out = append(out, s)
	}
	return out
}

// merge lays the operator's services over the built-in ones: the same number with a higher version replaces, all
// other meetings are a clash.
func (r *reader) merge(builtin, own []*Service) []*Service {
	byNumber := make(map[string]*Service)
	byFile := make(map[string]*Service)
	for _, s := range builtin {
		byNumber[s.Number] = s
		byFile[path.Base(s.File)] = s
	}
	for _, s := range own {
		if same, ok := byFile[path.Base(s.File)]; ok && same.Number != s.Number {
			r.refuse("catalog.file_clash", s.File, 1, fault.Args{"number": s.Number, "other": same.Number})
			continue
		}
		if old, ok := byNumber[s.Number]; ok {
			if old.Code != s.Code {
				r.refuse("catalog.code_clash", s.File, 1, fault.Args{"number": s.Number, "code": s.Code, "other": old.Code})
				continue
			}
			if s.Version <= old.Version {
				r.refuse("catalog.version_clash", s.File, 1, fault.Args{"number": s.Number, "version": s.Version, "other": old.Version})
				continue
			}
		}
		byNumber[s.Number] = s
	}
	codes := make(map[string]*Service)
	out := make([]*Service, 0, len(byNumber))
	for _, s := range byNumber {
		out = append(out, s)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Number < out[j].Number })
	for _, s := range out {
		if first, dup := codes[s.Code]; dup {
			r.refuse("catalog.code_twice", s.File, 1, fault.Args{"code": s.Code, "other": first.File})
		}
		codes[s.Code] = s
	}
	return out
}

// references checks what one service says of another.
func (r *reader) references(all []*Service) {
	numbers := make(map[string]bool)
	for _, s := range all {
		numbers[s.Number] = true
	}
	for _, s := range all {
		for _, f := range s.Fields() {
			if f.See != "" && !numbers[f.See] {
				r.refuse("catalog.see_unknown", s.File, f.line, fault.Args{"key": "see", "value": f.See, "field": f.Name})
			}
		}
	}
}
