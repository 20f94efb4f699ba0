package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"countersign/kiosk"
	"countersign/signing/journal"
)

// BenchmarkUpdate is one act at a counter: an order stored again, a journal entry and an order number. "fsync" beside it
// is what the disk itself takes for the same bytes; a serial act can't be faster, and fifty counters share one.
func BenchmarkUpdate(b *testing.B) {
	b.Run("serial", func(b *testing.B) { benchmarkUpdate(b, 0) })
	b.Run("50 parallel", func(b *testing.B) { benchmarkUpdate(b, 50) })
	b.Run("fsync", benchmarkFsync)
}

func benchmarkUpdate(b *testing.B, counters int) {
	s, err := Open(context.Background(), Options{Dir: b.TempDir(), Vault: testVault(b)})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	ctx, n := context.Background(), atomic.Int64{}
	once := func(o *kiosk.Order) error {
		return s.Update(ctx, func(tx kiosk.Tx) error {
			if err := tx.PutOrder(o); err != nil {
				return err
			}
			if _, err := tx.NextNumber(unit, today); err != nil {
				return err
			}
			_, err := tx.Append(journal.Entry{At: s.clock.Now(), Actor: "lan", Act: "order.put", Subject: o.Key})
			return err
		})
	}
	counter := func() *kiosk.Order {
		return &kiosk.Order{Key: fmt.Sprint("o", n.Add(1)), Unit: unit, State: kiosk.Draft, Created: s.clock.Now()}
	}
	if counters == 0 {
		o := counter()
		for b.Loop() {
			if err := once(o); err != nil {
				b.Fatal(err)
			}
		}
		return
	}
	b.SetParallelism(counters)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		o := counter()
		for pb.Next() {
			if err := once(o); err != nil {
				b.Error(err)
			}
		}
	})
}

func benchmarkFsync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "raw"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 4*4120) // four pages of a write-ahead log
	for b.Loop() {
		if _, err := f.Write(page); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkView reads one order.
func BenchmarkView(b *testing.B) {
	s, err := Open(context.Background(), Options{Dir: b.TempDir(), Vault: testVault(b)})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if err := s.Update(context.Background(), func(tx kiosk.Tx) error { return act(tx, "o", 0) }); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		err := s.View(context.Background(), func(tx kiosk.Tx) error {
			_, err := tx.Order("o")
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
