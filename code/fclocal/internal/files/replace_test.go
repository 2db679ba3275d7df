package files

import (
	"os"
	"path/filepath"
	"testing"
)

func TestReplace(t *testing.T) {
	directory := t.TempDir()
	path, link := filepath.Join(directory, "file"), filepath.Join(directory, "link")
	if err := os.WriteFile(path, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	before, _ := os.Stat(path)
	if err := os.Symlink("file", link); err != nil {
		link = path // Windows may refuse it
	}
	if err := Replace(link, []byte("old"), []byte("new")); err != nil {
		t.Fatal(err)
	}
	after, _ := os.Stat(path)
	if content, _ := os.ReadFile(path); string(content) != "new" || after.Mode() != before.Mode() {
		t.Errorf("%q, %v", content, after.Mode())
	}
	if err := Replace(path, []byte("old"), []byte("newer")); err == nil || err.Error() != path+" has been changed meanwhile, and is left as it is" {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(directory); len(entries) > 2 {
		t.Error("a temporary file is left")
	}
}
