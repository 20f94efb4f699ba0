package message

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	gomessage "github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // knows the character sets
	gomail "github.com/emersion/go-message/mail"
)

// TestWellFormedMailsReadAsInAnotherParser holds our parser against a strict one: where that one has no doubt, both
// must see the same subject, sender, text and files.
func TestWellFormedMailsReadAsInAnotherParser(t *testing.T) {
	for name, raw := range map[string]string{
		"plain":       "From: =?utf-8?B?VHLhuqdu?= <an@unit.example>\r\nSubject: =?utf-8?Q?=C4=91=C6=A1n?=\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nxJHGoW4gduG7iw==\r\n",
		"mixed":       "From: An <an@unit.example>\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary=\"a b\"\r\n\r\npreamble\r\n--a b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\n--a b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename*=utf-8''l%E1%BB%97i.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0x\r\n--a b--\r\nepilogue",
		"nested":      "From: an@unit.example\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\nContent-Type: text/plain\r\n\r\none\r\n--i--\r\n\r\n--o\r\nContent-Disposition: attachment; filename=a.bin\r\n\r\n\x01\x02\r\n--o--\r\n",
		"iso-2022-jp": "From: an@unit.example\r\nSubject: =?iso-2022-jp?B?GyRCJCIbKEI=?=\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$B$\"\x1b(B\r\n",
	} {
		want := theirs(t, name, raw)
		m := Parse([]byte(raw), Limits{})
		got := m.Subject + "|" + m.From[0].Name + "|" + m.From[0].Addr + "|" + m.Text
		for _, a := range m.Attachments {
			got += "|" + a.Name + "=" + string(Content(a.Part))
		}
		if got != want {
			t.Errorf("%s: %q, the other parser %q", name, got, want)
		}
	}
}

func theirs(t *testing.T, name, raw string) string {
	t.Helper()
	r, err := gomail.CreateReader(strings.NewReader(raw))
	if err != nil && !gomessage.IsUnknownCharset(err) {
		t.Fatalf("%s: %v", name, err)
	}
	from, err := r.Header.AddressList("From")
	if err != nil {
		t.Fatal(err)
	}
	subject, err := r.Header.Subject()
	if err != nil {
		t.Fatal(err)
	}
	var text []string
	files := ""
	for {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		data, err := io.ReadAll(p.Body)
		if err != nil {
			t.Fatal(err)
		}
		if h, ok := p.Header.(*gomail.AttachmentHeader); ok {
			file, err := h.Filename()
			if err != nil {
				t.Fatal(err)
			}
			files += "|" + file + "=" + string(data)
			continue
		}
		text = append(text, string(bytes.TrimSpace(data)))
	}
	return subject + "|" + from[0].Name + "|" + from[0].Address + "|" + strings.Join(text, "\n\n") + files
}
