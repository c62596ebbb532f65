package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
)

// importTokenFile holds what lets the import command deliver for neighbours' stations. Each start of the
// server makes a new one; who can read the data folder may import.
const importTokenFile = "import.token"

func writeImportToken(data string) (string, error) {
	token := rand.Text()
	path := filepath.Join(data, importTokenFile)
	if err := os.WriteFile(path+".new", []byte(token), 0o600); err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	return token, nil
}

func readImportToken(data string) (string, error) {
	token, err := os.ReadFile(filepath.Join(data, importTokenFile))
	if err != nil {
		return "", fmt.Errorf("no server has run on the data folder %s: start it first (%w)", data, err)
	}
	return string(token), nil
}
