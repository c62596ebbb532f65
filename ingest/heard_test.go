package ingest

import (
	"slices"
	"testing"
	"time"

	"stadtluft/firmware-protocol/wire"
)

// TestHeard expects the last contact of a station, and what became of it, from messages of each kit's firmware that is
// well, and of each that has nothing usable.
func TestHeard(t *testing.T) {
	f := func(topic, payload string, over Transport, want string) {
		t.Helper()
		p := newPipeline(&fakeJournal{})
		p.Contacts = &Contacts{}
		feed(t, p, Message{Topic: topic, Payload: []byte(payload), Received: receipt, Over: over})
		c, heard := p.Contacts.Last("AAA")
		if !heard || !c.At.Equal(receipt) || c.Over != over || c.Words().EN != want || c.Words().DE == "" {
			t.Errorf("%s %s: heard %v, %+v: %s, want %s", topic, payload, heard, c, c.Words().EN, want)
		}
	}
	const kit = "stadtluft/v1/AAA/kit/"
	for _, over := range []Transport{MQTT, HTTP} {
		f("stadtluft/v1/AAA/reading", `{"pm10":20}`, over, "values taken")
		f("stadtluft/v1/AAA/reading", `{"pm10":20,"pm2_5":"x"}`, over, "values taken, a part of the message refused")
		f("stadtluft/v1/AAA/reading", `{"PM25":20}`, over, `nothing usable: unknown names "PM25", did you mean "pm2_5"?`)
		f("stadtluft/v1/AAA/reading", `[{"foo":20},{"bar":1}]`, over, `nothing usable: unknown names "foo", "bar"`)
		f("stadtluft/v1/AAA/reading", `pm10=20`, over, "nothing usable. The message could not be read.")
		f("stadtluft/v1/AAA/status", `online`, over, "a message without values")
		f("stadtluft/v1/AAA/feedback", `{}`, over, "nothing usable. The message went to a topic that does not exist.")
		f(kit+"ttn", `{"uplink_message":{"frm_payload":"AC0=","decoded_payload":{"temperature_1":20,"analog_in_4":1}}}`, over, "values taken")
		f(kit+"ttn", `{"uplink_message":{"frm_payload":"AC0=","decoded_payload":{"temperature_1":20,"temperature_2":21}}}`, over,
			`nothing usable: unknown names "temperature_1", "temperature_2", which of them is "temperature"?`)
		f(kit+"ttn", `{"uplink_message":{"frm_payload":"AC0=","decoded_payload":{"temp":20,"analog_in_4":1}}}`, over,
			`nothing usable: unknown names "temp", did you mean "temperature"?; "analog_in_4"`)
		f(kit+"ttn", `{"join_accept":{}}`, over, "a message without values")
		f(kit+"airrohr", `{"sensordatavalues":[{"value_type":"PM25","value":"6.1"}]}`, over, `nothing usable: unknown names "PM25", did you mean "pm2_5"?`)
		f(kit+"airrohr/pin/9", `{"sensordatavalues":[{"value_type":"GPS_lat","value":"50.9"},{"value_type":"GPS_lon","value":"6.9"}]}`, over, `nothing usable: unknown names "GPS_lat", "GPS_lon"`)
		f(kit+"airrohr", `{"sensordatavalues":[]}`, over, "a message without values")
		f(kit+"tasmota/tele/SENSOR", `{"Time":"2026-05-01T10:00:00","ENERGY":{"Total":1},"MYSENSOR":{"Temperature":20}}`, over,
			`nothing usable: unknown names "ENERGY.Total"; "MYSENSOR.Temperature", did you mean "temperature"?`)
		f(kit+"tasmota/tele/STATE", `{"Uptime":"1T"}`, over, "a message without values")
		f(kit+"airgradient", `{"boot":1,"pm003Count":3}`, over, `nothing usable: unknown names "boot", "pm003Count"`)
		f(kit+"airgradient", `{"pm02":"x"}`, over, "nothing usable. A value was not a number.")
		f(kit+"smartcitizen", `{t:2026-05-01T10:00:00Z,14:33}`, over, `nothing usable: unknown names "14"`)
		f(kit+"smartcitizen", `{}`, over, "a message without values")
		f(kit+"esphome/sensor/uptime/state", `300`, over, `nothing usable: unknown names "uptime"`)
		f(kit+"esphome/sensor/pm_10/state", `3.5`, over, "values taken")
		f(kit+"esphome/switch/fan/state", `ON`, over, "a message without values")
		f(kit+"telegraph", `{}`, over, "nothing usable. This version cannot take this yet.")
		f("airgradient/readings/KNOWN", `{"boot":1}`, over, `nothing usable: unknown names "boot"`)
	}
}

// TestHeardOfOthers expects contacts of registered stations alone, also of those that may not send.
func TestHeardOfOthers(t *testing.T) {
	p := newPipeline(&fakeJournal{})
	p.Contacts = &Contacts{}
	wrong := Refusal{Station: "AAA", Received: receipt, Reason: wire.WrongToken}
	message := func(topic string) Message {
		return Message{Topic: topic, Payload: []byte(`{"pm10":20}`), Received: receipt}
	}
	own := message("airgradient/readings/stranger")
	own.From = "BBB"
	foreign := message("stadtluft/v1/CCC/reading")
	foreign.From = "BBB"
	feed(t, p, own)
	if c, _ := p.Contacts.Last("BBB"); c.Words().EN != "nothing usable. No station with this id or device is registered." {
		t.Errorf("the topic of a device that is not entered: %q", c.Words().EN)
	}
	feed(t, p, message("stadtluft/v1/PPP/reading"), message("stadtluft/v1/ZZZ/reading"), message("airgradient/readings/stranger"), message("elsewhere"), foreign,
		Message{Received: receipt, Refused: &wrong})
	if c, _ := p.Contacts.Last("PPP"); c.Words().EN != "nothing usable. The station is not active." {
		t.Errorf("a paused station: %q", c.Words().EN)
	}
	if c, _ := p.Contacts.Last("AAA"); c.Over.String() != "" || c.Words().EN != "nothing usable. The station tried to log in with a wrong token." {
		t.Errorf("a wrong token: %q over %q", c.Words().EN, c.Over)
	}
	if c, _ := p.Contacts.Last("BBB"); c.Words().EN != "nothing usable. A station may publish only below its own name." {
		t.Errorf("a topic of another: %q", c.Words().EN)
	}
	if n := len(p.Contacts.of); n != 3 {
		t.Errorf("%d stations were heard, want 3", n)
	}
	p.Contacts.Forget("AAA")
	p.Contacts.Remember(Reading{Station: "DDD", Received: receipt})
	for _, id := range []string{"AAA", "CCC", "DDD", "ZZZ"} {
		if c, heard := p.Contacts.Last(id); heard {
			t.Errorf("%s was heard: %+v", id, c)
		}
	}
}

// TestOwnersAreToldOfUnknownNames expects a refusal for the owner when nothing else of a station is taken, at most every
// ten minutes, and never for firmware that is well.
func TestOwnersAreToldOfUnknownNames(t *testing.T) {
	const unknown, good = `{"boot":1,"temp":3}`, `{"pm02":7}`
	type sent struct {
		after   time.Duration
		topic   string
		payload string
	}
	f := func(what string, messages []sent, want ...time.Duration) {
		t.Helper()
		p := newPipeline(&fakeJournal{})
		p.Contacts = &Contacts{}
		var got []time.Duration
		p.OnRefusal = func(r Refusal) {
			got = append(got, r.Received.Sub(receipt))
			if r.Station != "AAA" || r.Reason != wire.UnknownMember || r.Field == "" || r.Detail == "" {
				t.Errorf("%s: told %+v", what, r)
			}
		}
		for _, m := range messages {
			feed(t, p, Message{Topic: "stadtluft/v1/AAA/kit/" + m.topic, Payload: []byte(m.payload), Received: receipt.Add(m.after), Done: func(o Outcome) {
				if len(o.Refusals) > 0 {
					t.Errorf("%s: the message has the outcome %+v, want none of the owner's", what, o)
				}
			}})
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: told after %v, want %v", what, got, want)
		}
	}
	const m, ag, esphome = time.Minute, "airgradient", "esphome/sensor/uptime/state"
	f("the first message", []sent{{0, ag, unknown}}, 0)
	f("many messages", []sent{{0, ag, unknown}, {1 * m, ag, unknown}, {9 * m, ag, unknown}, {10 * m, ag, unknown}, {11 * m, ag, unknown}}, 0, 10*m)
	f("between good ones", []sent{{0, ag, good}, {1 * m, ag, unknown}, {20 * m, ag, unknown}, {21 * m, ag, good}, {80 * m, ag, unknown}})
	f("after good ones", []sent{{0, ag, good}, {59 * m, ag, unknown}, {60 * m, ag, unknown}}, 60*m)
	f("a part of a reading", []sent{{0, esphome, "1"}, {m / 2, esphome, "2"}, {1 * m, esphome, "3"}, {2 * m, esphome, "4"}}, 1*m)
	f("parts with values between", []sent{{0, esphome, "1"}, {m / 2, "esphome/sensor/pm_10/state", "2"}, {1 * m, esphome, "3"}, {2 * m, esphome, "4"}})
	f("nothing at all", []sent{{0, ag, `{}`}, {1 * m, "tasmota/tele/STATE", `{"Uptime":"1T"}`}})
}

// TestPublicNames hides names that look like serial numbers, MAC addresses or chip ids.
func TestPublicNames(t *testing.T) {
	for name, want := range map[string]bool{
		"temperature_1": true, "analog_in_4": true, "PM2.5": true, "SDS_P1": true, "BME280.Temperature": true, "PMS5003.CF2.5": true, "DS18B20-1.Temperature": true,
		"pm003Count": true, "[2].pm25": true, "line[3]": true, "data[0].recorded_at": true, "facade": false, "decade_pm": false,
		"LYWSD03-52680f.Temperature": false, "ecda3b1e0000": false, "esp8266-1234567": false, "tasmota_8EC44C": false, "b03e_temperature": false, "d4f5": false,
		"DS18B20-01131D9C8F3A": false, "node 7": false, "ü": false, "": false, `a"b`: false,
	} {
		if got := plainName(name); got != want {
			t.Errorf("plainName(%q) = %v, want %v", name, got, want)
		}
	}
}

// TestPublicRefusals expects details without topics, payloads and serial numbers.
func TestPublicRefusals(t *testing.T) {
	f := func(reason wire.Reason, field, detail, wantField, want string) {
		t.Helper()
		all := []Refusal{{Station: "AAA", Received: receipt, Reason: reason, Field: field, Detail: detail}}
		if got := Public(all)[0]; got.Field != wantField || got.Detail != want || got.Reason != reason || got.Station != "AAA" || !got.Received.Equal(receipt) {
			t.Errorf("%q, %s: got %q, %s, want %q, %s", field, detail, got.Field, got.Detail, wantField, want)
		}
		if all[0].Detail != detail || all[0].Field != field {
			t.Errorf("%s: the owner's has changed: %+v", detail, all[0])
		}
	}
	f(wire.Forbidden, "", `publish to "airgradient/readings/ecda3b1e0000" is not allowed: a station stays below stadtluft/v1/AAA/`, "", `publish to "…" is not allowed: a station stays below stadtluft/v1/AAA/`)
	f(wire.BadTopic, "", `the topic "a\"b/c" is not part of the protocol`, "", `the topic "…" is not part of the protocol`)
	f(wire.Malformed, "", `a status is "online" or "offline", not "hello"`, "", `a status is "online" or "offline", not "…"`)
	f(wire.NotANumber, "[2].pm10", `"pm10" is a finite number, not "\"20.1\""`, "[2].pm10", `"pm10" is a finite number, not "…"`)
	f(wire.UnknownMember, "temperature_1", `"temperature_1" is no quantity: did you mean "temperature"?`, "temperature_1", `"temperature_1" is no quantity: did you mean "temperature"?`)
	f(wire.UnknownMember, "LYWSD03-52680f.Temperature", `nothing in the message is known here: "LYWSD03-52680f.Temperature", did you mean "temperature"?; "foo"`, "",
		`nothing in the message is known here: "…", did you mean "temperature"?; "foo"`)
	f(wire.RepeatedMember, "SDS_P1", `the first "SDS_P1" counts`, "SDS_P1", `the first "SDS_P1" counts`)
	f(wire.NoValues, "Humidity", `the sensor had no value: "nan"`, "Humidity", `the sensor had no value: "…"`)
	f(wire.Clock, "t", `1970-01-01T00:00:00Z is the start of the Unix clock: the clock is not set, wait for NTP or send "age"`, "t",
		`1970-01-01T00:00:00Z is the start of the Unix clock: the clock is not set, wait for NTP or send "age"`)
	f(wire.Malformed, "feld=1234567", `a field is NAME=VALUE, not "feld=1234567 cut off…`, "", `a field is NAME=VALUE, not "…"`)
	if Public(nil) != nil {
		t.Error("no refusals have become some")
	}
}

// TestPublicContacts expects words without names that may be serial numbers.
func TestPublicContacts(t *testing.T) {
	c := Contact{Ignored: []string{"ecda3b1e0000", "temp"}, Refusals: []Refusal{{Reason: wire.UnknownMember, Field: "[1].tasmota_8EC44C"}}}
	if got, want := c.Public().Words().EN, `nothing usable: unknown names "…"; "temp", did you mean "temperature"?`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	c = Contact{Ignored: []string{"ecda3b1e0000"}}
	if got, want := c.Public().Words().EN, `nothing usable: unknown names "…"`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if len(c.Ignored) != 1 {
		t.Error("the owner's contact has changed")
	}
}
