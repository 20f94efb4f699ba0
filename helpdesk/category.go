package helpdesk

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Category is a kind of request with what goes with it.
type Category struct {
	Code    string            `yaml:"code"`
	Name    map[string]string `yaml:"name"`    // by language
	Words   []string          `yaml:"words"`   // of which one in a request speaks for the category
	Needs   []string          `yaml:"needs"`   // description, screenshot, contact
	Term    time.Duration     `yaml:"-"`       // working time
	Hours   float64           `yaml:"hours"`   // the term as the file has it
	Article string            `yaml:"article"` // of the handbook
	Skill   string            `yaml:"skill"`   // of the agents who know it
}

// Categories is the dated table of categories.
type Categories struct {
	Version string
	list    []Category
	phrases [][][]string // folded words of Words, by category
}

// LoadCategories reads categories.yaml.
func LoadCategories(files fs.FS) (*Categories, error) {
	data, err := fs.ReadFile(files, "helpdesk/categories.yaml")
	if err != nil {
		return nil, fmt.Errorf("read the categories: %w", err)
	}
	var file struct {
		Version    string     `yaml:"version"`
		Categories []Category `yaml:"categories"`
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("read the categories: %w", err)
	}
	c := &Categories{Version: file.Version}
	for _, one := range file.Categories {
		if one.Code == "" || one.Name["vi"] == "" || one.Hours <= 0 || c.has(one.Code) {
			return nil, fmt.Errorf("read the categories: %q needs a code of its own, a Vietnamese name and hours", one.Code)
		}
		for _, need := range one.Needs {
			if !slices.Contains(Needs, need) {
				return nil, fmt.Errorf("read the categories: %s needs %q, which nobody can ask for", one.Code, need)
			}
		}
		one.Term = time.Duration(one.Hours * float64(time.Hour))
		var phrases [][]string
		for _, w := range one.Words {
			var phrase []string
			for _, word := range Words(w) {
				phrase = append(phrase, word.Text)
			}
			phrases = append(phrases, phrase)
		}
		c.list, c.phrases = append(c.list, one), append(c.phrases, phrases)
	}
	if len(c.list) == 0 || !c.has(OtherCategory) {
		return nil, errors.New("read the categories: " + OtherCategory + " is missing, in which everything else goes")
	}
	return c, nil
}

// OtherCategory is where a request goes that fits nowhere.
const OtherCategory = "KH"

// Needs are what the automatic question can ask for.
var Needs = []string{"description", "screenshot", "contact"}

func (c *Categories) has(code string) bool {
	return slices.ContainsFunc(c.list, func(x Category) bool { return x.Code == code })
}

// All lists the categories in the file's order.
func (c *Categories) All() []Category { return slices.Clone(c.list) }

// Category returns one by its code, and the one for everything else for a code that is not there.
func (c *Categories) Category(code string) Category {
	other := Category{}
	for _, x := range c.list {
		switch x.Code {
		case code:
			return x
		case OtherCategory:
			other = x
		}
	}
	return other
}

// Guess returns the category for which most phrases of a text speak; a longer phrase counts for more.
func (c *Categories) Guess(words []Word) string {
	best, most := OtherCategory, 0
	text := make([]string, len(words))
	for i, w := range words {
		text[i] = w.Text
	}
	joined := " " + strings.Join(text, " ") + " "
	for i, phrases := range c.phrases {
		score := 0
		for _, p := range phrases {
			if strings.Contains(joined, " "+strings.Join(p, " ")+" ") {
				score += len(p)
			}
		}
		if score > most {
			best, most = c.list[i].Code, score
		}
	}
	return best
}
