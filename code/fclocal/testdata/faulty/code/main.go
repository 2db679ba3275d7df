// Command main is a function that fails in the way that its event names.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sort"
	"strings"
	"time"

	"github.com/aliyun/fc-runtime-go-sdk/fc"
)

func main() {
	switch os.Getenv("START") {
	case "exit":
		os.Exit(3)
	case "hang":
		time.Sleep(time.Hour)
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
			memory := make([]byte, 200<<20)
			for i := range memory {
				memory[i] = 1
			}
			runtime.KeepAlive(memory)
		case "environment":
			variables := os.Environ()
			for i, variable := range variables {
				if name, _, _ := strings.Cut(variable, "="); name == "FC_RUNTIME_API" || name == "FC_INSTANCE_ID" || name == "FC_FUNC_CODE_PATH" {
					variables[i] = name
				}
			}
			sort.Strings(variables)
			return variables, nil
		case "deadline":
			deadline, _ := ctx.Deadline()
			return time.Until(deadline).Round(time.Second).Seconds(), nil
		}
		return how, nil
	})
}
