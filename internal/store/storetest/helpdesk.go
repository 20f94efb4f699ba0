package storetest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"countersign/helpdesk"
	"countersign/internal/fault"
	"countersign/mail"
)

// OpenHelpdesk returns a new, empty store that lives as long as the test.
type OpenHelpdesk func(t *testing.T) helpdesk.Store

// RunHelpdesk checks the whole contract of helpdesk.Store.
func RunHelpdesk(t *testing.T, open OpenHelpdesk) {
	parts := map[string]func(t *testing.T, s helpdesk.Store){
		"a mail that is brought again is stored once, wherever it is seen": arrivalOnce,
		"bytes come back as they were, also in many pieces":                arrivalBytes,
		"every arrival has one fate and the counts add up":                 arrivalFates,
		"what makes a mail that mail leads to the first one":               sameMail,
		"a budget is counted in its window, also with a clock set back":    budgets,
		"serials are dense, each day by itself, and never go back":         serials,
		"a ticket that somebody else changed is not overwritten":           ticketConflict,
		"the queue is in its order and counts what it lists":               queueOrder,
		"tickets are found by who takes part":                              ticketsOf,
		"a thread is in order and its Message-IDs lead to it":              thread,
		"the bytes of a mail of ours are kept once":                        outgoingBytes,
		"messages are found by all their words, newest first":              words,
		"registers keep records by name and group":                         registers,
	}
	for name, part := range parts {
		t.Run(name, func(t *testing.T) { part(t, open(t)) })
	}
}

func deskUpdate(t *testing.T, s helpdesk.Store, fn func(helpdesk.Tx) error) {
	t.Helper()
	if err := s.Update(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, s helpdesk.Store, a helpdesk.Arrival) (id int64, fresh bool) {
	t.Helper()
	deskUpdate(t, s, func(tx helpdesk.Tx) (err error) {
		id, fresh, err = tx.PutArrival(a)
		return err
	})
	return id, fresh
}

func arrivalOnce(t *testing.T, s helpdesk.Store) {
	a := helpdesk.Arrival{Mailbox: "hotro", UIDValidity: 7, UID: 1, Raw: []byte("one")}
	first, fresh := put(t, s, a)
	if !fresh || first != 1 {
		t.Fatalf("the first arrival is %d, fresh %t", first, fresh)
	}
	other := a
	other.Mailbox, other.UID = "spool", 12
	renumbered := a
	renumbered.UIDValidity, renumbered.UID = 8, 31
	for name, again := range map[string]helpdesk.Arrival{"the same": a, "renumbered": renumbered, "elsewhere": other} {
		if id, fresh := put(t, s, again); id != first || fresh {
			t.Errorf("%s: arrival %d, fresh %t", name, id, fresh)
		}
	}
	if id, fresh := put(t, s, helpdesk.Arrival{Mailbox: "hotro", UIDValidity: 7, UID: 2, Raw: []byte("two")}); id != 2 || !fresh {
		t.Errorf("another mail is %d, fresh %t", id, fresh)
	}
	deskUpdate(t, s, func(tx helpdesk.Tx) error {
		list, err := tx.Pending(0, 10)
		if len(list) != 2 {
			t.Errorf("%d arrivals wait, want 2", len(list))
		}
		fates, _ := tx.Fates(time.Time{})
		if fates[helpdesk.Pending] != 2 || fates[helpdesk.Duplicate] != 2 {
			t.Errorf("fates %v", fates)
		}
		return err
	})
}

func arrivalBytes(t *testing.T, s helpdesk.Store) {
	for i, size := range []int{0, 1, 1 << 20, 3<<20 + 17} {
		raw := bytes.Repeat([]byte{byte(i + 1)}, size)
		id, _ := put(t, s, helpdesk.Arrival{Mailbox: "m", UID: uint32(i), Raw: raw})
		deskUpdate(t, s, func(tx helpdesk.Tx) error {
			got, err := tx.Raw(id)
			if !bytes.Equal(got, raw) {
				t.Errorf("%d bytes came back as %d", size, len(got))
			}
			if err != nil {
				return err
			}
			if err := tx.EraseRaw(id); err != nil {
				return err
			}
			_, err = tx.Raw(id)
			wantCode(t, err, "store.not_found")
			return nil
		})
	}
}

func arrivalFates(t *testing.T, s helpdesk.Store) {
	fates := []helpdesk.Fate{helpdesk.ToTicket, helpdesk.ToTicket, helpdesk.Held, helpdesk.Quarantined}
	for i, fate := range fates {
		id, _ := put(t, s, helpdesk.Arrival{Mailbox: "m", UID: uint32(i), Raw: []byte{byte(i)}})
		deskUpdate(t, s, func(tx helpdesk.Tx) error {
			in, err := tx.Intake(id)
			if err != nil {
				return err
			}
			stale := *in
			in.Fate, in.From.Address = fate, "thu@mau.example"
			if err := tx.PutIntake(in); err != nil {
				return err
			}
			wantCode(t, tx.PutIntake(&stale), "store.conflict")
			return nil
		})
	}
	deskUpdate(t, s, func(tx helpdesk.Tx) error {
		got, err := tx.Fates(time.Time{})
		if got[helpdesk.ToTicket] != 2 || got[helpdesk.Held] != 1 || got[helpdesk.Quarantined] != 1 || got[helpdesk.Pending] != 0 {
			t.Errorf("fates %v", got)
		}
		list, _ := tx.IntakesOf(helpdesk.ToTicket, 10)
		if len(list) != 2 || list[0].ID != 2 || list[0].From.Address != "thu@mau.example" {
			t.Errorf("the tickets' arrivals are %+v", list)
		}
		return err
	})
}

func sameMail(t *testing.T, s helpdesk.Store) {
	for i := range 2 {
		put(t, s, helpdesk.Arrival{Mailbox: "m", UID: uint32(i), Raw: []byte{byte(i)}})
	}
	deskUpdate(t, s, func(tx helpdesk.Tx) error {
		for id := int64(1); id <= 2; id++ {
			if first, err := tx.Same("x", id); err != nil || first != 1 {
				t.Errorf("arrival %d is the same as %d, %v", id, first, err)
			}
		}
		return nil
	})
}

func budgets(t *testing.T, s helpdesk.Store) {
	deskUpdate(t, s, func(tx helpdesk.Tx) error {
		spend := func(at time.Time, want int) {
			t.Helper()
			if n, err := tx.Spend("a", time.Hour, at); err != nil || n != want {
				t.Errorf("used %d, %v, want %d", n, err, want)
			}
		}
		spend(day, 1)
		spend(day.Add(59*time.Minute), 2)
		spend(day.Add(60*time.Minute), 1)
		spend(day, 2)
		if n, _ := tx.Spent("a", time.Hour, day.Add(61*time.Minute)); n != 2 {
			t.Errorf("spent %d", n)
		}
		if n, _ := tx.Spent("a", time.Hour, day.Add(2*time.Hour)); n != 0 {
			t.Errorf("in a new window %d were spent", n)
		}
		if n, _ := tx.Spent("b", time.Hour, day); n != 0 {
			t.Errorf("of another budget %d were spent", n)
		}
		return nil
	})
}

func serials(t *testing.T, s helpdesk.Store) {
	rule := helpdesk.DefaultNumbering
	draw := func(at time.Time) (out string) {
		deskUpdate(t, s, func(tx helpdesk.Tx) error {
			serial, err := rule.Draw(tx, at)
			out = rule.Format(serial)
			return err
		})
		return out
	}
	for _, step := range []struct {
		at   time.Time
		want string
	}{
		{day, "SD261121-000001"}, {day, "SD261121-000002"},
		{day.AddDate(0, 0, 1), "SD261122-000001"},
		{day, "SD261122-000002"}, // the clock was set back
		{day.AddDate(0, 0, -40), "SD261122-000003"},
	} {
		if got := draw(step.at); got != step.want {
			t.Errorf("at %s: %s, want %s", step.at, got, step.want)
		}
	}
	err := s.Update(context.Background(), func(tx helpdesk.Tx) error {
		if _, err := rule.Draw(tx, day); err != nil {
			return err
		}
		return errUndone
	})
	if err != errUndone {
		t.Error(err)
	}
	if got := draw(day); got != "SD261122-000004" {
		t.Errorf("after one that was undone: %s", got)
	}
}

var errUndone = fault.New(fault.Internal, "internal", nil)

func ticket(key string) *helpdesk.Ticket {
	return &helpdesk.Ticket{Key: key, State: helpdesk.New, Rank: helpdesk.RankMail, Channel: helpdesk.ByMail, Created: day,
		Trust: helpdesk.Trust{Level: mail.LevelAligned}, Subject: "Không ký được",
		Participants: []helpdesk.Participant{{Address: "KeToan@mau.example"}}}
}

func ticketConflict(t *testing.T, s helpdesk.Store) {
	deskUpdate(t, s, func(tx helpdesk.Tx) error {
		v := ticket("SD261121-000001")
		if err := tx.PutTicket(v); err != nil {
			return err
		}
		stale := *v
		v.Agent = "minh"
		if err := tx.PutTicket(v); err != nil {
			return err
		}
		wantCode(t, tx.PutTicket(&stale), "store.conflict")
		wantCode(t, tx.PutTicket(ticket("SD261121-000001")), "store.conflict")
		got, err := tx.Ticket(v.Key)
		if err != nil || got.Agent != "minh" || got.Rev != 2 || got.Subject != "Không ký được" {
			t.Errorf("the ticket is %+v, %v", got, err)
		}
		return nil
	})
}

func queueOrder(t *testing.T, s helpdesk.Store) {
	deskUpdate(t, s, func(tx helpdesk.Tx) error {
		for i, v := range []struct {
			rank  helpdesk.Rank
			due   time.Duration
			prio  helpdesk.Priority
			state helpdesk.State
		}{
			{helpdesk.RankPhone, time.Hour, "", helpdesk.New},          // 1
			{helpdesk.RankMail, 2 * time.Hour, "", helpdesk.New},       // 2
			{helpdesk.RankSubject, 3 * time.Hour, "", helpdesk.Open},   // 3
			{helpdesk.RankSubject, 2 * time.Hour, "", helpdesk.New},    // 4
			{helpdesk.RankPhone, -time.Hour, "", helpdesk.New},         // 5 overdue
			{helpdesk.RankSubject, -time.Minute, "", helpdesk.New},     // 6 overdue
			{helpdesk.RankSubject, 0, "", helpdesk.Waiting},            // 7 stands still
			{helpdesk.RankMail, 9 * time.Hour, "urgent", helpdesk.New}, // 8
			{helpdesk.RankSubject, time.Hour, "", helpdesk.Closed},     // 9
		} {
			one := ticket(fmt.Sprintf("SD261121-%06d", i+1))
			one.Rank, one.Priority, one.State = v.rank, v.prio, v.state
			if v.due != 0 {
				one.Due = day.Add(v.due)
			}
			if err := tx.PutTicket(one); err != nil {
				return err
			}
		}
		list, err := tx.Queue(helpdesk.Queue{}, day)
		if err != nil {
			return err
		}
		got := ""
		for i, v := range list {
			got += v.Key[len(v.Key)-1:]
			if i > 0 && helpdesk.Before(v, list[i-1], day) {
				t.Errorf("%s stands behind %s, which Before says comes later", v.Key, list[i-1].Key)
			}
		}
		if got != "65437821" {
			t.Errorf("the queue is %s", got)
		}
		if n, err := tx.CountQueue(helpdesk.Queue{Overdue: true}, day); n != 2 || err != nil {
			t.Errorf("%d are overdue, %v", n, err)
		}
		if list, _ := tx.Queue(helpdesk.Queue{Limit: 3}, day); len(list) != 3 || list[2].Key != "SD261121-000004" {
			t.Errorf("the first three are %d", len(list))
		}
		if list, _ := tx.Queue(helpdesk.Queue{States: []helpdesk.State{helpdesk.Closed}}, day); len(list) != 1 {
			t.Errorf("%d are closed", len(list))
		}
		return nil
	})
}

func ticketsOf(t *testing.T, s helpdesk.Store) {
	deskUpdate(t, s, func(tx helpdesk.Tx) error {
		if err := tx.PutTicket(ticket("SD261121-000001")); err != nil {
			return err
		}
		list, err := tx.TicketsOf("ketoan@MAU.example", 10)
		if len(list) != 1 || err != nil {
			t.Errorf("%d tickets, %v", len(list), err)
		}
		if list, _ := tx.TicketsOf("other@mau.example", 10); len(list) != 0 {
			t.Error("a stranger has a ticket")
		}
		if err := tx.ForgetPerson("ketoan@mau.example"); err != nil {
			return err
		}
		if list, _ := tx.TicketsOf("ketoan@mau.example", 10); len(list) != 0 {
			t.Error("a forgotten person has a ticket")
		}
		n := 0
		err = tx.TicketsBetween(day, day.Add(time.Second), func(*helpdesk.Ticket) error { n++; return nil })
		if n != 1 {
			t.Errorf("%d tickets were made then", n)
		}
		return err
	})
}

func thread(t *testing.T, s helpdesk.Store) {
	deskUpdate(t, s, func(tx helpdesk.Tx) error {
		v := ticket("SD261121-000001")
		for i := range 12 {
			m := v.Next(helpdesk.FromCustomer, day)
			m.Text, m.MailID = fmt.Sprint("text ", i), fmt.Sprintf("m%d@mau.example", i)
			if err := tx.PutMessage(m); err != nil {
				return err
			}
		}
		other := ticket("SD261121-0000010")
		if err := tx.PutMessage(other.Next(helpdesk.Note, day)); err != nil {
			return err
		}
		list, err := tx.Thread(v.Key)
		if err != nil || len(list) != 12 || list[11].Number != 12 || list[11].Text != "text 11" {
			t.Fatalf("the thread has %d, %v", len(list), err)
		}
		at, err := tx.MailAt("m3@mau.example")
		if err != nil || at.Message != list[3].Key || at.Outgoing != "" {
			t.Errorf("a Message-ID leads to %+v, %v", at, err)
		}
		_, err = tx.MailAt("nobody@mau.example")
		wantCode(t, err, "store.not_found")
		if err := tx.Move("m3@mau.example", helpdesk.MailPlace{Ticket: other.Key, Message: "x"}); err != nil {
			return err
		}
		if at, _ := tx.MailAt("m3@mau.example"); at.Ticket != other.Key {
			t.Errorf("a moved Message-ID leads to %+v", at)
		}
		if err := tx.Await("late@mau.example", v.Key); err != nil {
			return err
		}
		waiting, err := tx.Awaited("late@mau.example")
		if !slices.Equal(waiting, []string{v.Key}) {
			t.Errorf("%v waits", waiting)
		}
		return err
	})
}

func outgoingBytes(t *testing.T, s helpdesk.Store) {
	o := &helpdesk.Outgoing{Key: "SD261121-000001/0002", Ticket: "SD261121-000001", State: helpdesk.Queued, Created: day, MailID: "x@ours.example"}
	deskUpdate(t, s, func(tx helpdesk.Tx) error {
		if err := tx.PutOutgoing(o); err != nil {
			return err
		}
		if err := tx.PutBytes(o.Key, []byte("signed")); err != nil {
			return err
		}
		at, err := tx.MailAt("x@ours.example")
		if err != nil || at.Outgoing != o.Key {
			t.Errorf("our Message-ID leads to %+v, %v", at, err)
		}
		list, err := tx.OutgoingsIn(helpdesk.Queued, 5)
		if len(list) != 1 || err != nil {
			t.Errorf("%d wait, %v", len(list), err)
		}
		return err
	})
	err := s.Update(context.Background(), func(tx helpdesk.Tx) error { return tx.PutBytes(o.Key, []byte("signed anew")) })
	wantCode(t, err, "store.conflict")
	deskUpdate(t, s, func(tx helpdesk.Tx) error {
		raw, err := tx.Bytes(o.Key)
		if string(raw) != "signed" {
			t.Errorf("the bytes are %q", raw)
		}
		return err
	})
}

func words(t *testing.T, s helpdesk.Store) {
	v := ticket("SD261121-000001")
	deskUpdate(t, s, func(tx helpdesk.Tx) error {
		for _, text := range []string{"Không ký được chứng từ", "Đăng nhập chậm", "Không đăng nhập được, man-hinh-loi.png"} {
			m := v.Next(helpdesk.FromCustomer, day)
			if err := tx.PutMessage(m); err != nil {
				return err
			}
			if err := tx.PutWords(m.Key, day, helpdesk.Terms(text)); err != nil {
				return err
			}
		}
		return nil
	})
	deskUpdate(t, s, func(tx helpdesk.Tx) error {
		for query, want := range map[string]string{
			"khong": "3 1", "dang nhap": "3 2", "đăng nhập": "3 2", "ĐĂNG NHẬP CHẬM": "2", "man hinh": "3", "token": "", "khong cham": "",
		} {
			got := ""
			err := tx.FindWords(helpdesk.Terms(query), func(message string) (bool, error) {
				got += " " + message[len(message)-1:]
				return true, nil
			})
			if err != nil || len(got) > 0 && got[1:] != want || got == "" && want != "" {
				t.Errorf("%q finds %q, %v, want %q", query, got, err, want)
			}
		}
		return nil
	})
}

func registers(t *testing.T, s helpdesk.Store) {
	deskUpdate(t, s, func(tx helpdesk.Tx) error {
		u := &helpdesk.Unit{Code: "1999001", Name: "Trường MẪU A", Province: "0010", Addresses: []string{"a@mau.example", "b@mau.example"}}
		if err := helpdesk.PutUnit(tx, u); err != nil {
			return err
		}
		u.Addresses = u.Addresses[1:]
		if err := helpdesk.PutUnit(tx, u); err != nil {
			return err
		}
		if got, err := helpdesk.UnitOf(tx, "B@mau.example"); err != nil || got == nil || got.Code != "1999001" {
			t.Errorf("the unit is %+v, %v", got, err)
		}
		if got, err := helpdesk.UnitOf(tx, "a@mau.example"); err != nil || got != nil {
			t.Errorf("an address that was taken away leads to %+v, %v", got, err)
		}
		list, err := helpdesk.List[helpdesk.Unit](tx, "0010", time.Time{}, time.Time{}, 0)
		if len(list) != 1 || err != nil {
			t.Errorf("%d units of the province, %v", len(list), err)
		}
		stale := *list[0]
		stale.Rev = 1
		wantCode(t, helpdesk.Put(tx, &stale), "store.conflict")
		for want := int64(1); want <= 2; want++ {
			if n, err := tx.NextEntry("incident"); n != want || err != nil {
				t.Errorf("the number is %d, %v", n, err)
			}
		}
		return nil
	})
}
