package registry

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"strings"

	"stadtluft/ingest"
)

const maxDeviceKey = 64 // bytes of a device's key

// Device returns the station that a device belongs to.
func (r *Registry) Device(d ingest.Device) (*ingest.Station, bool) {
	st, ok := r.current.Load().byDevice[d.Folded()]
	return st, ok
}

// AddDevice adds a device, its name in its own firmware, to a station.
func (r *Registry) AddDevice(ctx context.Context, id string, by By, d ingest.Device) error {
	d, err := cleanDevice(d)
	if err != nil {
		return err
	}
	return r.change(ctx, id, by, func(e *edit) { e.wrote(insertDevice(ctx, e.tx, id, d), "device", "", d.Family) })
}

// RemoveDevice removes a device from its station.
func (r *Registry) RemoveDevice(ctx context.Context, id string, by By, d ingest.Device) error {
	return r.change(ctx, id, by, func(e *edit) {
		if e.exec("DELETE FROM device WHERE family = ? AND key = ? AND station = ?", d.Family, d.Key, id) == 0 && e.err == nil {
			e.err = fmt.Errorf("station %q has no device %s:%s: %w", id, d.Family, d.Key, ErrUnknown)
		}
		e.wrote(nil, "device", d.Family, "")
	})
}

// insertDevice refuses a device that another station has: one device's messages cannot be two stations'. Its own it spells anew.
func insertDevice(ctx context.Context, tx *sql.Tx, id string, d ingest.Device) error {
	result, err := tx.ExecContext(ctx, `INSERT INTO device (family, key, station) VALUES (?, ?, ?)
		ON CONFLICT (family, key) DO UPDATE SET key = excluded.key WHERE station = excluded.station`, d.Family, d.Key, id)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return cmp.Or[error](err, &FieldError{Field: "device", Problem: fmt.Sprintf("%s:%s belongs to a station already", d.Family, d.Key),
			German: fmt.Sprintf("%s:%s gehört schon zu einer Station.", d.Family, d.Key)})
	}
	return nil
}

// cleanDevice checks a device. Its key stays as it is spelled: topics make a difference between letters.
func cleanDevice(d ingest.Device) (ingest.Device, error) {
	d.Family, d.Key = strings.ToLower(strings.TrimSpace(d.Family)), strings.TrimSpace(d.Key)
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	if d.Family == "" || len(d.Family) > maxDeviceKey || strings.Trim(d.Family, letters+"-") != "" || d.Family == SensorCommunity {
		return d, &FieldError{Field: "device", Problem: fmt.Sprintf("%q is no family such as airgradient", d.Family),
			German: fmt.Sprintf("%q ist keine Gerätefamilie wie airgradient.", d.Family)}
	}
	if d.Key == "" || len(d.Key) > maxDeviceKey || strings.Trim(strings.ToLower(d.Key), letters+"-_:") != "" {
		return d, &FieldError{Field: "device", Problem: fmt.Sprintf("%q is no device's name: letters, digits, \"-\", \"_\" and \":\", at most %d", d.Key, maxDeviceKey),
			German: fmt.Sprintf("%q ist keine Seriennummer: Buchstaben, Ziffern, „-“, „_“ und „:“, höchstens %d Zeichen.", d.Key, maxDeviceKey)}
	}
	return d, nil
}
