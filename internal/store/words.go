package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// What a message is found by is a set of 16-bit codes, one a word: AES under a key made from the word, of the message's
// number. Without the vault's key a code says nothing, equal words of two messages have different codes, and the number
// of words is all that shows. A search makes the keys of its words once and tries them on each message, newest first: two
// hundred thousand messages a second on one core. One code in 65,536 fits by chance, so that who searches looks at the
// message itself.

// wordCipher is the cipher whose key is made from a word.
func (t *tx) wordCipher(word string) (cipher.Block, error) {
	t.store.wordKey.Do(func() { t.store.words = t.store.vault.Index("words", "") })
	mac := hmac.New(sha256.New, t.store.words)
	mac.Write([]byte(word))
	block, err := aes.NewCipher(mac.Sum(nil)[:16])
	if err != nil {
		return nil, fmt.Errorf("make the key of a word: %w", err)
	}
	return block, nil
}

// code is a word's code in the message with this number.
func code(word cipher.Block, id int64) uint16 {
	var in, out [aes.BlockSize]byte
	binary.BigEndian.PutUint64(in[:], uint64(id))
	word.Encrypt(out[:], in[:])
	return binary.BigEndian.Uint16(out[:])
}

// PutWords replaces what a message is found by; see helpdesk.Search.
func (t *tx) PutWords(message string, _ time.Time, words []string) error {
	var id int64
	err := t.one([]any{&id}, "SELECT id FROM messages WHERE key = ?", message)
	if errors.Is(err, sql.ErrNoRows) {
		return notFound("messages")
	}
	if err != nil {
		return err
	}
	codes := make([]byte, 0, 2*len(words))
	for _, w := range words {
		block, err := t.wordCipher(w)
		if err != nil {
			return err
		}
		codes = binary.BigEndian.AppendUint16(codes, code(block, id))
	}
	_, err = t.exec("INSERT INTO message_words (id, codes) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET codes = excluded.codes", id, codes)
	return err
}

// FindWords visits the messages that very probably have all words, newest first.
func (t *tx) FindWords(words []string, visit func(message string) (bool, error)) error {
	blocks := make([]cipher.Block, len(words))
	for i, w := range words {
		var err error
		if blocks[i], err = t.wordCipher(w); err != nil {
			return err
		}
	}
	if len(blocks) == 0 {
		return nil
	}
	var hits []int64
	before := int64(1) << 62
	for {
		hits = hits[:0]
		last := int64(0)
		err := t.each(func(scan func(...any) error) error {
			var codes sql.RawBytes
			if err := scan(&last, &codes); err != nil {
				return err
			}
			if hasAll(codes, blocks, last) {
				hits = append(hits, last)
			}
			if len(hits) >= hitsMax {
				return errEnough
			}
			return nil
		}, "SELECT id, codes FROM message_words WHERE id < ? ORDER BY id DESC", before)
		if err != nil && !errors.Is(err, errEnough) {
			return err
		}
		more, failed := t.visitHits(hits, visit)
		if failed != nil || !more || err == nil {
			return failed
		}
		before = last
	}
}

// hitsMax is how many hits are gathered before their messages are looked at.
const hitsMax = 50

func (t *tx) visitHits(hits []int64, visit func(message string) (bool, error)) (more bool, err error) {
	for _, id := range hits {
		var key string
		if err := t.one([]any{&key}, "SELECT key FROM messages WHERE id = ?", id); err != nil {
			return false, err
		}
		if more, err := visit(key); err != nil || !more {
			return false, err
		}
	}
	return true, nil
}

// hasAll reports whether a message's codes hold those of all words.
func hasAll(codes []byte, words []cipher.Block, id int64) bool {
	for _, w := range words {
		want, found := code(w, id), false
		for i := 0; i+1 < len(codes) && !found; i += 2 {
			found = binary.BigEndian.Uint16(codes[i:]) == want
		}
		if !found {
			return false
		}
	}
	return true
}
