package tui

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// typeKeys types a text; «name» is a named key.
func typeKeys(f *Field, s string) {
	for s != "" {
		if rest, ok := strings.CutPrefix(s, "«"); ok {
			name, tail, _ := strings.Cut(rest, "»")
			f.Handle(Key{Name: name})
			s = tail
			continue
		}
		g := Graphemes(s)[0]
		f.Handle(Key{Name: "rune", Text: g})
		s = s[len(g):]
	}
}

func TestTelexAndVNIWriteVietnamese(t *testing.T) {
	for typed, want := range map[string]string{
		"nguyeenx": "nguyễn", "Nguyeexn": "Nguyễn", "Vawn": "Văn", "Thuwr": "Thử", "ddieenj": "điện", "DDieejn": "Điện",
		"Bawcs": "Bắc", "Giang": "Giang", "phuwowngf": "phường", "phuwngf": "phừng", "Maaux": "Mẫu", "hoaf": "hòa", "hoafn": "hoàn",
		"thuys": "thúy", "quys": "quý", "khuya": "khuya", "khuyeens": "khuyến", "giengs": "giéng", "gieengs": "giếng",
		"gif": "gì", "gias": "giá", "tooi": "tôi", "toio": "tôi", "uwowc": "ươc", "thuowr": "thuở", "thuowng": "thương",
		"muaf": "mùa", "muwa": "mưa", "muaw": "mưa", "cuwus": "cứu", "cuuws": "cứu", "ngoaif": "ngoài", "nghieengs": "nghiếng",
		"ass": "as", "aaa": "aa", "oww": "ow", "ddd": "dd", "asz": "a", "xyz": "xyz", "Ee": "Ê", "EEs": "Ế", "mays": "máy", "maays": "mấy", "mayas": "mấy",
		"rowi": "rơi", "roiw": "rơi", "quoocs": "quốc", "dangd": "đang", "gmail": "gmail", "http": "http", "bcdf": "bcdf", "hueej": "huệ", "tieenf 12": "tiền 12",
	} {
		f := Field{Compose: Telex}
		typeKeys(&f, typed)
		if f.Value() != want {
			t.Errorf("Telex %q gives %q, want %q", typed, f.Value(), want)
		}
	}
	for typed, want := range map[string]string{
		"Nguye6n4": "Nguyễn", "d9ie6n5": "điện", "Ba81c": "Bắc", "phu7o7ng2": "phường", "phuong72": "phường", "so6 12": "sô 12", "12 pho61": "12 phố", "a11": "a1", "a10": "a",
	} {
		f := Field{Compose: VNI}
		typeKeys(&f, typed)
		if f.Value() != want {
			t.Errorf("VNI %q gives %q, want %q", typed, f.Value(), want)
		}
	}
}

func TestFieldEditsByGrapheme(t *testing.T) {
	for name, tc := range map[string]struct {
		field Field
		typed string
		want  string
		caret int // column of the caret in a field of 10 cells
	}{
		"backspace takes a whole letter":         {Field{}, "Việt«backspace»«backspace»", "Vi", 2},
		"delete and home":                        {Field{}, "abc«home»«delete»", "bc", 0},
		"insert in the middle":                   {Field{}, "赵戶«left»試", "赵試戶", 4},
		"digits only":                            {Field{Kind: FieldDigits, Max: 4}, "1a2 3-45", "1234", 4},
		"number":                                 {Field{Kind: FieldNumber}, "+7,5kW", "7,5", 3},
		"clear, then undo":                       {Field{}, "abc«ctrl+u»«ctrl+z»", "abc", 3},
		"undo takes a run of typing":             {Field{}, "abc«left»x«ctrl+z»", "abc", 2},
		"undo and redo":                          {Field{}, "abc«ctrl+z»«ctrl+y»", "abc", 3},
		"secret is not composed and shows stars": {Field{Kind: FieldSecret, Compose: Telex}, "赵as", "赵as", 3},
		"choice takes one key":                   {Field{Kind: FieldChoice, Choices: []Choice{{"1", "một pha"}, {"2", "ba pha"}}}, "3«backspace»12", "2", 1},
		"Enter is not text":                      {Field{}, "a«enter»b", "ab", 2},
		"Enter in several lines":                 {Field{Kind: FieldMultiline}, "a«enter»bc", "a\nbc", 2},
	} {
		t.Run(name, func(t *testing.T) {
			f := tc.field
			typeKeys(&f, tc.typed)
			c := NewCanvas(10, 3)
			f.Draw(c, 0, 0, 10, Text)
			x, _, _ := c.Caret()
			if f.Value() != tc.want || x != tc.caret {
				t.Errorf("got %q, caret %d; want %q, %d", f.Value(), x, tc.want, tc.caret)
			}
		})
	}
}

func TestFieldScrollsByCells(t *testing.T) {
	f := Field{}
	c := NewCanvas(8, 1)
	for _, step := range []struct {
		typed, want string
		caret       int
	}{
		{"ab赵试c", "ab赵试c", 7}, {"d", "b赵试cd", 7}, {"Ế", " 赵试cdẾ"[1:], 7}, {"x", " 试cdẾx", 7}, {"«home»", "ab赵试cd", 0}, {"«end»«backspace»«backspace»", "b赵试cd", 7},
	} {
		typeKeys(&f, step.typed)
		c.Clear()
		f.Draw(c, 0, 0, 8, Text)
		x, _, _ := c.Caret()
		if got := strings.TrimSuffix(c.Plain(), "\n"); got != step.want || x != step.caret {
			t.Errorf("after %q: %q, caret %d; want %q, %d", step.typed, got, x, step.want, step.caret)
		}
	}
}

func TestFieldLeavesWhenFull(t *testing.T) {
	digits := Field{Kind: FieldDigits, Max: 3}
	choice := Field{Kind: FieldChoice, Choices: []Choice{{"1", "Sinh hoạt"}}}
	typeKeys(&digits, "12")
	if digits.Full() || choice.Full() {
		t.Error("full too early")
	}
	typeKeys(&digits, "3")
	typeKeys(&choice, "1")
	if !digits.Full() || !choice.Full() || choice.Label() != "Sinh hoạt" {
		t.Error("not full")
	}
	text := Field{Max: 3}
	typeKeys(&text, "abcd")
	if text.Value() != "abc" || text.Full() {
		t.Errorf("text of at most three is %q, full %v", text.Value(), text.Full())
	}
}

func TestPasteKeepsTheFieldsRules(t *testing.T) {
	f := Field{Kind: FieldDigits, Max: 10}
	if !f.Paste("0900 000 018\r\n99") || f.Value() != "0900000018" {
		t.Errorf("got %q", f.Value())
	}
	m := Field{Kind: FieldMultiline}
	m.Set("một\r\nhai")
	if m.Value() != "một\nhai" {
		t.Errorf("got %q", m.Value())
	}
	if m.Reset(); !m.Empty() || m.Undo() {
		t.Error("reset keeps something")
	}
}

func TestFieldHoldsItsInvariantsWhateverIsPressed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := Field{Kind: Kind(rapid.IntRange(0, 5).Draw(t, "kind")), Max: rapid.IntRange(0, 9).Draw(t, "max"),
			Choices: []Choice{{"1", "a"}, {"12", "b"}}, Line: rapid.Bool().Draw(t, "line")}
		if rapid.Bool().Draw(t, "telex") {
			f.Compose = Telex
		}
		keys := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "w", "s", "d", "Ế", "赵", "\u0301", "1", "2", ",", " ", "<backspace", "<delete", "<left", "<right",
			"<home", "<end", "<up", "<down", "<enter", "<ctrl+u", "<ctrl+z", "<ctrl+y"}), 0, 40).Draw(t, "keys")
		for _, k := range keys {
			before := f.Value()
			var changed bool
			if name, ok := strings.CutPrefix(k, "<"); ok {
				changed = f.Handle(Key{Name: name})
			} else {
				changed = f.Handle(Key{Name: "rune", Text: k})
			}
			if !changed && f.Value() != before {
				t.Fatalf("%q changed %q to %q and did not say so", k, before, f.Value())
			}
			if f.Max > 0 && len(f.text) > f.Max && f.Kind != FieldChoice {
				t.Fatalf("%d graphemes in a field of %d", len(f.text), f.Max)
			}
			c := NewCanvas(12, 4)
			f.Draw(c, 2, 0, 7, Text)
			if x, y, shown := c.Caret(); !shown || x < 2 || x > 8 || y > 3 {
				t.Fatalf("after %q the caret is at %d,%d %v", k, x, y, shown)
			}
			for i, cl := range c.cells {
				if x := i % 12; (x < 2 || x > 8) && cl.text != " " {
					t.Fatalf("drew outside: %q", c.Plain())
				}
			}
		}
	})
}
