package helpdesk

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Handbook is the knowledge base: Markdown files, searched in memory. It is offered before a ticket is opened (T-F32, T-F33).
type Handbook struct {
	articles []Article
}

// Article is one file of the handbook. It begins with "# Title"; a line "Loại: CKS" before the first empty line names its
// category, and "Bản: 3" its version.
type Article struct {
	Name     string `json:"name"` // the file's name without .md
	Title    string `json:"title"`
	Category string `json:"category"`
	Version  string `json:"version"`
	Text     string `json:"text"` // Markdown
	terms    []string
	heads    []string // terms of the title
}

// LoadHandbook reads every .md file of a folder.
func LoadHandbook(folder fs.FS) (*Handbook, error) {
	names, err := fs.Glob(folder, "*.md")
	if err != nil {
		return nil, fmt.Errorf("read the handbook: %w", err)
	}
	h := &Handbook{}
	for _, name := range names {
		data, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, fmt.Errorf("read the handbook: %w", err)
		}
		a := Article{Name: strings.TrimSuffix(path.Base(name), ".md")}
		head, rest, _ := strings.Cut(string(data), "\n\n")
		for line := range strings.Lines(head) {
			line = strings.TrimSpace(line)
			key, value, _ := strings.Cut(line, ":")
			switch {
			case strings.HasPrefix(line, "# "):
				a.Title = strings.TrimSpace(line[2:])
			case Fold(key) == "loai":
				a.Category = strings.TrimSpace(value)
			case Fold(key) == "ban":
				a.Version = strings.TrimSpace(value)
			}
		}
		if a.Title == "" {
			return nil, fmt.Errorf("read the handbook: %s does not begin with \"# \" and a title", name)
		}
		a.Text, a.heads = strings.TrimSpace(rest), Terms(a.Title)
		a.terms = Terms(a.Title, a.Text)
		h.articles = append(h.articles, a)
	}
	return h, nil
}

// Article returns one by its name.
func (h *Handbook) Article(name string) (Article, bool) {
	if h == nil {
		return Article{}, false
	}
	i := slices.IndexFunc(h.articles, func(a Article) bool { return a.Name == name })
	if i < 0 {
		return Article{}, false
	}
	return h.articles[i], true
}

// Find returns the articles that have any of a text's words, the best first; a word of the title counts threefold, and the
// category, when it is given, fivefold.
func (h *Handbook) Find(text, category string, limit int) []Article {
	if h == nil {
		return nil
	}
	words := Terms(text)
	type hit struct {
		article Article
		score   int
	}
	var hits []hit
	for _, a := range h.articles {
		score := 0
		for _, w := range words {
			if slices.Contains(a.heads, w) {
				score += 3
			} else if slices.Contains(a.terms, w) {
				score++
			}
		}
		if category != "" && a.Category == category {
			score += 5
		}
		if score > 0 {
			hits = append(hits, hit{a, score})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return b.score - a.score })
	var out []Article
	for _, h := range hits[:min(limit, len(hits))] {
		out = append(out, h.article)
	}
	return out
}
