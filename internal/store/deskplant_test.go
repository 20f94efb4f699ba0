package store

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"countersign/helpdesk"
)

// everyDesk stores the values in every kind of the helpdesk's records.
func everyDesk(t *testing.T, s *Store, i int, p planted) {
	t.Helper()
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	all := p.name + p.number + p.phone + p.mail + p.address + p.code + p.customer
	key := fmt.Sprintf("SD261121-%06d", i+1)
	err := s.Helpdesk().Update(context.Background(), func(tx helpdesk.Tx) error {
		id, _, err := tx.PutArrival(helpdesk.Arrival{Mailbox: "hotro", UID: uint32(i + 1), Raw: []byte("From: " + p.mail + "\r\n\r\n" + all),
			Envelope: helpdesk.Envelope{From: p.mail}})
		if err != nil {
			return err
		}
		in, err := tx.Intake(id)
		if err != nil {
			return err
		}
		in.Fate, in.From, in.Subject = helpdesk.ToTicket, helpdesk.Address{Name: p.name, Address: p.mail}, all
		v := &helpdesk.Ticket{Key: key, State: helpdesk.New, Created: now, Subject: all, Unit: p.customer, Customer: p.mail,
			Participants: []helpdesk.Participant{{Address: p.mail, Name: p.name}}, Contact: helpdesk.Contact{Name: p.name, Phone: p.phone}}
		m := v.Next(helpdesk.FromCustomer, now)
		m.Text, m.From, m.MailID = all, in.From, p.mail
		o := &helpdesk.Outgoing{Key: m.Key, Ticket: key, State: helpdesk.Queued, Created: now, To: in.From, Text: all, MailID: "out" + p.mail}
		_, spent := tx.Spend("out "+p.mail, time.Hour, now)
		_, same := tx.Same(p.mail, id)
		return errors.Join(tx.PutIntake(in), tx.PutMessage(m), tx.PutWords(m.Key, now, helpdesk.Terms(all)), tx.PutTicket(v), tx.PutOutgoing(o),
			tx.PutBytes(o.Key, []byte(all)), tx.Await("await"+p.mail, key), spent, same,
			helpdesk.PutUnit(tx, &helpdesk.Unit{Code: fmt.Sprintf("19990%02d", i), Name: p.name, Addresses: []string{p.mail}, Phones: []string{p.phone}}),
			helpdesk.Put(tx, &helpdesk.Call{Key: fmt.Sprintf("C-%d", i), Phone: p.phone, Reason: all, At: now}))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPlantedValuesInTheHelpdesksRecordsLieNowhereOnTheDisk(t *testing.T) {
	const many = 20
	dir := t.TempDir()
	s, err := Open(context.Background(), Options{Dir: dir, Vault: testVault(t)})
	if err != nil {
		t.Fatal(err)
	}
	for i := range many {
		everyDesk(t, s, i, plant(i))
	}
	err = s.Helpdesk().View(context.Background(), func(tx helpdesk.Tx) error {
		list, err := tx.TicketsOf(plant(7).mail, 5)
		if len(list) != 1 || list[0].Contact.Phone != plant(7).phone {
			t.Errorf("%d tickets are found by the address", len(list))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen := search(t, dir, many); seen < 1<<17 {
		t.Errorf("only %d bytes were searched", seen)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	search(t, dir, many)
}

func TestAMailsBytesMovedToAnotherMailDoNotOpen(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(context.Background(), Options{Dir: dir, Vault: testVault(t)})
	if err != nil {
		t.Fatal(err)
	}
	everyDesk(t, s, 0, plant(0))
	everyDesk(t, s, 1, plant(1))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	other(t, dir, "UPDATE mail_bytes SET body = (SELECT body FROM mail_bytes WHERE key = '000000000001/0000') WHERE key = '000000000002/0000'")
	s = open(t, dir)
	err = s.Helpdesk().View(context.Background(), func(tx helpdesk.Tx) error {
		if _, err := tx.Raw(2); err == nil {
			t.Error("the bytes of one mail opened as another's")
		}
		_, err := tx.Raw(1)
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestEverySealedTableIsRewrapped looks for tables with a key, a revision and a body that Rewrap does not know.
func TestEverySealedTableIsRewrapped(t *testing.T) {
	s := open(t, t.TempDir())
	known := map[string]bool{}
	for _, table := range sealedTables {
		known[table] = true
	}
	err := s.view(context.Background(), func(t2 *tx) error {
		return t2.each(func(scan func(...any) error) error {
			var table string
			err := scan(&table)
			if !known[table] {
				t.Errorf("Rewrap does not know %s", table)
			}
			return err
		}, "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'body'")
	})
	if err != nil {
		t.Fatal(err)
	}
}
