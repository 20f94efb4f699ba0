package key

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/miekg/pkcs11"
)

// TestAModuleThatHangsIsEnded: its process hears the question and never answers.
func TestAModuleThatHangsIsEnded(t *testing.T) {
	var far net.Conn
	launched := 0
	a := &apart{path: "card.so", sessions: map[pkcs11.SessionHandle]sitting{}, launch: func(string) (io.ReadWriteCloser, error) {
		var near net.Conn
		near, far = net.Pipe()
		launched++
		go func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }(far)
		return near, nil
	}}
	p, err := a.running()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.ask(call{Function: "slots"}, time.Millisecond); !errors.Is(err, errEnded) {
		t.Errorf("it hangs: %v", err)
	}
	if _, err := p.ask(call{Function: "slots"}, time.Hour); !errors.Is(err, errEnded) {
		t.Errorf("after it: %v", err)
	}
	if again, err := a.running(); err != nil || again == p || launched != 2 {
		t.Errorf("it was started %d times, %v", launched, err)
	}
	if err := a.Finalize(); err != nil {
		t.Error(err)
	}
	if _, err := a.GetSlotList(true); err == nil || launched != 2 {
		t.Errorf("a closed module was started: %v", err)
	}
}
