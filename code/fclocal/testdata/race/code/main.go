// Command main is a function whose calls share a map, as do the goroutines of a call.
package main

import (
	"encoding/json"
	"sync"

	"github.com/aliyun/fc-runtime-go-sdk/fc"
)

var seen = map[string]int{}

func count(what string) { seen[what]++ }

func main() {
	meet := make(chan struct{})
	fc.Start(func(event json.RawMessage) (string, error) {
		if string(event) == `"goroutines"` {
			var both sync.WaitGroup
			both.Go(func() { count("one") })
			both.Go(func() { count("other") })
			both.Wait()
			return "counted", nil
		}
		select { // two calls are here at a time
		case meet <- struct{}{}:
		case <-meet:
		}
		count("call")
		return "counted", nil
	})
}
