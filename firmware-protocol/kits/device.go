package kits

import (
	"encoding/json"
	"strings"
)

// DeviceKey returns the name that a device gives itself in its payload: an AirGradient's serial number, an airRohr's chip id, a device id of
// The Things Stack. It is empty in a payload without one, and for other families.
func DeviceKey(family string, payload []byte) string {
	var named struct {
		Serial string `json:"serialno"`
		Chip   string `json:"esp8266id"`
		TTN    struct {
			ID string `json:"device_id"`
		} `json:"end_device_ids"`
	}
	if json.Unmarshal(payload, &named) != nil {
		return ""
	}
	key := map[string]string{"airgradient": named.Serial, "airrohr": named.Chip, "ttn": named.TTN.ID}[family]
	return strings.TrimSpace(key)
}
