package invocationapi

import (
	"bytes"
	"io"
	"sync"
	"time"

	"fclocal/internal/pool"
	"fclocal/internal/trigger"
)

// tailBytes is how much of a call's log goes back with the answer (documented).
const tailBytes = 4 << 10

// lineAtMost bounds what is kept of a line that does not end.
const lineAtMost = 64 << 10

// logTime bounds how long an answer waits for the end of its log: it comes another way.
const logTime = 200 * time.Millisecond

// logs are those of all instances.
type logs struct {
	directory string // or, if it is "":
	output    io.Writer

	mu         sync.Mutex
	ofInstance map[trigger.InstanceID]*instanceLog
}

// open makes an instance's log.
func (l *logs) open(id trigger.InstanceID) (io.WriteCloser, error) {
	log := l.of(id)
	if l.directory == "" {
		return log, nil
	}
	file, err := pool.LogsIn(l.directory)(id)
	if err == nil {
		log.file = file
	}
	return log, err
}

// of is an instance's log, from before it is opened.
func (l *logs) of(id trigger.InstanceID) *instanceLog {
	l.mu.Lock()
	defer l.mu.Unlock()
	log := l.ofInstance[id]
	if log == nil {
		log = &instanceLog{logs: l, id: id, calls: map[string]*callLog{}}
		l.ofInstance[id] = log
	}
	return log
}

// begin begins to keep a call's log; end returns the end of it, and waits a little for
// the line that ends it if it is wanted.
func (l *logs) begin(id trigger.InstanceID, requestID string) (end func(wanted bool) []byte) {
	log, call := l.of(id), &callLog{ended: make(chan struct{})}
	log.mu.Lock()
	log.calls[requestID] = call
	log.mu.Unlock()
	return func(wanted bool) []byte {
		if wanted {
			select {
			case <-call.ended:
			case <-time.After(logTime):
			}
		}
		log.mu.Lock()
		defer log.mu.Unlock()
		delete(log.calls, requestID)
		return call.tail
	}
}

// An instanceLog gives each call that is in flight its lines: those with its request ID,
// and if it is the only one, all.
type instanceLog struct {
	logs *logs
	id   trigger.InstanceID
	file io.WriteCloser

	mu    sync.Mutex
	line  []byte // that has not ended
	calls map[string]*callLog
}

type callLog struct {
	tail  []byte
	ended chan struct{}
}

// Write takes what the instance has written.
func (l *instanceLog) Write(text []byte) (int, error) {
	l.mu.Lock()
	l.line = append(l.line, text...)
	for {
		end := bytes.IndexByte(l.line, '\n')
		if end < 0 && len(l.line) > lineAtMost {
			end = len(l.line) - 1
		}
		if end < 0 {
			break
		}
		l.give(l.line[:end+1])
		l.line = l.line[end+1:]
	}
	l.mu.Unlock()
	if l.file != nil {
		return l.file.Write(text)
	}
	l.logs.mu.Lock() // one instance after the other
	defer l.logs.mu.Unlock()
	return l.logs.output.Write(text)
}

// give adds a line to the logs of its calls.
func (l *instanceLog) give(line []byte) {
	for requestID, call := range l.calls {
		its := bytes.Contains(line, []byte(requestID))
		if !its && len(l.calls) > 1 {
			continue
		}
		call.tail = append(call.tail, line...)
		call.tail = call.tail[max(0, len(call.tail)-tailBytes):]
		if its && bytes.Contains(line, []byte("FC Invoke End RequestId: ")) {
			select {
			case <-call.ended:
			default:
				close(call.ended)
			}
		}
	}
}

// Close closes what is below.
func (l *instanceLog) Close() error {
	l.logs.mu.Lock()
	delete(l.logs.ofInstance, l.id)
	l.logs.mu.Unlock()
	if l.file != nil {
		return l.file.Close()
	}
	return nil
}
