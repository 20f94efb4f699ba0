package demo

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/internal/service"
	"countersign/internal/vault"
	"countersign/kiosk"
	"countersign/services"
)

// clear wants a refusal with a code of ours whose sentence, in every language, brings nothing into a terminal.
func clear(t *testing.T, what string, err error) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind == fault.Internal || f.Code == "service.answer" || f.Code == "service.lost" {
		t.Errorf("%s is answered with %v", what, err)
		return
	}
	told(t, err)
	for _, l := range locale.Langs {
		if s := locale.Fault(l, err); strings.ContainsAny(s, "\x00\x07\x1b\u009b\u202e\r") {
			t.Errorf("%s: the sentence carries control characters: %q", what, s)
		}
	}
}

func TestWhatTheCounterIsGivenWrongIsRefusedInWordsAndLosesNothing(t *testing.T) {
	d := theOffice(t).sit(t)
	d.to("open")
	key := d.key()
	_, err := d.Clerk.SetField(d.ctx, key, "phone", d.look().Order.Values["phone"].Text, "0912345678")
	d.must(err)
	before := d.stored()
	for _, typed := range []string{"31021990", "00000000", "29022023", "31131990", "01013026", "99999999", "32/01/1990", "1990-13-01", "x", "３１１２１９９０"} {
		_, err := d.Clerk.SetField(d.ctx, key, "birth", before.Values["birth"].Text, typed)
		clear(t, "the date "+typed, err)
	}
	qr := d.Person.QR()
	for name, scan := range map[string]string{
		"nothing":                       "",
		"a cut card":                    qr[:len(qr)/2],
		"a card without date":           strings.Join(strings.Split(qr, "|")[:5], "|"),
		"escape sequences":              strings.Repeat("\x1b]52;c;ZWNobw==\x07\x1b[2J\x1bPq#0\x1b\\", 60),
		"a name that clears the screen": strings.Replace(qr, d.Person.Name, "\x1b[2J\x1b]0;x\x07", 1),
		"a name that turns round":       strings.Replace(qr, d.Person.Name, "\u202eAN NAV", 1),
		"a long scan":                   strings.Repeat(qr, 200),
		"two cards":                     qr + qr,
		"a cut MRZ":                     d.Person.TD1()[:40],
		"zeros":                         strings.Repeat("\x00", 300),
		"broken UTF-8":                  "001090000001|\xff\xfe|\xc3",
	} {
		_, err := d.Clerk.ScanCard(d.ctx, key, scan)
		if err == nil {
			if v := d.look(); v.Order.Card.OK() {
				t.Errorf("%s passes for a card", name)
			}
			_, err = d.Clerk.ScanCard(d.ctx, key, qr)
			d.must(err)
			continue
		}
		clear(t, name, err)
	}
	for _, rows := range [][][]string{{{"a", "b", "c", "d"}}, {{"Đèn", "-1", "60", "5"}}, {{"Đèn", "1", "99999999999999999999", "5"}}, make([][]string, 201)} {
		_, err := d.Clerk.SetRows(d.ctx, key, "appliances", rows)
		clear(t, fmt.Sprintf("%d rows", len(rows)), err)
	}
	_, err = d.Clerk.SetField(d.ctx, key, "full_name", before.Values["full_name"].Text, strings.Repeat("Ă", 5000))
	clear(t, "a name of 5000 letters", err)
	_, err = d.Clerk.Order(d.ctx, "../../secret/passphrase")
	clear(t, "a key that is a path", err)
	d.done = []string{"open"}
	d.to("read")
	for name, data := range map[string][]byte{
		"nothing": {}, "text": []byte("no picture"), "40 MB": make([]byte, 40<<20), "40 MB of picture": append(bytes.Clone(picture()), make([]byte, 40<<20)...),
		"a cut picture": picture()[:len(picture())/3], "a picture of 8.5 MB": append(bytes.Clone(picture()), make([]byte, 17<<19)...),
	} {
		_, err := d.Clerk.Portrait(d.ctx, key, data)
		clear(t, "a portrait that is "+name, err)
	}
	d.to("seal")
	d.passed()
	if got := d.stored().Values["full_name"].Text; got != before.Values["full_name"].Text {
		t.Errorf("the name became %q", got)
	}
}

func TestWhatTheServiceIsGivenWrongKeepsItFromStartingAndLosesNothing(t *testing.T) {
	o, err := newOffice(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d := o.sit(t)
	d.to("seal")
	options, number := o.Service.Options, d.look().Order.Number
	_, err = service.Open(t.Context(), options)
	clear(t, "a second server on the same directory", err)
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := services.Files.ReadFile("31-meter-check.yaml")
	if err != nil {
		t.Fatal(err)
	}
	own := func(text string) fstest.MapFS { return fstest.MapFS{"own.yaml": {Data: []byte(text)}} }
	renamed := strings.Replace(strings.Replace(string(good), `number: "31"`, `number: "77"`, 1), "code: ", "code: X-", 1)
	otherKey := filepath.Join(t.TempDir(), "other.key")
	if _, err := vault.Create(otherKey, options.Passphrase); err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(t.TempDir(), "damaged.key")
	whole, err := os.ReadFile(options.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	write(t, damaged, whole[:len(whole)/2])
	for name, c := range map[string]struct {
		code   string
		change func(*service.Options)
	}{
		"a service file with an unknown key": {"catalog.unknown_key", func(o *service.Options) { o.Own = own(renamed + "\nkhoa_la: 1\n") }},
		"a service file with a wrong date": {"", func(o *service.Options) {
			o.Own = own(strings.Replace(renamed, "valid_from: ", "valid_from: 2026-02-31 #", 1))
		}},
		"another installation's key file":      {"store.wrong_key", func(o *service.Options) { o.KeyFile = otherKey }},
		"a key file that is gone":              {"vault.missing", func(o *service.Options) { o.KeyFile = filepath.Join(t.TempDir(), "none") }},
		"half a key file":                      {"", func(o *service.Options) { o.KeyFile = damaged }},
		"a wrong passphrase":                   {"vault.passphrase", func(o *service.Options) { o.Passphrase = []byte("not the passphrase at all") }},
		"a data directory that does not exist": {"service.not_founded", func(o *service.Options) { o.Dir = filepath.Join(t.TempDir(), "none") }},
	} {
		wrong := options
		c.change(&wrong)
		s, err := service.Open(t.Context(), wrong)
		if err == nil {
			t.Errorf("the service starts with %s", name)
			_ = s.Close()
			continue
		}
		clear(t, name, err)
		if c.code != "" && !fault.Is(err, c.code) {
			t.Errorf("%s is told as %v, want %s", name, err, c.code)
		}
	}
	clear(t, "an installation on top of another", service.Found(t.Context(), options, "Điện lực Mẫu"))
	withOwn := options
	withOwn.Own = own(renamed)
	s, err := service.Open(t.Context(), withOwn)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, ok := s.Hall.Catalog.Service("77"); !ok {
		t.Error("the operator's own service is not offered")
	}
	err = s.Store.View(t.Context(), func(tx kiosk.Tx) error {
		o, err := tx.OrderByNumber(number)
		if err == nil && (o.State != kiosk.Sealed || o.Document.FinalID == "") {
			err = fmt.Errorf("order %s is %s", number, o.State)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	report, err := s.VerifyJournal(t.Context(), nil)
	if err != nil || !report.OK() {
		t.Errorf("the journal: %v %+v", err, report.Problems)
	}
}

// diskVar says that the test runs in a process with mounts of its own.
const diskVar = "COUNTERSIGN_DEMO_DISK"

func TestAFullDiskIsToldAndTheOrderGoesOnWhenThereIsSpace(t *testing.T) {
	if os.Getenv(diskVar) != "" {
		onASmallDisk(t)
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), diskVar+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("--- PASS")) {
		t.Errorf("%v\n%s", err, out)
	}
}

func onASmallDisk(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", data, "tmpfs", 0, "size=12m"); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Unmount(data, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	o, err := newOffice(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	d := o.sit(t)
	d.to("fill")
	acknowledged := d.stored()
	ballast := filepath.Join(data, "ballast")
	f, err := os.Create(ballast)
	d.must(err)
	for err == nil {
		_, err = f.Write(make([]byte, 1<<12))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	d.must(f.Close())
	var kept []string
	for range 10000 {
		v, full := d.Clerk.OpenVisit(d.ctx, d.customer.ID, "")
		if err = full; err != nil {
			break
		}
		kept = append(kept, v.Visit.Key)
	}
	refused(t, err, "store.full")
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("the kind is %s", fault.KindOf(err))
	}
	if got := d.look(); got.Order.Rev < acknowledged.Rev || got.Order.Values["capacity"].Text == "" {
		t.Errorf("on the full disk the order is %+v", got.Order)
	}
	d.must(os.Remove(ballast))
	d.Order, err = d.Clerk.Resume(d.ctx, d.key())
	d.must(err)
	d.to("receive")
	d.passed()
	for _, key := range kept {
		if _, err := d.Clerk.Visit(d.ctx, key); err != nil {
			t.Errorf("visit %s was acknowledged and is lost: %v", key, err)
		}
	}
	report, err := o.Service.VerifyJournal(d.ctx, nil)
	if err != nil || !report.OK() {
		t.Errorf("the journal: %v %+v", err, report.Problems)
	}
	d.must(o.Close())
}
