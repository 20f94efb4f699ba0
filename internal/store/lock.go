package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"countersign/internal/fault"
)

// lockDir keeps a second server off the data directory. The kernel drops the lock with the process, however it ends;
// the file stays and holds the number of the last process.
func lockDir(dir string) (*os.File, error) {
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock of the data directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		pid, _ := os.ReadFile(path)
		_ = f.Close()
		return nil, fault.Wrap(err, fault.Conflict, "store.locked",
			fault.Args{"dir": dir, "pid": strings.TrimSpace(string(pid))})
	}
	// The number is for people only, so a full disk must not keep the server from starting.
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return f, nil
}
