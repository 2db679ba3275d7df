package process

import (
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// keeperVariable makes a keeper of fclocal.
const keeperVariable = "FCLOCAL_KEEPER"

// A keeper is a second fclocal that waits for the end of the first one. The kernel
// ends a function with fclocal, also after kill -9, but not what the function has
// started; the keeper does, by its environment. It is started when a function is
// seen to have a child: most have none.
var keeper struct {
	mu    sync.Mutex
	tried bool
	pipe  *os.File // closed by the system when fclocal is gone, however it ends
	marks map[string]bool
}

// keep tells the keeper of a mark.
func keep(mark string) {
	keeper.mu.Lock()
	defer keeper.mu.Unlock()
	if !keeper.tried {
		keeper.tried, keeper.marks = true, map[string]bool{mark: true}
		keeper.pipe = startKeeper(mark)
	}
	if keeper.pipe != nil && !keeper.marks[mark] {
		keeper.marks[mark] = true
		keeper.pipe.WriteString(mark + "\n")
	}
}

// startKeeper returns nil if there is none: only kill -9 makes a difference then.
// The pipe holds the mark before there is a keeper, so that fclocal may end at any
// time from then on.
func startKeeper(mark string) *os.File {
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil
	}
	writer.WriteString(mark + "\n")
	defer reader.Close()
	command := exec.Command("/proc/self/exe")
	command.Env = []string{keeperVariable + "=1"}
	command.Stdin = reader
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // what is sent to fclocal's group or terminal is not for it
	if err := command.Start(); err != nil {
		writer.Close()
		return nil
	}
	go command.Wait()
	return writer
}

// A keeper is told from fclocal here, so that every program with this package can
// have one, tests too.
func init() {
	if os.Getenv(keeperVariable) == "" {
		return
	}
	text, _ := io.ReadAll(os.Stdin)
	marks := strings.Fields(string(text))
	for end := time.Now().Add(killTime); killMarked(marks) && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	os.Exit(0)
}

// killMarked kills all that have one of the marks and says whether there were any.
func killMarked(marks []string) (found bool) {
	entries, _ := os.ReadDir("/proc")
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		environment, _ := os.ReadFile("/proc/" + entry.Name() + "/environ")
		for _, mark := range marks {
			if hasVariable(environment, mark) && syscall.Kill(pid, syscall.SIGKILL) == nil {
				found = true
			}
		}
	}
	return found
}
