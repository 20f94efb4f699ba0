package page

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"sort"
	"strconv"
	"time"
	"unicode/utf16"
)

// Numbers of the first objects; fonts, pictures, pages, files and fields follow in this order.
const (
	objCatalog = 1 + iota
	objPages
	objInfo
	objResources
	objForm // AcroForm; only when there are fields
)

// writer puts numbered objects one after the other.
type writer struct {
	buf     []byte
	offsets []int // of object i+1
}

func (w *writer) printf(format string, args ...any) { w.buf = fmt.Appendf(w.buf, format, args...) }

// begin starts the next object; its number must be n.
func (w *writer) begin(n int) {
	w.offsets = append(w.offsets, len(w.buf))
	if len(w.offsets) != n {
		panic(fmt.Sprintf("object %d is written as the %dth", n, len(w.offsets)))
	}
	w.buf = strconv.AppendInt(w.buf, int64(n), 10)
	w.buf = append(w.buf, " 0 obj\n"...)
}

func (w *writer) end() { w.buf = append(w.buf, "\nendobj\n"...) }

// stream writes a stream object; dict holds the entries besides /Length.
func (w *writer) stream(n int, dict string, data []byte) {
	w.begin(n)
	w.buf = append(w.buf, "<< "...)
	w.buf = append(w.buf, dict...)
	w.printf(" /Length %d >>\nstream\n", len(data))
	w.buf = append(w.buf, data...)
	w.buf = append(w.buf, "\nendstream"...)
	w.end()
}

// roughSize guesses the document's size from above, so that it is written without copying it around.
func (d *Document) roughSize() int {
	size := 16 << 10
	for _, u := range d.fonts {
		if p, err := u.use.Program(); err == nil {
			size += len(p.Deflated) + len(p.ToUnicode) + len(p.Widths) + 1024
		}
	}
	for _, img := range d.images {
		size += len(img.data) + 512
	}
	for _, p := range d.pages {
		size += len(p.content)/2 + 1024
	}
	for _, f := range d.files {
		size += len(f.Data) + 1024
	}
	return size
}

// numbers says which object is which.
type numbers struct {
	font, image, page, file, field int // the first of each kind
	total                          int
}

const (
	perFont = 5 // Type0, CIDFont, descriptor, font file, ToUnicode
	perPage = 2 // page, content
	perFile = 2 // file specification, embedded file
)

func (d *Document) number() numbers {
	var n numbers
	n.font = objResources + 1
	if len(d.fields) > 0 {
		n.font = objForm + 1
	}
	n.image = n.font + perFont*len(d.fonts)
	n.page = n.image + len(d.images)
	n.file = n.page + perPage*len(d.pages)
	n.field = n.file + perFile*len(d.files)
	n.total = n.field + len(d.fields) - 1
	return n
}

// Bytes writes the document. The document must not be drawn on afterwards.
func (d *Document) Bytes() ([]byte, error) {
	if d.err != nil {
		return nil, d.err
	}
	if len(d.pages) == 0 {
		return nil, fmt.Errorf("document has no page")
	}
	n := d.number()
	w := &writer{buf: make([]byte, 0, d.roughSize()), offsets: make([]int, 0, n.total)}
	w.buf = append(w.buf, "%PDF-1.7\n%\xE2\xE3\xCF\xD3\n"...)
	id := sha256.New()
	d.writeCatalog(w, n)
	if err := d.writeFonts(w, n, id); err != nil {
		return nil, err
	}
	for i, img := range d.images {
		w.stream(n.image+i, fmt.Sprintf("/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace %s "+
			"/BitsPerComponent 8 /Filter %s", img.Width, img.Height, img.space, img.filter), img.data)
	}
	rest := len(w.buf)
	d.writePages(w, n)
	d.writeFiles(w, n)
	d.writeFields(w, n)
	// The fonts' digests stand for their bytes: they are the same in most documents, and long.
	id.Write(w.buf[:w.offsets[n.font-1]])
	for _, img := range d.images {
		id.Write(img.data)
	}
	id.Write(w.buf[rest:])
	w.trailer(hex.EncodeToString(id.Sum(nil)[:16]))
	return w.buf, nil
}

func (w *writer) trailer(id string) {
	start := len(w.buf)
	w.printf("xref\n0 %d\n0000000000 65535 f \n", len(w.offsets)+1)
	for _, off := range w.offsets {
		w.printf("%010d 00000 n \n", off)
	}
	w.printf("trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R /ID [<%s> <%s>] >>\nstartxref\n%d\n%%%%EOF\n",
		len(w.offsets)+1, objCatalog, objInfo, id, id, start)
}

func (d *Document) writeCatalog(w *writer, n numbers) {
	w.begin(objCatalog)
	w.printf("<< /Type /Catalog /Version /1.7 /Pages %d 0 R", objPages)
	w.printf(" /Extensions << /ADBE << /BaseVersion /1.7 /ExtensionLevel 5 >> /ESIC << /BaseVersion /1.7 /ExtensionLevel 1 >> >>")
	w.printf(" /Lang %s /ViewerPreferences << /DisplayDocTitle true >>", textString(d.info.Language))
	if len(d.fields) > 0 {
		w.printf(" /AcroForm %d 0 R", objForm)
	}
	if len(d.files) > 0 {
		order := make([]int, len(d.files))
		for i := range order {
			order[i] = i
		}
		sort.Slice(order, func(i, j int) bool { return d.files[order[i]].Name < d.files[order[j]].Name })
		w.printf(" /Names << /EmbeddedFiles << /Names [")
		for _, i := range order {
			w.printf(" %s %d 0 R", textString(d.files[i].Name), n.file+perFile*i)
		}
		w.printf(" ] >> >> /AF [")
		for _, i := range order {
			w.printf(" %d 0 R", n.file+perFile*i)
		}
		w.printf(" ]")
	}
	w.printf(" >>")
	w.end()

	w.begin(objPages)
	w.printf("<< /Type /Pages /Count %d /Kids [", len(d.pages))
	for i := range d.pages {
		w.printf(" %d 0 R", n.page+perPage*i)
	}
	w.printf(" ] >>")
	w.end()

	w.begin(objInfo)
	w.printf("<< /Title %s", textString(d.info.Title))
	if d.info.Author != "" {
		w.printf(" /Author %s", textString(d.info.Author))
	}
	if d.info.Subject != "" {
		w.printf(" /Subject %s", textString(d.info.Subject))
	}
	date := Date(d.info.Created)
	w.printf(" /Creator (Countersign) /Producer (Countersign) /CreationDate %s /ModDate %s >>", date, date)
	w.end()

	w.begin(objResources)
	w.printf("<< /ProcSet [/PDF /Text /ImageB /ImageC]")
	if len(d.fonts) > 0 {
		w.printf(" /Font <<")
		for i, u := range d.fonts {
			w.printf(" /%s %d 0 R", u.name, n.font+perFont*i)
		}
		w.printf(" >>")
	}
	if len(d.images) > 0 {
		w.printf(" /XObject <<")
		for i := range d.images {
			w.printf(" /I%d %d 0 R", i+1, n.image+i)
		}
		w.printf(" >>")
	}
	w.printf(" >>")
	w.end()

	if len(d.fields) > 0 {
		w.begin(objForm)
		w.printf("<< /Fields [")
		for i := range d.fields {
			w.printf(" %d 0 R", n.field+i)
		}
		w.printf(" ] /SigFlags 3 >>")
		w.end()
	}
}

func (d *Document) writeFonts(w *writer, n numbers, id io.Writer) error {
	for i, u := range d.fonts {
		p, err := u.use.Program()
		if err != nil {
			return err
		}
		id.Write(p.Digest[:])
		at := n.font + perFont*i
		w.begin(at)
		w.printf("<< /Type /Font /Subtype /Type0 /BaseFont /%s /Encoding /Identity-H /DescendantFonts [%d 0 R] /ToUnicode %d 0 R >>",
			p.Name, at+1, at+4)
		w.end()
		w.begin(at + 1)
		w.printf("<< /Type /Font /Subtype /CIDFontType2 /BaseFont /%s /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) "+
			"/Supplement 0 >> /FontDescriptor %d 0 R /CIDToGIDMap /Identity /DW 1000 /W %s >>", p.Name, at+2, p.Widths)
		w.end()
		fd := p.Descriptor
		w.begin(at + 2)
		w.printf("<< /Type /FontDescriptor /FontName /%s /Flags %d /FontBBox [%d %d %d %d] /ItalicAngle %d /Ascent %d /Descent %d "+
			"/CapHeight %d /StemV %d /FontFile2 %d 0 R >>", p.Name, fd.Flags, fd.BBox[0], fd.BBox[1], fd.BBox[2], fd.BBox[3],
			fd.ItalicAngle, fd.Ascent, fd.Descent, fd.CapHeight, fd.StemV, at+3)
		w.end()
		w.stream(at+3, fmt.Sprintf("/Filter /FlateDecode /Length1 %d", len(p.TrueType)), p.Deflated)
		w.stream(at+4, "/Filter /FlateDecode", p.ToUnicode)
	}
	return nil
}

func (d *Document) writePages(w *writer, n numbers) {
	var packed []byte
	for i, p := range d.pages {
		p.endText()
		at := n.page + perPage*i
		w.begin(at)
		w.printf("<< /Type /Page /Parent %d 0 R /MediaBox [0 0 ", objPages)
		w.buf = appendNum(w.buf, p.w, 100)
		w.buf = appendNum(w.buf, p.h, 100)
		w.printf("] /Resources %d 0 R /Contents %d 0 R", objResources, at+1)
		open := false
		for j, f := range d.fields {
			if f.page != i {
				continue
			}
			if !open {
				w.printf(" /Annots [")
				open = true
			}
			w.printf(" %d 0 R", n.field+j)
		}
		if open {
			w.printf(" ]")
		}
		w.printf(" >>")
		w.end()

		packed = appendDeflate(packed[:0], p.content)
		w.stream(at+1, "/Filter /FlateDecode", packed)
	}
}

func (d *Document) writeFiles(w *writer, n numbers) {
	for i, f := range d.files {
		at := n.file + perFile*i
		w.begin(at)
		name := textString(f.Name)
		w.printf("<< /Type /Filespec /F %s /UF %s /AFRelationship /Data /EF << /F %d 0 R /UF %d 0 R >>", name, name, at+1, at+1)
		if f.Description != "" {
			w.printf(" /Desc %s", textString(f.Description))
		}
		w.printf(" >>")
		w.end()
		// Attachments are stored as they are, so that the very bytes that were agreed on can be found in the file.
		w.stream(at+1, fmt.Sprintf("/Type /EmbeddedFile /Subtype %s /Params << /Size %d /ModDate %s >>",
			nameObject(f.MIME), len(f.Data), Date(f.Modified)), f.Data)
	}
}

func (d *Document) writeFields(w *writer, n numbers) {
	for i, f := range d.fields {
		w.begin(n.field + i)
		h := d.pages[f.page].h
		w.printf("<< /Type /Annot /Subtype /Widget /FT /Sig /T %s", textString(f.Name))
		if f.Label != "" {
			w.printf(" /TU %s", textString(f.Label))
		}
		w.printf(" /F 132 /P %d 0 R /Rect [", n.page+perPage*f.page)
		for _, v := range [4]float64{f.Rect.X, h - f.Rect.Y - f.Rect.H, f.Rect.X + f.Rect.W, h - f.Rect.Y} {
			w.buf = appendNum(w.buf, v, 100)
		}
		w.printf("]")
		if len(f.Lock) > 0 {
			names := slices.Clone(f.Lock)
			sort.Strings(names)
			w.printf(" /Lock << /Type /SigFieldLock /Action /Include /Fields [")
			for _, name := range names {
				w.printf(" %s", textString(name))
			}
			w.printf(" ] >>")
		}
		w.printf(" >>")
		w.end()
	}
}

// textString writes a text: as it is when it is plain ASCII, else in UTF-16.
func textString(s string) string {
	plain := make([]byte, 0, len(s)+8)
	plain = append(plain, '(')
	for i := range len(s) {
		c := s[i]
		if c < 0x20 || c >= 0x7F {
			return wideString(s)
		}
		if c == '\\' || c == '(' || c == ')' {
			plain = append(plain, '\\')
		}
		plain = append(plain, c)
	}
	return string(append(plain, ')'))
}

// wideString writes a text in UTF-16.
func wideString(s string) string {
	const digits = "0123456789ABCDEF"
	b := append(make([]byte, 0, 8+4*len(s)), "<FEFF"...)
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, digits[u>>12], digits[u>>8&15], digits[u>>4&15], digits[u&15])
	}
	return string(append(b, '>'))
}

// nameObject writes a name, such as a MIME type, with the characters that names can't hold as #xx.
func nameObject(s string) string {
	b := []byte{'/'}
	for _, c := range []byte(s) {
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '-' || c == '.' || c == '+' || c == '_' {
			b = append(b, c)
			continue
		}
		b = fmt.Appendf(b, "#%02X", c)
	}
	return string(b)
}

// Date writes a moment as a PDF date in its own time zone.
func Date(t time.Time) string {
	_, zone := t.Zone()
	sign := '+'
	if zone < 0 {
		sign, zone = '-', -zone
	}
	return fmt.Sprintf("(D:%s%c%02d'%02d')", t.Format("20060102150405"), sign, zone/3600, zone/60%60)
}
