package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAMailIsInspectedForScriptsAndForPeople(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mail.eml")
	raw := "From: Trần An <an@unit.example>\nSubject: [0012#DVC] lỗi\x1b[31m ký\nMessage-ID: <1@unit.example>\nDate: Sat, 21 Nov 2026 09:00:00 +0700\n" +
		"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\nKhông ký được\n--b\nContent-Disposition: attachment; filename=\"màn hình.png\"\nContent-Type: image/png\n\nabc\n--b--\n"
	if err := os.WriteFile(file, []byte(raw), 0o600); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	r := want(t, 0, `"kind": "request"`, "", "mail", "inspect", "--json", file)
	if err := json.Unmarshal([]byte(r.out), &got); err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"kind", "from", "subject", "message_id", "date", "text", "attachments", "bounce", "routing", "auth", "smime", "decision"} {
		if got[field] == nil {
			t.Errorf("the object has no %s", field)
		}
	}
	route := got["routing"].(map[string]any)
	if route["code"] != "0012" || route["province"] != "Hà Nội" || route["queue"] != "DVC" || route["problem"] != "office" {
		t.Errorf("routing %v", route)
	}
	if got["from"] != "Trần An <an@unit.example>" || got["subject"] != "[0012#DVC] lỗi[31m ký" || got["message_id"] != "1@unit.example" || got["date"] != "2026-11-21T09:00:00+07:00" {
		t.Errorf("%v %v %v %v", got["from"], got["subject"], got["message_id"], got["date"])
	}
	people := want(t, 0, "màn hình.png", "", "mail", "inspect", file)
	if strings.Contains(people.out, "‹") || strings.ContainsRune(people.out, '\x1b') {
		t.Errorf("people read %q", people.out)
	}
	want(t, 0, "Delivery report", "From: mailer-daemon@x.example\nSubject: failure notice\n\n<an@unit.example>: 550 5.1.1 User unknown\n", "mail", "inspect", "-")
	want(t, 3, `"kind": "unreadable"`, "\x00\x01", "mail", "inspect", "--json", "-")
	want(t, 3, `"unreadable": "empty"`, "", "mail", "inspect", "--json", filepath.Join(t.TempDir(), "none.eml"))
	want(t, 3, "it is not there", "", "mail", "inspect", filepath.Join(t.TempDir(), "none.eml"))
}
