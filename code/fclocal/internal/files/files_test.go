package files

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestRead(t *testing.T) {
	directory := t.TempDir()
	path := filepath.Join(directory, "file")
	if err := os.WriteFile(path, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if content, err := Read(path, 1<<20); len(content) != 1<<20 || err != nil {
		t.Errorf("%d bytes, %v", len(content), err)
	}
	if err := os.WriteFile(path, make([]byte, 1<<20+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ path, want string }{
		{path, "read " + path + ": it is larger than 1 MB"},
		{directory, "read " + directory + ": it is a directory"},
	} {
		if content, err := Read(test.path, 1<<20); content != nil || err == nil || err.Error() != test.want {
			t.Errorf("%d bytes, err = %v; want %s", len(content), err, test.want)
		}
	}
	if _, err := Read(path, 64<<10); err == nil || err.Error() != "read "+path+": it is larger than 64 KB" {
		t.Errorf("err = %v; want it in KB", err)
	}
	if _, err := Read(filepath.Join(directory, "none"), 1<<20); !os.IsNotExist(err) || err.(*fs.PathError).Op != "open" {
		t.Errorf("err = %v; want one of a file that does not exist", err)
	}
}

func TestAbove(t *testing.T) {
	top := t.TempDir()
	for _, path := range []string{"go.mod", "a/b/c"} {
		if err := os.MkdirAll(filepath.Join(top, path), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ start, top, want string }{
		{"a/b/c", "", "."},
		{"", "", "."},
		{"a/b/c", "a", ""},
		{"a", "a/b", ""}, // start is above top
		{"none/below", "", "."},
	} {
		want := test.want
		if want != "" {
			want = filepath.Join(top, want)
		}
		if got := Above("go.mod", filepath.Join(top, test.start), filepath.Join(top, test.top)); got != want {
			t.Errorf("from %q up to %q: %q, want %q", test.start, test.top, got, want)
		}
	}
}
