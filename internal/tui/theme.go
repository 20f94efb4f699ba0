package tui

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"
)

// Depth is how many colours a terminal shows.
type Depth int

// The depths. NoColor still has bold and reverse.
const (
	NoColor Depth = iota
	Colors16
	Colors256
	TrueColor
)

// hue is one colour in each depth: #RRGGBB, its place among the 256, its place among the 16 ("" is the terminal's own).
type hue struct{ full, table, basic string }

// palette is a theme's colours by meaning.
type palette struct {
	canvas, row hue
	token       [tokens]hue
}

// palettes are the themes of the design. The contrast between each token and both backgrounds is tested.
func palettes(name string) (palette, bool) {
	switch name {
	case "light":
		return palette{
			canvas: hue{"#FBFAF7", "231", ""}, row: hue{"#E4EEF8", "254", ""},
			token: [tokens]hue{
				Text: {"#1B1F24", "234", ""}, Muted: {"#555D66", "240", ""}, Accent: {"#0A58A6", "25", "4"},
				Danger: {"#A8201A", "124", "1"}, Wait: {"#744B00", "58", "3"}, OK: {"#17602F", "22", "2"},
				Rule: {"#7D858D", "244", ""}, Seal: {"#A8201A", "124", "1"},
			},
		}, true
	case "dark":
		return palette{
			canvas: hue{"#11151A", "233", ""}, row: hue{"#1F2B38", "236", ""},
			token: [tokens]hue{
				Text: {"#E4E7EA", "254", ""}, Muted: {"#9CA6B0", "248", ""}, Accent: {"#7ABAFF", "111", "4"},
				Danger: {"#FF8F87", "210", "1"}, Wait: {"#F0C05A", "221", "3"}, OK: {"#80D292", "114", "2"},
				Rule: {"#6B7682", "244", ""}, Seal: {"#FF8F87", "210", "1"},
			},
		}, true
	case "contrast":
		return palette{
			canvas: hue{"#000000", "16", ""}, row: hue{"#00005F", "17", ""},
			token: [tokens]hue{
				Text: {"#FFFFFF", "231", ""}, Muted: {"#D7D7D7", "252", ""}, Accent: {"#5FFFFF", "87", "4"},
				Danger: {"#FFAFAF", "217", "1"}, Wait: {"#FFFF5F", "227", "3"}, OK: {"#87FF87", "120", "2"},
				Rule: {"#B2B2B2", "249", ""}, Seal: {"#FFAFAF", "217", "1"},
			},
		}, true
	}
	return palette{}, false
}

// ThemeNames lists the themes, the default first.
func ThemeNames() []string { return []string{"dark", "light", "contrast"} }

// Theme turns styles into a terminal's colours. It is safe for use by several painters at once.
type Theme struct {
	name  string
	depth Depth
	pal   palette
	open  [styles]func() string
}

// ThemeByName returns the theme "light", "dark" or "contrast" in true colour.
func ThemeByName(name string) (*Theme, error) {
	pal, ok := palettes(name)
	if !ok {
		return nil, fmt.Errorf("theme %q is not one of %s", name, strings.Join(ThemeNames(), ", "))
	}
	return newTheme(name, pal, TrueColor), nil
}

// In returns the same theme on a terminal of the given depth.
func (t *Theme) In(d Depth) *Theme { return newTheme(t.name, t.pal, d) }

// Name returns the name by which the theme was chosen.
func (t *Theme) Name() string { return t.name }

// Depth returns how many colours the theme makes use of.
func (t *Theme) Depth() Depth { return t.depth }

func newTheme(name string, pal palette, d Depth) *Theme {
	t := &Theme{name: name, pal: pal, depth: d}
	for st := range Style(styles) {
		t.open[st] = sync.OnceValue(func() string { return t.compile(st) })
	}
	return t
}

// sgr returns the sequence that switches the terminal to st, whatever it was before.
func (t *Theme) sgr(st Style) string { return t.open[st&(styles-1)]() }

// compile has lipgloss write a letter in the style and keeps what comes before the letter.
func (t *Theme) compile(st Style) string {
	const letter = "x"
	before, _, _ := strings.Cut(t.style(st).Render(letter), letter)
	if before == "" {
		return "\x1b[0m"
	}
	return "\x1b[0;" + strings.TrimPrefix(before, "\x1b[")
}

// style says in lipgloss's words what st looks like.
func (t *Theme) style(st Style) lipgloss.Style {
	r := lipgloss.NewRenderer(io.Discard)
	r.SetHasDarkBackground(t.name != "light")
	r.SetColorProfile(t.profile())
	s := r.NewStyle()
	h := t.pal.token[st.token()]
	if st&Band != 0 {
		s = s.Bold(true)
		if t.depth < Colors256 {
			return s.Reverse(true)
		}
		return s.Foreground(t.pal.canvas.color()).Background(t.pal.token[Muted].color())
	}
	// Many terminals draw a bold colour of the sixteen as another, brighter colour: the hue matters more than weight.
	s = s.Bold(st&Bold != 0 && (t.depth != Colors16 || h.basic == ""))
	switch t.depth {
	case NoColor:
		return s
	case Colors16:
		if h.basic != "" {
			s = s.Foreground(lipgloss.Color(h.basic))
		}
		return s
	}
	back := t.pal.canvas
	if st&OnRow != 0 {
		back = t.pal.row
	}
	return s.Foreground(h.color()).Background(back.color())
}

func (h hue) color() lipgloss.CompleteColor {
	return lipgloss.CompleteColor{TrueColor: h.full, ANSI256: h.table, ANSI: h.basic}
}

func (t *Theme) profile() termenv.Profile {
	switch t.depth {
	case TrueColor:
		return termenv.TrueColor
	case Colors256:
		return termenv.ANSI256
	}
	return termenv.ANSI
}

// Hex returns the colours of st as #RRGGBB, as in true colour.
func (t *Theme) Hex(st Style) (fore, back string) {
	if st&Band != 0 {
		return t.pal.canvas.full, t.pal.token[Muted].full
	}
	if st&OnRow != 0 {
		return t.pal.token[st.token()].full, t.pal.row.full
	}
	return t.pal.token[st.token()].full, t.pal.canvas.full
}

// DepthOf reads from the environment how many colours the terminal shows: NO_COLOR, COLORTERM, TERM.
func DepthOf(env func(string) string) Depth {
	term := env("TERM")
	switch {
	case env("NO_COLOR") != "", term == "", term == "dumb", strings.HasPrefix(term, "vt1"), strings.HasPrefix(term, "vt2"):
		return NoColor
	case env("COLORTERM") == "truecolor", env("COLORTERM") == "24bit", strings.HasSuffix(term, "-direct"),
		strings.HasPrefix(term, "xterm-kitty"), strings.HasPrefix(term, "xterm-ghostty"):
		return TrueColor
	case strings.Contains(term, "256color"):
		return Colors256
	}
	return Colors16
}

// sgr returns the sequence for a picture's colours and the character that shows them.
func (p paint) sgr(d Depth, ascii bool) (seq, text string) {
	if p.kitty {
		return fmt.Sprintf("\x1b[0;38;2;%d;%d;%dm", p.fg[0], p.fg[1], p.fg[2]), ""
	}
	switch d {
	case TrueColor:
		return fmt.Sprintf("\x1b[0;38;2;%d;%d;%d;48;2;%d;%d;%dm", p.fg[0], p.fg[1], p.fg[2], p.bg[0], p.bg[1], p.bg[2]), "▀"
	case Colors256:
		return "\x1b[0;38;5;" + strconv.Itoa(nearest256(p.fg)) + ";48;5;" + strconv.Itoa(nearest256(p.bg)) + "m", "▀"
	}
	return "\x1b[0m", p.shade(ascii)
}

// shade returns a character as dark as the two pixels, as ink on paper.
func (p paint) shade(ascii bool) string {
	light := 0
	for _, c := range [][3]uint8{p.fg, p.bg} {
		light += (299*int(c[0]) + 587*int(c[1]) + 114*int(c[2])) / 1000
	}
	shades := [5]string{"█", "▓", "▒", "░", " "}
	if ascii {
		shades = [5]string{"#", "#", ":", ".", " "}
	}
	return shades[light*5/511]
}

// nearest256 returns the colour of the 256 that is nearest to c: one of the cube or one of the greys.
func nearest256(c [3]uint8) int {
	levels := [6]int{0, 95, 135, 175, 215, 255}
	cube, dist := 16, 0
	grey := 0
	for i, scale := range [3]int{36, 6, 1} {
		v, best := int(c[i]), 0
		grey += v
		for l, level := range levels {
			if abs(v-level) < abs(v-levels[best]) {
				best = l
			}
		}
		cube += best * scale
		dist += (v - levels[best]) * (v - levels[best])
	}
	step := min(max((grey/3-8+5)/10, 0), 23)
	g, greyDist := 8+10*step, 0
	for _, v := range c {
		greyDist += (int(v) - g) * (int(v) - g)
	}
	if greyDist < dist {
		return 232 + step
	}
	return cube
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
