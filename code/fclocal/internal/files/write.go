package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// temporary is how the name begins of a file that is not yet there in full.
const temporary = ".fclocal-new-"

// Write writes a file that is there in full or not at all. The error names what it is,
// like "report", and the path.
func Write(what, path string, write func(io.Writer) error) error {
	return explain(what, path, writeNew(path, write))
}

// CheckWrite returns an error if Write could not write there, by beginning to.
func CheckWrite(what, path string) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("the %s cannot be written to %s: it is no file", what, path)
	}
	file, err := os.CreateTemp(filepath.Dir(path), temporary)
	if err != nil {
		return explain(what, path, err)
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// explain says what an error is about, without the name of the temporary file.
func explain(what, path string, err error) error {
	if err == nil {
		return nil
	}
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

func writeNew(path string, write func(io.Writer) error) error {
	file, err := os.CreateTemp(filepath.Dir(path), temporary)
	if err != nil {
		return err
	}
	err = errors.Join(write(file), file.Chmod(0o644), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		os.Remove(file.Name())
	}
	return err
}
