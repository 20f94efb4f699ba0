package service_test

import (
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/internal/demo"
	"countersign/kiosk"
)

func TestACounterThatNobodyTouchesIsLockedByTheService(t *testing.T) {
	now := clock.At(time.Now())
	w, err := demo.Build(t.Context(), t.TempDir(), demo.Choices{Cost: kiosk.PasswordCost{MemoryKiB: 64, Passes: 1, Threads: 1}, Clock: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	clerk, display, err := w.SignIn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := clerk.Home(t.Context()); err != nil {
		t.Fatal(err)
	}
	limit := w.Service.Options.Limits.Idle
	now.Advance(limit - time.Second)
	if err := display.Touch(t.Context()); err != nil {
		t.Fatal(err)
	}
	now.Advance(2 * time.Second)
	if idle := w.Service.Hub.Idle(limit); len(idle) != 0 {
		t.Errorf("the customer's key did not count: %v", idle)
	}
	now.Advance(limit)
	idle := w.Service.Hub.Idle(limit)
	if len(idle) != 1 || idle[0] != [2]string{demo.Unit, demo.Counter} {
		t.Fatalf("idle counters: %v", idle)
	}
	if err := w.Service.Hall.LockIdle(t.Context(), idle[0][0], idle[0][1]); err != nil {
		t.Fatal(err)
	}
	if _, err := clerk.Home(t.Context()); err == nil {
		t.Error("a locked counter still serves")
	}
	if err := clerk.Unlock(t.Context(), demo.Unlock); err != nil {
		t.Errorf("unlock: %v", err)
	}
}

func TestPairingAScreenAgainEndsTheOneBefore(t *testing.T) {
	w, err := demo.Build(t.Context(), t.TempDir(), demo.Choices{Cost: kiosk.PasswordCost{MemoryKiB: 64, Passes: 1, Threads: 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	old := w.Display
	if _, err := w.Service.Hall.DisplayActor(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	fresh, err := w.Service.Hall.PairDisplay(t.Context(), kiosk.Actor{User: kiosk.User{Name: "admin"}}, demo.Unit, demo.Counter)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Service.Hall.DisplayActor(t.Context(), fresh); err != nil {
		t.Errorf("the new screen: %v", err)
	}
	if _, err := w.Service.Hall.DisplayActor(t.Context(), old); err == nil {
		t.Error("the old screen still shows what the customer does")
	}
}
