package tui

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Composer types Vietnamese where the terminal has no input method: given the letters before the caret and the key
// just typed it returns what they become, or false when the key is to be typed as it is.
type Composer func(word, key string) (string, bool)

// The combining marks of Vietnamese vowels. stroke is the bar of đ, which Unicode does not decompose.
const (
	circumflex = '\u0302'
	breve      = '\u0306'
	horn       = '\u031b'
	stroke     = '-'

	acute = '\u0301' // sắc
	grave = '\u0300' // huyền
	hook  = '\u0309' // hỏi
	tilde = '\u0303' // ngã
	below = '\u0323' // nặng
)

// act is what a key asks for.
type act struct {
	tone    rune
	noTone  bool
	marks   map[rune]rune // base letter → mark
	dStroke bool
}

// Telex is the composer that writes accents with letters: aa â, aw ă, ow ơ, dd đ, s f r x j for the tones, z for none.
// The same key again takes the accent back.
func Telex(word, key string) (string, bool) {
	switch strings.ToLower(key) {
	case "s":
		return applyKey(word, key, act{tone: acute})
	case "f":
		return applyKey(word, key, act{tone: grave})
	case "r":
		return applyKey(word, key, act{tone: hook})
	case "x":
		return applyKey(word, key, act{tone: tilde})
	case "j":
		return applyKey(word, key, act{tone: below})
	case "z":
		return applyKey(word, key, act{noTone: true})
	case "a":
		return applyKey(word, key, act{marks: map[rune]rune{'a': circumflex}})
	case "e":
		return applyKey(word, key, act{marks: map[rune]rune{'e': circumflex}})
	case "o":
		return applyKey(word, key, act{marks: map[rune]rune{'o': circumflex}})
	case "w":
		return applyKey(word, key, act{marks: map[rune]rune{'a': breve, 'o': horn, 'u': horn}})
	case "d":
		return applyKey(word, key, act{dStroke: true})
	}
	return applyKey(word, key, act{})
}

// VNI is the composer that writes accents with digits: 1 to 5 for the tones, 0 for none, 6 â ê ô, 7 ơ ư, 8 ă, 9 đ.
func VNI(word, key string) (string, bool) {
	switch key {
	case "1":
		return applyKey(word, key, act{tone: acute})
	case "2":
		return applyKey(word, key, act{tone: grave})
	case "3":
		return applyKey(word, key, act{tone: hook})
	case "4":
		return applyKey(word, key, act{tone: tilde})
	case "5":
		return applyKey(word, key, act{tone: below})
	case "0":
		return applyKey(word, key, act{noTone: true})
	case "6":
		return applyKey(word, key, act{marks: map[rune]rune{'a': circumflex, 'e': circumflex, 'o': circumflex}})
	case "7":
		return applyKey(word, key, act{marks: map[rune]rune{'o': horn, 'u': horn}})
	case "8":
		return applyKey(word, key, act{marks: map[rune]rune{'a': breve}})
	case "9":
		return applyKey(word, key, act{dStroke: true})
	}
	return applyKey(word, key, act{})
}

// letter is one letter taken apart.
type letter struct {
	base       rune // lower case
	upper      bool
	mark, tone rune
}

func (l letter) vowel() bool { return strings.ContainsRune("aeiouy", l.base) }

// syllable is a word taken apart: its vowels that carry accents are letters[from:to].
type syllable struct {
	letters  []letter
	from, to int
}

// applyKey does what the key asks for when the word can be a Vietnamese syllable.
func applyKey(word, key string, a act) (string, bool) {
	s, ok := takeApart(word)
	if !ok || word == "" {
		return "", false
	}
	switch {
	case a.dStroke:
		if s.letters[0].base != 'd' {
			return "", false
		}
		if s.letters[0].mark == stroke {
			s.letters[0].mark = 0
			return s.join() + key, true
		}
		s.letters[0].mark = stroke
		return s.join(), true
	case a.noTone:
		if s.tone() == 0 {
			return "", false
		}
		s.place(0)
		return s.join(), true
	case a.tone != 0:
		if !s.spoken() {
			return "", false
		}
		if s.tone() == a.tone {
			s.place(0)
			return s.join() + key, true
		}
		s.place(a.tone)
		return s.join(), true
	case a.marks != nil && s.spoken():
		if at := s.target(a.marks); len(at) > 0 {
			undo := s.toggle(at, a.marks)
			s.place(s.tone())
			if undo {
				return s.join() + key, true
			}
			return s.join(), true
		}
	}
	return s.typed(key)
}

// typed appends a plain letter and lets the accents move to where they now belong: hòa, hoàn; thuơ, thương.
func (s syllable) typed(key string) (string, bool) {
	plain := s.join() + key
	longer, ok := takeApart(plain)
	if !ok || !longer.spoken() {
		return "", false
	}
	v := longer.letters[longer.from:longer.to]
	last := longer.to == len(longer.letters)
	for i := range len(v) - 1 {
		if v[i].base == 'u' && v[i].mark == 0 && v[i+1].base == 'o' && v[i+1].mark == horn && (!last || i+2 < len(v)) {
			v[i].mark = horn
		}
	}
	longer.place(longer.tone())
	out := longer.join()
	return out, out != plain
}

// takeApart reads a word; false means that it has letters that Vietnamese has not.
func takeApart(word string) (syllable, bool) {
	var s syllable
	for _, r := range norm.NFD.String(word) {
		n := len(s.letters)
		low := unicode.ToLower(r)
		switch {
		case low == 'đ':
			s.letters = append(s.letters, letter{base: 'd', mark: stroke, upper: low != r})
		case low >= 'a' && low <= 'z':
			s.letters = append(s.letters, letter{base: low, upper: low != r})
		case n > 0 && (r == circumflex || r == breve || r == horn):
			s.letters[n-1].mark = r
		case n > 0 && strings.ContainsRune(string([]rune{acute, grave, hook, tilde, below}), r):
			s.letters[n-1].tone = r
		default:
			return s, false
		}
	}
	l := s.letters
	for s.from < len(l) && !l[s.from].vowel() {
		s.from++
	}
	s.to = s.from
	for s.to < len(l) && l[s.to].vowel() {
		s.to++
	}
	// In qu and in gi before a vowel the second letter belongs to the consonant.
	if s.from == 1 && s.to > 2 && (l[0].base == 'q' && l[1].base == 'u' || l[0].base == 'g' && l[1].base == 'i') {
		s.from++
	}
	return s, true
}

// spoken reports whether the word is built like a Vietnamese syllable that has a vowel.
func (s syllable) spoken() bool {
	if s.from == s.to {
		return false
	}
	first, last := joinBases(s.letters[:s.from]), joinBases(s.letters[s.to:])
	return slices.Contains(strings.Split(" b c ch d g gh gi h k kh l m n ng ngh nh p ph qu r s t th tr v x", " "), first) &&
		slices.Contains(strings.Split(" c ch g h m n ng nh p t", " "), last)
}

// tone returns the syllable's tone.
func (s syllable) tone() rune {
	for _, l := range s.letters {
		if l.tone != 0 {
			return l.tone
		}
	}
	return 0
}

// place puts the tone on the vowel that carries it, after the older and more usual rule: hòa, thúy, hoàn.
func (s syllable) place(tone rune) {
	for i := range s.letters {
		s.letters[i].tone = 0
	}
	if tone == 0 || s.from == s.to {
		return
	}
	at := s.from
	n := s.to - s.from
	if n == 3 || n == 2 && s.to < len(s.letters) {
		at++
	}
	for i := s.from; i < s.to; i++ {
		if s.letters[i].mark != 0 {
			at = i
		}
	}
	s.letters[at].tone = tone
}

// target returns the vowels that the marks are for: the two of ươ, or one.
func (s syllable) target(marks map[rune]rune) []int {
	l := s.letters
	if marks['u'] != 0 {
		for i := s.from; i+1 < s.to; i++ {
			if l[i].base != 'u' {
				continue
			}
			switch l[i+1].base {
			case 'o':
				initial := joinBases(l[:s.from])
				if i+2 == s.to && s.to == len(l) && (initial == "th" || initial == "h") {
					return []int{i + 1} // thuở, huơ
				}
				return []int{i, i + 1}
			case 'a', 'u', 'i':
				return []int{i}
			}
		}
	}
	for i := s.to - 1; i >= s.from; i-- {
		if marks[l[i].base] != 0 {
			return []int{i}
		}
		// A glide may stand behind the vowel that is meant: âu, ây, ơi.
		if i != s.to-1 || !strings.ContainsRune("iuy", l[i].base) {
			break
		}
	}
	return nil
}

func joinBases(l []letter) string {
	var b strings.Builder
	for _, x := range l {
		b.WriteRune(x.base)
	}
	return b.String()
}

// toggle sets the marks, or takes them away and returns true when all were there already.
func (s syllable) toggle(at []int, marks map[rune]rune) (undo bool) {
	undo = true
	for _, i := range at {
		undo = undo && s.letters[i].mark == marks[s.letters[i].base]
	}
	for _, i := range at {
		s.letters[i].mark = marks[s.letters[i].base]
		if undo {
			s.letters[i].mark = 0
		}
	}
	return undo
}

// join writes the word with its accents, in NFC.
func (s syllable) join() string {
	var b strings.Builder
	for _, l := range s.letters {
		r := l.base
		if l.mark == stroke {
			r = 'đ'
		}
		if l.upper {
			r = unicode.ToUpper(r)
		}
		b.WriteRune(r)
		if l.mark != 0 && l.mark != stroke {
			b.WriteRune(l.mark)
		}
		if l.tone != 0 {
			b.WriteRune(l.tone)
		}
	}
	return norm.NFC.String(b.String())
}
