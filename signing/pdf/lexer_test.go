package pdf

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// TestArraysOfNumbersReadAsAnyOthers holds the short way of reading to the long one, which an array with a name takes.
func TestArraysOfNumbersReadAsAnyOthers(t *testing.T) {
	for _, inner := range []string{
		"", " ", "1", " 1 ", "1 2 3", "1 0 R", "1 0 R 2", "3 1 0 R", "1 0 R 2 0 R", "1 2 0 R 3", "-1 +2 .5 -.5 4. 007",
		"123456789012345", "1234567890123456", "99999999999999999999999", "1\r2\n3\t4\x005", "1-2", "1..2", "- 1", ".", "R", "1 R", "1 0 RR",
		"1 0 0 R R", "0 R 1", "65536 65536 R", "1 0R", "1 0 R2",
	} {
		read := func(text string) ([]Value, error) {
			budget := 100
			l := lexer{buf: []byte(text), budget: &budget}
			v, err := l.value(0)
			return v.Items, err
		}
		short, shortErr := read("[" + inner + "]")
		long, longErr := read("[" + inner + " /N]")
		if (shortErr == nil) != (longErr == nil) {
			t.Errorf("[%s]: %v, the long way %v", inner, shortErr, longErr)
			continue
		}
		if shortErr == nil && !reflect.DeepEqual(short, long[:len(long)-1]) {
			t.Errorf("[%s]: %+v, the long way %+v", inner, short, long)
		}
	}
}

func TestAnArrayOfMoreNumbersThanAllowedIsRefused(t *testing.T) {
	for _, item := range []string{"1 ", "1 0 R "} {
		budget := 1000
		l := lexer{buf: fmt.Appendf(nil, "[%s]", strings.Repeat(item, 1001)), budget: &budget}
		if _, err := l.value(0); err == nil {
			t.Errorf("%q, more often than allowed", item)
		}
		if l.store != nil && cap(l.store.items) > 4096 {
			t.Errorf("%q: room for %d was made", item, cap(l.store.items))
		}
	}
}

func TestOnlyHexadecimalDigitsAndSpaceAreInAHexadecimalString(t *testing.T) {
	for c := range 256 {
		if c == '>' {
			continue
		}
		budget := 1
		l := lexer{buf: []byte{'<', '0', byte(c), '>'}, budget: &budget}
		_, err := l.value(0)
		_, digit := hexDigit(byte(c))
		if want := digit || isSpace(byte(c)); (err == nil) != want {
			t.Errorf("byte %#x: %v", c, err)
		}
	}
}
