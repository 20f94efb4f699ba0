package service_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"countersign/internal/clock"
	"countersign/internal/demo"
	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/internal/service"
	"countersign/internal/store"
	"countersign/kiosk"
	"countersign/signing/seal"
	"countersign/signing/verify"
)

// cheap makes guessing a password cheap, for tests only.
var cheap = kiosk.PasswordCost{MemoryKiB: 64, Passes: 1, Threads: 1}

func options(dir string) service.Options {
	return service.Options{Dir: filepath.Join(dir, "data"), KeyFile: filepath.Join(dir, "vault.key"), Passphrase: []byte("một câu đủ dài"), LocalTSA: true, Cost: cheap,
		Units: []kiosk.Unit{{Code: "PA0505", Name: "Điện lực Mẫu"}}}
}

func refused(t *testing.T, err error, code string) {
	t.Helper()
	if !fault.Is(err, code) {
		t.Errorf("the answer is %v, want %s", err, code)
	}
	for _, l := range locale.Langs {
		if s := locale.Fault(l, err); strings.ContainsAny(s, "‹›") || strings.Contains(s, "<no value>") {
			t.Errorf("%s has no whole sentence for %v: %q", l, err, s)
		}
	}
}

func founded(t *testing.T) service.Options {
	t.Helper()
	o := options(t.TempDir())
	if err := service.Found(t.Context(), o, "Điện lực Mẫu"); err != nil {
		t.Fatal(err)
	}
	return o
}

func opened(t *testing.T, o service.Options) *service.Service {
	t.Helper()
	s, err := service.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestAnInstallationIsFoundedOnceAndOpensWithNothingElse(t *testing.T) {
	o := founded(t)
	refused(t, service.Found(t.Context(), o, "Điện lực Khác"), "service.not_empty")
	elsewhere := o
	elsewhere.Dir = filepath.Join(t.TempDir(), "new")
	refused(t, service.Found(t.Context(), elsewhere, "Điện lực Khác"), "vault.exists")
	if _, err := os.Stat(elsewhere.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Error("the failed founding has left a directory behind")
	}
	wrong := o
	wrong.Passphrase = []byte("một câu khác hẳn")
	_, err := service.Open(t.Context(), wrong)
	refused(t, err, "vault.passphrase")
	missing := o
	missing.KeyFile += ".gone"
	_, err = service.Open(t.Context(), missing)
	refused(t, err, "vault.missing")
	_, err = service.Open(t.Context(), options(t.TempDir()))
	refused(t, err, "service.not_founded")
	s := opened(t, o)
	if r, err := s.VerifyJournal(t.Context(), nil); err != nil || !r.OK() {
		t.Errorf("after all that the journal is %+v, %v", r, err)
	}
	_, err = service.Open(t.Context(), o)
	refused(t, err, "store.locked")
}

func TestAShortPassphraseLeavesNothingBehind(t *testing.T) {
	o := options(t.TempDir())
	short := o
	short.Passphrase = []byte("ngắn")
	refused(t, service.Found(t.Context(), short, "Điện lực Mẫu"), "vault.short")
	if err := service.Found(t.Context(), o, "Điện lực Mẫu"); err != nil {
		t.Errorf("the second try meets the first one's remains: %v", err)
	}
}

func TestAnInstallationWithAMissingOrForeignFileDoesNotOpen(t *testing.T) {
	o, other := founded(t), founded(t)
	for _, c := range []struct{ file, from, code string }{
		{"ca/issuing.pem", "", "service.certificate"},
		{"ca/tsa.pem", "", "service.certificate"},
		{"ca/issuing.pem", "ca/issuing.pem", "service.certificate"},
		{"keys/ca-issuing.key", "", "key.missing"},
		{"keys/ca-issuing.key", "keys/ca-issuing.key", "key.broken"},
		{"keys/journal.key", "", "key.missing"},
		{"ca/root.pem", "", "service.not_founded"},
	} {
		path := filepath.Join(o.Dir, filepath.FromSlash(c.file))
		kept, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if c.from == "" {
			err = os.Remove(path)
		} else {
			var foreign []byte
			if foreign, err = os.ReadFile(filepath.Join(other.Dir, filepath.FromSlash(c.from))); err == nil {
				err = os.WriteFile(path, foreign, 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		s, err := service.Open(t.Context(), o)
		if err == nil {
			t.Errorf("without the right %s it opens", c.file)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		} else {
			refused(t, err, c.code)
		}
		if err := os.WriteFile(path, kept, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	opened(t, o)
}

func TestAnAdministratorsMistakesAreNamed(t *testing.T) {
	s := opened(t, founded(t))
	ctx := t.Context()
	u := kiosk.User{Name: "lananh", FullName: "Ngô Lan Anh", StaffID: "3017", Unit: "PA0505", Roles: []kiosk.Role{kiosk.RoleClerk}}
	if err := s.AddUser(ctx, u, "Quay3@BacGiang", ""); err != nil {
		t.Fatal(err)
	}
	refused(t, s.AddUser(ctx, u, "Quay3@BacGiang", ""), "service.user_exists")
	other := u
	other.Name, other.Unit = "thu", "PA9999"
	refused(t, s.AddUser(ctx, other, "Quay3@BacGiang", ""), "signin.unit")
	refused(t, s.LockUser(ctx, "khongco", true), "service.no_user")
	n := service.NewSeal{Seal: seal.Seal{ID: "dau", Kind: seal.Business, Name: "CÔNG TY MẪU", Geometry: "vn-company"}}
	if err := s.AddSeal(ctx, n); err != nil {
		t.Fatal(err)
	}
	refused(t, s.AddSeal(ctx, n), "key.exists")
	for code, spoil := range map[string]func(*service.NewSeal){
		"service.seal_kind":     func(n *service.NewSeal) { n.Kind = "tròn" },
		"service.seal_name":     func(n *service.NewSeal) { n.Name = "" },
		"service.seal_geometry": func(n *service.NewSeal) { n.Geometry = "vuông" },
	} {
		bad := n
		bad.ID = "khac"
		spoil(&bad)
		refused(t, s.AddSeal(ctx, bad), code)
	}
	refused(t, s.Grant(ctx, seal.Grant{Seal: "dau", Clerk: "3017", Service: "*"}), "service.no_paper")
	refused(t, s.Grant(ctx, seal.Grant{Seal: "khongco", Clerk: "3017", Service: "*", Paper: "118/QĐ"}), "service.no_seal")
}

// world is a demonstration with a clock of its own.
func TestSuspendedSealsStaySuspendedAfterARestart(t *testing.T) {
	o := founded(t)
	for _, held := range []bool{true, false} {
		s := opened(t, o)
		if err := s.HoldSeals(t.Context(), held); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		again := opened(t, o)
		err := again.Seals.State(t.Context())
		if held {
			refused(t, err, "seal.away")
		} else if err != nil {
			t.Errorf("sealing was resumed: %v", err)
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func world(t *testing.T, dir string) (*demo.World, *clock.Set) {
	t.Helper()
	c := clock.At(time.Date(2026, 11, 23, 8, 0, 0, 0, clock.Vietnam))
	w, err := demo.Build(t.Context(), dir, demo.Choices{Cost: cheap, Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w, c
}

func TestALockedNameEndsItsSessionsForGood(t *testing.T) {
	w, c := world(t, t.TempDir())
	ctx := t.Context()
	clerk, display, err := w.SignIn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := clerk.Home(ctx); err != nil {
		t.Fatal(err)
	}
	c.Advance(time.Second)
	for _, locked := range []bool{true, false} {
		if err := w.Service.LockUser(ctx, demo.User, locked); err != nil {
			t.Fatal(err)
		}
		if _, err := clerk.Home(ctx); !fault.Is(err, "signin.session") {
			t.Errorf("locked %t: the session that was open answers %v", locked, err)
		}
		if err := display.Help(ctx, "any"); !fault.Is(err, "order.gone") {
			t.Errorf("locked %t: the customer's screen answers %v", locked, err)
		}
		if st, err := w.Service.Hall.Station(ctx, demo.Unit, demo.Counter); err != nil || st.Present {
			t.Errorf("locked %t: a clerk is present: %t, %v", locked, st.Present, err)
		}
	}
	c.Advance(time.Second)
	if _, err := clerk.SignIn(ctx, demo.User, demo.Password); err != nil {
		t.Errorf("opened again, the clerk can't sign in: %v", err)
	}
}

// played is an order that went the whole way, as bytes and name.
func played(t *testing.T, w *demo.World) (key string, file []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	j, err := w.Capacity(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if file, err = j.Clerk.Document(ctx, j.Order.Order.Key); err != nil {
		t.Fatal(err)
	}
	return j.Order.Order.Key, file
}

// holds wants the order's file, passing, and a whole journal.
func holds(t *testing.T, s *service.Service, key string, file []byte) {
	t.Helper()
	var got []byte
	err := s.Store.View(t.Context(), func(tx kiosk.Tx) error {
		o, err := tx.Order(key)
		if err == nil {
			got, err = tx.Document(o.Document.FinalID)
		}
		return err
	})
	if err != nil || !bytes.Equal(got, file) {
		t.Errorf("the order's file has %d bytes, want %d (%v)", len(got), len(file), err)
	}
	if r := verify.Verify(got, verify.Policy{Roots: s.Hall.Roots, At: s.Options.Clock.Now()}); r.Verdict != verify.Passed {
		t.Errorf("the file is %s: %s", r.Verdict, r.Summary.English)
	}
	if r, err := s.VerifyJournal(t.Context(), nil); err != nil || !r.OK() {
		t.Errorf("the journal is %+v, %v", r, err)
	}
}

func TestWhatWasStoredOutlivesKeysAndMachines(t *testing.T) {
	dir := t.TempDir()
	w, _ := world(t, dir)
	key, file := played(t, w)
	s := w.Service
	before := s.Vault.Keys()
	cut, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.RotateKey(cut); err == nil {
		t.Error("a rotation that was stopped says that it is done")
	}
	holds(t, s, key, file)
	moved, err := s.RotateKey(t.Context())
	if err != nil || moved == 0 || s.Vault.Keys() <= before {
		t.Errorf("%d records were moved, the vault has %d keys after %d: %v", moved, s.Vault.Keys(), before, err)
	}
	holds(t, s, key, file)

	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	var backup bytes.Buffer
	if _, err := s.Store.Backup(t.Context(), &backup, []age.Recipient{id.Recipient()}, "keys", "ca"); err != nil {
		t.Fatal(err)
	}
	copied := s.Options
	copied.Dir = filepath.Join(t.TempDir(), "restored")
	if _, err := store.Restore(t.Context(), bytes.NewReader(backup.Bytes()), copied.Dir, []age.Identity{id}, nil); err != nil {
		t.Fatal(err)
	}
	t.Run("the restored copy opens and holds", func(t *testing.T) {
		holds(t, opened(t, copied), key, file)
	})
	t.Run("it does not open without the vault", func(t *testing.T) {
		without := copied
		without.KeyFile = filepath.Join(t.TempDir(), "none")
		_, err := service.Open(t.Context(), without)
		refused(t, err, "vault.missing")
	})
	t.Run("after a restart under the new key it holds", func(t *testing.T) {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		again, err := demo.Reopen(t.Context(), dir, demo.Choices{Cost: cheap, Clock: s.Options.Clock})
		if err != nil {
			t.Fatal(err)
		}
		*w = *again // the clean-up closes this one
		holds(t, w.Service, key, file)
	})
}
