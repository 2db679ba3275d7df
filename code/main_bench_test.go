package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/aliyun/fc-runtime-go-sdk/fc"
	"github.com/aliyun/fc-runtime-go-sdk/fccontext"
)

// BenchmarkHandleRequest is a whole call as the SDK makes it: decode, handle, log, encode.
func BenchmarkHandleRequest(b *testing.B) {
	stdout := os.Stdout
	defer func() { os.Stdout = stdout }()
	var err error
	if os.Stdout, err = os.OpenFile(os.DevNull, os.O_WRONLY, 0); err != nil {
		b.Fatal(err)
	}
	defer os.Stdout.Close()
	one, err := os.ReadFile("../event.json")
	if err != nil {
		b.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, bytes.Trim(one, "[] \r\n")); err != nil {
		b.Fatal(err)
	}
	handler := fc.NewHandler(HandleRequest)
	ctx := fccontext.NewContext(context.Background(), &fccontext.FcContext{RequestID: "request"})
	for _, size := range []int{1, 10, 1000, 10_000} {
		payload := []byte("[" + string(bytes.Join(repeat(compact.Bytes(), size), []byte(","))) + "]")
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			b.SetBytes(int64(len(payload)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := handler.Invoke(ctx, payload); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*size), "ns/event")
		})
	}
}

func repeat(event []byte, times int) [][]byte {
	events := make([][]byte, times)
	for i := range events {
		events[i] = event
	}
	return events
}
