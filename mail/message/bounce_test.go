package message

import (
	"os"
	"strings"
	"testing"

	"countersign/mail"
)

// TestReportsNameWhoWasNotReached plays reports in the forms of many mail servers.
func TestReportsNameWhoWasNotReached(t *testing.T) {
	data, err := os.ReadFile("testdata/bounces.txt")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, one := range strings.Split("\n"+string(data), "\n== ")[1:] {
		title, raw, _ := strings.Cut(one, "\n")
		name, want, _ := strings.Cut(title, " | ")
		count++
		for _, form := range []struct {
			name string
			raw  []byte
		}{{"LF", []byte(raw)}, {"CRLF", crlf(raw)}} {
			m := Parse(form.raw, Limits{})
			var got []string
			for _, b := range m.Bounces {
				got = append(got, b.Recipient+" "+b.Status+" "+b.Action)
			}
			if m.Kind != mail.KindBounce || strings.Join(got, "; ") != want {
				t.Errorf("%s (%s): kind %s, %q, want %q", name, form.name, m.Kind, strings.Join(got, "; "), want)
			}
			if strings.Contains(raw, "Message-ID: <out-") && !strings.HasPrefix(m.OriginalID, "out-") {
				t.Errorf("%s (%s): the original's id is %q", name, form.name, m.OriginalID)
			}
		}
	}
	if count < 20 {
		t.Fatalf("only %d reports were played", count)
	}
}

func TestWhatIsNoBounceIsNotOne(t *testing.T) {
	for _, c := range []struct {
		name, raw string
		kind      mail.Kind
	}{
		{"a person writes of one", "From: An <an@unit.example>\nTo: desk@house.example\nSubject: [0010#DVC] thu bi tra lai\n\nThư tôi gửi tới abc@x.example bị trả lại: 550 5.1.1 user unknown\n", mail.KindRequest},
		{"a person forwards one", "From: An <an@unit.example>\nTo: desk@house.example\nSubject: Fwd: Undelivered Mail Returned to Sender\nIn-Reply-To: <x@y.example>\n\n<abc@x.example>: host mx said: 550 5.1.1 user unknown\n", mail.KindReply},
		{"away", "From: An <an@unit.example>\nTo: desk@house.example\nSubject: Automatic reply: [0010#DVC]\nAuto-Submitted: auto-replied\n\nI am away.\n", mail.KindAutoReply},
		{"away in Vietnamese", "From: An <an@unit.example>\nTo: desk@house.example\nSubject: Trả lời tự động: hồ sơ\n\nTôi nghỉ phép.\n", mail.KindAutoReply},
		{"away in Chinese", "From: An <an@unit.example>\nTo: desk@house.example\nSubject: 自动回复: hello\n\n您好\n", mail.KindAutoReply},
		{"read receipt", "From: An <an@unit.example>\nTo: desk@house.example\nSubject: Read: x\nContent-Type: multipart/report; report-type=disposition-notification; boundary=q\n\n--q\n\nread\n--q\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;an@unit.example\nOriginal-Message-ID: <out-9@house.example>\nDisposition: manual-action/MDN-sent-manually; displayed\n--q--\n", mail.KindAutoReply},
		{"complaint", "From: fbl@isp.example\nTo: desk@house.example\nSubject: FW: x\nContent-Type: multipart/report; report-type=feedback-report; boundary=q\n\n--q\n\nreport\n--q\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1\nOriginal-Rcpt-To: an@unit.example\n\n--q\nContent-Type: message/rfc822\n\nMessage-ID: <out-8@house.example>\nFrom: desk@house.example\n\nhi\n--q--\n", mail.KindFeedbackReport},
		{"challenge", "From: An <an@unit.example>\nTo: desk@house.example\nSubject: Please confirm your message\n\nClick.\n", mail.KindAutoReply},
		{"challenge's name", "From: An <an@unit.example>\nTo: desk@house.example\nSubject: [TMDA] hold\n\nClick.\n", mail.KindAutoReply},
		{"a code with the letters of a challenge", "From: An <an@unit.example>\nTo: desk@house.example\nSubject: A question 2TMDA7XKAAAA\n\nIs it yours?\n", mail.KindRequest},
		{"reply", "From: An <an@unit.example>\nTo: desk@house.example\nSubject: TL: [0010#DVC] x\n\nCảm ơn\n", mail.KindReply},
	} {
		if m := Parse([]byte(c.raw), Limits{}); m.Kind != c.kind || len(m.Bounces) > 0 {
			t.Errorf("%s: kind %s with %v, want %s", c.name, m.Kind, m.Bounces, c.kind)
		}
	}
}
