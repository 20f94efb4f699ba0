package intake

import (
	"context"
	"slices"
	"strings"
	"testing"

	"countersign/mail"
	"countersign/mail/auth"
	"countersign/services"
)

func TestEveryMailHasOneFate(t *testing.T) {
	house, err := LoadHouse(services.Helpdesk)
	if err != nil {
		t.Fatal(err)
	}
	i := &Inspector{Offices: offices(t), Queues: house.Queues, Auth: auth.Policy{AuthServID: "mx.vst.gov.vn", Hops: 1, Own: house.Domains, Names: house.Names}}
	proven := "Authentication-Results: mx.vst.gov.vn; dmarc=pass header.from=unit.example\n"
	text := "\n\nKính gửi bộ phận hỗ trợ, đơn vị không ký được chứng từ từ sáng nay. Điện thoại 0912 345 678.\n"
	picture := "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n" + text + "--b\nContent-Type: image/png\nContent-Disposition: attachment; filename=loi.png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n--b--\n"
	from := "From: An <an@unit.example>\nTo: hotrocntt@vst.gov.vn\n"
	for _, c := range []struct {
		name, raw string
		action    Action
		reason    string
	}{
		{"all there", proven + from + "Subject: [0010#DVC] lỗi ký\n" + picture, NewTicket, ""},
		{"an office's code", proven + from + "Subject: [0012#DVC] lỗi ký\n" + picture, NewTicket, "subject_office"},
		{"nobody proves it", from + "Subject: [0010#DVC] lỗi ký\n" + picture, NewTicket, "unanswered_unproven"},
		{"no picture", proven + from + "Subject: [0010#DVC] lỗi ký" + text, AskMissing, "lacks_screenshot"},
		{"no code", proven + from + "Subject: lỗi ký" + text, AskCorrection, "subject_missing"},
		{"an unknown code", proven + from + "Subject: [8810#DVC] lỗi ký" + text, AskCorrection, "subject_unknown"},
		{"a reply to us", proven + from + "Subject: Re: x\nIn-Reply-To: <1@vst.gov.vn>" + text, JoinTicket, "refers_to_ours"},
		{"a stranger's reply", from + "Subject: Re: x\nIn-Reply-To: <1@vst.gov.vn>" + text, ClaimTicket, "unanswered_unproven"},
		{"a number alone", proven + from + "Subject: Re: SD261121-000001" + text, ClaimTicket, "names_ticket"},
		{"our own name from outside", "From: hotrocntt@vst.gov.vn\nSubject: [0010#DVC]" + text, Quarantine, "ours_unproven"},
		{"a look-alike", "From: hotrocntt@vst-gov.vn\nSubject: [0010#DVC]" + text, Quarantine, "look_alike"},
		{"a question", proven + from + "Subject: XACMINH SD261121-000001 ABCDEFGHIJKLMN23" + text, AuthenticityCheck, ""},
		{"a suspicious mail forwarded", proven + from + "Subject: thật không?\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nxem\n--b\nContent-Type: message/rfc822\n\nFrom: hotrocntt@vst-gov.vn\nSubject: PIN\n\nGửi mã PIN\n--b--\n", AuthenticityCheck, ""},
		{"an absence note", from + "Subject: Trả lời tự động: x\nAuto-Submitted: auto-replied" + text, IgnoreAuto, "auto_auto_submitted"},
		{"a bounce", "Return-Path: <>\nFrom: mailer-daemon@unit.example\nSubject: Undelivered Mail\n\n<an@unit.example>: 550 5.1.1 User unknown\n", BounceOnTicket, "bounce_failed"},
		{"nothing", "", Quarantine, "unreadable_empty"},
		{"noise", strings.Repeat("\x00\xff\x01", 50), Quarantine, "unreadable_no_header"},
	} {
		in := i.Inspect(context.Background(), []byte(c.raw), auth.Envelope{}, today)
		got := Decide(in, house.Domains)
		if got.Action != c.action || c.reason != "" && !slices.Contains(got.Reasons, c.reason) {
			t.Errorf("%s: %+v (%s, %s), want %s because %s", c.name, got, in.Mail.Kind, in.Verdict.Level, c.action, c.reason)
		}
	}
	if in := i.Inspect(context.Background(), []byte(proven+from+"Subject: x\nPrecedence: bulk\nList-Id: <l.example>"+text), auth.Envelope{}, today); in.Mail.Kind != mail.KindRequest || !slices.Contains(Decide(in, nil).Reasons, "unanswered_automatic") {
		t.Error("a mailing list would be answered")
	}
}
