package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAlertRules checks the alert rules with promtool, their own cases and the metrics of the running program.
func TestAlertRules(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short: needs promtool")
	}
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
	guide, err := os.ReadFile("../../deploy/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, alert := range regexp.MustCompile(`alert: (\w+)`).FindAllStringSubmatch(string(text), -1) {
		if !strings.Contains(string(guide), "`"+alert[1]+"`") {
			t.Errorf("deploy/README.md does not say what %s means", alert[1])
		}
	}
	metrics := allMetrics(t)
	for _, name := range metricName.FindAllString(string(text), -1) {
		if !strings.Contains(metrics, "\n"+name) {
			t.Errorf("the rules use %s, which the program does not show", name)
		}
	}
}

var metricName = regexp.MustCompile(`stadtluft_[a-z_]+`)

// allMetrics returns what a running program shows that has certificates too.
func allMetrics(t *testing.T) string {
	certFile, keyFile, _ := testCertificate(t)
	p := launch(t, t.TempDir(), "STADTLUFT_BACKUP_FOLDER="+t.TempDir(), "STADTLUFT_MQTT_TLS_LISTEN="+freeAddr(t), "STADTLUFT_MQTT_TLS_CERT="+certFile, "STADTLUFT_MQTT_TLS_KEY="+keyFile)
	p.get("/metrics") // is counted among the requests of the next
	return string(p.get("/metrics"))
}

// TestOperatorsDashboard holds Grafana's dashboard against promtool and against the metrics of the running program.
func TestOperatorsDashboard(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short: needs promtool")
	}
	text, err := os.ReadFile("../../deploy/grafana/operator.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil || len(board.Panels) == 0 {
		t.Fatalf("%d panels, %v", len(board.Panels), err)
	}
	rules, metrics := "groups: [{name: panels, rules: [", allMetrics(t)
	for _, panel := range board.Panels {
		for _, target := range panel.Targets {
			rules += fmt.Sprintf("{record: %q, expr: %q},", fmt.Sprintf("r%d", len(rules)), target.Expr)
			for _, name := range metricName.FindAllString(target.Expr, -1) {
				if !strings.Contains(metrics, "\n"+name) {
					t.Errorf("%s: the program does not show %s", panel.Title, name)
				}
			}
		}
	}
	if out, err := exec.Command("promtool", "check", "rules", writeFile(t, "panels.yaml", rules+"]}]")).CombinedOutput(); err != nil {
		t.Errorf("promtool: %v: %s", err, out)
	}
}

// TestPackagesStopTheirServices installs packages on a machine where the system's commands only record their calls: a
// server that comes with a package is stopped and disabled, one that was there before is left alone.
func TestPackagesStopTheirServices(t *testing.T) {
	folder := t.TempDir()
	calls := filepath.Join(folder, "calls")
	for name, script := range map[string]string{"id": "echo 0", "apt-get": "", "service": "", "systemctl": ""} {
		text := "#!/bin/sh\necho " + name + " $* >>" + calls + "\n" + script + "\n"
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	f := func(pair string) (called, said string) {
		t.Helper()
		os.Remove(calls)
		command := exec.Command("../../deploy/packages.sh", pair, "missing-command:hello")
		command.Env = append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"))
		out, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("packages.sh %s: %v: %s", pair, err, out)
		}
		text, _ := os.ReadFile(calls)
		return string(text), string(out)
	}
	called, said := f("missing-broker:mosquitto")
	if !strings.Contains(called, "mosquitto hello\nservice mosquitto stop\nsystemctl disable --quiet mosquitto\n") || !strings.Contains(said, "stopped and disabled the service mosquitto") {
		t.Errorf("with mosquitto installed: %q, it says %q", called, said)
	}
	if called, said := f("missing-server:nginx-light"); !strings.Contains(called, "service nginx stop\nsystemctl disable --quiet nginx\n") || !strings.Contains(said, "stopped and disabled the service nginx") {
		t.Errorf("with nginx installed: %q, it says %q", called, said)
	}
	if called, said := f("sh:mosquitto"); strings.Contains(called, "mosquitto") || said != "" {
		t.Errorf("with mosquitto there before: %q, it says %q", called, said)
	}
}
