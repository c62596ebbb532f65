package server

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// TestRelease reads goreleaser's file strictly: it uses only the members below, and the files that it names are there.
func TestRelease(t *testing.T) {
	const root = "../../../"
	type glob struct{ Glob string }
	var file struct {
		Version     int
		ProjectName string `yaml:"project_name"`
		Before      struct{ Hooks []string }
		Builds      []struct {
			Main                     string
			ModTimestamp             string `yaml:"mod_timestamp"`
			Env, Goos, Goarch, Goarm []string
			Flags, Ldflags           []string
		}
		Archives []struct {
			Formats, Files []string
			NameTemplate   string `yaml:"name_template"`
		}
		Sboms []struct {
			Artifacts, Cmd  string
			Args, Documents []string
		}
		Checksum struct {
			NameTemplate string `yaml:"name_template"`
			ExtraFiles   []glob `yaml:"extra_files"`
		}
		Snapshot struct {
			VersionTemplate string `yaml:"version_template"`
		}
		Changelog struct{ Use string }
		Release   struct {
			Draft      bool
			ExtraFiles []glob `yaml:"extra_files"`
		}
	}
	text, err := os.ReadFile(root + ".goreleaser.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&file); err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, hook := range file.Before.Hooks {
		for _, word := range strings.Fields(hook) {
			if strings.HasPrefix(word, "deploy/") {
				named = append(named, word)
			}
		}
	}
	for _, build := range file.Builds {
		named = append(named, build.Main)
		if !strings.Contains(strings.Join(build.Ldflags, " "), "-X stadtluft/cmd/stadtluft/server.version={{ .Version }}") {
			t.Errorf("the version is not in %q", build.Ldflags)
		}
	}
	for _, archive := range file.Archives {
		named = append(named, archive.Files...)
	}
	for _, sbom := range file.Sboms {
		for _, arg := range sbom.Args {
			if path, ok := strings.CutPrefix(arg, "../"); ok { // from dist/
				named = append(named, path)
			}
		}
	}
	for _, name := range append(named, "deploy/package/notes.sh") {
		if found, err := filepath.Glob(root + name); err != nil || len(found) == 0 {
			t.Errorf("%s is not there: %v", name, err)
		}
	}
	if len(named) < 8 || file.Version != 2 {
		t.Errorf("version %d names only %v", file.Version, named)
	}
}
