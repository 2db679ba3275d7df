package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The credentials of testdata/access.yaml, which the packages of s have stored.
var secrets = []string{"LTAI5tExampleKeyOfATest", "aSecretThatNobodyMaySee1234567", "aTokenThatNobodyMaySee"}

// withSecrets is a home in which s has stored credentials, with directories of its own
// for all that fclocal writes.
func withSecrets(t *testing.T) (home string, environment []string) {
	t.Helper()
	home = t.TempDir()
	access, err := os.ReadFile("testdata/access.yaml")
	if err == nil {
		err = os.MkdirAll(filepath.Join(home, ".s"), 0o755)
	}
	if err == nil {
		err = os.Mkdir(filepath.Join(home, "tmp"), 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(home, ".s", "access.yaml"), access, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return home, slices.Concat(os.Environ(), goEnvironment(t), []string{"HOME=" + home, "TMPDIR=" + filepath.Join(home, "tmp"), "XDG_CACHE_HOME=" + filepath.Join(home, "cache"), "DIR=" + home})
}

func secretIn(content []byte) string {
	for _, secret := range secrets {
		if bytes.Contains(content, []byte(secret)) {
			return secret
		}
	}
	return ""
}

// noneIn fails if a file in the directory, but for those that are passed in, or its
// name has a secret.
func noneIn(t *testing.T, directory string) {
	t.Helper()
	err := filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if found := secretIn(append(content, path...)); found != "" {
			t.Errorf("%s has %s in it", path, found)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// The function has the credentials, in its environment and in its context, and they
// are in no output, log, other file, and no command line. In the environment of
// processes they are in the function's alone.
func TestCredentials(t *testing.T) {
	home, environment := withSecrets(t)
	own := append(slices.Clone(environment), "ALIBABA_CLOUD_ACCESS_KEY_ID="+secrets[0], "ALIBABA_CLOUD_ACCESS_KEY_SECRET="+secrets[1], "ALIBABA_CLOUD_SECURITY_TOKEN="+secrets[2])
	hash := fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(secrets, " "))))
	none := fmt.Sprintf("%x", sha256.Sum256([]byte("  ")))
	all := fmt.Sprintf("[%q,%q]\n", hash, hash)
	messages := filepath.Join(home, "messages")
	if err := os.WriteFile(messages, []byte("1\n2\n3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	dead, logs := filepath.Join(home, "dead.jsonl"), filepath.Join(home, "logs")
	faulty, stream := []string{"-t", "testdata/faulty/s.yaml"}, []string{"-t", "testdata/redrive/s.yaml", "--logs", logs}
	for _, test := range []struct {
		environment []string
		args        []string
		stdout      string // "": not compared
	}{
		{environment, slices.Concat([]string{"invoke", "-e", `"credentials"`}, faulty, []string{"--access", "default"}), all},
		{own, slices.Concat([]string{"invoke", "-e", `"credentials"`}, faulty, []string{"--credentials", "env"}), all},
		{own, slices.Concat([]string{"invoke", "-e", `"credentials"`}, faulty), fmt.Sprintf("[%q,%q]\n", none, none)}, // not asked for
		{environment, slices.Concat([]string{"invoke", "-e", `"exit"`}, faulty, []string{"--access", "default"}), ""},
		{environment, slices.Concat([]string{"invoke", "-e", `"panic"`}, faulty, []string{"--access", "default"}), ""},
		{environment, slices.Concat([]string{"invoke", "-e", `"fine"`}, faulty, []string{"--access", "default", "--env", "START=exit"}), ""},
		{environment, slices.Concat([]string{"invoke", "--print", "--topic", "t", "--value", "v"}, faulty, []string{"--access", "default"}), ""},
		{environment, slices.Concat([]string{"invoke", "-e", `1`}, faulty, []string{"--access", "other"}), ""},
		{environment, slices.Concat([]string{"invoke", "-e", `1`}, faulty, []string{"--access", "broken"}), ""},
		{own, slices.Concat([]string{"invoke", "-e", `1`}, faulty, []string{"--credentials", "env", "--env", "FC_REGION=x"}), ""},
		{environment, slices.Concat([]string{"stream", "--messages", messages, "--retry-scale", "0", "--dead-letters", dead, "--access", "default"}, stream), ""},
		{environment, slices.Concat([]string{"stream", "--messages", messages, "--retry-scale", "0", "--json", "--access", "default"}, stream), ""},
		{environment, slices.Concat([]string{"redrive", dead, "--access", "default"}, stream), ""},
		{environment, slices.Concat([]string{"__complete", "invoke", "--access", ""}), "default\nbroken\nother\n:4\n"},
	} {
		command := exec.Command(os.Args[0])
		command.Args, command.Env = append([]string{"fclocal"}, test.args...), test.environment
		var stderr bytes.Buffer
		command.Stderr = &stderr
		stdout, _ := command.Output()
		if found := secretIn(slices.Concat(stdout, stderr.Bytes())); found != "" {
			t.Errorf("%q prints %s:\n%s%s", test.args, found, stdout, &stderr)
		}
		if test.stdout != "" && !slices.Equal(sortedLines(string(stdout)), sortedLines(test.stdout)) {
			t.Errorf("%q prints\n%s\nwant\n%s%s", test.args, stdout, test.stdout, &stderr)
		}
	}

	running := invokeCommand("testdata/faulty/s.yaml", `"hang"`, environment)
	running.Args = append(running.Args, "--access", "default")
	stderr, err := running.StderrPipe()
	if err == nil {
		err = running.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	pid := awaitPID(t, stderr)
	noneIn(t, home)
	processes, _ := filepath.Glob("/proc/[0-9]*")
	with := []string{}
	for _, process := range processes {
		line, _ := os.ReadFile(process + "/cmdline")
		if found := secretIn(line); found != "" {
			t.Errorf("the command line %q has %s in it", line, found)
		}
		if variables, _ := os.ReadFile(process + "/environ"); secretIn(variables) != "" {
			with = append(with, filepath.Base(process))
		}
	}
	if !slices.Equal(with, []string{pid}) {
		t.Errorf("the processes %q have credentials in their environment, want only the function, %s", with, pid)
	}
	running.Process.Kill()
	running.Wait()
	awaitEnd(pid)
	noneIn(t, home)
}

func sortedLines(text string) []string { return slices.Sorted(strings.Lines(text)) }
