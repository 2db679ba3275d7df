package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"strconv"

	"fclocal/internal/customruntime"
	"fclocal/internal/process"
)

// However fclocal ends, nothing is left of instances with networks of their own.
func TestEndOfFclocalEndsNetworks(t *testing.T) {
	if err := process.MayOwnNetwork(); err != nil {
		t.Skip(err)
	}
	port, release, err := customruntime.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	own := strconv.Itoa(port)
	file := customProject(t, "", "[/code/main]", "[/code/main]\n        port: "+own, "PYTHONPATH: /code/lib", `INSIST: "`+own+`"`)
	for _, signal := range []os.Signal{os.Interrupt, os.Kill} {
		logs := t.TempDir()
		fclocal := exec.Command(os.Args[0])
		fclocal.Args = []string{"fclocal", "stream", "-t", file, "-n", "1000", "--rate", "20", "--event-time", "1s", "--no-cpu-limit", "--logs", logs,
			"--set", "instanceConcurrency=1", "--set", "CountBasedWindow=1"}
		fclocal.Env = append(os.Environ(), goEnvironment(t)...)
		if err := fclocal.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(func() bool { // the third one has been called
			log, _ := os.ReadFile(filepath.Join(logs, "instance-3.log"))
			return strings.Contains(string(log), "/invoke")
		})
		children := childrenOf(fclocal.Process.Pid)
		fclocal.Process.Signal(signal)
		fclocal.Wait()
		if len(children) < 6 { // each instance and what connects to it
			t.Errorf("%v: its children were %q", signal, children)
		}
		for _, pid := range children {
			awaitEnd(pid)
		}
	}
}
