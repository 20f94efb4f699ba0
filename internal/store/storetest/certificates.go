package storetest

import (
	"errors"
	"testing"
	"time"

	"countersign/kiosk"
	"countersign/signing/ca"
)

func certificates(t *testing.T, s kiosk.Store) {
	line := func(sha, serial string, class ca.Kind, state kiosk.CertificateState, customer string) *kiosk.Certificate {
		return &kiosk.Certificate{SHA256: sha, Serial: serial, Issuer: "Cấp", Class: class, State: state, Customer: customer, Holder: "Nguyễn Văn Thử",
			From: day, Until: day.AddDate(1, 0, 0), Reason: -1, Why: "vì thế"}
	}
	a, b, c := line("aa", "1f", ca.KindToken, kiosk.CertificateActive, "PA05050000017"), line("bb", "20", ca.KindOTP, kiosk.CertificateRevoked, ""), line("cc", "1f", kiosk.ClassOutside, kiosk.CertificateSuspended, "PA05050000017")
	b.From, c.Issuer, b.Until = day.Add(time.Minute), "Khác", day.AddDate(0, 1, 0)
	update(t, s, func(tx kiosk.Tx) error {
		return errors.Join(tx.PutCertificate(a), tx.PutCertificate(b), tx.PutCertificate(c))
	})
	wantCode(t, s.Update(t.Context(), func(tx kiosk.Tx) error {
		return tx.PutCertificate(line("aa", "1f", ca.KindToken, kiosk.CertificateActive, ""))
	}), "store.conflict")
	stale := *a
	a.State = kiosk.CertificateSuspended
	update(t, s, func(tx kiosk.Tx) error { return tx.PutCertificate(a) })
	wantCode(t, s.Update(t.Context(), func(tx kiosk.Tx) error { return tx.PutCertificate(&stale) }), "store.conflict")
	view(t, s, func(tx kiosk.Tx) error {
		got, err := tx.Certificate("aa")
		if err != nil || got.State != kiosk.CertificateSuspended || got.Holder != a.Holder || got.Why != a.Why || got.Rev != 2 || !got.Until.Equal(a.Until) {
			t.Errorf("got %+v, %v", got, err)
		}
		_, err = tx.Certificate("dd")
		wantCode(t, err, "store.not_found")
		for name, c := range map[string]struct {
			q    kiosk.CertificateQuery
			want string
		}{
			"all":           {kiosk.CertificateQuery{}, "aa cc bb "},
			"by serial":     {kiosk.CertificateQuery{Serial: "1f"}, "aa cc "},
			"by class":      {kiosk.CertificateQuery{Class: ca.KindOTP}, "bb "},
			"by issuer":     {kiosk.CertificateQuery{Issuer: "Khác"}, "cc "},
			"by state":      {kiosk.CertificateQuery{State: kiosk.CertificateRevoked}, "bb "},
			"of a customer": {kiosk.CertificateQuery{Customer: "PA05050000017"}, "aa cc "},
			"of nobody":     {kiosk.CertificateQuery{Customer: "PA05050000018"}, ""},
			"that end":      {kiosk.CertificateQuery{EndsBy: day.AddDate(0, 2, 0)}, "bb "},
			"the first":     {kiosk.CertificateQuery{Limit: 1}, "aa "},
		} {
			found, err := tx.Certificates(c.q)
			if err != nil {
				return err
			}
			have := ""
			for _, x := range found {
				have += x.SHA256 + " "
			}
			if have != c.want {
				t.Errorf("%s: %q, want %q", name, have, c.want)
			}
		}
		back, err := tx.TakenBack("Cấp")
		if err != nil || len(back) != 2 || back[0].SHA256 != "aa" || back[1].SHA256 != "bb" {
			t.Errorf("%d taken back, %v", len(back), err)
		}
		return nil
	})
}
