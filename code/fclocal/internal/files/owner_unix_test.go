//go:build unix

package files

import (
	"os"
	"path/filepath"
	"testing"
)

func TestStranger(t *testing.T) {
	directory := t.TempDir()
	path, link := filepath.Join(directory, "file"), filepath.Join(directory, "link")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, own := range []string{path, link, "/"} {
		if stranger, err := Stranger(own); stranger != "" || err != nil {
			t.Errorf("%s: %q, %v", own, stranger, err)
		}
	}
	if os.Geteuid() != 0 {
		t.Skip("only root may give a file away")
	}
	const nobody = 4_000_000 // whom the system does not know
	if err := os.Lchown(link, nobody, -1); err != nil {
		t.Fatal(err)
	}
	// A link is another user's to change, wherever it leads.
	for name, want := range map[string]string{path: "", link: "the user with the ID 4000000"} {
		if stranger, err := Stranger(name); stranger != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", name, stranger, err, want)
		}
	}
	if err := os.Chown(path, nobody, -1); err != nil {
		t.Fatal(err)
	}
	if stranger, err := Stranger(path); stranger == "" || err != nil {
		t.Errorf("%q, %v", stranger, err)
	}
}
