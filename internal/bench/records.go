package main

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"countersign/internal/store"
	"countersign/internal/vault"
	"countersign/kiosk"
	"countersign/signing/journal"
)

// recordSize is about that of a stored order.
const recordSize = 6 << 10

// records measures the vault and the journal.
func records(ctx context.Context, b *bench) error {
	v, err := vault.Create(filepath.Join(b.dir, "records.key"), []byte("a passphrase for the benchmark"))
	if err != nil {
		return err
	}
	plain := make([]byte, recordSize)
	seal := func() error {
		_, err := v.Seal("orders/0123456789/7", plain)
		return err
	}
	gcm, err := aesgcm()
	if err != nil {
		return err
	}
	if err := b.rate("vault.seal", seal, "raw AES-256-GCM of the same 6 KB", func() error {
		gcm.Seal(nil, make([]byte, gcm.NonceSize()), plain, nil)
		return nil
	}); err != nil {
		return err
	}
	if !b.wants("journal.append") {
		return nil
	}
	s, err := store.Open(ctx, store.Options{Dir: filepath.Join(b.dir, "records"), Vault: v})
	if err != nil {
		return err
	}
	return errors.Join(appends(ctx, b, s), s.Close())
}

// appendLot is how many entries share a transaction, so that the entry is measured and not the disk.
const appendLot = 64

func appends(ctx context.Context, b *bench, s *store.Store) error {
	e := journal.Entry{At: time.Now(), Actor: "lananh", Role: "clerk", Place: "PA0505/3", Act: "form.field", Subject: "WO-PA0505-20261121-000042", Facts: map[string]string{"field": "capacity"}}
	lot := func() error {
		return s.Update(ctx, func(tx kiosk.Tx) error {
			for range appendLot {
				if _, err := tx.Append(e); err != nil {
					return err
				}
			}
			return nil
		})
	}
	record, err := e.Record()
	if err != nil {
		return err
	}
	// A Merkle log hashes each entry once and makes one inner node an entry on average.
	hash := func() error {
		for range appendLot {
			leaf := sha256.Sum256(record)
			sha256.Sum256(append(leaf[:], leaf[:]...))
		}
		return nil
	}
	got, err := rates(lot, hash)
	if err != nil {
		return fmt.Errorf("journal.append: %w", err)
	}
	for _, values := range got {
		for i := range values {
			values[i] *= appendLot
		}
	}
	b.print(figure{name: "journal.append", values: got[0], unit: "1/cpu-s", more: true, beside: "raw SHA-256 of leaf and node", besides: got[1]})
	return nil
}

func aesgcm() (cipher.AEAD, error) {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
