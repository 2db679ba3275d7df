package files

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// Replace writes another content to a file that still holds the old one. It is there in full
// or not at all, with the mode that it has; a link stays one.
func Replace(path string, old, content []byte) error {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	now, err := Read(target, int64(len(old)>>20+1)<<20)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, old) {
		return fmt.Errorf("%s has been changed meanwhile, and is left as it is", path)
	}
	info, err := os.Stat(target)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(target), ".fclocal-")
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	for _, step := range []func() error{func() error { return file.Chmod(info.Mode().Perm()) }, file.Sync, file.Close} {
		if stepErr := step(); err == nil {
			err = stepErr
		}
	}
	if err == nil {
		err = os.Rename(file.Name(), target)
	}
	if err != nil {
		os.Remove(file.Name())
	}
	return err
}
