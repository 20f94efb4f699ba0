package store

import (
	"testing"

	"countersign/helpdesk"
	"countersign/internal/store/storetest"
)

func TestSQLiteKeepsTheHelpdesksContract(t *testing.T) {
	storetest.RunHelpdesk(t, func(t *testing.T) helpdesk.Store { return open(t, t.TempDir()).Helpdesk() })
}
