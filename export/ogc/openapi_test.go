package ogc

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// /req/oas30/oas-definition-2 and the parameters' definitions of /req/core/fc-limit-definition,
// /req/core/fc-bbox-definition and /req/core/fc-time-definition.
func TestDefinition(t *testing.T) {
	c := open(t)
	var d struct {
		OpenAPI string
		Servers []struct{ URL string }
		Paths   map[string]struct {
			Get struct {
				OperationID string
				Parameters  []map[string]any
				Responses   map[string]any
			}
		}
	}
	c.JSON(Root+"/api", &d)
	if d.OpenAPI != "3.0.3" || len(d.Servers) != 1 || d.Servers[0].URL != c.URL+Root {
		t.Errorf("%s at %+v", d.OpenAPI, d.Servers)
	}
	ids := map[string]bool{}
	for path, p := range d.Paths {
		if ids[p.Get.OperationID] || p.Get.Responses["200"] == nil {
			t.Errorf("%s: %+v", path, p.Get)
		}
		ids[p.Get.OperationID] = true
		if strings.Contains(path, "{") {
			continue
		}
		if response, body := c.Do("GET", Root+path, ""); response.StatusCode != http.StatusOK {
			t.Errorf("%s: %s: %s", path, response.Status, body)
		}
	}
	for _, collection := range []string{"stations", "readings-latest", "grid-1h", "districts"} {
		if _, ok := d.Paths["/collections/"+collection+"/items"]; !ok {
			t.Errorf("no items of %s", collection)
		}
	}
	parameter := func(name string) string {
		for _, p := range d.Paths["/collections/stations/items"].Get.Parameters {
			if p["name"] == name {
				return fmt.Sprint(p)
			}
		}
		return ""
	}
	limit := parameter("limit")
	for _, want := range []string{"in:query", "style:form", "explode:false", "minimum:1", "maximum:1000", "default:10", "type:integer"} {
		if !strings.Contains(limit, want) {
			t.Errorf("limit: %s, want %s", limit, want)
		}
	}
	bbox := parameter("bbox")
	for _, want := range []string{"map[maxItems:4 minItems:4] map[maxItems:6 minItems:6]", "type:number", "explode:false"} {
		if !strings.Contains(bbox, want) {
			t.Errorf("bbox: %s, want %s", bbox, want)
		}
	}
}

// Every reference within the definition resolves.
func TestReferencesResolve(t *testing.T) {
	c := open(t)
	_, body := c.Do("GET", Root+"/api", "")
	var whole map[string]any
	if err := json.Unmarshal(body, &whole); err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`"\$ref":"#/([^"]+)"`).FindAllSubmatch(body, -1)
	if len(found) == 0 {
		t.Fatal("no references")
	}
	for _, match := range found {
		at := any(whole)
		for _, part := range strings.Split(string(match[1]), "/") {
			members, _ := at.(map[string]any)
			at = members[part]
		}
		if at == nil {
			t.Errorf("#/%s leads nowhere", match[1])
		}
	}
}

// GDAL reads the service.
func TestOgrinfo(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short: needs GDAL")
	}
	ogrinfo, err := exec.LookPath("ogrinfo")
	if err != nil {
		t.Fatal("ogrinfo is missing: run make packages, or install gdal-bin")
	}
	c := open(t)
	f := func(want map[string]int, arguments ...string) {
		t.Helper()
		command := exec.CommandContext(t.Context(), ogrinfo, append([]string{"-al", "-so", "OAPIF:" + c.URL + Root}, arguments...)...)
		output, err := command.CombinedOutput()
		if err != nil || strings.Contains(string(output), "ERROR") || strings.Contains(string(output), "Warning") {
			t.Fatalf("ogrinfo %v: %v\n%s", arguments, err, output)
		}
		got := map[string]int{}
		for _, match := range regexp.MustCompile(`Layer name: (\S+)\n(?s:.*?)Feature Count: (\d+)`).FindAllStringSubmatch(string(output), -1) {
			n := 0
			fmt.Sscan(match[2], &n)
			got[match[1]] = n
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("ogrinfo %v: %v, want %v", arguments, got, want)
		}
	}
	f(map[string]int{"stations": 3, "readings-latest": 6, "grid-1h": 120, "districts": 2})
	f(map[string]int{"stations": 1, "readings-latest": 0, "grid-1h": 60, "districts": 0}, "-spat", "7.05", "50.88", "7.07", "50.89")
}
