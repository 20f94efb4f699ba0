package store

import (
	"testing"

	"countersign/signing/seal"
)

func TestTheRegisterTellsWhatWasPutAfterItWasRead(t *testing.T) {
	s, err := Open(t.Context(), Options{Dir: t.TempDir(), Vault: testVault(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	r := s.Register()
	for i, id := range []string{"one", "two"} {
		if err := r.PutSeal(t.Context(), seal.Seal{ID: id}); err != nil {
			t.Fatal(err)
		}
		if err := r.PutGrant(t.Context(), seal.Grant{Seal: id, Clerk: "3017", Service: "*", Paper: "1/QĐ"}); err != nil {
			t.Fatal(err)
		}
		seals, err1 := r.Seals(t.Context())
		grants, err2 := r.Grants(t.Context())
		if err1 != nil || err2 != nil || len(seals) != i+1 || len(grants) != i+1 {
			t.Fatalf("after %s: %d seals, %v; %d grants, %v", id, len(seals), err1, len(grants), err2)
		}
		seals[0].Name = "changed by a reader"
	}
	if err := r.PutGrant(t.Context(), seal.Grant{Seal: "one", Clerk: "3017", Service: "*", Paper: "2/QĐ"}); err != nil {
		t.Fatal(err)
	}
	if grants, err := r.Grants(t.Context()); err != nil || grants[0].Paper != "2/QĐ" {
		t.Errorf("a grant that was put anew: %+v, %v", grants, err)
	}
	if seals, err := r.Seals(t.Context()); err != nil || seals[0].Name != "" {
		t.Errorf("a reader has changed the register: %+v, %v", seals, err)
	}
}

func TestWhatWasLoadedWhileAListWasDroppedIsNotKept(t *testing.T) {
	var k kept[int]
	load := func(n int, during func()) func() ([]int, error) {
		return func() ([]int, error) {
			during()
			return []int{n}, nil
		}
	}
	if list, err := k.read(load(1, k.drop)); err != nil || list[0] != 1 {
		t.Fatal(list, err)
	}
	if list, err := k.read(load(2, func() {})); err != nil || list[0] != 2 {
		t.Errorf("the old list was kept: %v, %v", list, err)
	}
	if list, err := k.read(load(3, func() {})); err != nil || list[0] != 2 {
		t.Errorf("the list was not kept: %v, %v", list, err)
	}
}
