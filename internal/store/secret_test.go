package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"

	"countersign/internal/clock"
	"countersign/internal/job"
	"countersign/internal/vault"
	"countersign/kiosk"
	"countersign/kiosk/catalog"
	"countersign/signing/otp"
	"countersign/signing/seal"
)

// planted are values that may lie nowhere on the disk. Each is long enough never to turn up by chance.
type planted struct{ name, number, phone, mail, address, code, customer string }

func plant(i int) planted {
	return planted{
		name:     fmt.Sprintf("Nguyễn Văn Thửnghiệm%02d", i),
		number:   fmt.Sprintf("0240900770%02d", i),
		phone:    fmt.Sprintf("09000077%02d", i),
		mail:     fmt.Sprintf("thunghiem%02d@mau.example", i),
		address:  fmt.Sprintf("Số %02d phố Mẫu Thử", i),
		code:     fmt.Sprintf("K7QM-42%02d", i),
		customer: fmt.Sprintf("PA0505777%02d", i),
	}
}

// everywhere stores the values in every kind of record.
func everywhere(t *testing.T, s *Store, p planted) {
	t.Helper()
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, clock.Vietnam)
	all := p.name + p.number + p.phone + p.mail + p.address + p.code + p.customer
	o := &kiosk.Order{Key: "o-" + p.phone[8:], Unit: unit, State: kiosk.Sealed, Customer: p.customer, Created: now, Confirmee: p.name,
		Values: catalog.Values{"name": {Text: p.name}, "phone": {Text: p.phone}, "all": {Text: all}}}
	o.Document.VerifyCode = p.code
	c := otp.Challenge{Terms: otp.Terms{ID: "c-" + o.Key, Account: p.customer, Order: o.Key, Purpose: p.name, Address: p.mail}, Issued: now, Rev: 1}
	err := s.Update(context.Background(), func(tx kiosk.Tx) error {
		return errors.Join(
			tx.PutOrder(o),
			tx.PutVisit(&kiosk.Visit{Key: "v-" + o.Key, Unit: unit, Day: today, Name: p.name, Customer: p.customer, Carried: all}),
			tx.PutCustomer(&kiosk.Customer{ID: p.customer, Unit: unit, Name: p.name, IDNumber: p.number, Phone: p.phone, Email: p.mail, Address: p.address}),
			tx.PutUser(&kiosk.User{Name: "u-" + o.Key, FullName: p.name}),
			tx.PutChallenge(&c),
			tx.PutDocument("d-"+o.Key, o.Key, "final", []byte(all)),
			tx.Enqueue(job.Job{Key: "mail:" + o.Key, Kind: "mail", Order: o.Key, Payload: []byte(all)}))
	})
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := s.Claim(context.Background(), job.Scope{Kind: "mail"}, s.clock.Now(), time.Minute, 1)
	if err != nil || len(jobs) != 1 {
		t.Fatal(jobs, err)
	}
	jobs[0].State, jobs[0].LastErr = job.Dead, "550 no such user "+p.mail
	if err := s.Settle(context.Background(), jobs[0], nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Book().Intent(context.Background(), seal.Use{Seal: "s1", Order: o.Key, Clerk: p.name, At: now}); err != nil {
		t.Fatal(err)
	}
}

// search looks for the values in every file below dir and returns how many bytes it has seen.
func search(t *testing.T, dir string, many int) int {
	t.Helper()
	seen := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		seen += len(data)
		for i := range many {
			p := plant(i)
			folded := fmt.Sprintf("thunghiem%02d", i)
			for _, secret := range []string{p.name, folded, p.number, p.phone, p.mail, p.address, p.code, p.customer} {
				if bytes.Contains(data, []byte(secret)) {
					t.Errorf("%s holds %q", path, secret)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

func TestPlantedNamesAndNumbersLieNowhereOnTheDisk(t *testing.T) {
	const many = 70
	dir, beside := t.TempDir(), t.TempDir()
	s, err := Open(context.Background(), Options{Dir: dir, Vault: testVault(t)})
	if err != nil {
		t.Fatal(err)
	}
	for i := range many {
		everywhere(t, s, plant(i))
	}
	err = s.View(context.Background(), func(tx kiosk.Tx) error {
		found, err := tx.FindCustomers(kiosk.Query{Unit: unit, Text: "nguyen van thunghiem07", Limit: 10})
		if len(found) != 1 || found[0].Name != plant(7).name {
			t.Errorf("the search finds %v", found)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen := search(t, dir, many); seen < 1<<18 {
		t.Errorf("only %d bytes were searched", seen)
	}
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(beside, "backup.age"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Backup(context.Background(), f, []age.Recipient{identity.Recipient()}); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	search(t, dir, many)
	search(t, beside, many)
}

func TestABodyMovedToAnotherRowDoesNotOpen(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(context.Background(), Options{Dir: dir, Vault: testVault(t)})
	if err != nil {
		t.Fatal(err)
	}
	everywhere(t, s, plant(1))
	everywhere(t, s, plant(2))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	other(t, dir,
		"UPDATE orders SET body = (SELECT body FROM orders WHERE key = 'o-01') WHERE key = 'o-02'",
		"UPDATE documents SET body = (SELECT body FROM documents WHERE key = 'd-o-01') WHERE key = 'd-o-02'",
		"UPDATE users SET rev = rev + 1 WHERE key = 'u-o-02'")
	s = open(t, dir)
	err = s.View(context.Background(), func(tx kiosk.Tx) error {
		if _, err := tx.Order("o-02"); err == nil {
			t.Error("an order opened in another's row")
		}
		if _, err := tx.Document("d-o-02"); err == nil {
			t.Error("a document opened in another's row")
		}
		if _, err := tx.User("u-o-02"); err == nil {
			t.Error("a user opened under another revision")
		}
		_, err := tx.Order("o-01")
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestRewrapIsStoppedAnywhereAndEndsWithEveryRecordOnTheNewestKey(t *testing.T) {
	keys := filepath.Join(t.TempDir(), "keys")
	v, err := vault.Create(keys, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	reopen := func() *Store {
		t.Helper()
		s, err := Open(context.Background(), Options{Dir: dir, Vault: v})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	const many = 40 // more than one batch of each kind
	s := reopen()
	for i := range many {
		everywhere(t, s, plant(i))
	}
	if err := v.Rotate(); err != nil {
		t.Fatal(err)
	}
	total, stops := 0, 0
	for stop := 1; ; stop++ {
		ctx, cancel := context.WithCancel(context.Background())
		batches := 0
		n, err := s.Rewrap(ctx, func(string, int) {
			if batches++; batches == stop {
				cancel()
			}
		})
		cancel()
		total += n
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		stops++
		whole(t, s, many)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = reopen()
	}
	whole(t, s, many)
	if stops < 10 || total != many*8 {
		t.Errorf("stopped %d times, %d records rewrapped, want %d", stops, total, many*8)
	}
	if n, err := s.Rewrap(context.Background(), nil); n != 0 || err != nil {
		t.Errorf("again: %d records, %v", n, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if v, err = vault.Open(keys, passphrase); err != nil {
		t.Fatal(err)
	}
	s = reopen()
	whole(t, s, many)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// whole fails the test when one of the planted records came back changed.
func whole(t *testing.T, s *Store, many int) {
	t.Helper()
	err := s.View(context.Background(), func(tx kiosk.Tx) error {
		for i := range many {
			p := plant(i)
			o, err1 := tx.Order("o-" + p.phone[8:])
			d, err2 := tx.Document("d-o-" + p.phone[8:])
			c, err3 := tx.Customer(p.customer)
			if err := errors.Join(err1, err2, err3); err != nil {
				return err
			}
			if o.Confirmee != p.name || c.Phone != p.phone || !bytes.Contains(d, []byte(p.name)) {
				t.Errorf("record %d came back changed", i)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
