package tui

// Style says what a text means: one colour token, combined by | with any of the flags. The theme decides the colours.
type Style uint16

// The colour tokens. The zero Style is plain text.
const (
	Text   Style = iota // values, sentences
	Muted               // labels of keys, sources, times; never values
	Accent              // the focus
	Danger              // stops you
	Wait                // waits for somebody or something
	OK                  // proven, done
	Rule                // lines, never text
	Seal                // the seal drawn on previews

	tokens    = iota
	tokenMask = Style(7)
)

// The flags.
const (
	Bold  Style = 1 << (iota + 4)
	OnRow       // on the background of the row in focus
	Band        // the seam: reversed, bold; its token does not matter

	styles = 1 << 7 // how many different styles there can be
)

// token returns the colour token of s.
func (s Style) token() Style { return s & tokenMask }
