package store

import (
	"context"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"countersign/kiosk"
)

// fill sets everything that v leads to, so that nothing is left out for being empty.
func fill(t *testing.T, v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(path)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint8:
		v.SetUint(7)
	case reflect.Struct:
		if at, ok := v.Addr().Interface().(*time.Time); ok {
			*at = time.Now()
			return
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); !f.IsExported() {
				t.Fatalf("%s.%s would not be copied", path, f.Name)
			}
			fill(t, v.Field(i), path+"."+v.Type().Field(i).Name)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), path)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 3))
		for i := range v.Len() {
			fill(t, v.Index(i), path)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		e := reflect.New(v.Type().Elem()).Elem()
		fill(t, e, path)
		v.SetMapIndex(reflect.ValueOf("name").Convert(v.Type().Key()), e)
	default:
		t.Fatalf("%s is a %s, which is not copied", path, v.Kind())
	}
}

// change alters everything that v leads to, in place.
func change(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("changed")
	case reflect.Int, reflect.Int64:
		v.SetInt(8)
	case reflect.Uint8:
		v.SetUint(8)
	case reflect.Struct:
		if at, ok := v.Addr().Interface().(*time.Time); ok {
			*at = time.Time{}
			return
		}
		for i := range v.NumField() {
			change(v.Field(i))
		}
	case reflect.Pointer:
		change(v.Elem())
	case reflect.Slice:
		for i := range v.Len() {
			change(v.Index(i))
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			e := reflect.New(v.Type().Elem()).Elem()
			e.Set(v.MapIndex(k))
			change(e)
			v.SetMapIndex(k, e)
		}
	}
}

func text(t *testing.T, v any) string {
	t.Helper()
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestMemoryHoldsWhatTheDatabaseHoldsAndNobodySharesIt(t *testing.T) {
	for _, c := range []struct {
		table     string
		one, disk any
	}{
		{"orders", new(kiosk.Order), new(kiosk.Order)},
		{"sessions", new(kiosk.Session), new(kiosk.Session)},
		{"users", new(kiosk.User), new(kiosk.User)},
	} {
		t.Run(c.table, func(t *testing.T) {
			fill(t, reflect.ValueOf(c.one).Elem(), c.table)
			want := text(t, c.one)
			if err := json.Unmarshal([]byte(want), c.disk); err != nil {
				t.Fatal(err)
			}
			var m memory
			m.keep(c.table, "key", 1, []byte("sealed"), c.one)
			change(reflect.ValueOf(c.one).Elem()) // the writer's own is the writer's to change
			for range 2 {
				got := reflect.New(reflect.TypeOf(c.one).Elem())
				if !m.recall(c.table, "key", 1, []byte("sealed"), got.Interface()) {
					t.Fatal("nothing was remembered")
				}
				if text(t, got.Interface()) != want || text(t, c.disk) != want {
					t.Fatalf("remembered\n%s\nstored\n%s\nread again\n%s", text(t, got.Interface()), want, text(t, c.disk))
				}
				change(got.Elem()) // and so is a reader's
			}
		})
	}
}

func TestARowWithOtherBytesIsNotRemembered(t *testing.T) {
	var m memory
	m.keep("users", "key", 1, []byte("sealed"), &kiosk.User{Name: "mai"})
	var u kiosk.User
	if m.recall("users", "key", 1, []byte("other"), &u) || m.recall("users", "key", 2, []byte("sealed"), &u) ||
		m.recall("users", "another", 1, []byte("sealed"), &u) || u.Name != "" {
		t.Errorf("the row was not read: %+v", u)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	var m memory
	for i := range 10 * memoryMax {
		m.keep("users", string(rune('a'+i)), 1, nil, &kiosk.User{})
	}
	if n := len(m.recent) + len(m.before); n > 2*memoryMax {
		t.Errorf("%d records are remembered", n)
	}
}

func TestAnAlteredRowIsRefusedThoughItIsRemembered(t *testing.T) {
	s, ctx := open(t, t.TempDir()), context.Background()
	err := s.Update(ctx, func(tx kiosk.Tx) error { return tx.PutUser(&kiosk.User{Name: "mai"}) })
	if err != nil {
		t.Fatal(err)
	}
	err = s.update(ctx, func(t *tx) error {
		var body []byte
		if err := t.one([]any{&body}, "SELECT body FROM users"); err != nil {
			return err
		}
		body[len(body)-1] ^= 1
		_, err := t.exec("UPDATE users SET body = ?", body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.View(ctx, func(tx kiosk.Tx) error {
		_, err := tx.User("mai")
		return err
	})
	if err == nil {
		t.Error("a tampered row was taken for the one that is remembered")
	}
}
