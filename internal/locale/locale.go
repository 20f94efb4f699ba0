// Package locale holds every text that a person reads, in Vietnamese, English and Traditional Chinese.
//
// One TOML file an area and language: text/vi/clerk.toml, text/en/clerk.toml, text/zh-Hant/clerk.toml. The three
// must have the same keys and placeholders (a test holds it), so that no screen falls back to another language.
// Placeholders are {{.name}}. Start reading at Text.
package locale

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/BurntSushi/toml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"

	"countersign/internal/fault"
)

// Lang is one of the languages that the product speaks.
type Lang string

// The languages, by their BCP 47 tags.
const (
	Vietnamese Lang = "vi"
	English    Lang = "en"
	Chinese    Lang = "zh-Hant"
)

// Langs lists the languages, the default first.
var Langs = []Lang{Vietnamese, English, Chinese}

//go:embed text
var texts embed.FS

// Parse returns the language of a tag such as "vi", "en" or "zh-Hant".
func Parse(tag string) (Lang, error) {
	for _, l := range Langs {
		if strings.EqualFold(tag, string(l)) {
			return l, nil
		}
	}
	return "", fmt.Errorf("language %q is not one of vi, en, zh-Hant", tag)
}

// tongue is one language: a text without placeholders is looked up, one with is made by the library.
type tongue struct {
	plain  map[string]string
	filled *i18n.Localizer
}

var load = sync.OnceValue(func() map[Lang]tongue {
	bundle := i18n.NewBundle(language.Vietnamese)
	bundle.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	out := make(map[Lang]tongue)
	for _, l := range Langs {
		out[l] = tongue{plain: make(map[string]string), filled: i18n.NewLocalizer(bundle, string(l))}
	}
	err := fs.WalkDir(texts, "text", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := texts.ReadFile(name)
		if err != nil {
			return err
		}
		// go-i18n reads the language from the file name: "clerk.vi.toml".
		tag := path.Base(path.Dir(name))
		file, err := bundle.ParseMessageFileBytes(data, strings.TrimSuffix(path.Base(name), "toml")+tag+".toml")
		if err != nil {
			return err
		}
		for _, m := range file.Messages {
			if m.Other != "" && !strings.Contains(m.Other, "{{") {
				out[Lang(tag)].plain[m.ID] = m.Other
			}
		}
		return nil
	})
	if err != nil {
		panic(fmt.Sprintf("embedded texts can't be read: %v", err))
	}
	return out
})

// Args fill the placeholders of a text.
type Args map[string]any

// Text returns the text with the given id in language l. An unknown id comes back in ‹› so that it is seen at once.
func Text(l Lang, id string, args Args) string {
	in, ok := load()[l]
	if !ok {
		in = load()[Vietnamese]
	}
	if s, ok := in.plain[id]; ok {
		return s
	}
	s, err := in.filled.Localize(&i18n.LocalizeConfig{MessageID: id, TemplateData: map[string]any(args)})
	if err != nil {
		return "‹" + id + "›"
	}
	return s
}

// Fault returns the sentence for a failure; one that has no code of ours reads as our own fault. An argument such as
// "@password.upper,password.digit" names texts, which are put into the sentence in the same language.
func Fault(l Lang, err error) string {
	var e *fault.Error
	if !errors.As(err, &e) {
		return Text(l, "fault.internal", nil)
	}
	args := make(Args, len(e.Args))
	for k, v := range e.Args {
		args[k] = v
		if ids, ok := strings.CutPrefix(v, "@"); ok {
			args[k] = words(l, strings.Split(ids, ","))
		}
	}
	return Text(l, "fault."+e.Code, args)
}

func words(l Lang, ids []string) string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = Text(l, id, nil)
	}
	comma := ", "
	if l == Chinese {
		comma = "、"
	}
	return strings.Join(out, comma)
}
