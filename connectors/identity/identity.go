// Package identity keeps the one secret of an installation: the key under
// which accounts become surrogates and engineers become pseudonyms.
//
// A surrogate is a keyed hash of (source, account), not a random number that a
// table hands out: two collectors need no agreement, a crash between two tables
// leaves no orphan, and an erased person keeps the same unlinked surrogate when
// the source sends them again, which a random one would need a kept hash for.
// Whoever holds the key and a list of accounts can link them again; so can
// whoever holds a kept hash and its key. The key file is therefore the thing to
// guard, and to delete.
package identity

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const size = 32

// Key is the secret of an installation. The zero Key is not valid.
type Key struct {
	secret     []byte
	surrogates []byte
}

func newKey(secret []byte) Key {
	k := Key{secret: secret}
	k.surrogates = k.Subkey("surrogate")
	return k
}

// LoadOrCreate reads the key from path, or makes a new one there with mode
// 0600. It refuses a file that others may read, and one that is not a key.
func LoadOrCreate(path string) (Key, error) {
	key, err := Load(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	secret := make([]byte, size)
	_, _ = rand.Read(secret) // never fails

	// Written whole beside its place and linked there: a crash leaves no half
	// key, and of two that start at once one wins and both read the winner's.
	tmp, err := os.CreateTemp(filepath.Dir(path), ".key-*")
	if err != nil {
		return Key{}, fmt.Errorf("creating the key file: %w", err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.WriteString(hex.EncodeToString(secret) + "\n")
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err != nil {
		return Key{}, fmt.Errorf("writing the key file: %w", err)
	}
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return Key{}, fmt.Errorf("creating the key file: %w", err)
	}
	return Load(path)
}

// Load reads the key from path. The error wraps fs.ErrNotExist when there is
// none.
func Load(path string) (Key, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Key{}, fmt.Errorf("reading the key file: %w", err)
	}
	if perm := info.Mode().Perm(); perm&0o077 != 0 {
		return Key{}, fmt.Errorf("key file %s can be read by others (mode %04o): run chmod 600 on it", path, perm)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return Key{}, fmt.Errorf("reading the key file: %w", err)
	}
	secret, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(secret) != size {
		return Key{}, fmt.Errorf("key file %s does not hold %d hexadecimal digits: put the right file back from a backup, or start with an empty data folder", path, 2*size)
	}
	return newKey(secret), nil
}

// Subkey derives an independent key for one purpose (HKDF-SHA256, RFC 5869).
func (k Key) Subkey(purpose string) []byte {
	sub, err := hkdf.Key(sha256.New, k.secret, nil, "fairlead "+purpose, size)
	if err != nil {
		panic(err) // only for a length beyond 255 hashes
	}
	return sub
}

// Fingerprint names the key without telling anything of it.
func (k Key) Fingerprint() string {
	return hex.EncodeToString(k.Subkey("fingerprint")[:8])
}

// Surrogate is the number under which a ticket refers to an account. It is
// never 0, which stands for nobody, unless account is "".
func (k Key) Surrogate(source, account string) uint64 {
	if account == "" {
		return 0
	}
	mac := hmac.New(sha256.New, k.surrogates)
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(source)))
	mac.Write(n[:])
	mac.Write([]byte(source))
	mac.Write([]byte(account))
	var sum [sha256.Size]byte
	if id := binary.BigEndian.Uint64(mac.Sum(sum[:0])); id != 0 {
		return id
	}
	return 1
}
