package store

import (
	"bytes"
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
	own(to)
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
	own(r.value)
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

// own gives v copies of everything that it still shares with the value from which it was assigned. A time loses what
// only this process knows of it, as it does on its way through the database.
func own(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if at, ok := v.Addr().Interface().(*time.Time); ok {
			*at = at.Round(0)
			return
		}
		for i := range v.NumField() {
			own(v.Field(i))
		}
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		fresh := reflect.New(v.Type().Elem())
		fresh.Elem().Set(v.Elem())
		own(fresh.Elem())
		v.Set(fresh)
	case reflect.Slice:
		if v.IsNil() {
			return
		}
		fresh := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(fresh, v)
		for i := range fresh.Len() {
			own(fresh.Index(i))
		}
		v.Set(fresh)
	case reflect.Map:
		if v.IsNil() {
			return
		}
		fresh := reflect.MakeMapWithSize(v.Type(), v.Len())
		slot := reflect.New(v.Type().Elem()).Elem()
		for each := v.MapRange(); each.Next(); {
			slot.SetIterValue(each)
			own(slot)
			fresh.SetMapIndex(each.Key(), slot)
		}
		v.Set(fresh)
	}
}
