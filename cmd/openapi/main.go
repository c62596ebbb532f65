// Command openapi prints the OpenAPI document of the HTTP interface, for what is generated from it. It needs neither a city nor
// a running server, so the document has no examples and leaves out the archive.
package main

import (
	"fmt"
	"os"

	"stadtluft/export/api"
)

func main() {
	document, err := api.Description()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Stdout.Write(document)
}
