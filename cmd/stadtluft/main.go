// Command stadtluft is the whole of Stadtluft in one binary: it accepts readings from stations, stores them, averages
// them and publishes them. Each subcommand has a file of its own; `stadtluft serve` runs package server.
package main

import "os"

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }
