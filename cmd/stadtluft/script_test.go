package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs scripts that use the program from a shell.
func TestScripts(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv(asProgram, "1")
			bin := e.WorkDir + "/.bin"
			e.Setenv("PATH", bin+string(os.PathListSeparator)+e.Getenv("PATH"))
			if err := os.Mkdir(bin, 0o700); err != nil {
				return err
			}
			return os.Symlink(self, bin+"/stadtluft")
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"id":         scriptID,
			"ports":      scriptPorts,
			"get":        scriptGet,
			"wait-ready": func(ts *testscript.TestScript, _ bool, _ []string) { scriptWait(ts, "/readyz", "") },
			"wait-for":   func(ts *testscript.TestScript, _ bool, args []string) { scriptWait(ts, args[0], args[1]) },
		},
	})
}

// scriptID sets ID and TOKEN from the file that `station add --json` printed.
func scriptID(ts *testscript.TestScript, _ bool, args []string) {
	var c struct{ ID, Token string }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &c))
	ts.Setenv("ID", c.ID)
	ts.Setenv("TOKEN", c.Token)
}

// scriptPorts sets HTTP and MQTT to free ports.
func scriptPorts(ts *testscript.TestScript, _ bool, _ []string) {
	for _, name := range []string{"HTTP", "MQTT"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		_, port, _ := net.SplitHostPort(l.Addr().String())
		ts.Check(l.Close())
		ts.Setenv(name, port)
	}
}

func fetch(ts *testscript.TestScript, route string) (status int, body string, err error) {
	response, err := http.Get("http://127.0.0.1:" + ts.Getenv("HTTP") + route)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// scriptGet prints a route's answer.
func scriptGet(ts *testscript.TestScript, _ bool, args []string) {
	status, body, err := fetch(ts, args[0])
	ts.Check(err)
	if status != http.StatusOK {
		ts.Fatalf("GET %s: %d %s", args[0], status, body)
	}
	_, err = io.WriteString(ts.Stdout(), body)
	ts.Check(err)
}

// scriptWait waits until a route answers 200 with the text in it.
func scriptWait(ts *testscript.TestScript, route, want string) {
	deadline := time.Now().Add(30 * time.Second)
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		status, body, err := fetch(ts, route)
		if err == nil && status == http.StatusOK && strings.Contains(body, want) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("GET %s has no %q after 30 s: %d %v %s", route, want, status, err, body)
		}
		<-ticker.C
	}
}
