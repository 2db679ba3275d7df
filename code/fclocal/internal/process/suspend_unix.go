//go:build unix

package process

import (
	"maps"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
)

// controlled are the trees that there are: Ctrl-Z is for them, too, which are in
// groups of their own. They would run on without their limit.
var controlled struct {
	mu      sync.Mutex
	trees   map[*Tree]bool
	suspend chan os.Signal
}

// remember lets Ctrl-Z stop the tree, too, until it is forgotten.
func remember(t *Tree) {
	c := &controlled
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.trees) == 0 {
		c.trees, c.suspend = map[*Tree]bool{}, make(chan os.Signal, 1)
		signal.Notify(c.suspend, syscall.SIGTSTP)
		go suspendWithTrees(c.suspend)
	}
	c.trees[t] = true
}

func forget(t *Tree) {
	c := &controlled
	c.mu.Lock()
	defer c.mu.Unlock()
	if delete(c.trees, t); len(c.trees) == 0 && c.suspend != nil {
		signal.Stop(c.suspend)
		close(c.suspend)
		c.suspend = nil
	}
}

// suspendWithTrees does what Ctrl-Z does to a program that does not catch it, after
// it has stopped the trees.
func suspendWithTrees(suspend <-chan os.Signal) {
	for range suspend {
		if os.Getpid() == 1 {
			continue // of a container: nobody can stop it
		}
		goOn := make(chan os.Signal, 1)
		signal.Notify(goOn, syscall.SIGCONT)
		holdAll(true)
		syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		<-goOn
		signal.Stop(goOn)
		holdAll(false)
	}
}

func holdAll(held bool) {
	controlled.mu.Lock()
	trees := slices.Collect(maps.Keys(controlled.trees))
	controlled.mu.Unlock()
	for _, t := range trees {
		t.hold(held)
	}
}
