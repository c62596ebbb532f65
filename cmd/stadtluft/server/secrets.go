package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"stadtluft/ingest/registry"
	"stadtluft/ingest/wholefile"
)

const (
	// importTokenFile has the password of the import command, where no other process takes deliveries. Each start of the
	// intake makes a new one; a process that can read the data folder may use it.
	importTokenFile = "import.token"
	// clientIDFile has what makes the MQTT client ids of this data folder's processes differ from those of others at the
	// same broker.
	clientIDFile = "mqtt.client"
	// oldClientID is the client id of versions that had one for all. A broker may hold messages for its session.
	oldClientID = "stadtluft-intake"
)

func writeSecret(data, name, secret string) error {
	err := wholefile.Write(filepath.Join(data, name), 0o600, func(w io.Writer) error {
		_, err := io.WriteString(w, secret)
		return err
	})
	if err != nil {
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

// ImportToken returns the password with which the import command delivers to the server on a data folder, or to each of
// those that share a NATS cluster.
func ImportToken(ctx context.Context, c Config, r *registry.Registry) (string, error) {
	if c.NATSURL == "" {
		return readSecret(c.Data, importTokenFile)
	}
	return r.Agree(ctx, agreedImport, rand.Text())
}

// newImportToken returns the password, which a start makes, unless other processes have one.
func newImportToken(ctx context.Context, c Config, r *registry.Registry) (string, error) {
	if c.NATSURL != "" {
		return ImportToken(ctx, c, r)
	}
	token := rand.Text()
	return token, writeSecret(c.Data, importTokenFile, token)
}

// agreedImport is the name of the import command's password, where several processes take deliveries.
const agreedImport = "import"

// mqttClientID returns the MQTT client id that a process of a data folder has at the city's broker. It stays the same, so
// that the broker keeps the session, and no other data folder has it, so that two do not throw each other out.
func mqttClientID(data, purpose string) (string, error) {
	kept, err := os.ReadFile(filepath.Join(data, clientIDFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		kept = []byte(newClientID(data))
		if err := writeSecret(data, clientIDFile, string(kept)); err != nil {
			return "", err
		}
	case err != nil:
		return "", fmt.Errorf("data folder: %w", err)
	}
	if string(kept) == "" && purpose == "intake" {
		return oldClientID, nil
	}
	return strings.TrimSuffix("stadtluft-"+purpose+"-"+string(kept), "-"), nil
}

// newClientID returns what tells a data folder's client ids apart: nothing where an earlier version has been, whose
// session may hold messages.
func newClientID(data string) string {
	if exists(filepath.Join(data, importTokenFile)) { // written later in each start
		return ""
	}
	return strings.ToLower(rand.Text()[:8])
}
