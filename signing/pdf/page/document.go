// Package page writes PDF documents that are the same, byte for byte, for the same content.
//
// A Document is filled page by page and written once: PDF 1.7 with a classic cross-reference table, objects in
// ascending order, every object reachable from the catalog, no scripts and no layers, fonts embedded as subsets.
// Its /ID is a digest of its content and its dates are handed in. Signature fields are made here, empty, because
// later signers may only fill what the base document already has.
//
// Lengths are points (1/72 inch); the origin is the upper left corner of a page and y grows downwards. The first
// thing that can't be drawn is kept and returned by Bytes. Start reading at New, then Document.Bytes in write.go.
package page

import (
	"fmt"
	"time"

	"countersign/signing/pdf/font"
)

// A4 and one millimetre, in points.
const (
	A4Width  = 595.28
	A4Height = 841.89
	MM       = 72 / 25.4
)

// Info says what a document is; Created is also its modification date.
type Info struct {
	Title, Author, Subject string
	Language               string // BCP 47
	Created                time.Time
}

// Color is red, green, blue from 0 to 1; the zero value is black.
type Color struct{ R, G, B float64 }

// Style says how text is drawn. A character is taken from the first font that has it.
type Style struct {
	Fonts []*font.Font
	Size  float64
	Color Color
	Heavy bool // thicken what is not drawn by the first font: a Chinese font often has no bold
}

// Measure returns the width of s in the style.
func (s Style) Measure(text string) float64 {
	sum := 0
	for _, r := range text {
		for _, f := range s.Fonts {
			if g, ok := f.Glyph(r); ok {
				sum += f.Advance(g)
				break
			}
		}
	}
	return float64(sum) * s.Size / 1000
}

// Attachment is a file embedded in the document.
type Attachment struct {
	Name        string // unique in the document
	Description string
	MIME        string
	Data        []byte
	Modified    time.Time
}

// Rect is a rectangle on a page, measured from the upper left corner.
type Rect struct{ X, Y, W, H float64 }

// Field is an empty signature field.
type Field struct {
	Name  string // unique in the document, ASCII
	Label string // what a reader shows for it
	Rect  Rect
	Lock  []string // the fields that signing this one locks; none: no lock
}

// Document is a document being made.
type Document struct {
	info   Info
	pages  []*Page
	fonts  []*fontUse
	images []*Image
	files  []Attachment
	fields []placedField
	err    error
}

type fontUse struct {
	font *font.Font
	use  *font.Use
	name string // resource name: "F1"
}

type placedField struct {
	Field
	page int
}

// New begins a document.
func New(info Info) *Document { return &Document{info: info} }

// Pages returns how many pages the document has.
func (d *Document) Pages() int { return len(d.pages) }

// Page returns the page with the given index.
func (d *Document) Page(i int) *Page { return d.pages[i] }

// AddPage appends an empty page.
func (d *Document) AddPage(w, h float64) *Page {
	p := &Page{doc: d, index: len(d.pages), w: w, h: h, content: make([]byte, 0, 8<<10)}
	d.pages = append(d.pages, p)
	return p
}

// Attach embeds a file.
func (d *Document) Attach(a Attachment) {
	for _, b := range d.files {
		if a.Name == b.Name {
			d.fail(fmt.Errorf("document has two attachments named %q", a.Name))
		}
	}
	d.files = append(d.files, a)
}

// Err returns the first thing that could not be drawn.
func (d *Document) Err() error { return d.err }

func (d *Document) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

func (d *Document) fontUse(f *font.Font) *fontUse {
	for _, u := range d.fonts {
		if u.font == f {
			return u
		}
	}
	u := &fontUse{font: f, use: f.Use(), name: fmt.Sprintf("F%d", len(d.fonts)+1)}
	d.fonts = append(d.fonts, u)
	return u
}

// Field makes an empty signature field on the page.
func (p *Page) Field(f Field) {
	for _, g := range p.doc.fields {
		if f.Name == g.Name {
			p.doc.fail(fmt.Errorf("document has two signature fields named %q", f.Name))
		}
	}
	p.doc.fields = append(p.doc.fields, placedField{f, p.index})
}
