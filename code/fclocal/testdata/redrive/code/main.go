// Command main is a function that notes the events it gets in the directory DIR and
// does what they say.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aliyun/fc-runtime-go-sdk/fc"
)

type event struct {
	ID  int
	How string
}

func main() {
	directory := os.Getenv("DIR")
	fc.Start(func(events []event) (int, error) {
		var got strings.Builder
		for _, e := range events {
			fmt.Fprintln(&got, e.ID)
		}
		log, err := os.OpenFile(filepath.Join(directory, "got"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err == nil {
			_, err = log.WriteString(got.String())
		}
		if err != nil {
			return 0, err
		}
		log.Close()
		for _, e := range events {
			switch e.How {
			case "fail": // until there is a file mended
				if _, err := os.Stat(filepath.Join(directory, "mended")); err != nil {
					return 0, errors.New("as told")
				}
			case "exit":
				os.Exit(1)
			case "wait": // for the file go
				os.WriteFile(filepath.Join(directory, "waiting"), nil, 0o644)
				for {
					if _, err := os.Stat(filepath.Join(directory, "go")); err == nil {
						break
					}
					time.Sleep(time.Millisecond)
				}
			}
		}
		return len(events), nil
	})
}
