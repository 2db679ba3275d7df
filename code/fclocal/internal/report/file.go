package report

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// writeFile writes a file that is there in full or not at all. The error names
// what it is, like "report", and the path.
func writeFile(what, path string, content []byte) error {
	err := replaceFile(path, content)
	if err == nil {
		return nil
	}
	// Without the name of the temporary file.
	var pathError *fs.PathError
	var linkError *os.LinkError
	switch {
	case errors.As(err, &pathError):
		err = pathError.Err
	case errors.As(err, &linkError):
		err = linkError.Err
	}
	return fmt.Errorf("the %s cannot be written to %s: %w", what, path, err)
}

// checkFile returns an error if writeFile could not write there, by beginning to.
func checkFile(what, path string) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("the %s cannot be written to %s: it is no file", what, path)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".fclocal-report-")
	if err != nil {
		var pathError *fs.PathError
		if errors.As(err, &pathError) {
			err = pathError.Err
		}
		return fmt.Errorf("the %s cannot be written to %s: %w", what, path, err)
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

func replaceFile(path string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".fclocal-report-")
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	err = errors.Join(err, file.Chmod(0o644), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		os.Remove(file.Name())
	}
	return err
}
