package verify

import (
	"bytes"
	"strings"
	"testing"
)

// TestCasesOfDigitsAreSeenInEveryPlace puts a letter of each case into each place of holes of many lengths.
func TestCasesOfDigitsAreSeenInEveryPlace(t *testing.T) {
	for size := range 40 {
		if lower, upper := cases([]byte(strings.Repeat("0123456789", 4)[:size])); lower || upper {
			t.Fatalf("%d figures have letters: lower %v, upper %v", size, lower, upper)
		}
		for at := range size {
			for _, c := range []byte("abcdefABCDEF") {
				digits := bytes.Repeat([]byte("9"), size)
				digits[at] = c
				lower, upper := cases(digits)
				if lower != (c >= 'a') || upper != (c < 'a') {
					t.Fatalf("%q: lower %v, upper %v", digits, lower, upper)
				}
			}
		}
	}
}

// TestPaddingIsZerosInEveryPlace puts another byte into each place of paddings of many lengths.
func TestPaddingIsZerosInEveryPlace(t *testing.T) {
	for size := range 40 {
		padding := bytes.Repeat([]byte("0"), size)
		if !zeros(padding) {
			t.Fatalf("%d zeros are none", size)
		}
		for at := range padding {
			padding[at] = '1'
			if zeros(padding) {
				t.Fatalf("%q is zeros", padding)
			}
			padding[at] = '0'
		}
		if size > 0 && zeros(bytes.Repeat([]byte("1"), size)) {
			t.Fatal("ones are zeros")
		}
	}
}
