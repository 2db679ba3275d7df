// Package instance runs a function's process as a Function Compute instance:
// calls and hooks go in through the runtime API, it is frozen in between, and cpu,
// memorySize, timeout and the end of the process are enforced as FC does.
package instance

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"fclocal/internal/config"
	"fclocal/internal/customruntime"
	"fclocal/internal/debugger"
	"fclocal/internal/process"
	"fclocal/internal/race"
	"fclocal/internal/runtimeapi"
)

// Error types that Function Compute itself gives a failed call; any other type
// is the name of the Go type that the function returned or panicked with.
const (
	TypeTimeout    = "FunctionTimeoutError"     // documented
	TypeMemory     = "FunctionOOMError"         // documented
	TypeExit       = "UnhandledInvocationError" // documented for the X-Fc-Error-Type header
	TypeNotStarted = "FunctionNotStarted"       // documented, for a custom runtime
	TypeInit       = "InitializationError"      // documented
	TypeTooLarge   = "ResponseTooLargeError"    // inferred
	TypeUnknown    = "Unknown"                  // inferred: the function's error has no type
)

// A Spec is what an instance is started from.
type Spec struct {
	Project *config.Project
	Binary  string // the function's program
	Args    []string
	Version int    // tells programs apart that lie in the same place, one after the other
	CodeDir string // working directory, and FC_FUNC_CODE_PATH
	ID      string // FC_INSTANCE_ID
	Logs    io.Writer
	Cores   float64 // of this machine that it may use; 0: no limit

	// Debugger, if not nil, runs the process. Nothing ends or stops it then: neither
	// timeouts nor memorySize and cpu, and it is not frozen.
	Debugger *debugger.Debugger

	// Race, if not nil, is told of data races by the program, which has Go's race detector.
	// That takes several times the memory, so memorySize does not end the process.
	Race *race.Detector
}

// debugged is the Spec with what goes with a debugger.
func (s Spec) debugged() Spec {
	s.Binary, s.Args = s.Debugger.Command(s.Binary, s.Args)
	s.Cores = 0
	patient := *s.Project
	f := &patient.Function
	for _, timeout := range []*int{&f.Timeout, &f.InitializationTimeout, &f.PreFreeze.Timeout, &f.PreStop.Timeout} {
		*timeout = int(debugger.Patience.Seconds())
	}
	s.Project = &patient
	return s
}

// An Instance is one process of the function. It must be stopped.
type Instance struct {
	spec    Spec
	link    link
	started time.Time
	pid     int
	tree    *process.Tree
	written tail
	exit    string        // how the process has ended; set before finish
	peak    atomic.Int64  // bytes
	used    time.Duration // CPU time; set before exited is closed

	life         life
	initializing atomic.Bool   // its initializer has been called
	begun        chan struct{} // closed when it takes calls
	init         time.Duration // from its start until then

	endOnce sync.Once
	end     error         // why it was ended, nil for the process's own end; set before ended is closed
	ended   chan struct{} // closed when it takes no more calls
	exited  chan struct{} // closed when the process is gone
}

var errOutOfMemory = errors.New("out of memory")

// Start starts the process. An error is one of the program file: it is not
// there, or cannot run on this machine.
func (h *Host) Start(spec Spec) (*Instance, error) {
	i, err := h.start(spec)
	if err == nil {
		go i.prepare()
	}
	return i, err
}

func (h *Host) start(spec Spec) (*Instance, error) {
	for name, value := range spec.Project.Function.EnvironmentVariables {
		if strings.ContainsRune(name+value, 0) {
			return nil, fmt.Errorf("the function does not start: environmentVariables %q holds a NUL character, which no process can be given", name)
		}
	}
	if h.server == nil { // it marks the process, and must be no other's
		spec.ID += "-" + rand.Text()[:8]
	}
	if spec.Debugger != nil {
		spec = spec.debugged()
	}
	i := &Instance{
		spec:   spec,
		begun:  make(chan struct{}),
		ended:  make(chan struct{}),
		exited: make(chan struct{}),
	}
	command := exec.Command(spec.Binary, spec.Args...)
	command.Dir = spec.CodeDir
	output := i.written.beside(spec.Logs)
	command.Stdout, command.Stderr = output, output
	command.WaitDelay = time.Second // for the logs, when something of the function's cannot be killed
	process.OwnGroup(command)
	process.EndWithUs(command)
	var err error
	if i.link, err = h.newLink(i, command); err != nil {
		return nil, fmt.Errorf("the function does not start: %w", err)
	}
	command.Env = append(environment(spec, i.link.variables), command.Env...)

	started := make(chan error)
	go func() {
		// Linux ends the process with the thread that started it, so that thread stays.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		i.started = time.Now()
		err := command.Start()
		if err == nil {
			i.pid = command.Process.Pid
			i.tree = process.NewTree(i.pid, i.link.mark)
			if spec.Cores > 0 {
				i.tree.Limit(spec.Cores) // from its first moment: FC counts the start, too
			}
		}
		i.life.begin(func() { i.rest(context.Background()) })
		started <- err
		if err == nil {
			state, _ := command.Process.Wait()
			i.tree.KillRest() // first: it may hold the logs open
			command.Wait()    // for the logs
			i.used, _ = i.tree.CPUTime()
			i.used = max(i.used, state.UserTime()+state.SystemTime())
			i.exit = state.String()
			i.finish(nil)
			i.link.Close()
			i.link.release()
			close(i.exited)
		}
	}()
	if err := <-started; err != nil {
		i.link.Close()
		i.link.release()
		return nil, fmt.Errorf("the function does not start on %s/%s: %w%s", runtime.GOOS, runtime.GOARCH, err, whyNotStarted(spec.Binary, err))
	}
	i.link.begin()
	watch(i)
	if spec.Debugger != nil {
		i.tree.Keep() // Delve has a child, which its end does not end
		go spec.Debugger.Announce(i.ended)
	}
	return i, nil
}

// whyNotStarted tells what the system's words do not say of a program that is there and
// cannot be started, a custom runtime's script above all.
func whyNotStarted(program string, err error) string {
	if errors.Is(err, syscall.ENOEXEC) {
		return "; it is neither a program for this system nor a script, which begins with #! and its interpreter"
	}
	file, openErr := os.Open(program)
	if !errors.Is(err, os.ErrNotExist) || openErr != nil {
		return ""
	}
	defer file.Close()
	begin := make([]byte, 128)
	n, _ := io.ReadFull(file, begin)
	line, _, _ := strings.Cut(string(begin[:n]), "\n")
	interpreter, script := strings.CutPrefix(line, "#!")
	if !script {
		return "; what is missing is what it was linked with: link it statically, say with CGO_ENABLED=0"
	}
	if strings.HasSuffix(line, "\r") {
		return fmt.Sprintf("; what is missing is the interpreter of its first line, %q: end its lines as Unix does, on FC too", interpreter)
	}
	return fmt.Sprintf("; what is missing is the interpreter of its first line, %q", interpreter)
}

// prepare gets the instance ready for its first call.
func (i *Instance) prepare() {
	defer i.leave()
	select {
	case <-i.link.Ready():
	case <-i.ended:
		return
	}
	if i.spec.Project.Function.Initializer != "" {
		i.initializing.Store(true)
		if run := i.hook(context.Background(), initializer(i.spec.Project)); run.Error != "" {
			i.kill(initializationError(run.Error))
			return
		}
	}
	if i.link.healthy(context.Background()) != nil { // which has ended it
		return
	}
	i.init = time.Since(i.started)
	close(i.begun)
}

// An initializationError is what the initializer failed with.
type initializationError string

func (e initializationError) Error() string { return string(e) }

// finish ends the instance, for the reason given.
func (i *Instance) finish(reason error) {
	i.endOnce.Do(func() {
		i.end = reason
		close(i.ended)
	})
}

// Stop kills the process and all that it started, and waits for its end.
func (i *Instance) Stop() {
	i.kill(runtimeapi.ErrClosed)
	<-i.exited
}

// kill fails the calls in flight when the processes are gone: else they would log
// that their server is.
func (i *Instance) kill(reason error) {
	i.finish(reason)
	i.tree.Kill()
	i.link.Close()
}

// Ready is closed when the instance can take its first call: its initializer, if it has
// one, has succeeded.
func (i *Instance) Ready() <-chan struct{} { return i.begun }

// Ended is closed when the instance takes no more calls.
func (i *Instance) Ended() <-chan struct{} { return i.ended }

// Failure is why an instance has ended, nil if it was stopped. It is to be
// called after Ended is closed.
func (i *Instance) Failure() *FunctionError {
	if i.end == runtimeapi.ErrClosed {
		return nil
	}
	return i.failure(time.Since(i.started))
}

// checkMemory reads the peak and ends an instance that went over memorySize.
func (i *Instance) checkMemory() {
	if i.overMemory() {
		i.kill(errOutOfMemory)
	}
}

func (i *Instance) overMemory() bool {
	if i.spec.Debugger != nil || i.spec.Race != nil { // which take more than the function
		return false
	}
	peak, ok := i.tree.Memory(i.memorySize())
	if ok {
		i.peak.Store(max(peak, i.peak.Load()))
	}
	return ok && peak > i.memorySize()
}

func (i *Instance) memorySize() int64 { return int64(i.spec.Project.Function.MemorySize) << 20 }

// A Result is what became of one call.
type Result struct {
	Payload  []byte         // the function's answer
	Error    *FunctionError // nil for success
	Duration time.Duration  // from handing the call over to the answer
	Init     time.Duration  // from starting the process to its being ready for a first call
	Waited   time.Duration  // until it was ready for this one
}

// A Call is what an instance is called with.
type Call struct {
	RequestID string
	Payload   []byte
	Hold      time.Duration // for how long the call lasts when the function has answered, within its timeout

	// Unreached ends the call, without an answer, where it would reach the function.
	Unreached bool
}

// Invoke makes one call. Calls may be made side by side; a timeout, too much
// memory or the process's end fails all that are in flight. The error is ctx's, or that the instance has ended
// while the call was held.
func (i *Instance) Invoke(ctx context.Context, call Call) (Result, error) {
	called := time.Now()
	if err := i.enter(ctx); err != nil {
		return Result{}, err
	}
	defer i.leave()
	timeout := time.Duration(i.spec.Project.Function.Timeout) * time.Second
	var result Result
	select {
	case <-i.link.Ready():
	case <-i.ended:
	case <-i.startLimit():
		i.kill(context.DeadlineExceeded)
		result.Duration = time.Since(i.started)
		result.Error = i.failure(result.Duration)
		return result, nil
	case <-ctx.Done():
		return result, ctx.Err()
	}
	select {
	case <-i.begun:
		result.Init = i.init
	case <-i.ended:
		result.Error = i.failure(time.Since(i.started))
		return result, nil
	case <-ctx.Done():
		return result, ctx.Err()
	}

	if call.Unreached {
		return result, nil
	}

	begin := time.Now()
	result.Waited = begin.Sub(called)
	callContext, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answer, err := i.link.Invoke(callContext, runtimeapi.Call{RequestID: call.RequestID, Deadline: begin.Add(timeout), Payload: call.Payload})
	result.Duration = time.Since(begin)
	i.checkMemory()
	select {
	case <-i.ended: // be it after the answer: over memorySize is over
		if err == nil && i.end != errOutOfMemory {
			break
		}
		result.Error = i.failure(result.Duration)
		return result, nil
	default:
	}
	switch {
	case ctx.Err() != nil:
		return result, ctx.Err()
	case err != nil:
		i.kill(context.DeadlineExceeded)
		result.Error = i.failure(result.Duration)
	case answer.TooLarge:
		result.Error = functionError(TypeTooLarge, "The function's answer has more than %d bytes (32 MB)", runtimeapi.AnswerLimit)
	default:
		switch err := i.hold(callContext, call.Hold); {
		case ctx.Err() == nil && callContext.Err() != nil:
			i.kill(context.DeadlineExceeded)
			result.Error = i.failure(time.Since(begin))
		case err != nil:
			return result, err
		case answer.Failed:
			result.Error = reported(answer.Body)
		default:
			result.Payload = answer.Body
		}
	}
	return result, nil
}

// startLimit ends when the process should long have been ready.
func (i *Instance) startLimit() <-chan time.Time {
	if i.link.limit == 0 {
		return nil
	}
	return time.After(i.link.limit)
}

// hold lets a call last longer. It ends with the instance.
func (i *Instance) hold(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-i.ended:
		return runtimeapi.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// failure is the error of a call that the instance's end has failed.
func (i *Instance) failure(duration time.Duration) *FunctionError {
	never := false
	select {
	case <-i.begun:
	default:
		never = true
	}
	e := i.reason(duration, never)
	e.NeverReady = never
	return e
}

func (i *Instance) reason(duration time.Duration, never bool) *FunctionError {
	var failed initializationError
	var down *customruntime.DownError
	switch {
	case errors.As(i.end, &failed):
		return functionError(TypeInit, "%s", string(failed))
	case i.end == nil && never && i.initializing.Load():
		return functionError(TypeInit, "the initializer ended the process (%s); %s", i.exit, i.written.said())
	case errors.As(i.end, &down):
		return functionError(TypeNotStarted, "%v; %s", down, i.written.said())
	case i.end == errOutOfMemory:
		// The type is documented, the text is not.
		return functionError(TypeMemory, "Function out of memory: %s used of memorySize %d MB", i.memoryUsage(), i.spec.Project.Function.MemorySize)
	case i.end == context.DeadlineExceeded:
		// The type is documented, the text is as FC shows it.
		text := fmt.Sprintf("Function timed out after %d seconds (maxMemoryUsage: %s)", i.spec.Project.Function.Timeout, i.memoryUsage())
		if never {
			text += ": it never asked for a call; " + i.written.said()
		}
		return functionError(TypeTimeout, "%s", text)
	case never && i.spec.Project.Function.IsCustom():
		return functionError(TypeNotStarted, "Function instance exited unexpectedly (%s); %s", i.exit, i.written.said())
	case never:
		return functionError(TypeExit, "Process exited unexpectedly before completing request (%s); %s", i.exit, i.written.said())
	default:
		// Documented, but for the type, which FC gives in the header only.
		return functionError(TypeExit, "Process exited unexpectedly before completing request (duration: %dms, maxMemoryUsage: %s)",
			duration.Milliseconds(), i.memoryUsage())
	}
}

func (i *Instance) memoryUsage() string {
	return strconv.FormatFloat(float64(i.peak.Load())/(1<<20), 'f', 2, 64) + "MB"
}

// PeakMemory is the most memory that the process has held, or it and what it has
// started together, in bytes; 0 where it cannot be read (only Linux tells).
func (i *Instance) PeakMemory() int64 { return i.peak.Load() }

// CPUTime is the CPU time that it and what it has started have taken so far. It is
// false where that cannot be read (only Linux tells), and when the process is gone.
func (i *Instance) CPUTime() (time.Duration, bool) {
	select {
	case <-i.exited: // its number may be another process's by now
		return 0, false
	default:
		return i.tree.CPUTime()
	}
}

// CPUUsed is all the CPU time that it has taken, when it is stopped.
func (i *Instance) CPUUsed() time.Duration { return i.used }

// OwnCPUTime is [Instance.CPUTime] for this program itself.
func OwnCPUTime() (time.Duration, bool) { return process.CPUTime(os.Getpid()) }

// header is what goes with every call, of both kinds of runtimes. FC 3.0 has no
// services.
func header(p *config.Project) http.Header {
	header := http.Header{}
	for name, value := range map[string]string{
		"x-fc-function-timeout":   strconv.Itoa(p.Function.Timeout),
		"x-fc-function-name":      p.Function.Name,
		"x-fc-function-handler":   p.Function.Handler,
		"x-fc-function-memory":    strconv.Itoa(p.Function.MemorySize),
		"x-fc-service-name":       p.Service.Name,
		"x-fc-service-logproject": p.Service.LogProject,
		"x-fc-service-logstore":   p.Service.Logstore,
		"x-fc-region":             p.Region,
		"x-fc-account-id":         p.Service.AccountID(),
		"x-fc-qualifier":          qualifier(p),
		"x-fc-version-id":         qualifier(p),
	} {
		if value != "" || !strings.HasPrefix(name, "x-fc-service-") {
			header.Set(name, value)
		}
	}
	for name, value := range map[string]config.Secret{
		"x-fc-access-key-id":     p.Credentials.AccessKeyID,
		"x-fc-access-key-secret": p.Credentials.AccessKeySecret,
		"x-fc-security-token":    p.Credentials.SecurityToken,
	} {
		if value != "" || p.Function.IsCustom() { // which finds them there, too, as they are
			header.Set(name, string(value))
		}
	}
	return header
}
