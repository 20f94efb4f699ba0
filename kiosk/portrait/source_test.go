package portrait

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
)

var (
	_ Source = File{}
	_ Source = (*Folder)(nil)
)

var opened = time.Date(2026, 11, 21, 9, 0, 0, 0, clock.Vietnam)

// counter is a folder being watched, with a hand on its time.
type counter struct {
	t      *testing.T
	dir    string
	clock  *clock.Set
	tick   chan time.Time
	folder *Folder
	taken  chan taken
	cancel context.CancelFunc
}

type taken struct {
	p   Picture
	err error
}

func newCounter(t *testing.T) *counter {
	c := &counter{t: t, dir: t.TempDir(), clock: clock.At(opened), tick: make(chan time.Time)}
	c.folder = Watch(c.dir, DefaultLimits(), c.clock, c.tick)
	return c
}

// put writes a file as of so many minutes after the counter opened.
func (c *counter) put(name string, data []byte, minute int) {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		c.t.Fatal(err)
	}
	at := opened.Add(time.Duration(minute) * time.Minute)
	if err := os.Chtimes(path, at, at); err != nil {
		c.t.Fatal(err)
	}
}

// begin starts a visit at so many minutes after the counter opened.
func (c *counter) begin(minute int) {
	c.t.Helper()
	at := opened.Add(time.Duration(minute) * time.Minute)
	c.clock.Advance(at.Sub(c.clock.Now()))
	if err := c.folder.Begin(at); err != nil {
		c.t.Fatal(err)
	}
}

// take starts waiting for a picture.
func (c *counter) take() {
	ctx, cancel := context.WithCancel(c.t.Context())
	c.cancel, c.taken = cancel, make(chan taken, 1)
	go func() {
		p, err := c.folder.Take(ctx)
		c.taken <- taken{p, err}
	}()
}

// look lets the folder be looked at n times without a result. The tick after the last look is taken only when that
// look has ended, so it is one of the n + 1 that are sent.
func (c *counter) look(n int) {
	c.t.Helper()
	for range n {
		select {
		case c.tick <- c.clock.Now():
		case got := <-c.taken:
			c.t.Fatalf("took %d bytes, %v", len(got.p.Data), got.err)
		}
	}
}

// await looks until something is taken.
func (c *counter) await() (Picture, error) {
	for {
		select {
		case c.tick <- c.clock.Now():
		case got := <-c.taken:
			return got.p, got.err
		}
	}
}

func (c *counter) want(data []byte) {
	c.t.Helper()
	p, err := c.await()
	if err != nil {
		c.t.Fatal(err)
	}
	if !bytes.Equal(p.Data, data) {
		c.t.Fatalf("took another picture, of %d bytes", len(p.Data))
	}
}

// nothing makes sure that nothing is taken in many looks.
func (c *counter) nothing() {
	c.t.Helper()
	c.take()
	c.look(2 * patience)
	c.cancel()
	if got := <-c.taken; !errors.Is(got.err, context.Canceled) {
		c.t.Fatalf("took %d bytes, %v", len(got.p.Data), got.err)
	}
}

func TestAPictureWrittenInTheVisitIsTakenOnce(t *testing.T) {
	c := newCounter(t)
	one, two := synthetic(t, 1, Sharp), synthetic(t, 2, Blurred)
	c.put("before.jpg", synthetic(t, 9, Sharp), -1)
	c.begin(1)
	c.nothing()
	c.take()
	c.put("IMG_0001.JPG", two, 2)
	c.want(two)
	c.nothing()
	c.take()
	c.put("IMG_0002.JPG", one, 3)
	c.want(one)
	c.nothing()
}

func TestTheNewestOfSeveralIsTakenAndTheOthersNever(t *testing.T) {
	c := newCounter(t)
	c.begin(0)
	newest := synthetic(t, 3, Sharp)
	c.put("a.jpg", synthetic(t, 1, Sharp), 1)
	c.put("b.jpg", newest, 3)
	c.put("c.jpg", synthetic(t, 2, Sharp), 2)
	c.take()
	c.want(newest)
	c.nothing()
}

func TestACameraThatKeepsOneNameIsUnderstood(t *testing.T) {
	c := newCounter(t)
	one, two := synthetic(t, 1, Sharp), synthetic(t, 2, Sharp)
	c.put("webcam.jpg", synthetic(t, 9, Sharp), -1)
	c.begin(0)
	c.put("webcam.jpg", one, 1)
	c.take()
	c.want(one)
	c.put("webcam.jpg", two, 2)
	c.take()
	c.want(two)
}

func TestAFileIsTakenOnlyWhenItIsWhole(t *testing.T) {
	c := newCounter(t)
	c.begin(0)
	whole := synthetic(t, 1, Sharp)
	c.take()
	c.put("a.jpg", nil, 1)
	c.look(3)
	for i := 1; i <= 6; i++ {
		c.put("a.jpg", whole[:len(whole)*i/8], 1)
		c.look(1)
	}
	c.look(patience - 2) // The writer pauses, for less than our patience.
	c.put("a.jpg", whole, 1)
	c.want(whole)
}

func TestAFileLiesStillBetweenTwoLooksBeforeItIsOpened(t *testing.T) {
	c := newCounter(t)
	c.begin(0)
	look := func(name string, size int64, minute int) string {
		return c.folder.look(map[string]stamp{name: {size, opened.Add(time.Duration(minute) * time.Minute)}})
	}
	for i, want := range []struct {
		size   int64
		minute int
		name   string
	}{{0, 1, ""}, {0, 1, ""}, {500, 1, ""}, {900, 1, ""}, {900, 2, ""}, {900, 2, "a.jpg"}} {
		if got := look("a.jpg", want.size, want.minute); got != want.name {
			t.Errorf("look %d found %q, want %q", i, got, want.name)
		}
	}
}

func TestRoomMadeForAPictureIsNotYetAPicture(t *testing.T) {
	c := newCounter(t)
	c.begin(0)
	whole := synthetic(t, 1, Sharp)
	c.take()
	c.put("a.jpg", make([]byte, len(whole)), 1)
	c.look(patience - 2)
	c.put("a.jpg", whole, 1)
	c.want(whole)
}

func TestAFileThatStaysBrokenIsTold(t *testing.T) {
	c := newCounter(t)
	c.begin(0)
	whole := synthetic(t, 1, Sharp)
	c.put("a.jpg", whole[:len(whole)/2], 1)
	c.take()
	if _, err := c.await(); !fault.Is(err, "portrait.damaged") {
		t.Fatalf("got %v", err)
	}
	c.take()
	c.put("a.jpg", whole, 2)
	c.want(whole)
}

func TestWhatIsNoPictureIsToldOnce(t *testing.T) {
	c := newCounter(t)
	c.begin(0)
	big := filepath.Join(c.dir, "big.jpg")
	c.put("big.jpg", []byte("\xff\xd8\xff"), 1)
	if err := os.Truncate(big, 40<<20); err != nil {
		t.Fatal(err)
	}
	c.take()
	_, err := c.await()
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != "portrait.too_big" || f.Args["size"] != "40" {
		t.Fatalf("got %v", err)
	}
	if err := os.Remove(big); err != nil {
		t.Fatal(err)
	}
	c.put("note.txt", []byte("xin chào"), 2)
	c.take()
	if _, err := c.await(); !fault.Is(err, "portrait.not_image") {
		t.Fatalf("got %v", err)
	}
	c.nothing()
}

func TestThePictureOfAnotherVisitIsNeverTaken(t *testing.T) {
	c := newCounter(t)
	c.begin(0)
	c.put("first.jpg", synthetic(t, 1, Sharp), 1)
	c.put("unused.jpg", synthetic(t, 2, Sharp), 1)
	c.put("ahead.jpg", synthetic(t, 3, Sharp), 30) // The camera's clock is half an hour ahead.
	c.take()
	if _, err := c.await(); err != nil {
		t.Fatal(err)
	}
	c.put("late.jpg", synthetic(t, 4, Sharp), 2) // Written after the last look of that visit.
	c.put("ahead2.jpg", synthetic(t, 5, Sharp), 40)
	c.begin(5)
	c.nothing()
	c.begin(35)
	c.nothing()
	c.begin(50)
	c.nothing()
	mine := synthetic(t, 6, Sharp)
	c.put("mine.jpg", mine, 51)
	c.take()
	c.want(mine)
}

func TestAVisitTakenUpAfterARestartFindsItsPicture(t *testing.T) {
	c := newCounter(t)
	mine := synthetic(t, 1, Sharp)
	c.put("other.jpg", synthetic(t, 2, Sharp), -5)
	c.put("mine.jpg", mine, 2)
	c.clock.Advance(10 * time.Minute)
	if err := c.folder.Begin(opened); err != nil {
		t.Fatal(err)
	}
	c.take()
	c.want(mine)
}

func TestHiddenFilesAndLinksAreNotLookedAt(t *testing.T) {
	c := newCounter(t)
	c.begin(0)
	elsewhere := filepath.Join(t.TempDir(), "x.jpg")
	if err := os.WriteFile(elsewhere, synthetic(t, 1, Sharp), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, filepath.Join(c.dir, "link.jpg")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(c.dir, "folder.jpg"), 0o700); err != nil {
		t.Fatal(err)
	}
	c.put(".part.jpg", synthetic(t, 1, Sharp), 1)
	c.nothing()
}

func TestAFolderThatGoesAwayIsTold(t *testing.T) {
	c := newCounter(t)
	if _, err := c.folder.Take(t.Context()); !fault.Is(err, "portrait.source_away") {
		t.Fatalf("before a visit: %v", err)
	}
	c.begin(0)
	if err := os.Remove(c.dir); err != nil {
		t.Fatal(err)
	}
	c.take()
	if _, err := c.await(); !fault.Is(err, "portrait.source_away") || fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("got %v", err)
	}
	if err := c.folder.Begin(opened); !fault.Is(err, "portrait.source_away") {
		t.Fatalf("got %v", err)
	}
}

func TestAFileIsReadWithinTheLimit(t *testing.T) {
	dir := t.TempDir()
	face, big := filepath.Join(dir, "face.jpg"), filepath.Join(dir, "big.jpg")
	data := synthetic(t, 1, Sharp)
	if err := os.WriteFile(face, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(big, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(big, 40<<20); err != nil {
		t.Fatal(err)
	}
	p, err := File{face, DefaultLimits()}.Take(t.Context())
	if err != nil || !bytes.Equal(p.Data, data) {
		t.Errorf("read %d bytes, %v", len(p.Data), err)
	}
	if _, err := (File{big, DefaultLimits()}).Take(t.Context()); !fault.Is(err, "portrait.too_big") {
		t.Errorf("got %v", err)
	}
	for _, path := range []string{dir, filepath.Join(dir, "none.jpg")} {
		if _, err := (File{path, DefaultLimits()}).Take(t.Context()); !fault.Is(err, "portrait.source_away") {
			t.Errorf("got %v", err)
		}
	}
}
