package kiosk

import (
	"testing"

	"countersign/internal/fault"
	"countersign/kiosk/catalog"
	"countersign/signing"
)

func TestAServiceTakesTheMethodsThatItsFileNamesAndNoOthers(t *testing.T) {
	h, o := &Hall{}, &Order{}
	for _, c := range []struct {
		confirm []string
		method  Method
		want    string
	}{
		{[]string{"mail", "app"}, ByInk, "confirm.service"},
		{[]string{"mail", "app", "ink"}, ByInk, ""},
		{[]string{"app"}, ByApp, ""},
		{[]string{"app"}, ByMail, "confirm.service"},
		{[]string{"mail"}, ByMail, "confirm.no_mail"},
		{[]string{"mail"}, "", "otp.method"},
		{[]string{"mail"}, "fax", "otp.method"},
	} {
		s := &catalog.Service{Confirm: c.confirm}
		err := h.mayChoose(Actor{}, o, s, &Customer{}, c.method)
		if got := fault.CodeOf(err); c.want == "" && err != nil || c.want != "" && got != c.want {
			t.Errorf("%s where %v are taken: %v, want %q", c.method, c.confirm, err, c.want)
		}
		if n := len(h.offers(o, s, &Customer{})); n != len(Methods) {
			t.Errorf("%d of %d methods are told", n, len(Methods))
		}
	}
}

func TestTheSealsAskForTheRankOfTheLowestMethodThatAServiceTakes(t *testing.T) {
	for want, confirm := range map[signing.Rank][]string{signing.Witnessed: {"mail", "ink"}, signing.OneTimeCode: {"app", "mail"}, signing.OwnKey: nil} {
		if got := LeastRank(&catalog.Service{Confirm: confirm}); got != want {
			t.Errorf("%v asks for %s, want %s", confirm, got, want)
		}
	}
}

func TestEveryMethodKeepsItsRankThroughTheRecord(t *testing.T) {
	for _, m := range Methods {
		c := Confirmation{Method: m.Record()}
		if m.Rank() == 0 || c.Rank() != m.Rank() {
			t.Errorf("%s has rank %s, its record %s", m, m.Rank(), c.Rank())
		}
	}
}
