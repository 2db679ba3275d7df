package watch

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"fclocal/internal/failure"
)

// A save is often several steps: writing another file, renaming two, changing times. What
// follows within quiet of a step belongs to it, up to patience.
const (
	quiet    = 50 * time.Millisecond
	patience = time.Second
)

// lookInterval is how often files are looked at whose file system tells of no changes.
const lookInterval = time.Second

// hashedAtMost is the size in bytes up to which a file's content is compared. A larger one
// counts as changed when it has been written.
const hashedAtMost = 16 << 20

// racy is how long after a change of a file another one may have the same time.
const racy = time.Second

// A tree is a directory, with all below it, of which some files are watched.
type tree struct {
	root     string
	includes func(path string) bool // a file
	skips    func(path string) bool // a directory below root
}

// files are watched: single ones, and those of trees. What a change is, is found out by
// looking at all of them: the system's notifications only say when. So it does not matter
// how an editor saves.
type files struct {
	notifier *fsnotify.Watcher
	single   []string
	linked   []string // that some of them are symbolic links to
	trees    []tree

	known       map[string]content // as of the last look
	directories map[string]bool    // as of the last look
	look        <-chan time.Time   // of file systems that tell nothing; nil if there is none
	ticker      *time.Ticker
}

// content is what is known of a file.
type content struct {
	info   os.FileInfo
	sum    [sha256.Size]byte
	seenAt time.Time
}

func newFiles() (*files, error) {
	notifier, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, explain(err)
	}
	return &files{notifier: notifier, known: map[string]content{}}, nil
}

func (f *files) close() {
	f.notifier.Close()
	if f.ticker != nil {
		f.ticker.Stop()
	}
}

// explain says what to do about a limit of the system's.
func explain(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		err = fmt.Errorf("files cannot be watched: this user's watches are used up, by an editor maybe: raise fs.inotify.max_user_watches (sudo sysctl fs.inotify.max_user_watches=524288): %w", err)
	case errors.Is(err, syscall.EMFILE):
		err = fmt.Errorf("files cannot be watched: raise fs.inotify.max_user_instances (sudo sysctl fs.inotify.max_user_instances=512), or the limit of open files (ulimit -n): %w", err)
	default:
		err = fmt.Errorf("files cannot be watched: %w", err)
	}
	return failure.Of(err)
}

// watch changes what is watched. Files that have been watched before keep their content of
// then; of others it is what they hold now.
func (f *files) watch(single []string, trees []tree) error {
	f.single, f.linked, f.trees = single, nil, nil
	for _, path := range single {
		if real, err := filepath.EvalSymlinks(path); err == nil && real != path {
			f.linked = append(f.linked, real)
		}
	}
	for _, t := range trees {
		if real, err := filepath.EvalSymlinks(t.root); err == nil {
			t.root = real
		}
		f.trees = append(f.trees, t)
	}
	found, err := f.find()
	if err != nil {
		return err
	}
	for path, info := range found {
		if _, known := f.known[path]; !known {
			f.known[path] = read(path, info)
		}
	}
	maps.DeleteFunc(f.known, func(path string, _ content) bool { return !f.includes(path) })
	if f.look == nil && slices.ContainsFunc(slices.Collect(maps.Keys(f.directories)), tellsNothing) {
		f.ticker = time.NewTicker(lookInterval)
		f.look = f.ticker.C
	}
	return nil
}

// find finds all files that are watched and are there. It asks to be notified of a
// directory before it reads it, so that nothing is missed in between.
func (f *files) find() (map[string]os.FileInfo, error) {
	found := map[string]os.FileInfo{}
	f.directories = map[string]bool{}
	notify := func(directory string) error {
		if f.directories[directory] {
			return nil
		}
		err := f.notifier.Add(directory)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			return nil
		}
		if err != nil {
			return explain(err)
		}
		f.directories[directory] = true
		return nil
	}
	for _, path := range slices.Concat(f.single, f.linked) {
		if err := notify(filepath.Dir(path)); err != nil {
			return nil, err
		}
	}
	for _, path := range f.single {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			found[path] = info
		}
	}
	for _, t := range f.trees {
		if err := notify(filepath.Dir(t.root)); err != nil {
			return nil, err
		}
		err := filepath.WalkDir(t.root, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return nil // it has gone meanwhile, or may not be read
			case entry.IsDir() && path != t.root && t.skipped(path):
				return fs.SkipDir
			case entry.IsDir():
				return notify(path)
			case !t.includes(path):
				return nil
			}
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				found[path] = info
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (t tree) skipped(directory string) bool {
	return skippedNames[filepath.Base(directory)] || strings.HasPrefix(filepath.Base(directory), ".") || t.skips(directory)
}

// skippedNames are directories of what is installed or made, and not written by hand.
var skippedNames = map[string]bool{"node_modules": true, "__pycache__": true}

// holds says whether a path is in the tree, or its root.
func (t tree) holds(path string) bool {
	if path == t.root {
		return true
	}
	relative, err := filepath.Rel(t.root, path)
	if err != nil || relative == ".." || strings.HasPrefix(relative, ".."+string(filepath.Separator)) {
		return false
	}
	for directory := filepath.Dir(path); len(directory) > len(t.root); directory = filepath.Dir(directory) {
		if t.skipped(directory) {
			return false
		}
	}
	return true
}

// includes says whether a file of that name would be watched.
func (f *files) includes(path string) bool {
	return slices.Contains(f.single, path) ||
		slices.ContainsFunc(f.trees, func(t tree) bool { return t.holds(path) && t.includes(path) })
}

// concerns says whether a notification may be of what is watched: of a file, or of a
// directory that has come or gone.
func (f *files) concerns(event fsnotify.Event) bool {
	if event.Op == fsnotify.Chmod {
		return false
	}
	if f.includes(event.Name) || slices.Contains(f.linked, event.Name) || f.directories[event.Name] {
		return true
	}
	info, err := os.Lstat(event.Name)
	return err == nil && info.IsDir() && slices.ContainsFunc(f.trees, func(t tree) bool { return t.holds(event.Name) })
}

// changed waits for files to change, to come or to go, and returns their paths, sorted.
func (f *files) changed(ctx context.Context) ([]string, error) {
	for {
		select {
		case event := <-f.notifier.Events:
			if !f.concerns(event) {
				continue
			}
			if err := f.settle(ctx); err != nil {
				return nil, err
			}
		case err := <-f.notifier.Errors:
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				return nil, explain(err)
			}
		case <-f.look:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if paths, err := f.differences(); len(paths) > 0 || err != nil {
			return paths, err
		}
	}
}

// settle waits until a save is complete.
func (f *files) settle(ctx context.Context) error {
	end := time.After(patience)
	still := time.NewTimer(quiet)
	defer still.Stop()
	for {
		select {
		case event := <-f.notifier.Events:
			if f.concerns(event) {
				still.Reset(quiet)
			}
		case <-f.notifier.Errors: // there are more of them: all is looked at
		case <-still.C:
			return nil
		case <-end:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// differences are the files that do not hold what they held at the last look.
func (f *files) differences() (paths []string, err error) {
	found, err := f.find()
	if err != nil {
		return nil, err
	}
	for path, info := range found {
		before, known := f.known[path]
		if known && before.is(info) {
			continue
		}
		now := read(path, info)
		f.known[path] = now
		if !known || now.sum != before.sum || info.Size() > hashedAtMost {
			paths = append(paths, path)
		}
	}
	for path := range f.known {
		if found[path] == nil {
			delete(f.known, path)
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths, nil
}

// is says whether a file has certainly not been written since.
func (c content) is(now os.FileInfo) bool {
	return os.SameFile(c.info, now) && c.info.Size() == now.Size() && c.info.ModTime().Equal(now.ModTime()) &&
		c.seenAt.Sub(now.ModTime()) > racy
}

// read reads what a file holds. One that cannot be read, as it is just being replaced,
// holds nothing.
func read(path string, info os.FileInfo) content {
	c := content{info: info, seenAt: time.Now()}
	if info.Size() > hashedAtMost {
		return c
	}
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // it may have become a pipe since
	if err != nil {
		return c
	}
	defer file.Close()
	sum := sha256.New()
	io.Copy(sum, io.LimitReader(file, hashedAtMost))
	sum.Sum(c.sum[:0])
	return c
}
