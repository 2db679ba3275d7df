// Command main is a function with hooks. A variable with a hook's name says what the
// hook does beside telling that it runs: panic, exit, hang, work, start a child, or take
// so long.
package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/aliyun/fc-runtime-go-sdk/fc"
)

var initialized string

func main() {
	fc.RegisterInitializerFunction(func(context.Context) {
		fmt.Println("initializer runs")
		do(os.Getenv("INITIALIZER"))
		initialized = "initialized"
	})
	fc.RegisterPreFreezeFunction(func(context.Context) {
		fmt.Println("preFreeze runs")
		do(os.Getenv("PREFREEZE"))
	})
	fc.RegisterPreStopFunction(func(context.Context) {
		fmt.Println("preStop runs")
		do(os.Getenv("PRESTOP"))
	})
	if pause, err := time.ParseDuration(os.Getenv("TICK")); err == nil {
		go func() {
			for range time.Tick(pause) {
				fmt.Println("tick")
			}
		}()
	}
	fc.Start(func() (string, error) {
		fmt.Println("call runs")
		do(os.Getenv("CALL"))
		return initialized, nil
	})
}

func do(what string) {
	switch what, argument, _ := strings.Cut(what, " "); what {
	case "":
	case "panic":
		panic("as told")
	case "exit":
		os.Exit(3)
	case "hang":
		fmt.Println("pid", os.Getpid())
		time.Sleep(time.Hour)
	case "child": // of that program, which lives on in a session of its own
		child := exec.Command(argument, "1000")
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := child.Start(); err != nil {
			panic(err)
		}
		fmt.Println("pid", child.Process.Pid)
	case "work": // some milliseconds of CPU time, always the same
		var sum [sha256.Size]byte
		for range 100_000 {
			sum = sha256.Sum256(sum[:])
		}
	default:
		pause, err := time.ParseDuration(what)
		if err != nil {
			panic(err)
		}
		time.Sleep(pause)
	}
}
