package store

import (
	"bytes"
	"maps"
	"reflect"
	"sync"
	"time"
)

// memory keeps what the records hold that were sealed or opened last, so that no act opens and decodes again what the
// act before it has written. A remembered record is good for the very revision and bytes that lie in the row: one that was
// undone, put back, sealed anew or tampered with is opened as if nothing were remembered. Nobody shares a
// remembered record; each reader gets one of their own.
type memory struct {
	mu     sync.Mutex
	recent map[string]remembered // by table and key
	before map[string]remembered // what was recent until there were memoryMax of it
}

type remembered struct {
	rev   int64
	body  []byte // as sealed
	value reflect.Value
}

// memoryMax is half of how many records are remembered at most: more than the orders, sessions and users of 50 counters.
const memoryMax = 256

// remembers says which records are read with every act.
func remembers(table string) bool {
	return table == "orders" || table == "sessions" || table == "users"
}

// recall puts what a sealed body holds into v, a pointer, when it is remembered.
func (m *memory) recall(table, key string, rev int64, body []byte, v any) bool {
	if !remembers(table) {
		return false
	}
	name := table + "/" + key
	m.mu.Lock()
	r, ok := m.recent[name]
	if !ok {
		if r, ok = m.before[name]; ok {
			m.put(name, r)
		}
	}
	m.mu.Unlock()
	if !ok || r.rev != rev || !bytes.Equal(r.body, body) {
		return false
	}
	to := reflect.ValueOf(v).Elem()
	if to.Type() != r.value.Type() {
		return false
	}
	to.Set(r.value)
	own(to, false)
	return true
}

// keep remembers what a sealed body holds: what v points to.
func (m *memory) keep(table, key string, rev int64, body []byte, v any) {
	if !remembers(table) {
		return
	}
	from := reflect.ValueOf(v).Elem()
	r := remembered{rev: rev, body: body, value: reflect.New(from.Type()).Elem()}
	r.value.Set(from)
	own(r.value, true)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(table+"/"+key, r)
}

func (m *memory) put(name string, r remembered) {
	if len(m.recent) >= memoryMax || m.recent == nil {
		m.before, m.recent = m.recent, make(map[string]remembered)
	}
	m.recent[name] = r
}

// own gives v copies of everything that it still shares with the value from which it was assigned. What is to be kept
// also loses from its times what only this process knows of them, as it would on its way through the database.
func own(v reflect.Value, kept bool) {
	if !kept && flat(v.Type()) {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		if at, ok := v.Addr().Interface().(*time.Time); ok {
			*at = at.Round(0)
			return
		}
		for i := range v.NumField() {
			own(v.Field(i), kept)
		}
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		fresh := reflect.New(v.Type().Elem())
		fresh.Elem().Set(v.Elem())
		own(fresh.Elem(), kept)
		v.Set(fresh)
	case reflect.Slice:
		if v.IsNil() {
			return
		}
		fresh := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(fresh, v)
		if each := v.Type().Elem(); kept && each.Kind() != reflect.Uint8 || !flat(each) {
			for i := range fresh.Len() {
				own(fresh.Index(i), kept)
			}
		}
		v.Set(fresh)
	case reflect.Map:
		ownMap(v, kept)
	}
}

func ownMap(v reflect.Value, kept bool) {
	if words, ok := v.Addr().Interface().(*map[string]string); ok {
		*words = maps.Clone(*words)
		return
	}
	if v.IsNil() {
		return
	}
	fresh := reflect.MakeMapWithSize(v.Type(), v.Len())
	name, slot := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
	for each := v.MapRange(); each.Next(); {
		name.SetIterKey(each)
		slot.SetIterValue(each)
		own(slot, kept)
		fresh.SetMapIndex(name, slot)
	}
	v.Set(fresh)
}

// flat reports whether an assignment of the type copies all there is of it, so that nothing below it need be looked at.
// A time is: nobody changes a zone.
func flat(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return false
	case reflect.Struct:
		return t == reflect.TypeFor[time.Time]()
	}
	return true
}
