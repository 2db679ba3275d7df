package watch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"fclocal/internal/build"
	"fclocal/internal/config"
	"fclocal/internal/failure"
)

func write(t *testing.T, path, content string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, []byte(content), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// What counts is noticed however it is saved, and nothing else: each step ends with a
// change that is reported, and no other one may be.
func TestChangedFiles(t *testing.T) {
	directory := t.TempDir()
	at := func(name string) string { return filepath.Join(directory, name) }
	write(t, at("go/main.go"), "1")
	write(t, at("go/other/go.mod"), "a module of its own")
	write(t, at("s.yaml"), "1")
	write(t, at("elsewhere/event.json"), "1")
	if err := os.Symlink(at("elsewhere/event.json"), at("event.json")); err != nil {
		t.Skip(err)
	}
	w := &Watch{}
	f, err := newFiles()
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	trees := []tree{{at("go"), isGo, func(directory string) bool {
		_, err := os.Stat(filepath.Join(directory, "go.mod"))
		return err == nil
	}}, {at("all"), w.isSource, func(string) bool { return false }}}
	if err := f.watch([]string{at("s.yaml"), at("event.json")}, trees); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		does string
		do   func()
		want []string
	}{
		{"writing it", func() { write(t, at("go/main.go"), "2") }, []string{"go/main.go"}},
		{"as it was, then another one", func() {
			write(t, at("go/main.go"), "2")
			write(t, at("s.yaml"), "2")
		}, []string{"s.yaml"}},
		{"replacing it", func() {
			write(t, at("go/main.go~"), "3")
			rename(t, at("go/main.go~"), at("go/main.go"))
		}, []string{"go/main.go"}},
		{"moving it away first, as some editors do", func() {
			rename(t, at("go/main.go"), at("go/backup"))
			write(t, at("go/main.go"), "4")
		}, []string{"go/main.go"}},
		{"what is not built, and then something that is", func() {
			write(t, at("go/.main.go.swp"), "1")
			write(t, at("go/main_test.go"), "1")
			write(t, at("go/README.md"), "1")
			write(t, at("go/.git/config.go"), "1")
			write(t, at("go/other/main.go"), "1")
			write(t, at("notes"), "1")
			write(t, at("go/go.mod"), "1")
		}, []string{"go/go.mod"}},
		{"a new directory in a new one", func() { write(t, at("go/a/b/b.go"), "1") }, []string{"go/a/b/b.go"}},
		{"and there", func() { write(t, at("go/a/b/b.go"), "2") }, []string{"go/a/b/b.go"}},
		{"moving a directory", func() { rename(t, at("go/a"), at("go/c")) }, []string{"go/a/b/b.go", "go/c/b/b.go"}},
		{"removing one", func() { os.RemoveAll(at("go/c")) }, []string{"go/c/b/b.go"}},
		{"where a link leads", func() { write(t, at("elsewhere/event.json"), "2") }, []string{"event.json"}},
		{"a whole tree that comes", func() { write(t, at("all/x"), "1") }, []string{"all/x"}},
		{"what an editor keeps there, and what is installed", func() {
			write(t, at("all/4913"), "")
			write(t, at("all/x~"), "1")
			write(t, at("all/node_modules/m/m.js"), "1")
			write(t, at("all/y"), "1")
		}, []string{"all/y"}},
	} {
		step.do()
		paths, err := f.changed(t.Context())
		if err != nil {
			t.Fatal(step.does, err)
		}
		for i, path := range paths {
			paths[i], _ = filepath.Rel(directory, path)
			paths[i] = filepath.ToSlash(paths[i])
		}
		if !slices.Equal(paths, step.want) {
			t.Errorf("%s: %q have changed, want %q", step.does, paths, step.want)
		}
	}
}

// A project is watched whose builds do what the test says.
type watched struct {
	*testing.T
	*Watch
	directory string
	builds    int
	build     func() error
	said      []string
}

func watchProject(t *testing.T, actions bool) *watched {
	t.Helper()
	w := &watched{T: t, directory: t.TempDir(), build: func() error { return nil }}
	project := &config.Project{File: w.at("s.yaml"), Dir: w.directory, Function: config.Function{Runtime: "custom", CodeURI: "code", MemorySize: 128}, Trigger: &config.Trigger{}, Read: []string{w.at("base.yaml")}}
	if actions {
		project.Build = []config.Action{{Run: "make", Path: w.at("code")}}
	}
	w.write("s.yaml", "128")
	w.write("event.json", "")
	w.write("code/app.js", "")
	w.write("program", "")
	var err error
	w.Watch, err = New(t.Context(), Options{
		Project: project,
		Load: func() (*config.Project, error) {
			content, err := os.ReadFile(project.File)
			next := *project
			if _, invalid := fmt.Sscan(string(content), &next.Function.MemorySize); invalid != nil {
				w.write("event.json", "after a mistake")
				return nil, fmt.Errorf("s.yaml: 1 error")
			}
			return &next, err
		},
		Build: func(context.Context, *config.Project) (build.Binary, error) {
			w.builds++
			return build.Binary{Path: w.at("program"), Release: func() {}}, w.build()
		},
		Events: []string{w.at("event.json")},
		Stream: true,
		Say:    func(what string) { w.said = append(w.said, what) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func (w *watched) at(name string) string      { return filepath.Join(w.directory, name) }
func (w *watched) write(name, content string) { write(w.T, w.at(name), content) }
func (w *watched) saidSince() (said string) {
	said, w.said = strings.Join(w.said, "\n"), nil
	return said
}
func (w *watched) next(unusable error) (c Change) {
	w.Helper()
	c, err := w.Next(w.T.Context(), unusable)
	if err != nil {
		w.Fatal(err)
	}
	return c
}

func TestNext(t *testing.T) {
	w := watchProject(t, false)
	if c := w.next(nil); c.Version != 1 || c.Program == nil {
		t.Errorf("at first: %+v", c)
	}
	w.write("event.json", "2")
	if c := w.next(nil); c.Version != 1 || c.Program != nil {
		t.Errorf("after event.json: %+v", c)
	}
	w.write("code/app.js", "2")
	if c := w.next(nil); c.Version != 2 || c.Program == nil {
		t.Errorf("after app.js: %+v", c)
	}

	// Settings wait for a function that builds, as with s deploy.
	w.build = func() error {
		w.write("s.yaml", "256")
		w.build = func() error {
			w.write("code/app.js", "4")
			w.build = func() error { return nil }
			return failure.New("it still does not build")
		}
		return failure.New("it does not build")
	}
	w.write("code/app.js", "3")
	w.saidSince()
	if c := w.next(nil); c.Version != 3 || c.Program == nil || c.Project.Function.MemorySize != 256 {
		t.Errorf("after two failures: %+v", c)
	}
	want := `code/app.js has changed
building
it does not build; version 2 goes on
s.yaml has changed
memorySize is 256 MB, and was 128 MB
building
it still does not build; version 2 goes on
code/app.js has changed
building
built in 0.0 s`
	if said := w.saidSince(); said != want {
		t.Errorf("said\n%s\nwant\n%s", said, want)
	}

	// What cannot be used is built again with the next change.
	w.write("event.json", "3")
	if c := w.next(errors.New("it does not start")); c.Version != 3 || c.Program == nil {
		t.Errorf("after one that does not start: %+v", c)
	}
	if said := w.saidSince(); !strings.HasPrefix(said, "it does not start; version 2 goes on\nevent.json has changed\nbuilding\n") {
		t.Errorf("said %q", said)
	}

	// Settings with a mistake leave those before.
	w.write("s.yaml", "much")
	if c := w.next(nil); c.Version != 3 || c.Program != nil || c.Project.Function.MemorySize != 256 {
		t.Errorf("after a mistake: %+v", c)
	}
	if said, want := w.saidSince(), "s.yaml has changed\ns.yaml: 1 error; the settings before go on\nevent.json has changed"; said != want {
		t.Errorf("said %q", said)
	}

	// What s.yaml takes values from counts as it does.
	w.build = func() error { return errors.New("it is built") }
	w.write("base.yaml", "")
	w.write("s.yaml", "256")
	w.write("event.json", "5")
	w.next(nil)
	if said, want := w.saidSince(), "base.yaml and 2 other files have changed\nall settings are as before"; said != want {
		t.Errorf("said %q", said)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Next(ctx, nil); err == nil || err.Error() != "interrupted" || !failure.Is(err) {
		t.Errorf("interrupted: %v", err)
	}
}

// A build by actions may write into what it is built from: that is no change, be it new
// each time. What is saved during a build is.
func TestActionsWrite(t *testing.T) {
	w := watchProject(t, true)
	w.build = func() error {
		w.write("code/first.js", fmt.Sprint(w.builds))
		return nil
	}
	w.next(nil)
	w.build = func() error {
		w.write("code/first.js", fmt.Sprint(w.builds))
		w.write("code/later.js", fmt.Sprint(w.builds)) // which the first one has not written
		if w.builds == 2 {
			w.write("code/app.js", "3")
			w.write("s.yaml", "256")
		}
		return nil
	}
	w.write("code/app.js", "2")
	for version := 2; version <= 3; version++ { // the second for what came during the build
		if c := w.next(nil); c.Version != version || c.Project.Function.MemorySize != 128*(version-1) {
			t.Errorf("version %d of %d MB, want %d", c.Version, c.Project.Function.MemorySize, version)
		}
	}
	w.write("event.json", "2")
	if c := w.next(nil); c.Program != nil || w.builds != 3 {
		t.Errorf("%d builds, %+v", w.builds, c)
	}
}

func TestKeptSettings(t *testing.T) {
	before := &config.Project{Region: "cn-shanghai", Trigger: &config.Trigger{Concurrency: 1, MaximumTasks: 1, Kafka: config.Kafka{Topic: "a"}}}
	after := &config.Project{Region: "cn-beijing", Trigger: &config.Trigger{Concurrency: 2, MaximumTasks: 2, Kafka: config.Kafka{Topic: "b"}}, Function: config.Function{Name: "f"}}
	if got, want := kept(before, after), []string{"maximumTasks", "Topic", "region", "the function's name"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := kept(before, &config.Project{}), []string{"the trigger"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := describe(before, after), "maximumTasks is 2, and was 1; concurrency is 2, and was 1; Topic is another"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	same := *before
	same.Function.EnvironmentVariables = map[string]string{"PASSWORD": "secret"}
	if got, want := describe(before, &same), "environmentVariables are others"; got != want || !functionDiffers(before, &same) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestLimits(t *testing.T) {
	for err, want := range map[error]string{
		syscall.ENOSPC: "fs.inotify.max_user_watches",
		syscall.EMFILE: "fs.inotify.max_user_instances",
	} {
		if got := explain(os.NewSyscallError("inotify", err)); !strings.Contains(got.Error(), want) || !failure.Is(got) {
			t.Errorf("%v: %v", err, got)
		}
	}
}
