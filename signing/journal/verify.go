package journal

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Kind says what is wrong with a part of the log.
type Kind string

// The kinds of problems.
const (
	Edited    Kind = "edited"    // the record is not the one that was appended
	Missing   Kind = "missing"   // the record is gone
	Extra     Kind = "extra"     // a record stands where none was appended
	Hash      Kind = "hash"      // the records fit each other, but not a hash that is stored for them
	Truncated Kind = "truncated" // the log once was longer
	Rewritten Kind = "rewritten" // records and hashes fit each other, but not a signed checkpoint
	Forked    Kind = "forked"    // a signed checkpoint tells of another history than a later one
	Foreign   Kind = "foreign"   // what was given as a checkpoint is none of this log
)

// Problem is a run of entries with the same thing wrong. First and Last are the same when one entry can be named; when
// only hashes or checkpoints betray the change, the run is the least that is sure to hold it.
type Problem struct {
	Kind   Kind   `json:"kind"`
	First  int64  `json:"first"` // -1 for a foreign checkpoint
	Last   int64  `json:"last"`
	Detail string `json:"detail"` // for the operator
}

// Report is the outcome of Verify.
type Report struct {
	Size     int64     `json:"size"`
	Root     tlog.Hash `json:"root"`
	Signed   int64     `json:"signed"` // entries that a matching checkpoint covers; later ones are guarded by stored hashes only
	Problems []Problem `json:"problems"`
}

// OK reports whether nothing is wrong.
func (r Report) OK() bool { return len(r.Problems) == 0 }

// First returns the first bad entry, -1 when there is none.
func (r Report) First() int64 {
	first := int64(-1)
	for _, p := range r.Problems {
		if p.First >= 0 && (first < 0 || p.First < first) {
			first = p.First
		}
	}
	return first
}

const (
	batch    = 512 // records whose hashes are read at a time
	problems = 100 // runs that are listed at most
)

// Verify recomputes the whole log from its records and compares it with the stored hashes and with each checkpoint, which
// may come from the store and from outside in any order. The error is for storage that can't be read; what is wrong with
// the log is in the report. Time grows with the number of entries, memory does not.
func Verify(s Storage, pub note.Verifier, checkpoints [][]byte) (Report, error) {
	v := &verifier{storage: s}
	for i, msg := range checkpoints {
		tree, err := ReadCheckpoint(msg, pub)
		if err != nil {
			v.add(Foreign, -1, -1, fmt.Sprintf("checkpoint %d: %v", i+1, err))
			continue
		}
		v.trees = append(v.trees, tree)
	}
	slices.SortStableFunc(v.trees, func(a, b Tree) int { return int(min(max(a.Size-b.Size, -1), 1)) })
	size, err := s.Size()
	if err != nil {
		return Report{}, fmt.Errorf("verify the journal: %w", err)
	}
	if err := v.walk(size); err != nil {
		return Report{}, fmt.Errorf("verify the journal: %w", err)
	}
	v.judge()
	return v.report, nil
}

// verifier rebuilds the tree. Where the stored hashes disagree it notes the problem and goes on with what is stored, so
// that one change is told once and not again by every node above it.
type verifier struct {
	storage Storage
	trees   []Tree // by size
	matched []bool // one for each of trees that was reached
	report  Report

	next     int64       // the next entry's number
	frontier []tlog.Hash // roots of the complete subtrees, by level; those of the bits that next has set
	waiting  []leaf      // entries whose hashes are not yet compared
}

// leaf is one record's hash; gone when the record is missing.
type leaf struct {
	hash tlog.Hash
	gone bool
}

func (v *verifier) add(k Kind, first, last int64, detail string) {
	ps := v.report.Problems
	if n := len(ps); n > 0 && ps[n-1].Kind == k && first >= 0 && ps[n-1].Last+1 >= first && ps[n-1].First <= first {
		ps[n-1].Last = max(ps[n-1].Last, last)
		return
	}
	if len(ps) < problems {
		v.report.Problems = append(ps, Problem{Kind: k, First: first, Last: last, Detail: detail})
	}
}

// above notes a hash over several entries that does not fit them, unless what is wrong among them was told already.
func (v *verifier) above(first, last int64, detail string) {
	for _, p := range slices.Backward(v.report.Problems) {
		if p.Last < first {
			break
		}
		if p.First <= last {
			return
		}
	}
	v.add(Hash, first, last, detail)
}

// walk takes in every record up to size, and notices what lies beyond.
func (v *verifier) walk(size int64) error {
	v.reached()
	expect := int64(0)
	err := v.storage.Records(0, func(index int64, record []byte) error {
		if index < expect || index >= size {
			v.add(Extra, index, index, "a record stands where none was appended")
			return nil
		}
		for ; expect < index; expect++ {
			if err := v.take(leaf{gone: true}); err != nil {
				return err
			}
		}
		expect++
		return v.take(leaf{hash: tlog.RecordHash(record)})
	})
	if err != nil {
		return err
	}
	for ; expect < size; expect++ {
		if err := v.take(leaf{gone: true}); err != nil {
			return err
		}
	}
	if err := v.flush(); err != nil {
		return err
	}
	v.report.Size = size
	v.report.Root, err = v.root()
	if err != nil {
		return err
	}
	_, err = v.storage.ReadHashes([]int64{tlog.StoredHashCount(size)})
	switch {
	case err == nil:
		v.add(Truncated, size, size, "hashes are stored for entries that are gone")
	case !errors.Is(err, ErrMissing):
		return err
	}
	return nil
}

func (v *verifier) take(l leaf) error {
	v.waiting = append(v.waiting, l)
	if len(v.waiting) < batch {
		return nil
	}
	return v.flush()
}

// flush compares the waiting entries with their stored hashes and moves them into the frontier.
func (v *verifier) flush() error {
	if len(v.waiting) == 0 {
		return nil
	}
	first := tlog.StoredHashCount(v.next)
	numbers := make([]int64, tlog.StoredHashCount(v.next+int64(len(v.waiting)))-first)
	for i := range numbers {
		numbers[i] = first + int64(i)
	}
	stored, err := v.read(numbers)
	if err != nil {
		return err
	}
	for _, l := range v.waiting {
		n := v.next
		used := v.climb(n, l, stored)
		stored = stored[used:]
		v.next++
		v.reached()
	}
	v.waiting = v.waiting[:0]
	return nil
}

// read is ReadHashes with nil for each hash that is missing.
func (v *verifier) read(numbers []int64) ([]*tlog.Hash, error) {
	out := make([]*tlog.Hash, len(numbers))
	all, err := v.storage.ReadHashes(numbers)
	if err == nil && len(all) != len(numbers) {
		return nil, fmt.Errorf("read %d hashes: got %d", len(numbers), len(all))
	}
	if err == nil {
		for i := range all {
			out[i] = &all[i]
		}
		return out, nil
	}
	if !errors.Is(err, ErrMissing) {
		return nil, err
	}
	for i, number := range numbers {
		one, err := v.storage.ReadHashes([]int64{number})
		if err == nil && len(one) == 1 {
			out[i] = &one[0]
		} else if !errors.Is(err, ErrMissing) {
			return nil, fmt.Errorf("read hash %d: %w", number, err)
		}
	}
	return out, nil
}

// climb puts entry n on the frontier, completing the subtrees that end with it, and returns how many stored hashes that used.
func (v *verifier) climb(n int64, l leaf, stored []*tlog.Hash) int {
	h := l.hash
	switch {
	case l.gone:
		v.add(Missing, n, n, "the record is gone")
		if stored[0] != nil {
			h = *stored[0]
		}
	case stored[0] == nil:
		v.add(Hash, n, n, "the entry's stored hash is gone")
	case *stored[0] != h:
		v.add(Edited, n, n, "the record does not have the stored hash")
		h = *stored[0]
	}
	level := 0
	for ; n>>level&1 == 1; level++ {
		h = tlog.NodeHash(v.frontier[level], h)
		s := stored[level+1]
		if s != nil && *s == h {
			continue
		}
		width := int64(2) << level
		v.above(n+1-width, n, fmt.Sprintf("the stored hash over %d entries does not fit them", width))
		if s != nil {
			h = *s
		}
	}
	if level == len(v.frontier) {
		v.frontier = append(v.frontier, h)
	} else {
		v.frontier[level] = h
	}
	return level + 1
}

// root is the tree's root over all entries so far.
func (v *verifier) root() (tlog.Hash, error) {
	return tlog.TreeHash(v.next, tlog.HashReaderFunc(func(numbers []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(numbers))
		for i, number := range numbers {
			level, _ := tlog.SplitStoredHashIndex(number)
			out[i] = v.frontier[level]
		}
		return out, nil
	}))
}

// reached compares the tree with the checkpoints that were made at this size.
func (v *verifier) reached() {
	for len(v.matched) < len(v.trees) && v.trees[len(v.matched)].Size == v.next {
		root, err := v.root()
		v.matched = append(v.matched, err == nil && root == v.trees[len(v.matched)].Root)
	}
}

// known reports whether the stored hashes still make up the tree of a checkpoint that the records no longer reach. If so,
// the records that are left are those that were appended, and nothing but the end is missing.
func (v *verifier) known(tree Tree) bool {
	root, err := tlog.TreeHash(tree.Size, tlog.HashReaderFunc(v.storage.ReadHashes))
	return err == nil && root == tree.Root
}

// judge turns what the checkpoints showed into problems.
func (v *verifier) judge() {
	last := -1 // the greatest checkpoint that fits
	for i, ok := range v.matched {
		if ok {
			last = i
			v.report.Signed = v.trees[i].Size
		}
	}
	from := int64(0)
	for i, tree := range v.trees {
		switch {
		case i >= len(v.matched):
			first := from
			if v.known(tree) {
				first = v.report.Size
			}
			v.add(Truncated, first, tree.Size-1, fmt.Sprintf("a checkpoint was signed over %d entries", tree.Size))
		case v.matched[i]:
			from = tree.Size
		case last >= 0 && tree.Size <= v.trees[last].Size:
			v.add(Forked, from, max(tree.Size-1, 0), fmt.Sprintf("a checkpoint over %d entries tells of another history", tree.Size))
		default:
			v.add(Rewritten, from, max(tree.Size-1, 0), fmt.Sprintf("the checkpoint over %d entries has another root", tree.Size))
		}
	}
}
