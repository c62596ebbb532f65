package kits

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

// A peer decodes the same message the way a program for this one firmware would: without bounds, refusals or ignored
// names.
var peers = map[string]func([]byte) error{
	"airrohr": into[struct {
		Values []struct {
			Type  string `json:"value_type"`
			Value string `json:"value"`
		} `json:"sensordatavalues"`
	}](json.Unmarshal),
	"airgradient": into[struct {
		PM1         float64 `json:"pm01"`
		PM2_5       float64 `json:"pm02"`
		PM10        float64 `json:"pm10"`
		CO2         float64 `json:"rco2"`
		Temperature float64 `json:"atmp"`
		Humidity    float64 `json:"rhum"`
		VOC         float64 `json:"tvocIndex"`
		NOx         float64 `json:"noxIndex"`
		RSSI        float64 `json:"wifi"`
	}](json.Unmarshal),
	"cbor":    into[map[string]float64](cbor.Unmarshal),
	"esphome": func(b []byte) error { _, err := strconv.ParseFloat(string(b), 64); return err },
	"hackair": into[struct {
		Reading struct {
			PM2_5 string `json:"PM2.5_AirPollutantValue"`
			PM10  string `json:"PM10_AirPollutantValue"`
		} `json:"reading"`
		Battery string `json:"battery"`
	}](json.Unmarshal),
	"openair-noise": func(b []byte) error {
		for field := range strings.SplitSeq(string(b), ",") {
			if _, err := strconv.ParseFloat(field, 64); err != nil {
				return err
			}
		}
		return nil
	},
	"purpleair": into[struct {
		A           float64 `json:"pm2_5_atm"`
		B           float64 `json:"pm2_5_atm_b"`
		PM10A       float64 `json:"pm10_0_atm"`
		PM10B       float64 `json:"pm10_0_atm_b"`
		Temperature float64 `json:"current_temp_f"`
		Humidity    float64 `json:"current_humidity"`
		Pressure    float64 `json:"pressure"`
		RSSI        float64 `json:"rssi"`
	}](json.Unmarshal),
	"senml": into[[]struct {
		Base  string  `json:"bn"`
		From  float64 `json:"bt"`
		Name  string  `json:"n"`
		Unit  string  `json:"u"`
		Value float64 `json:"v"`
		Time  float64 `json:"t"`
	}](json.Unmarshal),
	"smartcitizen": into[struct {
		Data []struct {
			At      string `json:"recorded_at"`
			Sensors []struct {
				ID    int     `json:"id"`
				Value float64 `json:"value"`
			} `json:"sensors"`
		} `json:"data"`
	}](json.Unmarshal),
	"tasmota": into[struct {
		Time    string
		BME280  struct{ Temperature, Humidity, Pressure float64 }
		PMS5003 struct {
			PM1   float64
			PM2_5 float64 `json:"PM2.5"`
			PM10  float64
		}
		PressureUnit, TempUnit string
	}](json.Unmarshal),
	"ttn": into[struct {
		IDs struct {
			Device      string `json:"device_id"`
			Application struct {
				ID string `json:"application_id"`
			} `json:"application_ids"`
		} `json:"end_device_ids"`
		Uplink struct {
			At      string             `json:"received_at"`
			Decoded map[string]float64 `json:"decoded_payload"`
			Heard   []struct {
				RSSI float64 `json:"rssi"`
			} `json:"rx_metadata"`
		} `json:"uplink_message"`
	}](json.Unmarshal),
}

// into returns a peer that decodes into a T.
func into[T any](unmarshal func([]byte, any) error) func([]byte) error {
	return func(b []byte) error {
		var v T
		return unmarshal(b, &v)
	}
}

func BenchmarkDecode(b *testing.B) {
	best := map[string]string{
		"airgradient": "indoor", "airrohr": "sds011-bme280", "cbor": "object", "esphome": "pm", "hackair": "node", "openair-noise": "minute",
		"purpleair": "two-channels", "senml": "base", "smartcitizen": "json", "tasmota": "bme280-pms5003", "ttn": "names",
	}
	readVectors(b, func(family, name string, v vector, payload []byte, s Settings) {
		if name != family+"/"+best[family]+".json" {
			return
		}
		run := func(what string, decode func()) {
			b.Run(family+"/"+what, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					decode()
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
			})
		}
		run("ours", func() { Decode(family, payload, s) })
		if err := peers[family](payload); err != nil {
			b.Errorf("%s: the peer does not decode it: %v", family, err)
		}
		run("peer", func() { _ = peers[family](payload) })
	})
}
