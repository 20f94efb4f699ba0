package tui

import (
	"strings"
	"testing"
)

func TestPutKeepsTheGridForVietnameseAndChinese(t *testing.T) {
	c := NewCanvas(12, 4)
	if x := c.Put(0, 0, "Nguye\u0302\u0303n", Text); x != 6 {
		t.Errorf("decomposed name ends at %d, want 6", x)
	}
	if x := c.Put(0, 1, "赵试過戶", Text); x != 8 {
		t.Errorf("four Chinese characters end at %d, want 8", x)
	}
	c.Put(1, 1, "x", Text)            // cuts the first one in two
	c.Put(0, 2, "abcdefghijk過", Text) // the last has only one cell left
	c.PutRight(99, 3, "09:14", Text)
	want := "Nguyễn\n x试過戶\nabcdefghijk\n       09:14\n"
	if got := c.Plain(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCutAndWrapMeasureCells(t *testing.T) {
	for _, tc := range []struct {
		in   string
		max  int
		want string
	}{
		{"12 phố Mẫu, phường Thử", 22, "12 phố Mẫu, phường Thử"},
		{"12 phố Mẫu, phường Thử", 21, "12 phố Mẫu, phường .."},
		{"赵试過戶", 7, "赵试.."},
		{"abc", 2, ".."},
		{"abc", 0, ""},
	} {
		if got := Cut(tc.in, tc.max); got != tc.want {
			t.Errorf("Cut(%q, %d) = %q, want %q", tc.in, tc.max, got, tc.want)
		}
	}
	got := Wrap("Xin đọc tới dòng cuối, rồi mới chọn đồng ý.\n請讀至最後一行，再選擇同意。abcdefghijklmnopqrstuvwxyz", 16)
	want := []string{"Xin đọc tới dòng", "cuối, rồi mới", "chọn đồng ý.", "請讀至最後一行，", "再選擇同意。", "abcdefghijklmnop", "qrstuvwxyz"}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("got %q, want %q", got, want)
	}
}
