package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"countersign/internal/fault"
	"countersign/kiosk"
)

func TestWhatWasAcknowledgedSurvivesFortyKills(t *testing.T) {
	dir := t.TempDir()
	var acknowledged []string
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	for kill := range 40 {
		left := dice.IntN(80)
		failed := ""
		lines(t, child(t, "write", dir), func(line string) bool {
			if strings.HasPrefix(line, "failed") {
				failed = line
			}
			if acknowledgements(line, &acknowledged) {
				left--
			}
			return left < 0
		})
		if failed != "" {
			t.Fatalf("kill %d: %s", kill, failed)
		}
		if kill%8 != 7 {
			continue // the next child opens what the killed one left
		}
		s, err := openQuick(dir)
		if err != nil {
			t.Fatalf("after kill %d: %v", kill, err)
		}
		n, err := intact(s, acknowledged)
		if err != nil {
			t.Fatalf("after kill %d: %v", kill, err)
		}
		t.Logf("after kill %d: %d acknowledged, %d stored", kill, len(acknowledged), n)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(acknowledged) < 200 {
		t.Errorf("only %d acts were acknowledged: the test shows little", len(acknowledged))
	}
}

func TestAfterAFailedFsyncNothingIsAcknowledgedAndNothingWritten(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatal("strace makes fsync fail; install the Debian package strace")
	}
	for _, nth := range []int{1, 2, 3, 7, 20} {
		t.Run(fmt.Sprintf("from the %dth on", nth), func(t *testing.T) {
			dir := t.TempDir()
			s, err := openQuick(dir) // the schema is made without faults
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			var acknowledged []string
			end := ""
			cmd := child(t, "fsync", dir, strace, "-f", "-qq", "-o", filepath.Join(dir, "strace"), "-e", "trace=fsync,fdatasync",
				"-e", fmt.Sprintf("inject=fsync,fdatasync:error=EIO:when=%d+", nth))
			lines(t, cmd, func(line string) bool {
				if !acknowledgements(line, &acknowledged) {
					end = line
				}
				return false
			})
			// The very first fsyncs belong to opening the store, which may then fail as a whole.
			if want := "end store.readonly store.readonly reading: <nil>"; end != want && !strings.HasPrefix(end, "failed store.readonly") {
				t.Errorf("the child ended with %q, want %q", end, want)
			}
			after, err := openQuick(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer after.Close()
			n, err := intact(after, acknowledged)
			if err != nil {
				t.Error(err)
			}
			t.Logf("%d acknowledged, %d stored, %s", len(acknowledged), n, end)
		})
	}
}

func TestAFullDiskRefusesAndThenWorksAgain(t *testing.T) {
	cmd := child(t, "full", t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.Output()
	if err != nil || strings.TrimSpace(string(out)) != "all held" {
		t.Errorf("%v, %s", err, out)
	}
}

// fillDisk is the child with a disk of its own of four mebibytes.
func fillDisk(dir string) {
	if err := fillDiskIn(dir); err != nil {
		say("failed %v", err)
		return
	}
	say("all held")
}

func fillDiskIn(dir string) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the mounts private: %w", err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		return fmt.Errorf("mount a small disk: %w", err)
	}
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
		return err
	}
	s, err := openQuick(dir)
	if err != nil {
		return err
	}
	var acknowledged []string
	write := func(key string, size int) error {
		err := s.Update(context.Background(), func(tx kiosk.Tx) error { return act(tx, key, size) })
		if err == nil {
			acknowledged = append(acknowledged, key)
		}
		return err
	}
	for i := 0; ; i++ {
		if err = write(fmt.Sprint("fill-", i), 10_000); err != nil {
			break
		}
	}
	if !fault.Is(err, "store.full") || fault.KindOf(err) != fault.Unavailable {
		return fmt.Errorf("a full disk is told as %w", err)
	}
	if _, err := intact(s, acknowledged); err != nil {
		return fmt.Errorf("while full: %w", err)
	}
	if err := os.Remove(ballast); err != nil {
		return err
	}
	if err := shareWithABigOne(s, &acknowledged); err != nil {
		return err
	}
	if _, err := intact(s, acknowledged); err != nil {
		return fmt.Errorf("with space again: %w", err)
	}
	if err := s.Close(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	if s, err = openQuick(dir); err != nil {
		return fmt.Errorf("open again: %w", err)
	}
	if _, err := intact(s, acknowledged); err != nil {
		return fmt.Errorf("opened again: %w", err)
	}
	return s.Close()
}

// shareWithABigOne lets small updates wait for the same commit as one that is larger than the disk: it alone fails.
func shareWithABigOne(s *Store, acknowledged *[]string) error {
	started, release := make(chan struct{}), make(chan struct{})
	held := make(chan error)
	begun := sync.OnceFunc(func() { close(started) })
	go func() {
		held <- s.Update(context.Background(), func(kiosk.Tx) error {
			begun() // it runs a second time, because the big one is in its commit
			<-release
			return nil
		})
	}()
	<-started
	type answer struct {
		key string
		err error
	}
	answers := make(chan answer)
	for i := range 5 {
		go func() {
			key, size := fmt.Sprint("small-", i), 1000
			if i == 2 {
				key, size = "big", 8<<20
			}
			answers <- answer{key, s.Update(context.Background(), func(tx kiosk.Tx) error { return act(tx, key, size) })}
		}()
	}
	panicked := make(chan any)
	go func() {
		defer func() { panicked <- recover() }()
		_ = s.Update(context.Background(), func(kiosk.Tx) error { panic("once") })
	}()
	queued(6)
	close(release)
	if err := <-held; err != nil {
		return err
	}
	for range 5 {
		a := <-answers
		switch {
		case a.key == "big" && !fault.Is(a.err, "store.full"):
			return fmt.Errorf("an update larger than the disk is told as %v", a.err)
		case a.key != "big" && a.err != nil:
			return fmt.Errorf("%s failed beside the big one: %w", a.key, a.err)
		case a.err == nil:
			*acknowledged = append(*acknowledged, a.key)
		}
	}
	if p := <-panicked; p != "once" {
		return fmt.Errorf("the panic came back as %v", p)
	}
	return nil
}

// queued returns when n updates wait for the writer beside the one that it runs.
func queued(n int) {
	stacks := make([]byte, 1<<20)
	for {
		all := string(stacks[:runtime.Stack(stacks, true)])
		waiting := 0
		for _, one := range strings.Split(all, "\n\n") {
			if strings.Contains(one, "[select") && strings.Contains(one, "(*Store).update(") {
				waiting++
			}
		}
		if waiting >= n {
			return
		}
		runtime.Gosched()
	}
}
