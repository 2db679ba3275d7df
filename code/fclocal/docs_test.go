package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var updateDocs = flag.Bool("update-docs", false, "write the output that the documents show anew")

// What both documents show as a command is run, in their order and in one copy of the
// project, and what they show as its output is compared. It takes minutes: DOCS=1 asks
// for it.
//
// A block of sh has commands that must succeed; a block of text behind it is their
// output. A block of console has commands behind "$ " with their output. Above a
// block, <!-- file: NAME --> writes it to a file, <!-- times --> has fractions and
// numbers with units not compared, and <!-- measured --> no number. A line "…" stands for any lines, and "…" at the
// end of a line for the rest of it.
func TestDocs(t *testing.T) {
	if os.Getenv("DOCS") == "" {
		t.Skip("DOCS is not set")
	}
	project := t.TempDir()
	if err := os.CopyFS(project, os.DirFS("../..")); err != nil {
		t.Fatal(err)
	}
	tools := t.TempDir()
	if err := os.Symlink(os.Args[0], filepath.Join(tools, "fclocal")); err != nil {
		t.Fatal(err)
	}
	shell := append(os.Environ(), "PATH="+tools+":"+os.Getenv("PATH"), "GOBIN="+t.TempDir())
	for _, document := range []struct{ path, columns string }{
		{"README.md", "100"},
		{"code/fclocal/README.md", "120"},
	} {
		t.Run(document.path, func(t *testing.T) {
			original := filepath.Join("../..", document.path)
			content, err := os.ReadFile(original)
			if err != nil {
				t.Fatal(err)
			}
			d := docs{T: t, project: project, environment: append(slices.Clone(shell), "COLUMNS="+document.columns)}
			shown := d.run(string(content))
			for _, inline := range inlineCommand.FindAllStringSubmatch(block.ReplaceAllString(string(content), ""), -1) {
				if output, err := d.shell(inline[1]); err != nil {
					t.Errorf("%s: %v\n%s", inline[1], err, output)
				}
			}
			if *updateDocs {
				if err := os.WriteFile(original, []byte(shown), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

type docs struct {
	*testing.T
	project     string
	environment []string
	output      string // of the last block of sh
}

var block = regexp.MustCompile("(?ms)(?:^<!-- ([^>]*) -->\n)?^```(\\w*)\n(.*?)^```\n")

// inlineCommand is one in the text that can be run as it stands.
var inlineCommand = regexp.MustCompile("`(go -C [^`]+)`")

// run runs a document's blocks and returns it with the output that they have had.
func (d *docs) run(document string) string {
	return block.ReplaceAllStringFunc(document, func(whole string) string {
		parts := block.FindStringSubmatch(whole)
		marker, kind, body := parts[1], parts[2], parts[3]
		if name, isFile := strings.CutPrefix(marker, "file: "); isFile {
			if err := os.WriteFile(filepath.Join(d.project, name), []byte(body), 0o644); err != nil {
				d.Fatal(err)
			}
			return whole
		}
		shown := body
		switch kind {
		case "sh":
			d.output = ""
			for command := range strings.Lines(body) {
				if strings.HasPrefix(command, "go -C code test") {
					continue // this very test is a part of it; .ci/run runs it
				}
				output, err := d.shell(command)
				if err != nil {
					d.Errorf("%s%v\n%s", command, err, output)
				}
				d.output += output
			}
		case "text":
			shown = d.compare("the commands above", body, d.output, marker)
		case "console":
			shown = ""
			for _, part := range strings.Split("\n"+body, "\n$ ")[1:] {
				command, want, _ := strings.Cut(part, "\n")
				for strings.HasPrefix(want, "> ") { // the command goes on
					var more string
					more, want, _ = strings.Cut(want, "\n")
					command += "\n" + more
				}
				output, _ := d.shell(strings.ReplaceAll(command, "\n> ", "\n")) // a failure may be what is shown
				shown += "$ " + command + "\n" + d.compare(command, want, output, marker)
			}
		case "":
		default:
			return whole // of another language
		}
		return strings.Replace(whole, "\n"+body+"```\n", "\n"+shown+"```\n", 1)
	})
}

// longestCommand bounds what a document shows: calibrate takes minutes.
const longestCommand = 8 * time.Minute

func (d *docs) shell(command string) (output string, err error) {
	ctx, stop := context.WithTimeout(d.Context(), longestCommand)
	defer stop()
	shell := exec.CommandContext(ctx, "bash", "-c", command)
	shell.WaitDelay = time.Second // what it has started may hold the pipes
	shell.Dir, shell.Env = d.project, d.environment
	both, err := shell.CombinedOutput()
	if ctx.Err() != nil {
		d.Errorf("%s: it has not ended within %v", command, longestCommand)
	}
	output = string(both)
	if output != "" && !strings.HasSuffix(output, "\n") {
		output += "\n"
	}
	return output, err
}

// compare returns what is to be shown: what was, unless all of it is new.
func (d *docs) compare(command, want, got string, marker string) string {
	if want != "" && !strings.HasSuffix(want, "\n") {
		want += "\n"
	}
	if alike(strings.Split(masked(want, marker), "\n"), strings.Split(masked(got, marker), "\n")) {
		return want
	}
	if !*updateDocs {
		d.Errorf("%s\nhas the output\n%s\nand not\n%s", command, got, want)
	}
	return got
}

// alike compares lines. A wanted line "…" stands for any number of them.
func alike(want, got []string) bool {
	switch {
	case len(want) == 0:
		return len(got) == 0
	case want[0] == "…":
		for i := range len(got) + 1 {
			if alike(want[1:], got[i:]) {
				return true
			}
		}
		return false
	case len(got) == 0:
		return false
	}
	beginning, cut := strings.CutSuffix(want[0], "…")
	return (want[0] == got[0] || cut && strings.HasPrefix(got[0], beginning)) && alike(want[1:], got[1:])
}

// masks hide what differs from run to run: times, ids, and where things are.
var masks = []struct {
	pattern *regexp.Regexp
	by      string
}{
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`), "ID"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+Z (ID)`), "TIME $1"},
	{regexp.MustCompile(`main\.go:\d+`), "main.go:N"},
	{regexp.MustCompile(`(Duration|Used): [\d.]+ (ms|MB)`), "$1: N"},
	{regexp.MustCompile(`/\S*/fclocal-logs-\d+`), "LOGS"},
}

// markerMasks hide what is not the same on every machine, by a block's marker.
var markerMasks = map[string]*regexp.Regexp{
	"times":    regexp.MustCompile(`[-+]?\b\d[\d,]*(\.\d+\b( (µs|ms|s|min|h|KB|MB)\b)?| (µs|ms|s|min|h|KB|MB)\b| %)`),
	"measured": regexp.MustCompile(`[-+]?\b\d[\d.,]*\b( (µs|ms|s|min|h|KB|MB)\b)?|\b(yes|no)\b`),
}

var gaps = regexp.MustCompile(`[ ─]+`) // as wide as the figures beside them

func masked(text string, marker string) string {
	for _, mask := range masks {
		text = mask.pattern.ReplaceAllString(text, mask.by)
	}
	if mask := markerMasks[marker]; mask != nil {
		text = gaps.ReplaceAllString(mask.ReplaceAllString(text, "N"), " ")
	}
	return text
}

// What the documents promise of themselves.
func TestDocsForm(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(readme), "\n"); lines > 150 {
		t.Errorf("README.md has %d lines, want at most 150", lines)
	}
	manual, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, document := range map[string]struct {
		content        string
		tables, blocks int
	}{
		"README.md":              {string(readme), 100, 120},
		"code/fclocal/README.md": {string(manual), 120, 120},
	} {
		inBlock := false
		for i, line := range strings.Split(document.content, "\n") {
			if strings.HasPrefix(line, "```") {
				inBlock = !inBlock
				continue
			}
			columns := len([]rune(line))
			if inBlock && columns > document.blocks || strings.HasPrefix(line, "|") && columns > document.tables {
				t.Errorf("%s:%d: %d columns: %s", name, i+1, columns, line)
			}
			for _, link := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(line, -1) {
				if _, err := os.Stat(filepath.Join("../..", filepath.Dir(name), link[1])); err != nil {
					t.Error(fmt.Errorf("%s:%d: a link leads nowhere: %w", name, i+1, err))
				}
			}
		}
	}
}
