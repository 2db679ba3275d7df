// Command custom is a function that is an HTTP server: it answers with its event, and
// fails on one that is "fail".
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"slices"
	"strings"
)

func main() {
	log.SetFlags(0)
	environment := os.Environ()
	http.HandleFunc("POST /invoke", func(w http.ResponseWriter, r *http.Request) {
		event, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		log.Print("/invoke ", r.Header.Get("x-fc-request-id"))
		switch string(event) {
		case `"exit"`:
			os.Exit(3)
		case `"hang"`:
			select {}
		case `"environment"`:
			slices.Sort(environment)
			fmt.Fprint(w, strings.Join(environment, "\n"))
			return
		case `"headers"`:
			r.Header.Write(w)
			return
		case `"fail"`:
			w.Header().Set("x-fc-status", "404")
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"errorMessage":"as told","errorType":"errorString"}`)
			return
		}
		w.Write(event)
	})
	hook := func(w http.ResponseWriter, r *http.Request) {
		log.Print(r.URL.Path, " ", r.Header.Get("x-fc-request-id"))
		if os.Getenv("BROKEN") == r.URL.Path {
			http.Error(w, "broken as told", http.StatusInternalServerError)
		}
	}
	http.HandleFunc("POST /initialize", hook)
	http.HandleFunc("GET /pre-stop", hook)
	http.HandleFunc("GET /pre-freeze", hook)
	http.HandleFunc("GET /ready", hook)
	port := os.Getenv("FC_SERVER_PORT")
	if own := os.Getenv("INSIST"); own != "" {
		port = own
	}
	log.Fatal(http.ListenAndServe(os.Getenv("HOST")+":"+port, nil))
}
