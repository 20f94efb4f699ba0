package portrait

import (
	"slices"
	"testing"
)

func TestGreyShrinksByTheAreaUnderEachPixel(t *testing.T) {
	const stride = 6
	pix := []uint8{
		10, 20, 30, 40, 50, 255,
		30, 40, 50, 60, 70, 255,
		50, 60, 70, 80, 90, 255,
	}
	for _, c := range []struct {
		name   string
		sw, sh int
		w, h   int
		want   []uint8
	}{
		{"as it is", 2, 2, 2, 2, []uint8{10, 20, 30, 40}},
		{"to the half", 4, 2, 2, 1, []uint8{25, 45}},
		{"only lower", 2, 3, 2, 1, []uint8{30, 40}},
		// A column of 10, 20 and half of 30, another of half of 30, 40 and 50.
		{"five to two", 5, 1, 2, 1, []uint8{18, 42}},
		{"three rows to two", 1, 3, 1, 2, []uint8{17, 43}},
		{"to one", 5, 3, 1, 1, []uint8{50}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := shrinkGrey(pix, stride, c.sw, c.sh, c.w, c.h); !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}
