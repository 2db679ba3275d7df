package instance

import (
	"sync"
	"time"
)

// memoryInterval is how often the memory is looked at, of instances that are far
// from memorySize in one of farRounds only: that bounds the cost of many. What a
// process held in between is not missed: its peak is read, here and before a call
// succeeds.
const (
	memoryInterval = 20 * time.Millisecond
	farRounds      = 5
)

// watched are the instances whose memory is looked at. They are looked at together:
// to wake up for each takes several times as long as to look.
var watched struct {
	mu        sync.Mutex
	instances map[*Instance]bool // nil when nobody looks
}

// watch looks at an instance until it ends.
func watch(i *Instance) {
	watched.mu.Lock()
	defer watched.mu.Unlock()
	if watched.instances == nil {
		watched.instances = map[*Instance]bool{}
		go watchAll()
	}
	watched.instances[i] = true
}

func watchAll() {
	ticker := time.NewTicker(memoryInterval)
	defer ticker.Stop()
	for round := 0; lookAtAll(round%farRounds == 0); round++ {
		<-ticker.C
	}
}

// lookAtAll is false when there is none left to look at.
func lookAtAll(far bool) bool {
	watched.mu.Lock()
	defer watched.mu.Unlock()
	for i := range watched.instances {
		select {
		case <-i.ended:
			delete(watched.instances, i)
			continue
		default:
		}
		if i.isFrozen() { // it takes no more memory
			if far {
				i.tree.Check()
			}
			continue
		}
		isFar := i.peak.Load() < i.memorySize()/2 && i.tree.Alone()
		if (far || !isFar) && i.overMemory() {
			go i.kill(errOutOfMemory) // which may take long
		}
	}
	if len(watched.instances) == 0 {
		watched.instances = nil
	}
	return watched.instances != nil
}
