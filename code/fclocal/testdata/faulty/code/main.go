// Command main is a function that fails in the way that its event names.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/aliyun/fc-runtime-go-sdk/fc"
	"github.com/aliyun/fc-runtime-go-sdk/fccontext"
)

func main() {
	switch start, text, told := strings.Cut(os.Getenv("START"), " "); start {
	case "exit":
		if !told {
			text = "cannot start: as told"
		}
		fmt.Fprintln(os.Stderr, text)
		os.Exit(3)
	case "exit-silently":
		os.Exit(3)
	case "hang":
		time.Sleep(time.Hour)
	case "allocate":
		memory := allocate()
		io.Copy(io.Discard, os.Stdin)
		runtime.KeepAlive(memory)
		return
	case "setsid", "bare": // this process is a child that ends before its own
		if err := child(start); err != nil {
			panic(err)
		}
		return
	}
	fc.Start(func(ctx context.Context, how string) (any, error) {
		switch how, argument, _ := strings.Cut(how, " "); how {
		case "error":
			return nil, errors.New("as told <&>")
		case "panic":
			panic("as told")
		case "panic-elsewhere":
			go panic("as told")
			time.Sleep(time.Hour)
		case "exit":
			os.Exit(0)
		case "hang":
			fmt.Println("pid", os.Getpid())
			time.Sleep(time.Hour)
		case "hang-with-child":
			child := exec.Command(argument, "1000")
			if err := child.Start(); err != nil {
				return nil, err
			}
			fmt.Println("pid", child.Process.Pid)
			time.Sleep(time.Hour)
		case "allocate":
			runtime.KeepAlive(allocate())
		case "child": // KIND THEN
			kind, then, _ := strings.Cut(argument, " ")
			if err := child(kind); err != nil {
				return nil, err
			}
			switch then {
			case "hang":
				time.Sleep(time.Hour)
			case "exit":
				os.Exit(1)
			}
		case "allocate-in-child":
			command := again("allocate")
			command.Stdin, _ = io.Pipe() // which never ends
			return nil, command.Run()
		case "allocate-both": // and hold it for some looks at it
			command := again("allocate")
			stdin, err := command.StdinPipe()
			if err == nil {
				err = command.Start()
			}
			if err != nil {
				return nil, err
			}
			memory := allocate()
			time.Sleep(time.Second)
			runtime.KeepAlive(memory)
			stdin.Close()
			return nil, command.Wait()
		case "answer", "long-error":
			size, err := strconv.Atoi(argument)
			if err != nil {
				return nil, err
			}
			if text := strings.Repeat("x", size); how == "long-error" {
				return nil, errors.New(text)
			} else {
				return text, nil
			}
		case "raw-error":
			fcContext, _ := fccontext.FromContext(ctx)
			url := "http://" + os.Getenv("FC_RUNTIME_API") + "/2020-11-11/runtime/invocation/" + fcContext.RequestID + "/error"
			if _, err := http.Post(url, "text/plain", strings.NewReader(argument)); err != nil {
				return nil, err
			}
			time.Sleep(time.Hour)
		case "environment":
			variables := os.Environ()
			for i, variable := range variables {
				if name, _, _ := strings.Cut(variable, "="); name == "FC_RUNTIME_API" || name == "FC_INSTANCE_ID" || name == "FC_FUNC_CODE_PATH" {
					variables[i] = name
				}
			}
			sort.Strings(variables)
			return variables, nil
		case "credentials": // as a hash, in the environment and in the context
			c, _ := fccontext.FromContext(ctx)
			hash := func(parts ...string) string {
				return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(parts, " "))))
			}
			return []string{
				hash(os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_ID"), os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET"), os.Getenv("ALIBABA_CLOUD_SECURITY_TOKEN")),
				hash(c.Credentials.AccessKeyId, c.Credentials.AccessKeySecret, c.Credentials.SecurityToken),
			}, nil
		case "deadline":
			deadline, _ := ctx.Deadline()
			return time.Until(deadline).Round(time.Second).Seconds(), nil
		}
		return how, nil
	})
}

func allocate() []byte {
	memory := make([]byte, 200<<20)
	for i := range memory {
		memory[i] = 1
	}
	return memory
}

// again is this program once more, which does what START says.
func again(start string) *exec.Cmd {
	command := exec.Command("/proc/self/exe")
	command.Env = append(os.Environ(), "START="+start)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr // which it holds open
	return command
}

// child starts a process that hangs, prints its pid and does not wait for it: in a
// group or a session of its own, without a parent (daemon), or also without an
// environment (bare daemon).
func child(kind string) error {
	command := again("hang")
	switch kind {
	case "setpgid":
		command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	case "setsid":
		command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	case "bare":
		command.Env = []string{"START=hang"}
		command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	case "daemon":
		return again("setsid").Run()
	case "bare-daemon":
		return again("bare").Run()
	}
	if err := command.Start(); err != nil {
		return err
	}
	fmt.Println("pid", command.Process.Pid)
	return nil
}
