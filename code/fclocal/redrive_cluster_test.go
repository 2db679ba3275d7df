//go:build unix

package main

import (
	"fmt"
	"testing"
)

// On a real cluster, with a kill while letters are taken and one while they are delivered.
func TestClusterRedrive(t *testing.T) {
	const letters = 400
	ways := make([]string, letters)
	ways[7], ways[letters-1] = "fail", "wait"
	r := newRedrivenTopic(t, realCluster(t), ways...)
	transaction(t, r.topic[3], 5, aborted)
	one := append(r.topic, "--set", "CountBasedWindow=1", "--set", "concurrency=4")
	for _, ready := range []func() bool{
		func() bool { return r.isThere("dead.jsonl") && len(r.left()) > 0 },
		func() bool { return r.isThere("waiting") },
	} {
		command, _ := r.command(one...)
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(ready)
		command.Process.Kill()
		command.Wait()
	}
	r.make("go")
	total, stderr, code := r.run(one...)
	if code != exitFailed || total.Failed != 1 || total.Untried != 0 || total.Taken != 0 {
		t.Errorf("exit code %d, %+v\n%s", code, total, stderr)
	}
	r.checkLeft("7")
	got := r.got()
	again := 0
	for id := range letters {
		if id != 7 {
			again += got[fmt.Sprint(id)] - 1
		}
		if got[fmt.Sprint(id)] == 0 {
			t.Errorf("letter %d is lost", id)
		}
	}
	if again > 2*4 {
		t.Errorf("%d letters came again after two kills of 4 calls each", again)
	}
}
