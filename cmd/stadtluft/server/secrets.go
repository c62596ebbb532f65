package server

import (
	"fmt"
	"os"
	"path/filepath"
)

// The passwords that processes on one data folder use for each other. Each start of the intake makes new ones; a process
// that can read the data folder may use them.
const (
	importTokenFile = "import.token" // of the import command, which delivers for neighbours' stations
	brokerTokenFile = "broker.token" // of averages, which are published through the embedded broker
)

func writeSecret(data, name, secret string) error {
	path := filepath.Join(data, name)
	if err := os.WriteFile(path+".new", []byte(secret), 0o600); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	return nil
}

func readSecret(data, name string) (string, error) {
	secret, err := os.ReadFile(filepath.Join(data, name))
	if err != nil {
		return "", fmt.Errorf("no server has run on the data folder %s: start it first (%w)", data, err)
	}
	return string(secret), nil
}

// ImportToken returns the password with which the import command delivers to the server on a data folder.
func ImportToken(data string) (string, error) { return readSecret(data, importTokenFile) }
