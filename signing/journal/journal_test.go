package journal_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"countersign/internal/clock"
	"countersign/signing/journal"
)

const logName = "pc.example/journal"

var start = time.Date(2026, 11, 21, 9, 0, 0, 0, clock.Vietnam)

// row is one stored record with its number.
type row struct {
	index  int64
	record []byte
}

// memory is a log in memory, laid open for an attacker.
type memory struct {
	rows   []row
	hashes map[int64]tlog.Hash
	top    int64
	fail   error
}

func newMemory() *memory { return &memory{hashes: map[int64]tlog.Hash{}} }

func (m *memory) Size() (int64, error) {
	if m.fail != nil {
		return 0, m.fail
	}
	if len(m.rows) == 0 {
		return 0, nil
	}
	return m.rows[len(m.rows)-1].index + 1, nil
}

func (m *memory) ReadHashes(numbers []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(numbers))
	for i, n := range numbers {
		h, ok := m.hashes[n]
		if !ok {
			return nil, fmt.Errorf("hash %d: %w", n, journal.ErrMissing)
		}
		out[i] = h
	}
	return out, nil
}

func (m *memory) Append(record []byte, hashes []tlog.Hash) error {
	size, err := m.Size()
	if err != nil {
		return err
	}
	m.rows = append(m.rows, row{size, record})
	for _, h := range hashes {
		m.hashes[m.top] = h
		m.top++
	}
	return nil
}

func (m *memory) Records(first int64, visit func(int64, []byte) error) error {
	for _, r := range m.rows {
		if r.index < first {
			continue
		}
		if err := visit(r.index, r.record); err != nil {
			return err
		}
	}
	return nil
}

// rehash stores the hashes that the records as they are now would have.
func (m *memory) rehash(t testing.TB) {
	t.Helper()
	rows := m.rows
	m.rows, m.hashes, m.top = nil, map[int64]tlog.Hash{}, 0
	for i, r := range rows {
		hashes, err := tlog.StoredHashes(int64(i), r.record, tlog.HashReaderFunc(m.ReadHashes))
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Append(r.record, hashes); err != nil {
			t.Fatal(err)
		}
	}
}

func entry(i int) journal.Entry {
	return journal.Entry{
		At: start.Add(time.Duration(i) * time.Second), Actor: "gdv.lananh", Role: "clerk", Place: "Q3", Act: "order.saved",
		Subject: fmt.Sprintf("WO-PA0505-20261121-%06d", i), Facts: map[string]string{"field": "10", "value": "<7,5 kW>"},
	}
}

func signer(t testing.TB) *journal.Signer {
	t.Helper()
	s, err := journal.NewSigner(logName, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func checkpoint(t testing.TB, m *memory) []byte {
	t.Helper()
	msg, err := journal.Checkpoint(m, signer(t))
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

// build makes a log of n entries with a checkpoint after every step entries and one at the end.
func build(t testing.TB, n, step int) (*memory, [][]byte) {
	t.Helper()
	m := newMemory()
	var signed [][]byte
	for i := range n {
		if got, err := journal.Append(m, entry(i)); err != nil || got != int64(i) {
			t.Fatalf("entry %d is %d, %v", i, got, err)
		}
		if (i+1)%step == 0 || i == n-1 {
			signed = append(signed, checkpoint(t, m))
		}
	}
	return m, signed
}

func verify(t testing.TB, m *memory, signed [][]byte) journal.Report {
	t.Helper()
	r, err := journal.Verify(m, signer(t).Verifier(), signed)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAnUntouchedLogOfAnySizeHolds(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 7, 8, 9, 511, 512, 513, 1500} {
		m, signed := build(t, n, 100)
		if n == 0 {
			signed = [][]byte{checkpoint(t, m)}
		}
		r := verify(t, m, signed)
		if !r.OK() || r.Size != int64(n) || r.Signed != int64(n) || r.First() != -1 {
			t.Fatalf("%d entries: %+v", n, r)
		}
		want, err := tlog.TreeHash(int64(n), tlog.HashReaderFunc(m.ReadHashes))
		if err != nil || want != r.Root {
			t.Fatalf("%d entries: root %v, want %v, %v", n, r.Root, want, err)
		}
	}
}

// TestEveryTamperingIsNoticedAtTheRightEntry attacks 100 random places in each way; covers is where a report must point.
func TestEveryTamperingIsNoticedAtTheRightEntry(t *testing.T) {
	const n, step = 700, 50
	random := rand.New(rand.NewPCG(42, 1))
	for _, attack := range []struct {
		name  string
		do    func(t *testing.T, m *memory, i int)
		exact bool // the report names entry i itself, first
	}{
		{"a record is edited", func(_ *testing.T, m *memory, i int) {
			m.rows[i].record = bytes.Replace(m.rows[i].record, []byte("7,5"), []byte("7,6"), 1)
		}, true},
		{"a record is edited and its own hash with it", func(_ *testing.T, m *memory, i int) {
			m.rows[i].record = bytes.Replace(m.rows[i].record, []byte("7,5"), []byte("7,6"), 1)
			m.hashes[tlog.StoredHashIndex(0, int64(i))] = tlog.RecordHash(m.rows[i].record)
		}, false},
		{"a record is edited and all hashes with it", func(t *testing.T, m *memory, i int) {
			m.rows[i].record = bytes.Replace(m.rows[i].record, []byte("7,5"), []byte("7,6"), 1)
			m.rehash(t)
		}, false},
		{"a record is deleted", func(_ *testing.T, m *memory, i int) {
			m.rows = slices.Delete(m.rows, i, i+1)
		}, true},
		{"a record is deleted and the later ones moved up", func(_ *testing.T, m *memory, i int) {
			m.rows = slices.Delete(m.rows, i, i+1)
			for j := i; j < len(m.rows); j++ {
				m.rows[j].index--
			}
		}, true},
		{"a record is deleted and all hashes made new", func(t *testing.T, m *memory, i int) {
			m.rows = slices.Delete(m.rows, i, i+1)
			m.rehash(t)
		}, false},
		{"two records change places", func(_ *testing.T, m *memory, i int) {
			m.rows[i].record, m.rows[i+1].record = m.rows[i+1].record, m.rows[i].record
		}, true},
		{"two records change places, all hashes made new", func(t *testing.T, m *memory, i int) {
			m.rows[i].record, m.rows[i+1].record = m.rows[i+1].record, m.rows[i].record
			m.rehash(t)
		}, false},
		{"the end is cut off", func(_ *testing.T, m *memory, i int) { m.rows = m.rows[:i] }, true},
		{"the end is cut off with its hashes", func(t *testing.T, m *memory, i int) {
			m.rows = m.rows[:i]
			m.rehash(t)
		}, false},
		{"the log is another from here on", func(t *testing.T, m *memory, i int) {
			m.rows = m.rows[:i]
			for j := i; j < n; j++ {
				e := entry(j)
				e.Actor = "gdv.khac"
				record, err := e.Record()
				if err != nil {
					t.Fatal(err)
				}
				m.rows = append(m.rows, row{int64(j), record})
			}
			m.rehash(t)
		}, false},
		{"a record is slipped in", func(t *testing.T, m *memory, i int) {
			m.rows = slices.Insert(m.rows, i, row{int64(i), bytes.Replace(m.rows[i].record, []byte("Q3"), []byte("Q8"), 1)})
			for j := i + 1; j < len(m.rows); j++ {
				m.rows[j].index = int64(j)
			}
			m.rehash(t)
		}, false},
		{"a stored hash is changed", func(_ *testing.T, m *memory, i int) {
			at := tlog.StoredHashIndex(0, int64(i))
			h := m.hashes[at]
			h[3] ^= 4
			m.hashes[at] = h
		}, true},
		{"a stored hash is gone", func(_ *testing.T, m *memory, i int) {
			delete(m.hashes, tlog.StoredHashIndex(0, int64(i)))
		}, true},
	} {
		t.Run(attack.name, func(t *testing.T) {
			good, signed := build(t, n, step)
			for range 100 {
				i := random.IntN(n - 1)
				m := newMemory()
				m.rows, m.top = slices.Clone(good.rows), good.top
				for k, h := range good.hashes {
					m.hashes[k] = h
				}
				attack.do(t, m, i)
				r := verify(t, m, signed)
				if r.OK() {
					t.Fatalf("at %d nothing was noticed", i)
				}
				if attack.exact && r.First() != int64(i) {
					t.Fatalf("at %d the report points to %d: %+v", i, r.First(), r.Problems)
				}
				if p := r.Problems[0]; int64(i) < p.First || int64(i) > p.Last || p.Last-p.First > int64(n) {
					t.Fatalf("at %d the report points to %d..%d: %+v", i, p.First, p.Last, r.Problems)
				}
			}
		})
	}
}

func TestWithoutACheckpointLeftoverHashesStillBetrayACutEnd(t *testing.T) {
	m, _ := build(t, 20, 20)
	m.rows = m.rows[:13]
	r := verify(t, m, nil)
	if len(r.Problems) != 1 || r.Problems[0].Kind != journal.Truncated || r.First() != 13 || r.Signed != 0 {
		t.Errorf("%+v", r)
	}
}

func TestARewrittenLogIsNarrowedToTheEntriesBetweenTwoCheckpoints(t *testing.T) {
	m, signed := build(t, 100, 10)
	m.rows[37].record = bytes.Replace(m.rows[37].record, []byte("Q3"), []byte("Q4"), 1)
	m.rehash(t)
	r := verify(t, m, signed)
	if len(r.Problems) == 0 || r.Problems[0].Kind != journal.Rewritten || r.Problems[0].First != 30 || r.Signed != 30 {
		t.Errorf("%+v", r)
	}
}

func TestAForkIsToldFromARewrite(t *testing.T) {
	m, signed := build(t, 20, 10)
	other := newMemory()
	for i := range 15 {
		e := entry(i)
		e.Place = "Q9"
		if _, err := journal.Append(other, e); err != nil {
			t.Fatal(err)
		}
	}
	r := verify(t, m, append(signed, checkpoint(t, other)))
	if len(r.Problems) != 1 || r.Problems[0].Kind != journal.Forked || r.Signed != 20 {
		t.Errorf("a second history under the same key: %+v", r)
	}
	for len(other.rows) < 20 {
		if _, err := journal.Append(other, entry(len(other.rows))); err != nil {
			t.Fatal(err)
		}
	}
	r = verify(t, m, append(signed, checkpoint(t, other)))
	if len(r.Problems) != 1 || r.Problems[0].Kind != journal.Forked {
		t.Errorf("two checkpoints of one size: %+v", r)
	}
}

func TestACheckpointOfAnotherKeyOrWithOneBitChangedIsForeign(t *testing.T) {
	m, signed := build(t, 20, 20)
	stranger, err := journal.NewSigner(logName, ed25519.NewKeyFromSeed(make([]byte, 32)))
	if err != nil {
		t.Fatal(err)
	}
	forged, err := journal.Checkpoint(m, stranger)
	if err != nil {
		t.Fatal(err)
	}
	other, err := journal.NewSigner("another.example/log", ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, err := journal.Checkpoint(m, other)
	if err != nil {
		t.Fatal(err)
	}
	cases := [][]byte{forged, elsewhere, nil, []byte("x")}
	for i := range signed[0] {
		bad := bytes.Clone(signed[0])
		bad[i] ^= 1
		cases = append(cases, bad)
	}
	for i, c := range cases {
		if r := verify(t, m, [][]byte{c}); len(r.Problems) != 1 || r.Problems[0].Kind != journal.Foreign {
			t.Errorf("case %d: %+v", i, r)
		}
	}
}

func TestStorageThatCannotBeReadIsAnErrorAndNoVerdict(t *testing.T) {
	m, signed := build(t, 5, 5)
	m.fail = errors.New("the disk is gone")
	if _, err := journal.Verify(m, signer(t).Verifier(), signed); !errors.Is(err, m.fail) {
		t.Error(err)
	}
	if _, err := journal.Append(m, entry(5)); !errors.Is(err, m.fail) {
		t.Error(err)
	}
}

func TestARecordIsCanonicalAndReadsBack(t *testing.T) {
	record, err := entry(42).Record()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"at":"2026-11-21T02:00:42Z","actor":"gdv.lananh","role":"clerk","place":"Q3","act":"order.saved",` +
		`"subject":"WO-PA0505-20261121-000042","facts":{"field":"10","value":"<7,5 kW>"}}`
	if string(record) != want {
		t.Errorf("record\n%s, want\n%s", record, want)
	}
	e, err := journal.Parse(record)
	if err != nil || !e.At.Equal(entry(42).At) || e.Facts["value"] != "<7,5 kW>" {
		t.Errorf("read back as %+v, %v", e, err)
	}
	for _, bad := range []string{"", "{}", want + " ", strings.Replace(want, `"role"`, `"rôle"`, 1), strings.Replace(want, `"actor"`, ` "actor"`, 1)} {
		if _, err := journal.Parse([]byte(bad)); err == nil {
			t.Errorf("parsed %q", bad)
		}
	}
	for _, bad := range []journal.Entry{{}, {At: start, Actor: "a"}, {At: start, Actor: "\xff", Act: "x"},
		{At: start, Actor: "a", Act: "x", Facts: map[string]string{"": "x"}},
		{At: start, Actor: "a", Act: "x", Facts: map[string]string{"f": strings.Repeat("x", journal.MaxRecord)}}} {
		if _, err := bad.Record(); err == nil {
			t.Errorf("recorded %.60v", bad)
		}
	}
}

func TestAPersonalFactIsHiddenUntilTheSaltIsKnown(t *testing.T) {
	source := rand.NewChaCha8([32]byte{1})
	hash, salt, err := journal.Salted("001085000017", source)
	if err != nil {
		t.Fatal(err)
	}
	again, _, err := journal.Salted("001085000017", source)
	if err != nil || again == hash {
		t.Error("the same value has the same hash twice")
	}
	if !journal.Matches(hash, "001085000017", salt) || journal.Matches(hash, "001085000018", salt) || journal.Matches(hash, "001085000017", nil) {
		t.Error("a salted hash matches wrongly")
	}
}

func FuzzParse(f *testing.F) {
	record, err := entry(1).Record()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(record)
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, record []byte) {
		e, err := journal.Parse(record)
		if err != nil {
			return
		}
		if again, err := e.Record(); err != nil || !bytes.Equal(again, record) {
			t.Errorf("%q reads back as %q, %v", record, again, err)
		}
	})
}

func FuzzReadCheckpoint(f *testing.F) {
	_, signed := build(f, 5, 5)
	f.Add(signed[0])
	pub := signer(f).Verifier()
	f.Fuzz(func(t *testing.T, msg []byte) {
		if tree, err := journal.ReadCheckpoint(msg, pub); err == nil && tree.Size != 5 {
			t.Errorf("a forged checkpoint over %d entries", tree.Size)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	m := newMemory()
	e := entry(1)
	for b.Loop() {
		if _, err := journal.Append(m, e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify10000(b *testing.B) {
	m, signed := build(b, 10000, 1000)
	pub := signer(b).Verifier()
	for b.Loop() {
		if r, err := journal.Verify(m, pub, signed); err != nil || !r.OK() {
			b.Fatal(r, err)
		}
	}
}
