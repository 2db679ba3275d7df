// Command client calls a function with Function Compute's official client for Go:
// client ENDPOINT FUNCTION EVENT [Async]. It prints what comes back as JSON.
package main

import (
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"
	"strings"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	fc "github.com/alibabacloud-go/fc-20230330/v4/client"
	util "github.com/alibabacloud-go/tea-utils/v2/service"
	"github.com/alibabacloud-go/tea/tea"
)

func main() {
	client, err := fc.NewClient(&openapi.Config{
		Endpoint: &os.Args[1], Protocol: tea.String("HTTP"), AccessKeyId: tea.String("any"), AccessKeySecret: tea.String("any"),
	})
	if err != nil {
		log.Fatal(err)
	}
	headers := &fc.InvokeFunctionHeaders{XFcLogType: tea.String("Tail")}
	if len(os.Args) > 4 {
		headers.XFcInvocationType = &os.Args[4]
	}
	answer, err := client.InvokeFunctionWithOptions(&os.Args[2], &fc.InvokeFunctionRequest{Body: strings.NewReader(os.Args[3])}, headers, &util.RuntimeOptions{})
	var result struct {
		Status        int
		Body          string
		Headers       map[string]*string
		Code, Message *string
	}
	var failed *tea.SDKError
	switch {
	case errors.As(err, &failed):
		result.Status, result.Code, result.Message = *failed.StatusCode, failed.Code, failed.Message
	case err != nil:
		log.Fatal(err)
	default:
		result.Status, result.Headers = int(*answer.StatusCode), answer.Headers
		if answer.Body != nil {
			body, err := io.ReadAll(answer.Body)
			if err != nil {
				log.Fatal(err)
			}
			result.Body = string(body)
		}
	}
	json.NewEncoder(os.Stdout).Encode(result)
}
