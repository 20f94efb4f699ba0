package message

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"strings"
	"testing"
	"time"
)

func sample() Mail {
	return Mail{From: mail.Address{Name: "Điện lực Bắc Giang", Address: "quay@counter.example"}, To: mail.Address{Address: "thu@mau.example"},
		Subject: "Biên nhận phiếu 000042", Date: time.Date(2026, 11, 21, 9, 24, 0, 0, time.UTC), MessageID: "a1@counter.example", Text: "Kính gửi quý khách,\nphiếu 000042 đã ký.\n",
		Files: []File{{Name: "WO-000042.pdf", Type: "application/pdf", Data: bytes.Repeat([]byte("%PDF "), 100)}}, Auto: true}
}

func TestAMailReadsBackAsItWasWritten(t *testing.T) {
	raw, err := Build(sample())
	if err != nil {
		t.Fatal(err)
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	dec := new(mime.WordDecoder)
	if got, err := dec.DecodeHeader(m.Header.Get("Subject")); err != nil || got != "Biên nhận phiếu 000042" {
		t.Errorf("subject %q, %v", got, err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	r := multipart.NewReader(m.Body, params["boundary"])
	text, err := r.NextPart()
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := io.ReadAll(text); !strings.Contains(string(got), "phiếu 000042 đã ký") {
		t.Errorf("text %q", got)
	}
	file, err := r.NextPart()
	if err != nil || file.FileName() != "WO-000042.pdf" {
		t.Fatalf("file %v, %v", file, err)
	}
	for i, line := range strings.Split(string(raw), "\r\n") {
		if len(line) > 998 || strings.Contains(line, "\n") {
			t.Errorf("line %d is too long or has a bare line feed", i)
		}
	}
}

func TestNoValueCanAddAHeader(t *testing.T) {
	for name, change := range map[string]func(*Mail){
		"subject":    func(m *Mail) { m.Subject = "a\r\nBcc: x@y.example" },
		"receiver":   func(m *Mail) { m.To.Address = "a@b.example\r\nBcc: x@y.example" },
		"two":        func(m *Mail) { m.To.Address = "a@b.example, c@d.example" },
		"message id": func(m *Mail) { m.MessageID = "a\n" },
		"file name":  func(m *Mail) { m.Files[0].Name = "a\r\nX: y" },
		"NUL":        func(m *Mail) { m.From.Name = "a\x00b" },
	} {
		m := sample()
		change(&m)
		if _, err := Build(m); err == nil {
			t.Errorf("%s: a header could be added", name)
		}
	}
}
