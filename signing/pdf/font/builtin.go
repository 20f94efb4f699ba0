package font

import (
	"fmt"
	"sync"

	"github.com/go-fonts/liberation/liberationsansbold"
	"github.com/go-fonts/liberation/liberationsansregular"
	"github.com/go-fonts/liberation/liberationserifbold"
	"github.com/go-fonts/liberation/liberationserifitalic"
	"github.com/go-fonts/liberation/liberationserifregular"
)

// Builtin are the fonts that the program carries; they hold every Vietnamese letter. Serif has the widths of
// Times New Roman, which Decree 30/2020/ND-CP asks for.
type Builtin struct {
	Serif, SerifBold, SerifItalic *Font
	Sans, SansBold                *Font
}

var builtin = sync.OnceValue(func() *Builtin {
	parse := func(data []byte) *Font {
		f, err := Parse(data)
		if err != nil {
			panic(fmt.Sprintf("a font inside the program can't be read: %v", err))
		}
		return f
	}
	return &Builtin{
		Serif:       parse(liberationserifregular.TTF),
		SerifBold:   parse(liberationserifbold.TTF),
		SerifItalic: parse(liberationserifitalic.TTF),
		Sans:        parse(liberationsansregular.TTF),
		SansBold:    parse(liberationsansbold.TTF),
	}
})

// Fonts returns the built-in fonts, parsed once for the whole program.
func Fonts() *Builtin { return builtin() }
