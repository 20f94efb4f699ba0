package message

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"countersign/mail"
)

func crlf(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

func FuzzParse(f *testing.F) {
	f.Add([]byte("From: a@b.example\r\nSubject: =?utf-8?q?x?=\r\n\r\nhello"))
	f.Add([]byte("Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: message/rfc822\n\nFrom: a@b\n\n--x--"))
	f.Add([]byte("Content-Type: multipart/report; report-type=delivery-status; boundary=x\n\n--x\n\nhi\n--x\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; a\n\nFinal-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.1.1\n--x--"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		m := Parse(raw, Limits{})
		if m.Kind == "" || m.Unreadable == "parser" {
			t.Fatalf("kind %q, unreadable %q", m.Kind, m.Unreadable)
		}
		if !bytes.Equal(before, raw) {
			t.Fatal("the raw bytes were written to")
		}
		for _, s := range []string{m.Text, m.Subject} {
			if strings.ToValidUTF8(s, "") != s || strings.ContainsAny(s, "\x00\x1b\r") {
				t.Fatalf("unclean text %q", s)
			}
		}
	})
}

func TestCorpus(t *testing.T) {
	dir := os.Getenv("TEST_CORPUS")
	if dir == "" {
		t.Skip()
	}
	filepath.Walk(dir, func(p string, info os.FileInfo, err error) error {
		if info.IsDir() {
			return nil
		}
		raw, _ := os.ReadFile(p)
		start := time.Now()
		m := Parse(raw, Limits{})
		var names []string
		for _, a := range m.Attachments {
			names = append(names, a.Name)
		}
		t.Logf("%s %s %s from=%v subj=%q text=%d att=%v b=%v def=%v %v", filepath.Base(p), m.Kind, m.Unreadable, m.From, m.Subject, len(m.Text), names, m.Bounces, m.Defects, time.Since(start))
		return nil
	})
}

var _ mail.Kind
