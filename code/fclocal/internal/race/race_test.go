package race

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const twoPlaces = `==================
WARNING: DATA RACE
Read at 0x00c000086d50 by goroutine 14:
  runtime.mapaccess1_faststr()
      /go/src/internal/runtime/maps/runtime_faststr.go:101 +0x0
  main.(*store).get()
      /code/b.go:13 +0x46

Previous write at 0x00c000086d50 by goroutine 13:
  main.put[go.shape.int]()
      /code/a b.go:7 +0x88

Goroutine 14 (running) created at:
  main.main()
      /code/b.go:20 +0x12
==================
`

const unknown = `==================
WARNING: DATA RACE
Atomic write at 0x00c000086d50 by goroutine 14:
  [failed to restore the stack]

Previous write at 0x00c000086d50 by main goroutine:
  [failed to restore the stack]
==================
`

// The same race is told once, wherever it was reported, and no report is told twice.
func TestRaces(t *testing.T) {
	directory := t.TempDir()
	d := In(directory)
	write := func(pid, text string) {
		if err := os.WriteFile(filepath.Join(directory, "race."+pid), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("1", twoPlaces+unknown+"Found 2 data race(s)\n")
	write("2", strings.ReplaceAll(twoPlaces, "0x00c", "0x00d"))
	races, err := d.Races()
	if err != nil || len(races) != 2 || races[0].Reports != 1 || races[1].Reports != 2 ||
		races[0].Where != "an unknown place" || races[1].Where != "main.(*store).get at /code/b.go:13 and main.put[go.shape.int] at /code/a b.go:7" {
		t.Errorf("%v %+v", err, races)
	}
	if want := strings.Trim(twoPlaces, "=\n"); strings.TrimSpace(races[1].Text) != want {
		t.Errorf("the report is\n%s\nwant\n%s", races[1].Text, want)
	}
	if races, err := d.Races(); err != nil || races != nil {
		t.Errorf("%v %+v", err, races)
	}
}

func TestVariables(t *testing.T) {
	d := In("/a b")
	for threads, want := range map[string]string{"1": "GOMAXPROCS=2", "5": "GOMAXPROCS=5", "x": ""} {
		variables := d.Variables(map[string]string{"GOMAXPROCS": threads, "GORACE": "halt_on_error=1"})
		if want != "" && !slices.Contains(variables, want) || !slices.Contains(variables, `GORACE=halt_on_error=1 log_path="`+filepath.Join("/a b", "race")+`"`) {
			t.Errorf("%s: %q", threads, variables)
		}
	}
}
