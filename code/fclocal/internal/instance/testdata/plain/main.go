// Command main handles Kafka messages as one would write it first: typed
// structs, the value unquoted and parsed by encoding/json. It is what the cost
// of the project's function is measured against.
package main

import (
	"context"
	"encoding/json"

	"github.com/aliyun/fc-runtime-go-sdk/fc"
	"github.com/aliyun/fc-runtime-go-sdk/fccontext"
)

type cloudEvent struct {
	SpecVersion     string `json:"specversion"`
	ID              string `json:"id"`
	Source          string `json:"source"`
	Type            string `json:"type"`
	Subject         string `json:"subject"`
	DataContentType string `json:"datacontenttype"`
	Time            string `json:"time"`
	AliyunAccountID string `json:"aliyunaccountid"`
	Data            struct {
		Topic     string `json:"topic"`
		Partition int    `json:"partition"`
		Offset    int64  `json:"offset"`
		Timestamp int64  `json:"timestamp"`
		Headers   struct {
			Headers    []string `json:"headers"`
			IsReadOnly bool     `json:"isReadOnly"`
		} `json:"headers"`
		Key   string `json:"key"`
		Value value  `json:"value"`
	} `json:"data"`
}

type value map[string]any

func (v *value) UnmarshalJSON(quoted []byte) error {
	var text string
	if err := json.Unmarshal(quoted, &text); err != nil {
		return err
	}
	return json.Unmarshal([]byte(text), (*map[string]any)(v))
}

func main() {
	fc.Start(func(ctx context.Context, events []cloudEvent) ([]cloudEvent, error) {
		function, _ := fccontext.FromContext(ctx)
		logger := function.GetLogger()
		logger.Infof("Start processing %d events", len(events))
		for _, e := range events {
			logger.Infof("Start processing event: %+v", e)
		}
		return events, nil
	})
}
