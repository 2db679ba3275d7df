package build

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"fclocal/internal/files"
)

const (
	builtName = "built" // the directory that has the last build's program
	buildKept = 7 * 24 * time.Hour
)

// runPattern names the directories that have the program of one run each.
const runPattern = "run-*"

// private puts the program, as it is now, into a directory of this run's. It is
// called by who has the lock of the build.
func private(directory, program string) (Binary, error) {
	run, err := os.MkdirTemp(directory, runPattern)
	if err != nil {
		return Binary{}, err
	}
	owner, err := os.Create(filepath.Join(run, lockName))
	release := func() {
		owner.Close()
		os.RemoveAll(run)
	}
	// In a directory of its own, as it may be the function's working directory.
	path := filepath.Join(run, "code", filepath.Base(program))
	if err == nil {
		_, err = files.TryLock(owner, false)
	}
	if err == nil {
		err = os.Mkdir(filepath.Dir(path), 0o755)
	}
	if err == nil {
		err = linkOrCopy(program, path)
	}
	if err != nil {
		release()
		return Binary{}, err
	}
	return Binary{Path: path, Directory: run, Release: release}, nil
}

// linkOrCopy links where it can: a build makes a new file, it does not write into
// the old one.
func linkOrCopy(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}

// removeAbandoned removes the directories of runs that were killed: those whose
// lock nobody has. It is called by who has the lock of the build, so that none is
// just being made.
func removeAbandoned(directory string) {
	runs, _ := filepath.Glob(filepath.Join(directory, runPattern))
	for _, run := range runs {
		owner, err := os.Open(filepath.Join(run, lockName))
		free := errors.Is(err, os.ErrNotExist)
		if err == nil {
			free, _ = files.TryLock(owner, false)
			owner.Close()
		}
		if free {
			os.RemoveAll(run)
		}
	}
}

// removeUnused removes the programs that nobody has built for a week, and what
// killed runs have left beside them. The locks stay: one may just be waited for.
func removeUnused(builds string) {
	locks, _ := filepath.Glob(filepath.Join(builds, "*", lockName))
	for _, path := range locks {
		file, err := os.Open(path)
		if err != nil {
			continue
		}
		// Who builds writes to the lock.
		if info, err := file.Stat(); err == nil && time.Since(info.ModTime()) > buildKept {
			if free, _ := files.TryLock(file, false); free {
				removeAbandoned(filepath.Dir(path))
				os.RemoveAll(filepath.Join(filepath.Dir(path), builtName))
			}
		}
		file.Close()
	}
}
