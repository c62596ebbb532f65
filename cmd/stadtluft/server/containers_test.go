package server

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// TestContainers reads the compose files and the Kubernetes configuration: the settings are ones the program takes, files that are
// mounted are there, and each variable is in example.env or has a default.
func TestContainers(t *testing.T) {
	example, err := os.ReadFile("../../../deploy/compose/example.env")
	if err != nil {
		t.Fatal(err)
	}
	variable := regexp.MustCompile(`\$\{([A-Z_]+)(:-([^}]*)|:\?[^}]*)?\}`)
	for _, name := range []string{"small.yaml", "compose.yaml"} {
		text, err := os.ReadFile("../../../deploy/compose/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range variable.FindAllStringSubmatch(string(text), -1) {
			if !regexp.MustCompile(`(?m)^#?` + found[1] + `=`).Match(example) {
				t.Errorf("%s: %s is not in example.env", name, found[1])
			}
		}
		filled := variable.ReplaceAllStringFunc(string(text), func(s string) string {
			if found := variable.FindStringSubmatch(s); strings.HasPrefix(found[2], ":-") {
				return found[3]
			}
			return "secret"
		})
		var file struct {
			Services map[string]struct {
				Environment map[string]string
				Volumes     []string
				Tmpfs       []string
				ReadOnly    bool `yaml:"read_only"`
			}
		}
		if err := yaml.Unmarshal([]byte(filled), &file); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var environ []string
		for key, value := range file.Services["stadtluft"].Environment {
			environ = append(environ, key+"="+value)
		}
		if _, err := LoadConfig("", environ); err != nil || len(environ) == 0 {
			t.Errorf("%s: %v: %v", name, environ, err)
		}
		for service, s := range file.Services {
			if s.ReadOnly && len(s.Tmpfs) == 0 {
				t.Errorf("%s: %s can make no temporary files", name, service)
			}
			for _, volume := range s.Volumes {
				if from, _, _ := strings.Cut(volume, ":"); strings.HasPrefix(from, ".") && !isFile("../../../deploy/compose/"+from) {
					t.Errorf("%s: %s mounts %s, which is not there", name, service, from)
				}
			}
		}
	}
	if _, err := LoadConfig("../../../deploy/kubernetes/config.yaml", nil); err != nil {
		t.Error(err)
	}
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
