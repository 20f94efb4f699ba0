package demo

import (
	"bytes"
	"context"
	"testing"
	"time"

	"countersign/internal/locale"
	"countersign/kiosk"
)

// cheap makes guessing a password cheap, for tests only.
var cheap = kiosk.PasswordCost{MemoryKiB: 64, Passes: 1, Threads: 1}

func build(t *testing.T) *World {
	t.Helper()
	w, err := Build(t.Context(), t.TempDir(), Choices{Cost: cheap})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func TestACustomerWalksThroughAllEightSteps(t *testing.T) {
	w := build(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	if err := w.Play(ctx, &out, locale.English); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	t.Log(out.String())
}

func TestASupportMailIsAnsweredEachTimeAndAfterARestart(t *testing.T) {
	dir := t.TempDir()
	w, err := Build(t.Context(), dir, Choices{Cost: cheap})
	if err != nil {
		t.Fatal(err)
	}
	play := func() string {
		t.Helper()
		var out bytes.Buffer
		if err := w.playSupport(t.Context(), &out, locale.English); err != nil {
			t.Fatalf("%v\n%s", err, out.String())
		}
		return out.String()
	}
	first := play()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	// The mail server's UIDs begin anew; what it had then is not taken for what it has now.
	if w, err = Reopen(t.Context(), dir, Choices{Cost: cheap}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	w.Service.Reception.Limits.AnswerHour = 0 // the customer was told of the first ticket a moment ago
	second := play()
	if a, b := ticketName.FindString(first), ticketName.FindString(second); a == b {
		t.Errorf("both mails are ticket %s", a)
	}
}
