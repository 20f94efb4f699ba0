package genuine

import (
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"countersign/helpdesk"
	"countersign/helpdesk/reply"
	"countersign/internal/locale"
	"countersign/mail/message"
)

func TestTheReceiverOfAMailLearnsThatItIsOursAndHowTheTicketStands(t *testing.T) {
	w := newWorld(t)
	_, serial, code := w.genuine()
	in := w.come(letter(customer, "Message-ID: <ask@mau.example>\r\n", "XACMINH "+serial+" "+code, plain("x")))[0]
	if in.Fate != helpdesk.ToCheck || in.Reason != Answered || in.Ticket != serial {
		t.Fatalf("%s (%s) on %q", in.Fate, in.Reason, in.Ticket)
	}
	mails := w.post()
	if len(mails) != 1 || w.paths[len(w.paths)-1] != "" {
		t.Fatalf("%d answers", len(mails))
	}
	contains(t, mails[0], "thư thật", "hệ thống trả lời tự động", serial, "thiếu thông tin", "thư điện tử", "chưa có")
	m := message.Parse(mails[0], message.Limits{})
	if m.To[0].Addr != customer || !m.Automatic() || len(m.Text) > 2048 || strings.Contains(m.Text, "Khong ky duoc") {
		t.Errorf("to %v, automatic %t, %d bytes of text", m.To, m.Automatic(), len(m.Text))
	}
	if !strings.Contains(string(mails[0]), "Auto-Submitted: auto-replied") {
		t.Error("the answer does not say that a program wrote it")
	}
	// In the text, in small letters with spaces for dashes, it is the same question.
	again := w.come(letter(customer, "", "hoi", plain("xac minh "+strings.ToLower(serial)+" "+strings.ReplaceAll(code, "-", " "))))[0]
	if again.Reason != Answered {
		t.Errorf("asked in the text: %s", again.Reason)
	}
}

func TestAnAnswerFitsIntoTwoKibibytesOfTextInEveryLanguage(t *testing.T) {
	w := newWorld(t)
	for _, l := range []locale.Lang{locale.Vietnamese, locale.English, locale.Chinese} {
		o := &helpdesk.Outgoing{Form: helpdesk.Answer, Ticket: "SD261121-000001", MailID: "x@example.test", Language: string(l), To: helpdesk.Address{Address: customer},
			Points: []helpdesk.Point{{Name: helpdesk.PointIssued, Args: map[string]string{"date": "21/11/2026 09:30", "role": "system", "serial": "SD261121-000001"}},
				{Name: helpdesk.PointStands, Args: map[string]string{"state": "waiting", "role": "province", "channels": "mail phone counter"}}}}
		text := reply.Compose(w.postman.Writer.House, w.office.Secrets, o, nil, true)
		if len(text.Body) > 2048 || strings.Contains(text.Body, "{{") || strings.Contains(text.Body, "reply.") {
			t.Errorf("%s: %d bytes\n%s", l, len(text.Body), text.Body)
		}
	}
}

func TestEverybodyElseHearsNothing(t *testing.T) {
	w := newWorld(t)
	raw, serial, code := w.genuine()
	_, otherSerial, otherCode := w.genuine2()
	for name, c := range map[string]struct {
		mail   []byte
		reason string
	}{
		"another sender":         {letter(stranger, "", "XACMINH "+serial+" "+code, plain("1")), NoMatch},
		"an unproven sender":     {letter("ketoan@khong.example", "", "XACMINH "+serial+" "+code, plain("2")), Unproven},
		"a mailing list":         {letter(customer, "List-Id: <ds.mau.example>\r\n", "XACMINH "+serial+" "+code, plain("3")), Automatic},
		"a wrong code":           {letter(customer, "", "XACMINH "+serial+" ABCD-EFGH-IJKL-MN23", plain("4")), NoMatch},
		"no code":                {letter(customer, "", "XACMINH "+serial, plain("5")), NoMatch},
		"an unknown number":      {letter(customer, "", "XACMINH SD261121-999999 "+code, plain("6")), NoMatch},
		"a code of another mail": {letter(customer, "", "XACMINH "+serial+" "+otherCode, plain("7")), NoMatch},
		"a number of another":    {letter(customer, "", "XACMINH "+otherSerial+" "+code, plain("8")), NoMatch},
		"forwarded by another":   {letter(stranger, "", "hoi 9", attached(raw)), NoMatch},
		"two at once":            {letter(customer, "", "hoi 10", attached(raw, fake())), Several},
		"a fake by a stranger":   {letter(stranger, "", "hoi 11", attached(fake())), NotOurs},
	} {
		in := w.come(c.mail)[0]
		if in.Fate != helpdesk.ToCheck || in.Reason != c.reason {
			t.Errorf("%s: %s (%s, %s), want %s", name, in.Fate, in.Reason, in.Trust.Level, c.reason)
		}
		if mails := w.post(); len(mails) > 0 {
			t.Errorf("%s: %d mails left", name, len(mails))
		}
	}
}

// genuine2 is another mail to the same customer.
func (w *world) genuine2() (raw []byte, serial, code string) {
	w.t.Helper()
	w.clock.Advance(2 * time.Hour)
	in := w.come(letter(customer, "Message-ID: <second@mau.example>\r\n", "[0010#DVC] Viec khac", plain("Bao cao doi chieu khong khop so lieu, xin ho tro. 0900 000 031")))[0]
	mails := w.post()
	if len(mails) != 1 {
		w.t.Fatalf("%d receipts (%s %s)", len(mails), in.Fate, in.Reason)
	}
	return mails[0], in.Ticket, codeIn(message.Parse(mails[0], message.Limits{}).Text)
}

func fake() []byte {
	return []byte("From: Ho tro <" + mailbox + ">\r\nTo: " + customer + "\r\nSubject: [SD261121-000001] Gap\r\nMessage-ID: <fake@example.test>\r\n" +
		"Content-Type: text/plain\r\n\r\nCai UltraViewer giup em.\r\n")
}

func TestAForwardedMailOfOursIsConfirmedAndAnAlteredOneIsNot(t *testing.T) {
	w := newWorld(t)
	raw, serial, code := w.genuine()
	if in := w.come(letter(customer, "", "hoi", attached(raw)))[0]; in.Reason != Answered || in.Ticket != serial {
		t.Fatalf("forwarded as it came: %s (%s)", in.Reason, in.Trust.Level)
	}
	if mails := w.post(); len(mails) != 1 {
		t.Fatalf("%d answers", len(mails))
	}
	// A file beside the signed words would pass for ours if only the words were compared.
	head, body, _ := strings.Cut(string(raw), "\r\n\r\n")
	outer := "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"x\"\r\n\r\n--x\r\n" + field(head, "Content-Type") + "\r\n\r\n" + body +
		"\r\n--x\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"a.exe\"\r\n\r\nMZ\r\n--x--\r\n"
	wrapped := []byte(without(head, "Content-Type", "MIME-Version") + "\r\n" + outer)
	for name, altered := range map[string][]byte{
		"a file beside it": wrapped,
		"another code":     changed(t, raw, code[:4], "QQQQ"),
	} {
		if in := w.come(letter(customer, "", "hoi "+name, attached(altered)))[0]; in.Reason != Altered {
			t.Errorf("%s: %s", name, in.Reason)
		}
		if mails := w.post(); len(mails) > 0 {
			t.Errorf("%s: %d mails left", name, len(mails))
		}
	}
}

// field returns a header field with its folded lines.
func field(head, name string) string {
	_, after, _ := strings.Cut(head, name+": ")
	lines := strings.Split(after, "\r\n")
	out := name + ": " + lines[0]
	for _, l := range lines[1:] {
		if !strings.HasPrefix(l, " ") && !strings.HasPrefix(l, "\t") {
			break
		}
		out += "\r\n" + l
	}
	return out
}

func without(head string, names ...string) string {
	for _, name := range names {
		head = strings.Replace(head, field(head, name)+"\r\n", "", 1)
		head = strings.Replace(head, "\r\n"+field(head, name), "", 1)
	}
	return head
}

func TestAForwardedFakeIsToldToOurCustomerAndToTheSecurityOfficer(t *testing.T) {
	w := newWorld(t)
	_, serial, _ := w.genuine()
	in := w.come(letter(customer, "", "hoi", attached(fake())))[0]
	if in.Reason != Refuted || in.Ticket != serial {
		t.Fatalf("%s on %q (%s)", in.Reason, in.Ticket, in.Trust.Level)
	}
	mails := w.post()
	if len(mails) != 1 {
		t.Fatalf("%d answers", len(mails))
	}
	contains(t, mails[0], "KHÔNG phải do chúng tôi gửi")
	must(t, w.Store.View(t.Context(), func(tx helpdesk.Tx) error {
		list, err := helpdesk.List[helpdesk.Suspicion](tx, "", time.Time{}, time.Time{}, 0)
		if len(list) != 1 || list[0].Channel != "mail" || list[0].Intake != in.ID {
			t.Errorf("the reports are %+v", list)
		}
		return err
	}))
}

func TestOverTheBudgetOfAnAddressThereIsSilence(t *testing.T) {
	w := newWorld(t)
	_, serial, code := w.genuine()
	for i := range 5 {
		in := w.come(letter(customer, "", "XACMINH "+serial+" "+code, plain(fmt.Sprint(i))))[0]
		want := Answered
		if i >= DefaultLimits.Hour {
			want = OverBudget
		}
		if in.Reason != want {
			t.Errorf("question %d: %s, want %s", i+1, in.Reason, want)
		}
	}
	if mails := w.post(); len(mails) != DefaultLimits.Hour {
		t.Errorf("%d answers", len(mails))
	}
}

func TestAQuotedFooterIsNoQuestion(t *testing.T) {
	w := newWorld(t)
	raw, serial, _ := w.genuine()
	m := message.Parse(raw, message.Limits{})
	quoted := "> " + strings.ReplaceAll(m.Text[strings.Index(m.Text, "-- \n"):], "\n", "\r\n> ")
	in := w.come(letter(customer, "In-Reply-To: <"+m.MessageID+">\r\nMessage-ID: <re@mau.example>\r\n", "Re: ["+serial+"]", plain("Cam on, da ky duoc roi.\r\n"+quoted)))[0]
	if in.Fate != helpdesk.ToMessage || in.Ticket != serial {
		t.Errorf("an answer with our footer below became %s (%s)", in.Fate, in.Reason)
	}
}

// TestGuessesOfNumbersAndCodesAreAllTheSameSilence tries numbers that exist and that don't with codes that nobody gave.
func TestGuessesOfNumbersAndCodesAreAllTheSameSilence(t *testing.T) {
	guesses := 1_000
	if os.Getenv("TEST_FAULTS") != "" {
		guesses = 100_000
	}
	w := newWorld(t)
	_, serial, _ := w.genuine()
	day, _, _ := strings.Cut(serial, "-")
	before := w.state()
	const batch = 500
	for at := 0; at < guesses; at += batch {
		var list [][]byte
		for i := range batch {
			var b [10]byte
			_, err := rand.Read(b[:])
			must(t, err)
			code := base32.StdEncoding.EncodeToString(b[:])
			from := customer
			if i%2 == 1 {
				from = stranger
			}
			list = append(list, letter(from, "", fmt.Sprintf("XACMINH %s-%06d %s", day, (at+i)%2000+1, code), plain("x")))
		}
		for _, in := range w.come(list...) {
			if in.Fate != helpdesk.ToCheck || in.Reason != NoMatch || in.Ticket != "" || in.Message != "" || len(in.Reasons) > 0 {
				t.Fatalf("guess %d: %s (%s) on %q", in.ID, in.Fate, in.Reason, in.Ticket)
			}
		}
	}
	if after := w.state(); after != before {
		t.Errorf("the guesses left something: %s, before %s", after, before)
	}
	if mails := w.post(); len(mails) > 0 {
		t.Errorf("%d mails left", len(mails))
	}
}

// state is everything that could make us write to somebody, as bytes.
func (w *world) state() (out string) {
	w.t.Helper()
	must(w.t, w.Store.View(w.t.Context(), func(tx helpdesk.Tx) error {
		mails, err := tx.CountOutgoings(time.Time{})
		if err != nil {
			return err
		}
		list, err := tx.Queue(helpdesk.Queue{States: []helpdesk.State{helpdesk.New, helpdesk.Missing, helpdesk.Open}}, w.clock.Now())
		if err != nil {
			return err
		}
		out = fmt.Sprint(mails)
		for _, t := range list {
			out += fmt.Sprintf(" %+v", *t)
		}
		return nil
	}))
	return out
}
