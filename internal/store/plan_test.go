package store

import (
	"strings"
	"testing"

	"countersign/internal/job"
)

// TestTheQueueIsAskedThroughItsIndex looks at SQLite's plan: done jobs stay in the table for years and must not be read
// each time that one is due.
func TestTheQueueIsAskedThroughItsIndex(t *testing.T) {
	s, err := Open(t.Context(), Options{Dir: t.TempDir(), Vault: testVault(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, ordered := range []bool{false, true} {
		where, at := ready(job.Scope{Kind: "handover", Ordered: ordered})
		err := s.view(t.Context(), func(tx *tx) error {
			plan := []string{}
			err := tx.each(func(scan func(...any) error) error {
				var id, parent, unused int
				var detail string
				if err := scan(&id, &parent, &unused, &detail); err != nil {
					return err
				}
				plan = append(plan, detail)
				return nil
			}, "EXPLAIN QUERY PLAN SELECT min("+at+") FROM jobs j WHERE "+where, "handover")
			if !strings.Contains(strings.Join(plan, "\n"), "INDEX jobs_undone") {
				t.Errorf("ordered %t: the plan is %q", ordered, plan)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
