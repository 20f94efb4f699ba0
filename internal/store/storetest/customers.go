package storetest

import (
	"context"
	"errors"
	"testing"

	"countersign/kiosk"
)

// people are synthetic.
func people() []kiosk.Customer {
	return []kiosk.Customer{
		{ID: "PA05050000017", Unit: "PA0505", Kind: "person", Name: "Nguyễn Văn Thử", IDNumber: "024090000018",
			Phone: "0900000018", Email: "Thu.Nguyen@mau.example"},
		{ID: "PA05050000018", Unit: "PA0505", Kind: "person", Name: "Đặng Thị Ánh Mẫu", IDNumber: "024190000011", Phone: "0900000019"},
		{ID: "PA05050000019", Unit: "PA0505", Kind: "organisation", Name: "Công ty TNHH Thử Nghiệm 19-5", TaxCode: "0100109106-001"},
		{ID: "PA05050000020", Unit: "PA0505", Kind: "person", Name: "王小明"},
		{ID: "PA05060000001", Unit: "PA0506", Kind: "person", Name: "Nguyễn Văn Thử", Phone: "0900000018"},
	}
}

func putPeople(t *testing.T, s kiosk.Store) {
	t.Helper()
	update(t, s, func(tx kiosk.Tx) error {
		for _, c := range people() {
			if err := tx.PutCustomer(&c); err != nil {
				return err
			}
		}
		return nil
	})
}

// find returns the codes' last two digits.
func find(t *testing.T, s kiosk.Store, unit, text string) string {
	t.Helper()
	out := ""
	view(t, s, func(tx kiosk.Tx) error {
		list, err := tx.FindCustomers(kiosk.Query{Unit: unit, Text: text, Limit: 10})
		for _, c := range list {
			out += c.ID[len(c.ID)-2:] + " "
		}
		return err
	})
	return out
}

func customerNumbers(t *testing.T, s kiosk.Store) {
	putPeople(t, s)
	for text, want := range map[string]string{
		"0900000018":             "17 ",
		"0900 000 018":           "17 ",
		"+84 900 000 018":        "17 ",
		"024090000018":           "17 ",
		"pa05050000017":          "17 ",
		"thu.nguyen@MAU.example": "17 ",
		"0100109106-001":         "19 ",
		"0100109106001":          "19 ",
		"090000001":              "", // a beginning of a number is not the number
		"02409000001":            "",
		"PA0505":                 "",
		"":                       "",
		"  ":                     "",
		"---":                    "",
	} {
		if got := find(t, s, "PA0505", text); got != want {
			t.Errorf("%q finds %q, want %q", text, got, want)
		}
	}
	if got := find(t, s, "PA0506", "0900000018"); got != "01 " {
		t.Errorf("the other unit finds %q", got)
	}
	view(t, s, func(tx kiosk.Tx) error {
		c, err := tx.Customer("PA05050000017")
		if err == nil && (!sameCustomer(*c, people()[0]) || c.Rev != 1) {
			t.Errorf("customer %+v", c)
		}
		_, none := tx.Customer("PA05050000099")
		wantCode(t, none, "store.not_found")
		return err
	})
}

func customerNames(t *testing.T, s kiosk.Store) {
	putPeople(t, s)
	for text, want := range map[string]string{
		"nguyen van thu":  "17 ",
		"thu nguyen":      "17 ",
		"Nguyễn Văn Thử":  "17 ",
		"ng v t":          "17 ",
		"dang":            "18 ",
		"đặng ánh":        "18 ",
		"thu":             "19 17 ", // Công ty ... Thử, Nguyễn Văn Thử
		"nghiem":          "19 ",
		"nghiemx":         "",
		"nguyen van dang": "",
		"nguyennguyen":    "", // nine letters and more are compared after opening
		"王":               "20 ",
		"王明":              "20 ",
		"李":               "",
	} {
		if got := find(t, s, "PA0505", text); got != want {
			t.Errorf("%q finds %q, want %q", text, got, want)
		}
	}
	if got := find(t, s, "PA0506", "nguyen"); got != "01 " {
		t.Errorf("the other unit finds %q", got)
	}
	view(t, s, func(tx kiosk.Tx) error {
		list, err := tx.FindCustomers(kiosk.Query{Unit: "PA0505", Text: "t", Limit: 2})
		if len(list) != 2 {
			t.Errorf("a limit of 2 gives %d", len(list))
		}
		return err
	})
}

func customerChanged(t *testing.T, s kiosk.Store) {
	putPeople(t, s)
	update(t, s, func(tx kiosk.Tx) error {
		c, err := tx.Customer("PA05050000017")
		if err != nil {
			return err
		}
		c.Name, c.Phone = "Nguyễn Văn Nghiệm", "0900000077"
		return tx.PutCustomer(c)
	})
	for text, want := range map[string]string{
		"0900000018": "", "0900000077": "17 ", "nguyen van thu": "", "nguyen van nghiem": "17 ", "024090000018": "17 ",
	} {
		if got := find(t, s, "PA0505", text); got != want {
			t.Errorf("%q finds %q, want %q", text, got, want)
		}
	}
}

func customerConflict(t *testing.T, s kiosk.Store) {
	putPeople(t, s)
	again := people()[0]
	err := s.Update(context.Background(), func(tx kiosk.Tx) error { return tx.PutCustomer(&again) })
	wantCode(t, err, "store.conflict")
	var stale *kiosk.Customer
	update(t, s, func(tx kiosk.Tx) error {
		c, err1 := tx.Customer("PA05050000017")
		old, err2 := tx.Customer("PA05050000017")
		stale = old
		c.AppStep = 7
		return errors.Join(err1, err2, tx.PutCustomer(c))
	})
	stale.AppStep = 7
	err = s.Update(context.Background(), func(tx kiosk.Tx) error { return tx.PutCustomer(stale) })
	wantCode(t, err, "store.conflict")
}
