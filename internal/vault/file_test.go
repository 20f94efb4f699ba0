package vault

import "testing"

// FuzzDecode reads key files that anybody may have written; none may cost memory or time before it is refused.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"format":"countersign-vault","version":1,"kdf":{"name":"argon2id","time":1,"memory_kib":8192,"threads":1,"salt":"AAAAAAAAAAA="},"sum":""}`))
	f.Add([]byte(`{"format":"countersign-vault","version":1e9}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		k, err := decode(raw)
		if err == nil && (k.KDF.MemoryKiB > 1<<20 || k.KDF.Time > 16) {
			t.Errorf("accepted a cost of %d KiB, %d passes", k.KDF.MemoryKiB, k.KDF.Time)
		}
	})
}
