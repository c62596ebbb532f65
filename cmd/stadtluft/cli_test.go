package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestAloneItHelps checks that the program starts nothing unless it is told to.
func TestAloneItHelps(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, args := range [][]string{nil, {"help"}, {"help", "serve"}} {
		status, out, messages := command(t, args...)
		if status != 0 || messages != "" || !strings.Contains(out, "Usage: stadtluft") {
			t.Errorf("stadtluft %v: %d %s %s, want its help", args, status, out, messages)
		}
		if of := "--demo=N"; strings.Contains(out, of) != (len(args) == 2) {
			t.Errorf("stadtluft %v: %s about serve's flags: %v", args, of, out)
		}
	}
	if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}

func TestCompletion(t *testing.T) {
	status, script, messages := command(t, "completion", "bash")
	if status != 0 {
		t.Fatalf("%d %s", status, messages)
	}
	file := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(want string, words ...string) {
		t.Helper()
		line := "source " + file + `; COMP_WORDS=(stadtluft "$@"); COMP_CWORD=$#; _stadtluft; echo "${COMPREPLY[@]}"`
		out, err := exec.Command("bash", append([]string{"-c", line, "bash"}, words...)...).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("%q is completed with %q (%v), want %q", words, got, err, want)
		}
	}
	f("serve", "se")
	f("add", "station", "ad")
	f("--demo", "serve", "--de")
	f("zsh", "completion", "z")
	f("", "nonsense", "x")
	for _, shell := range []string{"zsh", "fish"} {
		if status, out, _ := command(t, "completion", shell); status != 0 || !strings.Contains(out, "simulate") {
			t.Errorf("completion %s: %d %s", shell, status, out)
		}
	}
}
