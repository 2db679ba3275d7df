package stream

import (
	"os"
)

// OpenDeadLetters opens a file of dead letters to append to, and makes it if need
// be. A last line that was cut short, as by kill -9, is set apart by a line break,
// so that no new one is lost with it: mended says so.
func OpenDeadLetters(path string) (file *os.File, mended bool, err error) {
	file, err = os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o644)
	if err != nil {
		return nil, false, err
	}
	info, err := file.Stat()
	if err == nil && info.Mode().IsRegular() && info.Size() > 0 {
		last := make([]byte, 1)
		if _, err = file.ReadAt(last, info.Size()-1); err == nil && last[0] != '\n' {
			_, err = file.WriteString("\n")
			mended = true
		}
	}
	if err != nil {
		file.Close()
		return nil, false, err
	}
	return file, mended, nil
}
