package demo

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"countersign/internal/api"
	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/kiosk"
	"countersign/kiosk/mirror"
)

// newClerk adds a clerk with a name of their own.
func (o *office) newClerk(t *testing.T) kiosk.User {
	t.Helper()
	common.seats++
	u := kiosk.User{Name: fmt.Sprint("nhanvien", common.seats), FullName: "Nhân Viên Mẫu", StaffID: fmt.Sprint(60000 + common.seats), Unit: Unit, Roles: []kiosk.Role{kiosk.RoleClerk}}
	if err := o.Service.AddUser(t.Context(), u, Password, ""); err != nil {
		t.Fatal(err)
	}
	return u
}

func (o *office) try(t *testing.T, user, password string) (*api.Clerk, kiosk.SignedIn, error) {
	t.Helper()
	c := &api.Clerk{Client: o.Client(), Unit: Unit, Counter: "cua-" + user}
	in, err := c.SignIn(t.Context(), user, password)
	return c, in, err
}

func TestAPasswordNamesTheClassThatItLacks(t *testing.T) {
	o := theOffice(t)
	for password, lacks := range map[string]string{
		"Abc@1234": "", "abc@1234": "password.upper", "ABC@1234": "password.lower", "Abcd1234": "password.special", "Abc@123": "password.length", "Abcd@efg": "password.digit",
	} {
		common.seats++
		err := o.Service.AddUser(t.Context(), kiosk.User{Name: fmt.Sprint("matkhau", common.seats), StaffID: fmt.Sprint(50000 + common.seats), Unit: Unit, Roles: []kiosk.Role{kiosk.RoleClerk}}, password, "")
		if lacks == "" {
			if err != nil {
				t.Errorf("%s is refused: %v", password, err)
			}
			continue
		}
		refused(t, err, "password.lacks")
		var f *fault.Error
		if errors.As(err, &f) && f.Args["missing"] != "@"+lacks {
			t.Errorf("%s is told to lack %s, want %s", password, f.Args["missing"], lacks)
		}
		for _, l := range locale.Langs {
			if s := locale.Fault(l, err); !strings.Contains(s, locale.Text(l, lacks, nil)) || strings.Contains(s, password) {
				t.Errorf("%s: %q", l, s)
			}
		}
	}
}

func TestFiveWrongPasswordsCloseANameForFifteenMinutes(t *testing.T) {
	o := theOffice(t)
	u := o.newClerk(t)
	for i := range 4 {
		_, _, err := o.try(t, u.Name, "Sai@12345")
		refused(t, err, "signin.wrong")
		_, _, err = o.try(t, u.Name, Password)
		refused(t, err, "signin.wait") // not even the right one, within the pause
		o.clock.Advance(time.Second << i)
	}
	_, _, err := o.try(t, u.Name, "Sai@12345")
	refused(t, err, "signin.wrong")
	_, _, err = o.try(t, u.Name, Password)
	refused(t, err, "signin.closed")
	o.clock.Advance(15*time.Minute - time.Second)
	_, _, err = o.try(t, u.Name, Password)
	refused(t, err, "signin.closed")
	o.clock.Advance(time.Second)
	_, in, err := o.try(t, u.Name, Password)
	if err != nil {
		t.Fatal(err)
	}
	if in.Failures != 5 || in.FailPlace != "cua-"+u.Name {
		t.Errorf("the clerk is told of %d failures at %q", in.Failures, in.FailPlace)
	}
}

func TestGuessesDontTellWhichNamesThereAre(t *testing.T) {
	o := theOffice(t)
	real, none := o.newClerk(t).Name, "khong-co-ai-ten-nay"
	for i := range 6 {
		_, _, one := o.try(t, real, "Sai@12345")
		_, _, other := o.try(t, none, "Sai@12345")
		if a, b := locale.Fault(locale.English, one), locale.Fault(locale.English, other); a != b {
			t.Errorf("try %d: %q for a clerk, %q for nobody", i+1, a, b)
		}
		_, _, one = o.try(t, real, "Sai@12345")
		_, _, other = o.try(t, none, "Sai@12345")
		if a, b := locale.Fault(locale.English, one), locale.Fault(locale.English, other); a != b {
			t.Errorf("at once after try %d: %q for a clerk, %q for nobody", i+1, a, b)
		}
		o.clock.Advance(time.Second << i)
	}
}

func TestManyGuessesAtOnceAreStillOnlyFive(t *testing.T) {
	o := theOffice(t)
	cost := o.Service.Options.Cost
	o.Service.Options.Cost = kiosk.PasswordCost{MemoryKiB: 16 << 10, Passes: 2, Threads: 1} // long enough for guesses to overlap
	u := o.newClerk(t)
	o.Service.Options.Cost = cost
	var wait sync.WaitGroup
	var mu sync.Mutex
	answers := map[string]int{}
	for i := range 40 {
		wait.Go(func() {
			c := &api.Clerk{Client: o.Client(), Unit: Unit, Counter: fmt.Sprint("g", i)}
			_, err := c.SignIn(t.Context(), u.Name, fmt.Sprintf("Sai@1234%d", i))
			mu.Lock()
			defer mu.Unlock()
			answers[fault.CodeOf(err)]++
		})
	}
	wait.Wait()
	if answers["signin.wrong"] > 5 || answers["signin.wrong"]+answers["signin.wait"]+answers["signin.closed"] != 40 {
		t.Errorf("forty guesses at once were answered %v", answers)
	}
}

func TestAWrongNameAndAWrongPasswordAreToldApartByNothing(t *testing.T) {
	o := theOffice(t)
	u := o.newClerk(t)
	_, _, known := o.try(t, u.Name, "Sai@12345")
	_, _, unknown := o.try(t, "khongaico", "Sai@12345")
	if known.Error() != unknown.Error() {
		t.Errorf("a wrong password is told as %v, a wrong name as %v", known, unknown)
	}
}

func TestTheUnlockCodeOpensTheCounterAgain(t *testing.T) {
	o := theOffice(t)
	u := o.newClerk(t)
	c, in, err := o.try(t, u.Name, Password)
	if err != nil {
		t.Fatal(err)
	}
	if !in.NeedsCode {
		t.Error("a clerk without an unlock code is not asked for one")
	}
	for code, fault := range map[string]string{"12345": "unlock.form", "1234567": "unlock.form", "12345a": "unlock.form", "111111": "unlock.weak", "123456": "unlock.weak", "987654": "unlock.weak"} {
		refused(t, c.SetUnlockCode(t.Context(), code), fault)
	}
	for _, err := range []error{c.SetUnlockCode(t.Context(), "480913"), c.Lock(t.Context())} {
		if err != nil {
			t.Fatal(err)
		}
	}
	screen, _ := o.screenAt(t, "cua-"+u.Name)
	if s := <-screen.Snapshots(t.Context()); s.Stage != mirror.Curtain || s.Clerk != "" || s.Order != "" {
		t.Errorf("the screen of a locked counter shows %+v", s)
	}
	_, err = c.Home(t.Context())
	refused(t, err, "signin.locked")
	refused(t, c.Unlock(t.Context(), "480914"), "signin.code")
	refused(t, c.Unlock(t.Context(), "480913"), "signin.wait")
	o.clock.Advance(time.Second)
	if err := c.Unlock(t.Context(), "480913"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Home(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestASessionEndsWithTheShiftAndWithTheUser(t *testing.T) {
	o := theOffice(t)
	u := o.newClerk(t)
	c, _, err := o.try(t, u.Name, Password)
	if err != nil {
		t.Fatal(err)
	}
	o.clock.Advance(10*time.Hour + time.Second)
	_, err = c.Home(t.Context())
	refused(t, err, "signin.session")
	o.clock.Advance(-2 * time.Hour)
	if c, _, err = o.try(t, u.Name, Password); err != nil {
		t.Fatal(err)
	}
	if err := o.Service.LockUser(t.Context(), u.Name, true); err != nil {
		t.Fatal(err)
	}
	_, err = c.Home(t.Context())
	refused(t, err, "signin.session")
	_, _, err = o.try(t, u.Name, Password)
	refused(t, err, "signin.wrong")
}

func TestAPasswordThatSomebodyElseChoseAllowsNothingButItsChange(t *testing.T) {
	o := theOffice(t)
	common.seats++
	u := kiosk.User{Name: fmt.Sprint("nhanvien", common.seats), FullName: "Nhân Viên Mới", StaffID: fmt.Sprint(60000 + common.seats), Unit: Unit,
		Roles: []kiosk.Role{kiosk.RoleClerk, kiosk.RoleSupervisor}, MustChange: true}
	if err := o.Service.AddUser(t.Context(), u, Password, ""); err != nil {
		t.Fatal(err)
	}
	token := o.openSession(t, u.Name, "cua-"+u.Name)
	c := &api.Clerk{Client: o.Client(), Unit: Unit, Counter: "cua-" + u.Name}
	c.SetToken(token)
	for _, op := range operations(t, o) {
		if op.scheme() != "session" || needs[op.OperationID] == kiosk.RightNone || needs[op.OperationID] == kiosk.RightOwn {
			continue
		}
		if got, body := o.ask(t, op, token, nowhere); got != http.StatusForbidden || !strings.Contains(body, "signin.must_change") {
			t.Errorf("%s before the change: %d %.100s", op.OperationID, got, body)
		}
	}
	ctx := t.Context()
	for password, code := range map[string]string{"abcd1234": "password.lacks", Password: "password.same"} {
		err := c.SetPassword(ctx, Password, password)
		refused(t, err, code)
		told(t, err)
	}
	refused(t, c.SetPassword(ctx, "Sai@12345", "Rieng@2026"), "signin.wrong")
	o.clock.Advance(time.Second)
	if err := c.SetPassword(ctx, Password, "Rieng@2026"); err != nil {
		t.Fatal(err)
	}
	if err := c.SetUnlockCode(ctx, Unlock); err != nil {
		t.Errorf("after the change: %v", err)
	}
	if _, err := c.Home(ctx); err != nil {
		t.Errorf("after the change: %v", err)
	}
	_, _, err := o.try(t, u.Name, Password)
	refused(t, err, "signin.wrong")
	o.clock.Advance(8 * time.Second)
	if _, in, err := o.try(t, u.Name, "Rieng@2026"); err != nil || in.MustChange {
		t.Errorf("the next sign-in: %+v %v", in, err)
	}
}
