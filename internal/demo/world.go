// Package demo is a whole working world in a fresh directory: service, mail server, back office, people and seals, all
// invented, and the journey of one customer through it.
//
// Everything but the outside systems is the real thing; those are stand-ins over a socket, labelled MÔ PHỎNG. Start
// reading at Build, then Play in journey.go; a support mail's life is in support.go.
package demo

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"countersign/internal/api"
	"countersign/internal/backoffice"
	"countersign/internal/clock"
	"countersign/internal/locale"
	"countersign/internal/sealer"
	"countersign/internal/service"
	"countersign/kiosk"
	"countersign/kiosk/idcard"
	"countersign/kiosk/portrait"
	"countersign/kiosk/receipt"
	"countersign/mail/outbox"
	"countersign/signing/ca"
	"countersign/signing/pdf/page"
	"countersign/signing/seal"
)

// The people and places of the demonstration.
const (
	Unit     = "PA0505"
	Counter  = "3"
	User     = "lananh"
	Password = "Quay3@BacGiang"
	Unlock   = "271828"
	StaffID  = "3017"
	Mailbox  = "thu@mau.example"
	clerk    = "Ngô Lan Anh"
)

// World is a running demonstration.
type World struct {
	Dir        string
	Service    *service.Service
	Inbox      *Inbox
	BackOffice *backoffice.StandIn
	PhoneURL   string // where the known customer's telephone can be seen and pressed: MÔ PHỎNG
	Display    string // token of the customer's screen at the counter

	stop    context.CancelFunc
	done    chan struct{}
	servers []*http.Server
}

// cjkFonts are where Debian's fonts-droid-fallback keeps its TrueType file.
const cjkFont = "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf"

// Choices vary a world for tests and benchmarks; the zero value is what people see.
type Choices struct {
	Clock    clock.Clock
	Cost     kiosk.PasswordCost
	Log      *slog.Logger
	Counters int // counters 1 to n, each with a clerk; 0 is only the counter of the demonstration
	Beat     func() (<-chan time.Time, func())
	Limits   kiosk.Limits
	Quiet    bool                   // no timestamps: B-B
	With     func(*service.Options) // changes what the service gets; may be nil
	Sealer   *sealer.Client         // the seals are in another process
}

// Build makes a world in dir, which must be empty or not exist, and starts it.
func Build(ctx context.Context, dir string, c Choices) (*World, error) {
	w := &World{Dir: dir, done: make(chan struct{})}
	for _, sub := range []string{"run", "out", "camera", "print"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return nil, fmt.Errorf("make the demo's folder: %w", err)
		}
	}
	o, err := w.surroundings(c)
	if err != nil {
		return nil, err
	}
	if err := service.Found(ctx, o, "Điện lực Mẫu"); err != nil {
		return nil, err
	}
	if err := w.open(ctx, o); err != nil {
		return nil, err
	}
	if err := w.people(ctx, c); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// Reopen starts a world that was built before, after a stop or a crash.
func Reopen(ctx context.Context, dir string, c Choices) (*World, error) {
	w := &World{Dir: dir, done: make(chan struct{})}
	o, err := w.surroundings(c)
	if err != nil {
		return nil, err
	}
	token, err := os.ReadFile(w.path("run", "display.token"))
	if err != nil {
		return nil, fmt.Errorf("open the demo: %w", err)
	}
	w.Display = string(token)
	return w, w.open(ctx, o)
}

func (w *World) path(parts ...string) string {
	return filepath.Join(append([]string{w.Dir}, parts...)...)
}

// Socket is where the service listens.
func (w *World) Socket() string { return w.path("run", "api.sock") }

// surroundings starts the stand-ins and says how the service reaches them.
func (w *World) surroundings(c Choices) (service.Options, error) {
	w.Inbox = &Inbox{Dir: w.path("inbox"), Accounts: map[string]string{DeskMailbox: deskSecret, Accountant: accountantSecret}}
	if err := w.Inbox.Start(); err != nil {
		return service.Options{}, err
	}
	w.BackOffice = &backoffice.StandIn{}
	url, err := w.serve("tcp", "127.0.0.1:0", w.BackOffice)
	if err != nil {
		return service.Options{}, err
	}
	passphrase, err := w.passphrase()
	if err != nil {
		return service.Options{}, err
	}
	o := service.Options{Dir: w.path("data"), KeyFile: w.path("secret", "vault.key"), Passphrase: passphrase,
		Units: []kiosk.Unit{{Code: Unit, Name: "Điện lực Bắc Giang", Parent: "Công ty Điện lực Mẫu", Place: "Bắc Giang", Hotline: "19006769", BackOffice: "CMIS"}},
		Mail:  &outbox.Server{Addr: w.Inbox.Addr(), TLS: "none", Hello: "counter.demo.example"}, Sender: receipt.Sender{Address: "quay@dienluc.example", Host: "counter.demo.example"},
		LocalTSA: !c.Quiet, BackOffice: &backoffice.Client{URL: "http://" + url + "/orders", HTTP: &http.Client{Timeout: 10 * time.Second}}, StandIn: true,
		Printer: service.Printer{Dir: w.path("print")}, Clock: c.Clock, Cost: c.Cost, Log: c.Log, Beat: c.Beat, Limits: c.Limits,
		Desk: w.helpdesk(), Sealer: c.Sealer}
	if _, err := os.Stat(cjkFont); err == nil {
		o.CJKFont = cjkFont
	}
	if c.With != nil {
		c.With(&o)
	}
	return o, nil
}

// passphrase draws the vault's passphrase once and keeps it beside the vault, for this demonstration only.
func (w *World) passphrase() ([]byte, error) {
	name := w.path("secret", "passphrase")
	if data, err := os.ReadFile(name); err == nil {
		return data, nil
	}
	raw := make([]byte, 24)
	if _, err := rand.Read(raw); err != nil {
		return nil, fmt.Errorf("draw a passphrase: %w", err)
	}
	data := []byte(base64.RawURLEncoding.EncodeToString(raw))
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, fmt.Errorf("keep the passphrase: %w", err)
	}
	return data, os.WriteFile(name, data, 0o600)
}

// serve answers HTTP on an address until the world is closed, and returns the address.
func (w *World) serve(network, address string, h http.Handler) (string, error) {
	l, err := net.Listen(network, address)
	if err != nil {
		return "", fmt.Errorf("listen on %s: %w", address, err)
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	w.servers = append(w.servers, s)
	go func() {
		// Serve ends with ErrServerClosed when the world is closed.
		_ = s.Serve(l)
	}()
	return l.Addr().String(), nil
}

func (w *World) open(ctx context.Context, o service.Options) error {
	s, err := service.Open(ctx, o)
	if err != nil {
		return err
	}
	w.Service = s
	_, provider, err := w.telephone(thu)
	if err != nil {
		return err
	}
	s.Hall.Remotes = []kiosk.Remote{provider}
	if err := os.Remove(w.Socket()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove the old socket: %w", err)
	}
	if _, err := w.serve("unix", w.Socket(), s.Handler); err != nil {
		return err
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	w.stop = stop
	go func() {
		defer close(w.done)
		s.Run(run)
	}()
	return nil
}

// Close stops everything.
func (w *World) Close() error {
	for _, s := range w.servers {
		// Streams never end by themselves, so the connections are closed rather than drained.
		_ = s.Close()
	}
	if w.stop != nil {
		w.stop()
		<-w.done
	}
	return errors.Join(w.Inbox.Close(), w.Service.Close())
}

// people adds staff, seals, grants, customers, the paired screen and the pictures in the camera's folder.
func (w *World) people(ctx context.Context, c Choices) error {
	s := w.Service
	counters := []string{Counter}
	for i := range c.Counters {
		if n := fmt.Sprint(i + 1); n != Counter {
			counters = append(counters, n)
		}
	}
	far := s.Options.Clock.Now().AddDate(1, 1, 9)
	for _, n := range []service.NewSeal{
		{Seal: seal.Seal{ID: "dau-nghiep-vu-2", Kind: seal.Business, Name: "CÔNG TY ĐIỆN LỰC MẪU", Line: "NGHIỆP VỤ 2", Arc: "ĐIỆN LỰC BẮC GIANG", Star: true, Organisation: "Điện lực Bắc Giang", Geometry: "vn-company", ValidUntil: far}, OrganisationID: "0199990004"},
		{Seal: seal.Seal{ID: "dau-don-vi", Kind: seal.Unit, Name: "ĐIỆN LỰC BẮC GIANG", Line: "BẮC GIANG", Arc: "M.S.D.N: 0199990011", Star: true, Organisation: "Điện lực Bắc Giang", Geometry: "vn-company", ValidUntil: far}, RSA: true, OrganisationID: "0199990011"},
	} {
		if err := s.AddSeal(ctx, n); err != nil {
			return err
		}
	}
	for _, counter := range counters {
		if err := w.staff(ctx, counter); err != nil {
			return err
		}
	}
	var err error
	if w.Display, err = s.Hall.PairDisplay(ctx, kiosk.Actor{User: kiosk.User{Name: "admin"}, Unit: Unit, Counter: Counter}, Unit, Counter); err != nil {
		return err
	}
	if err := os.WriteFile(w.path("run", "display.token"), []byte(w.Display), 0o600); err != nil {
		return fmt.Errorf("keep the screen's token: %w", err)
	}
	if err := w.customers(ctx); err != nil {
		return err
	}
	if err := w.supporters(ctx); err != nil {
		return err
	}
	return w.papers()
}

// staff adds the clerk of a counter with the counter's key and the grants.
func (w *World) staff(ctx context.Context, counter string) error {
	s := w.Service
	u := kiosk.User{Name: User, FullName: clerk, StaffID: StaffID, Unit: Unit, Roles: []kiosk.Role{kiosk.RoleClerk, kiosk.RoleSigner}}
	if counter != Counter {
		u.Name, u.FullName, u.StaffID = "quay"+counter, "Nhân Viên Quầy "+counter, "40"+counter
	}
	if err := s.AddUser(ctx, u, Password, Unlock); err != nil {
		return err
	}
	id := "quay-" + counter
	if err := s.AddSeal(ctx, service.NewSeal{Seal: seal.Seal{ID: id, Kind: seal.Counter, Name: u.FullName, Line: counter, Organisation: "Điện lực Bắc Giang"}}); err != nil {
		return err
	}
	for _, sealID := range []string{id, "dau-nghiep-vu-2", "dau-don-vi"} {
		g := seal.Grant{Seal: sealID, Clerk: u.StaffID, Service: "*", Paper: "118/QĐ-PCBG", From: s.Options.Clock.Now().AddDate(0, 0, -1)}
		if err := s.Grant(ctx, g); err != nil {
			return err
		}
	}
	return nil
}

// Thu is the customer whom the unit already serves.
var thu = idcard.Person{Number: "001090000017", Name: "NGUYỄN VĂN THỬ", Birth: "1990-01-01", Sex: "M", Address: "12 phố Mẫu, phường Thử, Bắc Giang", Issued: "2021-06-01", Expires: "2030-01-01"}

// mau is somebody whom nobody knows yet.
var mau = idcard.Person{Number: "079185000023", Name: "TRẦN THỊ MẪU", Birth: "1985-07-15", Sex: "F", Address: "5 ngõ Mẫu, phường Thử, Bắc Giang", Issued: "2022-03-04", Expires: "2045-07-15"}

func (w *World) customers(ctx context.Context) error {
	now := w.Service.Options.Clock.Now()
	list := []kiosk.Customer{
		{ID: "PA05050000017", Kind: "person", Name: thu.Name, Birth: thu.Birth, Sex: thu.Sex, IDNumber: thu.Number, Phone: "0900000017", Email: Mailbox, Address: thu.Address,
			Facts: map[string]string{"customer_code": "PA05050000017", "address": thu.Address, "capacity": "3.0", "phases": "1", "purpose": "1", "households": "2", "area": "urban",
				"contract": "Sinh hoạt, 1 pha, 2 hộ", "debt": "không", "same_open": "no", "overdue": "no"}},
		{ID: "PA05050000482", Kind: "person", Name: "NGUYỄN VIỆT THU", Birth: "1984-05-20", Sex: "F", IDNumber: "001184001203", Phone: "0900000921", Email: "vietthu@mau.example", Address: "8 phố Mẫu, Bắc Giang",
			Facts: map[string]string{"customer_code": "PA05050000482", "capacity": "5.0", "area": "urban"}},
		{ID: "PA05050001093", Kind: "person", Name: "NGÔ VĂN THUẬN", Birth: "1971-02-03", Sex: "M", IDNumber: "024071007710", Phone: "0900004470", Email: "thuan@mau.example", Address: "thôn Mẫu, xã Thử, Bắc Giang",
			Facts: map[string]string{"customer_code": "PA05050001093", "capacity": "3.0", "area": "rural"}},
		{ID: "PA05050000031", Kind: "organisation", Name: "CÔNG TY TNHH MẪU SẢN XUẤT", TaxCode: "0199990011", Phone: "02043000031", Email: "ketoan@mau.example", Address: "Lô 1, khu công nghiệp Mẫu",
			Facts: map[string]string{"customer_code": "PA05050000031", "capacity": "120.0"}},
		{ID: "PA05050000777", Kind: "person", Name: "赵试", Birth: "1990-01-02", Sex: "M", IDNumber: "110000199001021230", Phone: "0900000777", Email: "zhao@mau.example", Address: "1 Mau Street"},
	}
	return w.Service.Store.Update(ctx, func(tx kiosk.Tx) error {
		for _, c := range list {
			c.Unit, c.FactsAt = Unit, now
			if err := tx.PutCustomer(&c); err != nil {
				return err
			}
		}
		return nil
	})
}

// papers leaves what a person at the demonstration needs at hand: the root certificate, cards to scan, pictures.
func (w *World) papers() error {
	if err := os.MkdirAll(w.path("ca"), 0o700); err != nil {
		return err
	}
	files := map[string][]byte{
		w.path("ca", "root.pem"):              ca.PEM(w.Service.Root),
		w.path("cards", "thu.txt"):            []byte(thu.QR() + "\n"),
		w.path("cards", "mau.txt"):            []byte(mau.QR() + "\n"),
		w.path("cards", "mau-mrz.txt"):        []byte(mau.TD1() + "\n"),
		w.path("run", "agent-sign-in.txt"):    []byte(Agent + "\n" + Password + "\n" + Unlock + "\n"),
		w.path("run", "mailboxes.txt"):        w.mailboxes(),
		w.path("run", "clerk-sign-in.txt"):    []byte(User + "\n" + Password + "\n" + Unlock + "\n"),
		w.path("camera-samples", "sharp.jpg"): nil, w.path("camera-samples", "blurred.jpg"): nil,
	}
	for name, look := range map[string]portrait.Look{"sharp.jpg": portrait.Sharp, "blurred.jpg": portrait.Blurred} {
		data, err := portrait.SyntheticJPEG(1990, look)
		if err != nil {
			return err
		}
		files[w.path("camera-samples", name)] = data
	}
	scan, err := w.scan()
	if err != nil {
		return err
	}
	files[w.path("scans", "giay-to-nha-mau.pdf")] = scan
	for name, data := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(name, data, 0o600); err != nil {
			return fmt.Errorf("write the demo's papers: %w", err)
		}
	}
	return nil
}

// scan is an invented paper about a house, as a scanner would leave it: for the file field of a change of holder.
func (w *World) scan() ([]byte, error) {
	fonts := w.Service.Hall.Fonts
	d := page.New(page.Info{Title: locale.Text(locale.Vietnamese, "demo.paper.title", nil), Language: "vi", Created: w.Service.Options.Clock.Now()})
	p := d.AddPage(595, 842)
	p.TextCentre(297, 90, page.Style{Fonts: fonts.Bold, Size: 16}, locale.Text(locale.Vietnamese, "demo.paper.title", nil))
	p.Text(70, 140, page.Style{Fonts: fonts.Regular, Size: 12}, locale.Text(locale.Vietnamese, "demo.paper.text", locale.Args{"name": mau.Name, "address": thu.Address}))
	data, err := d.Bytes()
	if err != nil {
		return nil, fmt.Errorf("draw the demo's paper: %w", err)
	}
	return data, nil
}

// Client returns a client of the world's service over its socket.
func (w *World) Client() *api.Client { return SocketClient(w.Socket()) }

// SocketClient returns a client of a service that listens on a Unix socket.
func SocketClient(path string) *api.Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}
	return &api.Client{Base: "http://counter", HTTP: &http.Client{Transport: &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 8}}}
}
