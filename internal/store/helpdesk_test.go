package store

import (
	"testing"
	"time"

	"countersign/helpdesk"
	"countersign/internal/job"
	"countersign/internal/store/storetest"
	"countersign/kiosk"
)

var _ job.Queue[helpdesk.Tx] = Helpdesk{}

func TestTheRunnersOfCounterAndHelpdeskBothHearOfAJob(t *testing.T) {
	s := open(t, t.TempDir())
	if err := s.Update(t.Context(), func(tx kiosk.Tx) error {
		return tx.Enqueue(job.Job{Key: "a", Kind: helpdesk.MailJob, Payload: []byte("SD261121-000001/0002")})
	}); err != nil {
		t.Fatal(err)
	}
	for name, heard := range map[string]<-chan struct{}{"counter": s.Enqueued(), "helpdesk": s.Helpdesk().Enqueued()} {
		select {
		case <-heard:
		default:
			t.Errorf("the %s heard nothing", name)
		}
	}
	list, err := s.Helpdesk().Claim(t.Context(), job.Scope{Kind: helpdesk.MailJob}, s.clock.Now(), time.Minute, 1)
	if err != nil || len(list) != 1 || string(list[0].Payload) != "SD261121-000001/0002" {
		t.Fatal(list, err)
	}
	list[0].State = job.Done
	ran := false
	if err := s.Helpdesk().Settle(t.Context(), list[0], func(helpdesk.Tx) error { ran = true; return nil }); err != nil || !ran {
		t.Error(ran, err)
	}
}

func TestSQLiteKeepsTheHelpdesksContract(t *testing.T) {
	storetest.RunHelpdesk(t, func(t *testing.T) helpdesk.Store { return open(t, t.TempDir()).Helpdesk() })
}
