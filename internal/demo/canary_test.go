package demo

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"golang.org/x/text/unicode/norm"

	"countersign/internal/api"
	"countersign/kiosk"
	"countersign/kiosk/mirror"
)

// overheard records the body of every refused request.
type overheard struct {
	next http.RoundTripper
	mu   *sync.Mutex
	all  *bytes.Buffer
}

func (h overheard) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := h.next.RoundTrip(r)
	if err != nil || resp.StatusCode < 400 {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	h.mu.Lock()
	defer h.mu.Unlock()
	fmt.Fprintf(h.all, "%s %v\n%s\n", resp.Status, resp.Header, body)
	return resp, nil
}

// canary is one planted value. What has only digits is looked for between other signs than hexadecimal ones, or the
// digests in the journal would hold it by chance.
type canary struct {
	what, value string
	forms       map[string][]byte
}

func newCanary(what, value string) canary {
	c := canary{what, value, map[string][]byte{}}
	add := func(form, s string) { c.forms[form+" of "+s] = []byte(s) }
	folded := strings.Map(func(r rune) rune {
		switch {
		case r == 'đ':
			return 'd'
		case r == 'Đ':
			return 'D'
		case r >= 0x300 && r < 0x370:
			return -1
		}
		return r
	}, norm.NFD.String(value))
	for _, s := range []string{value, norm.NFD.String(value), folded, strings.ToLower(value), strings.ToLower(folded), strings.ReplaceAll(folded, " ", "<")} {
		add("text", s)
		for i := range 3 {
			// What stands before shifts the groups of base64: of each shift the part that is the same whatever surrounds it.
			coded := base64.RawStdEncoding.EncodeToString([]byte("xx"[:i] + s))
			whole := coded[[]int{0, 2, 3}[i] : len(coded)-(i+len(s))%3]
			add("base64", whole)
			add("base64 for addresses", strings.NewReplacer("+", "-", "/", "_").Replace(whole))
		}
		add("hexadecimal", hex.EncodeToString([]byte(s)))
		add("upper hexadecimal", strings.ToUpper(hex.EncodeToString([]byte(s))))
		add("address escape", url.QueryEscape(s))
		var quoted strings.Builder
		for _, b := range []byte(s) {
			if b < 0x80 {
				quoted.WriteByte(b)
			} else {
				fmt.Fprintf(&quoted, "=%02X", b)
			}
		}
		add("quoted-printable", quoted.String())
		add("JSON escape", strings.Trim(strconv.QuoteToASCII(s), `"`))
		var low, high []byte
		for _, u := range utf16.Encode([]rune(s)) {
			low, high = append(low, byte(u), byte(u>>8)), append(high, byte(u>>8), byte(u))
		}
		c.forms["UTF-16LE of "+s], c.forms["UTF-16BE of "+s] = low, high
	}
	return c
}

func (c canary) in(data []byte) string {
	for form, x := range c.forms {
		for rest := data; ; {
			i := bytes.Index(rest, x)
			if i < 0 {
				break
			}
			before, after := byte(' '), byte(' ')
			if i > 0 {
				before = rest[i-1]
			}
			if i+len(x) < len(rest) {
				after = rest[i+len(x)]
			}
			if len(c.value) > 6 || !isHex(before) && !isHex(after) {
				return form
			}
			rest = rest[i+1:]
		}
	}
	return ""
}

func isHex(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F'
}

func TestACanaryIsFoundInEveryForm(t *testing.T) {
	c := newCanary("name", "ĐẶNG THỊ HOÀNG YẾN")
	for _, text := range []string{"…Đặng… no", "DANG THI HOANG", `{"number":"4711"}`} {
		if form := c.in([]byte(text)); form != "" {
			t.Errorf("found in %q as %s", text, form)
		}
	}
	for _, s := range []string{c.value, "dang thi hoang yen", "DANG<THI<HOANG<YEN"} {
		for i := range 3 {
			if c.in([]byte(base64.StdEncoding.EncodeToString([]byte("abc"[:i]+s+"#end")))) == "" {
				t.Errorf("%q is not found in base64 after %d bytes", s, i)
			}
		}
		if c.in([]byte("x"+s+"y")) == "" || c.in([]byte(hex.EncodeToString([]byte(s)))) == "" {
			t.Errorf("%q is not found", s)
		}
	}
	code := newCanary("code", "271828")
	if code.in([]byte("af271828b0")) != "" || code.in([]byte(`"271828"`)) == "" {
		t.Error("a code is not told from a digest")
	}
}

func TestPlantedNamesNumbersAndCodesAreInNoFileNoLogAndNoRefusal(t *testing.T) {
	o := ownOffice(t)
	refusals := overheard{mu: &sync.Mutex{}, all: &bytes.Buffer{}}
	people := []kiosk.Customer{
		{Name: "ĐẶNG THỊ HOÀNG YẾN", IDNumber: "001190048151", Birth: "1990-11-27", Sex: "F", Phone: "0987048151", Email: "hoangyen.canary@mau.example", Address: "48 ngách Chim Yến, phường Thử"},
		{Name: "QUÁCH VĂN SƠN CA", IDNumber: "024088062342", Birth: "1988-02-14", Sex: "M", Phone: "0987062342", Email: "sonca.canary@mau.example", Address: "15 hẻm Sơn Ca, xã Thử"},
	}
	canaries := []canary{newCanary("password", Password), newCanary("unlock code", Unlock), newCanary("wrong password", "Canary@Sai77"), newCanary("wrong unlock code", "480913")}
	var digits []string // codes are known only once they have come
	for i, p := range people {
		c := o.newCustomer(t, 800+i)
		c.Name, c.IDNumber, c.Birth, c.Sex, c.Phone, c.Email, c.Address, c.Facts["address"] = p.Name, p.IDNumber, p.Birth, p.Sex, p.Phone, p.Email, p.Address, p.Address
		stored := c
		stored.Rev = 1
		if err := o.Service.Store.Update(t.Context(), func(tx kiosk.Tx) error { return tx.PutCustomer(&stored) }); err != nil {
			t.Fatal(err)
		}
		canaries = append(canaries, newCanary("name", p.Name), newCanary("number", p.IDNumber), newCanary("phone", p.Phone), newCanary("address of mail", p.Email),
			newCanary("address", p.Address), newCanary("customer code", c.ID))
		d := o.sit(t)
		d = o.sitAt(t, d.counter, c)
		for _, client := range []*api.Client{d.Clerk.Client, d.Display.Client} {
			client.HTTP.Transport = overheard{client.HTTP.Transport, refusals.mu, refusals.all}
		}
		digits = append(digits, d.suffer(i == 1)...)
		canaries = append(canaries, newCanary("verify code", d.stored().Document.VerifyCode), newCanary("token", d.token), newCanary("screen's token", d.screenToken))
	}
	for _, code := range digits {
		canaries = append(canaries, newCanary("one-time code", code))
	}
	if o.log.Bytes() == nil || refusals.all.Len() < 1000 {
		t.Errorf("%d bytes of log and %d of refusals show little", len(o.log.Bytes()), refusals.all.Len())
	}
	o.searchFor(t, canaries, "while the service runs")
	for _, c := range canaries {
		if form := c.in(refusals.all.Bytes()); form != "" {
			t.Errorf("a refused request is answered with a %s (%s)", c.what, form)
			for _, line := range bytes.Split(refusals.all.Bytes(), []byte("\n")) {
				if c.in(line) != "" {
					t.Logf("%s", line)
				}
			}
		}
	}
	if err := o.Service.Store.Update(t.Context(), func(tx kiosk.Tx) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Service.RotateKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.searchFor(t, canaries, "after the key was rotated")
	// The test can fail: the mails in the demonstration's inbox do hold them.
	found := 0
	for _, m := range o.Inbox.boxes[people[0].Email] {
		for _, c := range canaries {
			if c.in(m.Raw) != "" {
				found++
			}
		}
	}
	if found == 0 {
		t.Error("not even the customer's own mails hold what was planted")
	}
}

// suffer walks a customer through a journey with everything going wrong on the way, and returns the codes that came.
func (d *desk) suffer(app bool) (codes []string) {
	t, o := d.t, d.office
	wrong := func(err error) {
		t.Helper()
		if err == nil {
			t.Error("what must be refused was taken")
		}
	}
	broken := &api.Clerk{Client: &api.Client{Base: d.Clerk.Base, HTTP: d.Clerk.HTTP}, Unit: Unit, Counter: d.counter}
	_, err := broken.SignIn(d.ctx, "quay"+d.counter, "Canary@Sai77")
	wrong(err)
	_, err = broken.SignIn(d.ctx, "quay"+d.counter, strings.Repeat("Canary@Sai77", 400))
	wrong(err)
	o.clock.Advance(time.Minute)
	d.must(d.Clerk.Lock(d.ctx))
	wrong(d.Clerk.Unlock(d.ctx, "480913"))
	o.clock.Advance(time.Minute)
	d.must(d.Clerk.Unlock(d.ctx, Unlock))
	_, err = d.Clerk.Find(d.ctx, d.customer.Name)
	d.must(err)
	_, err = d.Clerk.Find(d.ctx, strings.Repeat(d.customer.Name, 9))
	wrong(err)
	_, err = d.Clerk.ScanVisit(d.ctx, "", d.customer.IDNumber+"|"+d.customer.Name+"|")
	wrong(err)
	_, err = d.Clerk.ScanVisit(d.ctx, "", strings.Repeat(d.Person.QR(), 50))
	wrong(err)
	_, err = d.Clerk.OpenVisit(d.ctx, "", d.customer.Phone)
	d.must(err)
	d.to("open")
	key := d.key()
	for field, typed := range map[string]string{"phone": d.customer.Phone + "99", "email": d.customer.Email + "@@", "birth": "31/02/1990", "capacity": d.customer.Name, "id_number": d.customer.IDNumber + "7",
		"customer_code": d.customer.ID, d.customer.Phone: "x", "notice": d.customer.Name} {
		_, err := d.Clerk.SetField(d.ctx, key, field, d.look().Order.Values[field].Text, typed)
		wrong(err)
	}
	wrong(d.Display.Object(d.ctx, key, d.customer.Name, 1))
	_, err = d.Clerk.SetRows(d.ctx, key, "appliances", [][]string{{d.customer.Name, d.customer.Name, d.customer.Phone, "x"}})
	wrong(err)
	d.must(d.Clerk.Typing(d.ctx, key, "phone", d.customer.Phone[:7]))
	d.to("show")
	_, err = d.Clerk.Order(d.ctx, d.customer.Name)
	wrong(err)
	wrong(d.Display.Channel(d.ctx, key, d.customer.Name))
	right := d.askCode()
	codes = append(codes, right)
	wrong(d.Display.Code(d.ctx, key, otherThan(right)))
	wrong(d.Display.Code(d.ctx, key, right+right+right))
	if app {
		o.clock.Advance(time.Minute)
		d.must(d.Display.Channel(d.ctx, key, "app"))
		s := d.screen(mirror.Code)
		u, err := url.Parse(s.Confirm.Enrol)
		d.must(err)
		codes = append(codes, u.Query().Get("secret"))
		right = d.askCode()
		codes = append(codes, right)
	}
	d.must(d.Display.Code(d.ctx, key, right))
	d.done = append(d.done, "confirm")
	o.BackOffice.Down(true)
	d.to("seal")
	d.await("a failed hand-over", func(x kiosk.Order) bool { return x.HandOver.Tries > 0 })
	o.BackOffice.Down(false)
	_, err = d.Clerk.FixMail(d.ctx, key, "bounce."+d.customer.Email)
	d.must(err)
	d.must(d.Display.Receipt(d.ctx, key, "both"))
	d.await("a bounce", func(x kiosk.Order) bool { return x.Receipt.Mail.State == "failed" && x.Receipt.Print.State == "done" })
	_, err = d.Clerk.FixMail(d.ctx, key, d.customer.Email)
	d.must(err)
	d.await("the receipt", func(x kiosk.Order) bool { return x.Receipt.Mail.State == "done" })
	return codes
}

// searchFor looks for planted values in every file that the service keeps, and in its log.
func (o *office) searchFor(t *testing.T, canaries []canary, when string) {
	t.Helper()
	seen := 0
	look := func(name string, data []byte) {
		seen += len(data)
		for _, c := range canaries {
			if form := c.in(data); form != "" {
				t.Errorf("%s %s holds a %s (%s)", when, name, c.what, form)
			}
		}
	}
	look("the log", o.log.Bytes())
	for _, dir := range []string{"data", "secret"} {
		err := filepath.WalkDir(filepath.Join(o.Dir, dir), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !e.Type().IsRegular() {
				return err
			}
			data, err := os.ReadFile(path)
			if err == nil {
				look(path, data)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen < 1<<18 {
		t.Errorf("%s only %d bytes were searched", when, seen)
	}
}
