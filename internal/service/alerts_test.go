package service_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"countersign/helpdesk"
	"countersign/mail"
	"countersign/mail/message"
)

const officer = "anninh@example.test"

func TestTheSecurityOfficerIsMailedOfAReportAndACustomerLearnsThatAMailIsOurs(t *testing.T) {
	h := newHouse(t)
	minh := helpdesk.Actor{Agent: helpdesk.Agent{Name: "minh", Roles: []helpdesk.Role{helpdesk.RoleAgent}}, Place: "test"}
	s, err := h.Desk.Suspect(t.Context(), minh, helpdesk.Suspicion{Channel: "zalo", Wanted: []string{"pin", "remote"}, Story: "Có người gọi, đòi mã PIN 123456."})
	if err != nil {
		t.Fatal(err)
	}
	m := first(t, h.dovecot.Wait(officer, 1))
	for _, want := range []string{s.Key, "Zalo", "mã PIN", "KHẨN"} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("the officer does not read %q:\n%s", want, m.Text)
		}
	}
	if strings.Contains(m.Text, "123456") || !m.Automatic() {
		t.Errorf("automatic %t, the story left with the mail:\n%s", m.Automatic(), m.Text)
	}

	h.dovecot.Deliver(hotline, request("1", hotline, "[0010#DVC] Không nhận USB token", ""))
	ours := first(t, h.dovecot.Wait(sender, 1))
	_, after, _ := strings.Cut(ours.Text, "XACMINH ")
	question, _, _ := strings.Cut(after, "\n")
	h.dovecot.Deliver(hotline, request("2", hotline, "XACMINH "+question, ""))
	changed := time.NewTicker(10 * time.Millisecond)
	defer changed.Stop()
	for h.count(t, helpdesk.ToCheck) == 0 {
		<-changed.C
	}
	// It is due in a while, so it is looked for where it waits.
	err = h.Reception.Store.View(t.Context(), func(tx helpdesk.Tx) error {
		list, err := tx.IntakesOf(helpdesk.ToCheck, 1)
		if err != nil {
			return err
		}
		if list[0].Reason != "check.issued" {
			t.Errorf("the question ended as %s (%s)", list[0].Reason, question)
		}
		mails, err := tx.OutgoingsOf(list[0].Ticket)
		if err == nil && (len(mails) != 2 || mails[1].Form != helpdesk.Answer || mails[1].State != helpdesk.Queued) {
			t.Errorf("%d mails on the ticket", len(mails))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func first(t *testing.T, files []string) *mail.Message {
	t.Helper()
	raw, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return message.Parse(raw, message.Limits{})
}
