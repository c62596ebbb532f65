package kits

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/firmware-protocol/wire"
)

// Access is what a station needs to reach its city.
type Access struct {
	Station  string
	Token    string // empty for a placeholder
	MQTTHost string // the address that stations use
	MQTTPort int
	MQTTTLS  bool
	Root     string  // first level of topics; empty for wire.Root
	HTTP     url.URL // scheme, host and port of the city's pages
	Serial   string  // of an AirGradient device; empty for a placeholder
}

// topic returns a topic as it is at the broker.
func (a Access) topic(topic string) string { return wire.WithRoot(a.Root, topic) }

// Recipe has the settings of one firmware for one station, ready to paste.
type Recipe struct {
	Name  string         `json:"name"`  // of the family, or "mosquitto"
	Title bilingual.Text `json:"title"` // its common name
	How   bilingual.Text `json:"how"`   // where the settings go, in a sentence or two
	// Settings is the text to paste or type in: lines of "NAME: VALUE" where the firmware has a form, else a file or
	// a command.
	Settings string `json:"settings"`
}

// Recipes returns the settings of every firmware that can be configured for the station.
func Recipes(a Access) []Recipe {
	if a.Token == "" {
		a.Token = "YOUR-TOKEN"
	}
	if a.Serial == "" {
		a.Serial = "SERIAL"
	}
	return []Recipe{airrohrRecipe(a), esphomeRecipe(a), tasmotaRecipe(a), airgradientRecipe(a), ttnRecipe(a), mosquittoRecipe(a)}
}

func airrohrRecipe(a Access) Recipe {
	port, tls := a.HTTP.Port(), "no"
	if a.HTTP.Scheme == "https" {
		tls = "yes"
	}
	if port == "" {
		port = map[string]string{"no": "80", "yes": "443"}[tls]
	}
	return Recipe{
		Name:  "airrohr",
		Title: bilingual.Of("airRohr (Sensor.Community)", "airRohr (Sensor.Community)"),
		How: bilingual.Of(
			"On the sensor's own page: Configuration, More APIs. Tick “Send data to custom API”, fill in the rest, save and restart. It goes on sending to Sensor.Community.",
			"Auf der Seite des Sensors: Konfiguration, Weitere APIs. „An eigene API senden“ ankreuzen, den Rest ausfüllen, speichern und neu starten. An Sensor.Community sendet er weiterhin.",
		),
		Settings: form(
			"Send data to custom API", "yes", "HTTPS", tls, "Server", a.HTTP.Hostname(), "Path", "/api/v1/push/airrohr", "Port", port,
			"User", a.Station, "Password", a.Token),
	}
}

// form returns lines of "NAME: VALUE" from pairs of name and value.
func form(pairs ...string) string {
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		fmt.Fprintf(&b, "%s: %s\n", pairs[i], pairs[i+1])
	}
	return b.String()
}

func esphomeRecipe(a Access) Recipe {
	tls := ""
	if a.MQTTTLS {
		tls = "  # certificate_authority: the broker's, for TLS (ESP-IDF framework)\n"
	}
	return Recipe{
		Name:  "esphome",
		Title: bilingual.Of("ESPHome", "ESPHome"),
		How: bilingual.Of(
			"Add this to the device's YAML. The ids are those of your sensors: rename them or delete the lines of what you do not have.",
			"Füge das in die YAML-Datei des Geräts ein. Die ids sind die deiner Sensoren: benenne sie um oder lösche die Zeilen dessen, was du nicht hast.",
		),
		Settings: fmt.Sprintf(`mqtt:
  broker: %q
  port: %d
  username: %q
  password: %q
  client_id: %q
%s  topic_prefix: null
  discovery: false
  birth_message:
    topic: %q
    payload: "online"
    qos: 1
    retain: true
  will_message:
    topic: %[7]q
    payload: "offline"
    qos: 1
    retain: true

interval:
  - interval: 150s
    then:
      - mqtt.publish_json:
          topic: %[8]q
          qos: 1
          payload: |-
            if (!isnan(id(pm_2_5).state)) root["pm2_5"] = id(pm_2_5).state;
            if (!isnan(id(pm_10).state)) root["pm10"] = id(pm_10).state;
            if (!isnan(id(temperature).state)) root["temperature"] = id(temperature).state;
            if (!isnan(id(humidity).state)) root["humidity"] = id(humidity).state;
            if (!isnan(id(pressure).state)) root["pressure"] = id(pressure).state;
`, a.MQTTHost, a.MQTTPort, a.Station, a.Token, clientID(a), tls, a.topic(wire.StatusTopic(a.Station)), a.topic(wire.ReadingTopic(a.Station))),
	}
}

// clientID returns the station's MQTT client id.
func clientID(a Access) string { return "station-" + strings.ToLower(a.Station) }

func tasmotaRecipe(a Access) Recipe {
	tls := "0"
	if a.MQTTTLS {
		tls = "1"
	}
	commands := []string{
		"Backlog MqttHost " + a.MQTTHost, "MqttPort " + strconv.Itoa(a.MQTTPort), "SetOption103 " + tls, "MqttUser " + a.Station, "MqttPassword " + a.Token,
		"MqttClient " + clientID(a), "FullTopic " + a.topic(wire.KitTopic(a.Station, "tasmota")) + "/%prefix%/", "SensorRetain 0", "TelePeriod 150",
	}
	return Recipe{
		Name:  "tasmota",
		Title: bilingual.Of("Tasmota", "Tasmota"),
		How: bilingual.Of(
			"Paste this into the console on the device's page (Tools, Console). The device restarts by itself.",
			"Füge das in die Konsole auf der Seite des Geräts ein (Werkzeuge, Konsole). Das Gerät startet selbst neu.",
		),
		Settings: strings.Join(commands, "; ") + "\n",
	}
}

func airgradientRecipe(a Access) Recipe {
	scheme := "mqtt"
	if a.MQTTTLS {
		scheme = "mqtts"
	}
	broker := url.URL{Scheme: scheme, User: url.UserPassword(a.Station, a.Token), Host: net.JoinHostPort(a.MQTTHost, strconv.Itoa(a.MQTTPort))}
	return Recipe{
		Name:  "airgradient",
		Title: bilingual.Of("AirGradient (firmware 3.1 or newer)", "AirGradient (Firmware ab 3.1)"),
		How: bilingual.Of(
			"Run this in your own network; the serial number is on the device. The station must have the device airgradient:SERIAL.",
			"Führe das im eigenen Netz aus; die Seriennummer steht auf dem Gerät. Die Station muss das Gerät airgradient:SERIENNUMMER haben.",
		),
		Settings: fmt.Sprintf("curl -X PUT http://airgradient_%s.local/config -H 'Content-Type: application/json' -d '{\"mqttBrokerUrl\":\"%s\"}'\n", a.Serial, broker.String()),
	}
}

func ttnRecipe(a Access) Recipe {
	return Recipe{
		Name:  "ttn",
		Title: bilingual.Of("LoRaWAN (The Things Stack)", "LoRaWAN (The Things Stack)"),
		How: bilingual.Of(
			"In your application's console: Integrations, Webhooks, Custom webhook. One application for one station. Members of decoded_payload are named like our quantities, or the node sends our binary payload.",
			"In der Konsole deiner Anwendung: Integrations, Webhooks, Custom webhook. Eine Anwendung für eine Station. Die Mitglieder von decoded_payload heißen wie unsere Messgrößen, oder der Knoten sendet unser Binärformat.",
		),
		Settings: form("Webhook ID", "stadtluft", "Webhook format", "JSON", "Base URL", a.HTTP.String(), "Use basic access authentication", "yes",
			"Username", a.Station, "Password", a.Token, "Uplink message", "/api/v1/push/ttn"),
	}
}

func mosquittoRecipe(a Access) Recipe {
	tls := ""
	if a.MQTTTLS {
		tls = " --tls-use-os-certs"
	}
	return Recipe{
		Name:  "mosquitto",
		Title: bilingual.Of("Own firmware, or a first try from a shell", "Eigene Firmware, oder ein erster Versuch auf der Kommandozeile"),
		How: bilingual.Of(
			"This sends one reading. The names of quantities and their units are in the specification.",
			"Das sendet eine Messung. Die Namen der Messgrößen und ihre Einheiten stehen in der Spezifikation.",
		),
		Settings: fmt.Sprintf("mosquitto_pub -h %s -p %d%s -q 1 -i %s -u %s -P %s -t %s -m '{\"pm2_5\":12.3,\"pm10\":20.1,\"temperature\":14.2,\"humidity\":60.3}'\n",
			a.MQTTHost, a.MQTTPort, tls, clientID(a), a.Station, a.Token, a.topic(wire.ReadingTopic(a.Station))),
	}
}
