// Package watch brings what has changed in a project while it runs: it waits for its files
// to change, reads its settings again and builds its function again.
package watch

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fclocal/internal/build"
	"fclocal/internal/config"
	"fclocal/internal/failure"
)

// Options are the options of New.
type Options struct {
	Project *config.Project // as it is now

	// Load reads the project again. It has said what is wrong in detail when it fails.
	Load func() (*config.Project, error)

	// Build builds a project's function, and has said why when it fails.
	Build func(context.Context, *config.Project) (build.Binary, error)

	Settings []string // files that settings come from, beside s.yaml
	Events   []string // files that events are made of
	Stream   bool     // a stream runs, which keeps some settings: see kept

	Say func(string) // is told what happens, a line each
}

// A Watch is not safe for use by several goroutines.
type Watch struct {
	Options
	settings, events []string // absolute

	files   *files
	sources build.Sources
	written map[string]int // how often a build has written a file among its sources

	used    state
	before  state           // used, for when what is used now cannot be
	loaded  *config.Project // the last good settings, which wait for the function to build
	stale   bool            // sources have changed since they were last built
	due     bool            // there is something to do before any more files change
	changed []string        // files, before that
	relist  bool            // sources may be other files
}

// state is what was brought last.
type state struct {
	project *config.Project
	version int               // of the program; 0: there is none
	sum     [sha256.Size]byte // of the program, if programs are compared
}

// A Change is what is to be used from now on.
type Change struct {
	Project *config.Project
	Version int           // of the program: the first is 1
	Program *build.Binary // nil: the function and its own settings are as before
}

// New begins to watch a project. The watch must be closed.
func New(ctx context.Context, options Options) (*Watch, error) {
	w := &Watch{Options: options, written: map[string]int{}, used: state{project: options.Project}, loaded: options.Project, stale: true, due: true}
	for _, list := range []struct {
		from []string
		to   *[]string
	}{{append([]string{options.Project.File}, options.Settings...), &w.settings}, {options.Events, &w.events}} {
		for _, path := range list.from {
			path, err := filepath.Abs(path)
			if err != nil {
				return nil, err
			}
			*list.to = append(*list.to, path)
		}
	}
	var err error
	if w.files, err = newFiles(); err != nil {
		return nil, err
	}
	if err := w.list(ctx); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// Close ends the watching.
func (w *Watch) Close() { w.files.close() }

// list sees to it that all files that count are watched.
func (w *Watch) list(ctx context.Context) error {
	w.relist = false
	w.sources = build.SourcesOf(ctx, w.loaded)
	var trees []tree
	for _, root := range w.sources.Modules {
		trees = append(trees, tree{root, isGo, func(directory string) bool {
			name := filepath.Base(directory)
			_, err := os.Stat(filepath.Join(directory, "go.mod"))
			return name == "testdata" || strings.HasPrefix(name, "_") || err == nil // of another module
		}})
	}
	for _, root := range w.sources.Trees {
		trees = append(trees, tree{root, w.isSource, func(string) bool { return false }})
	}
	return w.files.watch(slices.Concat(w.settings, w.loaded.Read, w.events, w.sources.Files), trees)
}

// isGo says whether a file of a module is one that the go command builds from.
func isGo(path string) bool {
	name := filepath.Base(path)
	switch filepath.Ext(name) {
	case ".go":
		return !strings.HasSuffix(name, "_test.go") && !strings.HasPrefix(name, ".") && !strings.HasPrefix(name, "_")
	case ".s", ".h":
		return true
	}
	return slices.Contains([]string{"go.mod", "go.sum", "go.work", "go.work.sum"}, name)
}

// ownWrites is how many builds that write a file show that it is no source.
const ownWrites = 2

// isSource says whether a file in a directory of which all counts is neither what a build
// makes nor an editor's own.
func (w *Watch) isSource(path string) bool {
	name := filepath.Base(path)
	for _, suffix := range []string{"~", ".swp", ".swo", ".swx", ".tmp"} {
		if strings.HasSuffix(name, suffix) {
			return false
		}
	}
	for _, prefix := range []string{".#", "#", "___jb_", ".git"} {
		if strings.HasPrefix(name, prefix) {
			return false
		}
	}
	return name != "4913" && path != w.sources.Program && w.written[path] < ownWrites // 4913 is Vim's
}

// Next waits for a change that can be used: the first is the function, built. unusable is
// why the one before could not be, nil if it could. An error is that there can be none.
func (w *Watch) Next(ctx context.Context, unusable error) (Change, error) {
	if unusable != nil {
		w.say("%v; %s", unusable, w.goesOn(w.before))
		w.used, w.stale = w.before, true
	}
	for {
		if !w.due {
			if err := w.await(ctx); err != nil {
				return Change{}, err
			}
		}
		events := w.take()
		next := state{w.loaded, w.used.version, w.used.sum}
		var program *build.Binary
		if other := functionDiffers(w.used.project, w.loaded); w.stale || other {
			begin := time.Now()
			built, err := w.build(ctx, &next)
			took := time.Since(begin).Seconds()
			switch {
			case err != nil && (ctx.Err() != nil || next.version == 0 && !failure.Is(err)):
				return Change{}, err // that no save of a source mends
			case err != nil:
				w.say("%v; %s", err, w.goesOn(w.used))
				continue
			case other || !w.sources.Compared || next.sum != w.used.sum:
				program = &built
				next.version++
				if next.version > 1 {
					w.say("built in %.1f s", took)
				}
			default:
				built.Release()
				w.say("built in %.1f s: the program is as before", took)
			}
		}
		if program != nil || events || triggerDiffers(w.used.project, w.loaded) {
			w.before, w.used = w.used, next
			return Change{next.project, next.version, program}, nil
		}
	}
}

func (w *Watch) say(format string, arguments ...any) { w.Say(fmt.Sprintf(format, arguments...)) }

// goesOn says what is done instead of using what cannot be.
func (w *Watch) goesOn(s state) string {
	if s.version == 0 || !w.Stream {
		return "waiting for a change"
	}
	return fmt.Sprintf("version %d goes on", s.version)
}

// await waits for files to change.
func (w *Watch) await(ctx context.Context) (err error) {
	if w.relist {
		if err := w.list(ctx); err != nil {
			return err
		}
	}
	w.changed, err = w.files.changed(ctx)
	if ctx.Err() != nil {
		err = failure.New("interrupted")
	}
	return err
}

// take says what has changed, reads settings and remembers that sources are to be built. It
// returns whether events have changed.
func (w *Watch) take() (events bool) {
	settings := false
	for _, path := range w.changed {
		switch {
		case w.isSetting(path):
			settings = true
		case slices.Contains(w.events, path):
			events = true
		default:
			w.stale = true
		}
	}
	if len(w.changed) > 0 {
		w.say("%s", w.haveChanged(w.changed))
	}
	w.due, w.changed = false, nil
	if settings {
		w.load()
	}
	return events
}

// isSetting says whether settings come from a file.
func (w *Watch) isSetting(path string) bool {
	return slices.Contains(w.settings, path) || slices.Contains(w.loaded.Read, path)
}

// haveChanged says which files have.
func (w *Watch) haveChanged(paths []string) string {
	first := paths[0]
	if name, err := filepath.Rel(w.Project.Dir, first); err == nil && !strings.HasPrefix(name, "..") {
		first = name
	}
	switch more := len(paths) - 1; more {
	case 0:
		return first + " has changed"
	case 1:
		return first + " and another file have changed"
	default:
		return fmt.Sprintf("%s and %d other files have changed", first, more)
	}
}

// load reads the settings, and refuses those that cannot be used.
func (w *Watch) load() {
	next, err := w.Load()
	if err != nil {
		w.say("%v; the settings before go on", err)
		return
	}
	if w.Stream {
		if names := kept(w.used.project, next); names != nil {
			w.say("%s cannot change while the stream runs: start the stream again; the settings before go on", strings.Join(names, ", "))
			return
		}
	}
	w.say("%s", describe(w.loaded, next))
	w.loaded, w.relist = next, true
}

// build builds the function, and takes the program's checksum.
func (w *Watch) build(ctx context.Context, s *state) (build.Binary, error) {
	if s.version > 0 {
		w.say("building")
	}
	program, err := w.Build(ctx, s.project)
	w.stale, w.relist = err != nil, true
	if err == nil {
		if w.sources.Compared {
			s.sum, err = sumOf(program.Path)
		}
		if ctx.Err() != nil {
			err = failure.New("interrupted")
		}
		if err != nil {
			program.Release()
		}
	}
	if w.sources.Actions {
		w.sortOut(s.version == 0)
	}
	return program, err
}

// sortOut tells what a build by actions has written from what has been saved meanwhile,
// which is to be built again. What the first one writes is not a source, nor is what two
// have written, one after the other.
func (w *Watch) sortOut(first bool) {
	paths, err := w.files.differences()
	if err != nil {
		return // which is met again
	}
	for path, times := range w.written {
		if times < ownWrites && !slices.Contains(paths, path) {
			delete(w.written, path)
		}
	}
	for _, path := range paths {
		switch {
		case w.isSetting(path) || slices.Contains(w.events, path):
		case first || w.written[path] > 0:
			w.written[path] = ownWrites
			continue
		default:
			w.written[path]++
		}
		w.due, w.changed = true, append(w.changed, path)
	}
}

func sumOf(path string) (sum [sha256.Size]byte, err error) {
	file, err := os.Open(path)
	if err != nil {
		return sum, failure.Of(err)
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return sum, failure.Of(err)
	}
	hash.Sum(sum[:0])
	return sum, nil
}
