package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestAlertRules holds the alert rules against promtool, their own cases and the metrics of the running program.
func TestAlertRules(t *testing.T) {
	const rules = "../../deploy/prometheus/stadtluft.rules.yaml"
	for _, args := range [][]string{{"check", "rules", rules}, {"test", "rules", "../../deploy/prometheus/stadtluft.rules.test.yaml"}} {
		if out, err := exec.Command("promtool", args...).CombinedOutput(); err != nil {
			t.Fatalf("promtool %v: %v: %s (apt-get install prometheus)", args, err, out)
		}
	}
	text, err := os.ReadFile(rules)
	if err != nil {
		t.Fatal(err)
	}
	metrics := string(launch(t, t.TempDir()).get("/metrics"))
	for _, name := range regexp.MustCompile(`stadtluft_[a-z_]+`).FindAllString(string(text), -1) {
		if !strings.Contains(metrics, "\n"+name) {
			t.Errorf("the rules use %s, which the program does not show", name)
		}
	}
}
