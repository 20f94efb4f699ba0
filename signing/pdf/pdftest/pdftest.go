// Package pdftest makes small PDF files for tests of the packages that sign and verify.
package pdftest

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"strings"
)

// Attachment is the text of the attachment "order.json" in every base document.
const Attachment = `{"order":"PYC-2026-000001","customer":"Nguyễn Văn Ế"}`

// Base returns a one-page document with a line of text, the attachment order.json and an empty signature field for
// each name, side by side.
func Base(fields ...string) []byte { return Padded(0, fields...) }

// Padded is Base with so many more bytes in the page's content.
func Padded(size int, fields ...string) []byte {
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	z.Write([]byte(Attachment))
	z.Close()
	var widgets string
	objects := []string{"", "", "",
		stream("", "BT /F1 12 Tf 72 760 Td (Work order) Tj ET"+strings.Repeat(" ", size)),
		"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
		"<</Type/Filespec/F(order.json)/UF(order.json)/EF<</F 7 0 R>>/AFRelationship/Data>>",
		stream("/Type/EmbeddedFile/Filter/FlateDecode", packed.String()),
	}
	for i, name := range fields {
		objects = append(objects, fmt.Sprintf("<</Type/Annot/Subtype/Widget/FT/Sig/T(%s)/F 132/Rect[%d 100 %d 200]/P 3 0 R>>", name, 72+110*i, 172+110*i))
		widgets += fmt.Sprintf("%d 0 R ", 8+i)
	}
	objects[0] = "<</Type/Catalog/Pages 2 0 R/AcroForm<</SigFlags 3/Fields[" + widgets + "]>>/Names<</EmbeddedFiles<</Names[(order.json) 6 0 R]>>>>/AF[6 0 R]>>"
	objects[1] = "<</Type/Pages/Kids[3 0 R]/Count 1>>"
	objects[2] = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 5 0 R>>>>/Contents 4 0 R/Annots[" + widgets + "]>>"
	return File(objects...)
}

func stream(dict, data string) string {
	return fmt.Sprintf("<<%s/Length %d>>\nstream\n%s\nendstream", dict, len(data), data)
}

// File returns a file with the given objects, numbered from 1; the first is the catalog.
func File(objects ...string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	offsets := make([]int, len(objects))
	for i, o := range objects {
		offsets[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, at := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R/ID[<00112233445566778899aabbccddeeff><00112233445566778899aabbccddeeff>]>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, xref)
	return b.Bytes()
}
