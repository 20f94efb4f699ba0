package genuine

import (
	"context"
	"net/netip"
	"testing"

	"countersign/mail"
	"countersign/mail/smime"
)

// noRecords is a name server that has nothing.
type noRecords struct{}

func (noRecords) TXT(context.Context, string) ([]string, error)       { return nil, nil }
func (noRecords) Addrs(context.Context, string) ([]netip.Addr, error) { return nil, nil }
func (noRecords) MX(context.Context, string) ([]string, error)        { return nil, nil }
func (noRecords) Names(context.Context, netip.Addr) ([]string, error) { return nil, nil }

func TestAMailInAFileIsJudgedByItsSignatures(t *testing.T) {
	w := newWorld(t)
	raw, _, code := w.genuine()
	trusting := FilePolicy{Mailbox: mailbox, SMIME: smime.Policy{Roots: w.office.Roots, At: w.clock.Now()}, Own: []string{"example.test"}}
	alone := trusting
	alone.SMIME.Roots = nil
	asking := trusting
	asking.DNS = noRecords{}
	other := trusting
	other.Mailbox = "hotro@kbnn.example"
	for name, c := range map[string]struct {
		raw    []byte
		policy FilePolicy
		want   FileVerdict
		code   int
	}{
		"as it left":             {raw, trusting, FilePassed, 0},
		"changed":                {changed(t, raw, code[:4], "QQQQ"), trusting, FileFailed, 1},
		"another official one":   {raw, other, FileFailed, 1},
		"no DKIM though asked":   {raw, asking, FileFailed, 1},
		"nobody to trust":        {raw, alone, FileIndeterminate, 2},
		"ours without signature": {fake(), trusting, FileFailed, 1},
		"a stranger's":           {letter("ai-do@khong.example", "", "x", plain("x")), trusting, FileUnreadable, 3},
		"no mail":                {nil, trusting, FileUnreadable, 3},
	} {
		r := File(t.Context(), c.raw, c.policy)
		if r.Verdict != c.want || r.Verdict.ExitCode() != c.code {
			t.Errorf("%s: %s, exit %d, %+v; want %s", name, r.Verdict, r.Verdict.ExitCode(), r, c.want)
		}
		if r.DKIM != mail.ResultUnchecked && c.policy.DNS == nil {
			t.Errorf("%s: DKIM is %s though nobody was asked", name, r.DKIM)
		}
	}
}

func FuzzFile(f *testing.F) {
	f.Add(fake())
	f.Add([]byte("Content-Type: multipart/signed; boundary=x\r\n\r\n--x"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if r := File(t.Context(), raw, FilePolicy{Mailbox: mailbox}); r.Verdict == FilePassed {
			t.Errorf("passed without a root: %+v", r)
		}
	})
}
