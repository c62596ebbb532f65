package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"stadtluft/ingest"
)

const maxDeviceKey = 64 // bytes of a device's key

// Device finds the station that a device belongs to.
func (r *Registry) Device(d ingest.Device) (*ingest.Station, bool) {
	d.Key = strings.ToLower(d.Key)
	st, ok := r.current.Load().byDevice[d]
	return st, ok
}

// AddDevice gives a station another name in its own firmware's world.
func (r *Registry) AddDevice(ctx context.Context, id string, by By, d ingest.Device) error {
	d, err := cleanDevice(d)
	if err != nil {
		return err
	}
	return r.change(ctx, id, by, func(e *edit) { e.wrote(insertDevice(ctx, e.tx, id, d), "device", "", d.Family) })
}

// RemoveDevice takes a device from its station.
func (r *Registry) RemoveDevice(ctx context.Context, id string, by By, d ingest.Device) error {
	d.Key = strings.ToLower(d.Key)
	return r.change(ctx, id, by, func(e *edit) {
		if e.exec("DELETE FROM device WHERE family = ? AND key = ? AND station = ?", d.Family, d.Key, id) == 0 && e.err == nil {
			e.err = fmt.Errorf("station %q has no device %s:%s: %w", id, d.Family, d.Key, ErrUnknown)
		}
		e.wrote(nil, "device", d.Family, "")
	})
}

// insertDevice refuses a device that another station has: one device's messages cannot be two stations'.
func insertDevice(ctx context.Context, tx *sql.Tx, id string, d ingest.Device) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO device (family, key, station) VALUES (?, ?, ?)", d.Family, d.Key, id)
	var constraint *sqlite.Error
	if errors.As(err, &constraint) && constraint.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY {
		return &FieldError{Field: "device", Problem: fmt.Sprintf("%s:%s belongs to a station already", d.Family, d.Key)}
	}
	return err
}

// cleanDevice brings a device into the form in which it is compared.
func cleanDevice(d ingest.Device) (ingest.Device, error) {
	d.Family, d.Key = strings.ToLower(strings.TrimSpace(d.Family)), strings.ToLower(strings.TrimSpace(d.Key))
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	if d.Family == "" || len(d.Family) > maxDeviceKey || strings.Trim(d.Family, letters+"-") != "" || d.Family == SensorCommunity {
		return d, &FieldError{Field: "device", Problem: fmt.Sprintf("%q is no family such as airgradient", d.Family)}
	}
	if d.Key == "" || len(d.Key) > maxDeviceKey || strings.Trim(d.Key, letters+"-_:") != "" {
		return d, &FieldError{Field: "device", Problem: fmt.Sprintf("%q is no device's name: letters, digits, \"-\", \"_\" and \":\", at most %d", d.Key, maxDeviceKey)}
	}
	return d, nil
}
