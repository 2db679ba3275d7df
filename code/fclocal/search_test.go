package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fclocal/internal/failure"
	"fclocal/internal/result"
)

// trySearch runs plan on a copy of the project's s.yaml, in which some texts are others.
func trySearch(t *testing.T, oldnew []string, args ...string) (path, stdout, stderr string, err error) {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("..", "..", "s.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "s.yaml")
	if err := os.WriteFile(path, []byte(strings.NewReplacer(oldnew...).Replace(string(source))), 0o640); err != nil {
		t.Fatal(err)
	}
	command := newPlanCommand(&globalOptions{template: path})
	command.SilenceUsage, command.SilenceErrors = true, true
	var output, messages bytes.Buffer
	command.SetOut(&output)
	command.SetErr(&messages)
	command.SetArgs(append([]string{"--rate", "100", "--for", "1m", "--call-time", "30ms", "--event-time", "20ms"}, args...))
	err = command.ExecuteContext(context.Background())
	return path, output.String(), messages.String(), err
}

func TestSearch(t *testing.T) {
	picture, page := filepath.Join(t.TempDir(), "a.png"), filepath.Join(t.TempDir(), "a.html")
	path, output, _, err := trySearch(t, nil, "--goal", "p99<=2s,lag<=1000", "--vary", "CountBasedWindow=10,50,500", "--plot", picture, "--report", page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"--- " + path + "\n+++ " + path + "\n@@ -90,7 +90,7 @@\n",
		"\n-                CountBasedWindow: 10 # events, 1-10000\n+                CountBasedWindow: 50 # events, 1-10000\n",
		"\ntoday         10  ", "\ncheapest      50  ", "p99<=2s and lag<=1000 bind: CountBasedWindow 500 would cost ", "of 3 combinations of settings.\n",
	} {
		if !strings.Contains(output, want) {
			t.Errorf("%q is not in\n%s", want, output)
		}
	}
	content, err := os.ReadFile(page)
	if info, plotErr := os.Stat(picture); err != nil || plotErr != nil || info.Size() == 0 || !strings.Contains(string(content), "cheapest that keep p99&lt;=2s and lag&lt;=1000") || !strings.Contains(string(content), "Price against latency p99") {
		t.Error(err, plotErr)
	}
}

func TestSearchApplies(t *testing.T) {
	path, output, messages, err := trySearch(t, nil, "--goal", "p99<=2s", "--vary", "CountBasedWindow=10,50", "--set", "maximumTasks=2", "--apply", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var answer result.Search
	if err := json.Unmarshal([]byte(output), &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Best == nil || !answer.Best.Kept || !answer.Applied || answer.Best.Price >= answer.Today.Price || len(answer.Changes) != 2 || answer.Changes[0].To != "50" || answer.Changes[1].Name != "maximumTasks" {
		t.Errorf("%+v", answer.Changes)
	}
	content, _ := os.ReadFile(path)
	if text := string(content); !strings.Contains(text, "CountBasedWindow: 50 # events") || !strings.Contains(text, "maximumTasks: 2 # consumers") || messages != "fclocal: written to "+path+"\n" {
		t.Errorf("%s%s", messages, text)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o640 && info.Mode().Perm()&0o077 != 0o066 { // of Windows
		t.Error(info.Mode())
	}
	variable := []string{"CountBasedWindow: 10", "CountBasedWindow: ${vars.window}", "  vpcId: vpc-xxx\n", "  vpcId: vpc-xxx\n  window: 10\n"}
	path, _, _, err = trySearch(t, variable, "--goal", "p99<=2s", "--vary", "CountBasedWindow=10,50", "--apply")
	if want := path + " is left as it is: CountBasedWindow would have to be 50, and it comes from ${vars.window}, which others may use"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	_, output, _, err = trySearch(t, variable, "--goal", "p99<=2s", "--vary", "CountBasedWindow=10,50")
	if want := "To be changed by hand: CountBasedWindow to 50; it comes from ${vars.window}, which others may use.\n"; err != nil || !strings.HasPrefix(output, want) {
		t.Errorf("%v: %s", err, output)
	}
}

func TestSearchFindsNothing(t *testing.T) {
	_, output, _, err := trySearch(t, nil, "--goal", "p99<=20ms", "--vary", "CountBasedWindow=1,10", "--currency", "CNY")
	if err == nil || !failure.Is(err) || err.Error() != "no settings keep p99<=20ms" {
		t.Error(err)
	}
	for _, want := range []string{"\nnearest ", "p99<=20ms cannot be kept: the function itself takes 50 ms for a call of one event.\n", "Prices are Function Compute's alone: there is none of EventBridge in CNY.\n"} {
		if !strings.Contains(output, want) {
			t.Errorf("%q is not in\n%s", want, output)
		}
	}
}

func TestSearchMistakes(t *testing.T) {
	goal := []string{"--goal", "p99<=2s"}
	for _, test := range []struct {
		want string
		args []string
	}{
		{"--goal p99<2s: it must be p50, p95, p99, p99.9, max or mean, <= and a duration, like p99<=2s, or lag or lagEnd, <= and messages, like lag<=100000", []string{"--goal", "p99<2s"}},
		{"--vary is for --goal, which says what its settings are to keep", []string{"--vary", "cpu"}},
		{"--apply is for --goal, which finds what there is to write", []string{"--apply"}},
		{"--vary cpu needs --measure: times that are given are the same with any of it", append(goal, "--vary", "cpu")},
		{"concurrency is in --set and --vary: give it to one of them", append(goal, "--vary", "concurrency", "--set", "concurrency=5")},
		{"--set with several values is not for --goal: --vary NAME=VALUE,VALUE has it search among them", append(goal, "--set", "concurrency=5,6")},
		{"--sort and --goal exclude each other: the answer is one, the cheapest", append(goal, "--sort", "cost")},
		{"--fail-on and --goal exclude each other: the exit code is 1 if nothing keeps the goals", append(goal, "--fail-on", "crashes")},
	} {
		if _, _, _, err := trySearch(t, nil, test.args...); err == nil || failure.Is(err) || err.Error() != test.want {
			t.Errorf("%v: %v, want %s", test.args, err, test.want)
		}
	}
	if _, _, _, err := trySearch(t, nil, append(goal, "--vary", "CountBasedWindow=10,10001")...); err == nil || !strings.HasPrefix(err.Error(), "--vary CountBasedWindow=10001: ") {
		t.Error(err)
	}
	if path, _, _, err := trySearch(t, nil, append(goal, "--set", "cpu=")...); err == nil || err.Error() != path+" has no cpu, so that Function Compute's price is not known: write it there, or give --set cpu=VALUE" {
		t.Error(err)
	}
}
