// Command stadtluft is the whole of Stadtluft in one binary: it takes readings from stations, keeps
// them, averages them and publishes them. Each subcommand has a file of its own; package server is what
// `stadtluft serve` runs.
package main

import "os"

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }
