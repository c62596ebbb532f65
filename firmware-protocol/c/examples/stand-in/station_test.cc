// Runs station.ino on a computer: a clock that the test sets, an SDS011 and a BME280 that say the same all
// the time, and an MQTT server that acknowledges when it is told to.
#include "Arduino.h"

#include <stdio.h>
#include <deque>
#include <string>
#include <vector>

#include "../station/station.ino"

// The board.
static int64_t uptimeMillis = 0;
static time_t bootTime = 0; // 0: NTP has not answered
static std::deque<uint8_t> uart;
static bool climateAnswers = true;
static std::deque<int> queue;

HardwareSerial Serial, Serial2;
WiFiClass WiFi;
void HardwareSerial::begin(unsigned long, uint32_t, int8_t, int8_t) {}
int HardwareSerial::available() { return uart.size(); }
int HardwareSerial::read() {
	int byte = uart.front();
	uart.pop_front();
	return byte;
}
size_t HardwareSerial::println(const char *) { return 0; }
size_t HardwareSerial::printf(const char *, ...) { return 0; }
unsigned long millis() { return uint32_t(uptimeMillis); }
void delay(uint32_t) { uptimeMillis += 1000; } // a second for each loop
int64_t esp_timer_get_time() { return uptimeMillis * 1000; }
time_t time(time_t *) noexcept { return bootTime + uptimeMillis / 1000; }
void configTime(long, int, const char *) {}
bool WiFiClass::mode(wifi_mode_t) { return true; }
int WiFiClass::begin(const char *, const char *) { return 0; }
bool Adafruit_BME280::begin(uint8_t) { return true; }
float Adafruit_BME280::readTemperature() { return climateAnswers ? 14.25f : NAN; }
float Adafruit_BME280::readHumidity() { return climateAnswers ? 60.3f : NAN; }
float Adafruit_BME280::readPressure() { return climateAnswers ? 101320 : NAN; }
QueueHandle_t xQueueCreate(unsigned, unsigned) { return nullptr; }
BaseType_t xQueueSend(QueueHandle_t, const void *item, TickType_t) {
	queue.push_back(*static_cast<const int *>(item));
	return pdTRUE;
}
BaseType_t xQueueReceive(QueueHandle_t, void *item, TickType_t) {
	if (queue.empty()) return 0;
	*static_cast<int *>(item) = queue.front();
	queue.pop_front();
	return pdTRUE;
}

// The MQTT client and its server.
struct Message {
	int id;
	std::string topic, data;
	int qos, retain;
};
static std::vector<Message> sent;
static esp_event_handler_t handler;
static esp_mqtt_client_config_t configured;

esp_mqtt_client_handle_t esp_mqtt_client_init(const esp_mqtt_client_config_t *config) {
	configured = *config;
	return nullptr;
}
esp_err_t esp_mqtt_client_register_event(esp_mqtt_client_handle_t, esp_mqtt_event_id_t, esp_event_handler_t h, void *) {
	handler = h;
	return 0;
}
esp_err_t esp_mqtt_client_start(esp_mqtt_client_handle_t) { return 0; }
int esp_mqtt_client_enqueue(
	esp_mqtt_client_handle_t, const char *topic, const char *data, int length, int qos, int retain, bool) {
	static int id = 0;
	sent.push_back({++id, topic, length > 0 ? std::string(data, length) : data, qos, retain});
	return id;
}
static void event(esp_mqtt_event_id_t what, int id = 0) {
	std::remove_pointer<esp_mqtt_event_handle_t>::type e = {nullptr, id};
	handler(nullptr, "MQTT_EVENTS", what, &e);
}

static int failures = 0;

static void check(int line, const std::string &got, const std::string &want) {
	if (got == want) return;
	fprintf(stderr, "station_test.cc:%d: got %s\nwant %s\n", line, got.c_str(), want.c_str());
	failures++;
}
#define CHECK(got, want) check(__LINE__, got, want)
#define CHECK_COUNT(got, want) check(__LINE__, std::to_string(got), std::to_string(want))

// pass runs the sketch; the SDS011 sends a frame a second: 12.3 and 20.1 ug/m3.
static void pass(int seconds) {
	for (int i = 0; i < seconds; i++) {
		for (uint8_t byte : {0xaa, 0xc0, 123, 0, 201, 0, 7, 9, 84, 0xab}) uart.push_back(byte);
		loop();
	}
}

static std::string reading(int64_t t) {
	return "{\"t\":" + std::to_string(t) +
	       ",\"pm2_5\":12.3,\"pm10\":20.1,\"temperature\":14.25,\"humidity\":60.3,\"pressure\":1013.2}";
}

static void testStart() {
	uart = {0xc0, 1, 0xaa, 0xc0, 9, 9, 9, 9, 9, 9, 1, 0xab, 0xaa}; // half a frame, one with a wrong sum, a stray byte
	setup();
	CHECK(configured.session.last_will.topic, "stadtluft/v1/YOUR-STATION/status");
	CHECK(configured.session.last_will.msg, "offline");
	CHECK_COUNT(configured.session.last_will.qos * 10 + configured.session.last_will.retain, 11);
	pass(1);
	CHECK_COUNT(frames, 1);
	pass(184);
	CHECK_COUNT(kept, 3);
	CHECK_COUNT(sent.size(), 0); // neither connected nor a clock
}

static void testConnection() {
	event(MQTT_EVENT_CONNECTED);
	pass(2);
	CHECK_COUNT(sent.size(), 1); // no clock yet: only the status
	CHECK(sent[0].topic + " " + sent[0].data, "stadtluft/v1/YOUR-STATION/status online");
	CHECK_COUNT(sent[0].qos * 10 + sent[0].retain, 11);
	bootTime = 1795439925;
	pass(2);
	CHECK_COUNT(sent.size(), 2);
	CHECK(sent[1].topic, "stadtluft/v1/YOUR-STATION/reading");
	CHECK(sent[1].data, "[" + reading(bootTime + 60) + "," + reading(bootTime + 120) + "," + reading(bootTime + 180) + "]");
	CHECK_COUNT(sent[1].qos * 10 + sent[1].retain, 10);
}

// A reading goes with its own PUBACK, not with another's, and a message without one is sent again.
static void testAcknowledgement() {
	event(MQTT_EVENT_PUBLISHED, sent[0].id);
	pass(30);
	CHECK_COUNT(kept, 3);
	CHECK_COUNT(sent.size(), 2);
	bootTime += 5; // the clock is set again: readings keep their time
	pass(35);
	CHECK_COUNT(sent.size(), 3);
	CHECK(sent[2].data.substr(0, sent[1].data.size() - 1), sent[1].data.substr(0, sent[1].data.size() - 1));
	CHECK_COUNT(kept, 4);
	event(MQTT_EVENT_PUBLISHED, sent[1].id); // too late: it was given up
	pass(1);
	CHECK_COUNT(kept, 4);
	event(MQTT_EVENT_PUBLISHED, sent[2].id);
	pass(1);
	CHECK_COUNT(kept, 0);
}

// Offline for more than a day: the oldest go, the others are sent in batches, each once and in order.
static void testLongOffline() {
	event(MQTT_EVENT_DISCONNECTED);
	size_t before = sent.size();
	pass(60 * int(capacity + 3));
	CHECK_COUNT(kept, capacity);
	CHECK_COUNT(sent.size(), before);
	int64_t oldest = ring[first].at;
	event(MQTT_EVENT_CONNECTED);
	before = sent.size();
	size_t acknowledgedReadings = 0;
	int64_t last = 0;
	for (int i = 0; i < 1000 && kept > 0; i++) {
		pass(2);
		if (sent.size() == before) continue;
		const Message &m = sent[before++];
		for (size_t at = 0; (at = m.data.find("\"t\":", at)) != std::string::npos; at++) {
			int64_t t = std::stoll(m.data.substr(at + 4));
			CHECK_COUNT(t, acknowledgedReadings == 0 ? oldest : last + 60);
			last = t;
			acknowledgedReadings++;
		}
		event(MQTT_EVENT_PUBLISHED, m.id);
	}
	CHECK_COUNT(kept, 0);
	CHECK_COUNT(acknowledgedReadings >= capacity, true);
}

// The buffer runs over while a message is under way: its PUBACK takes only what it carried.
static void testFullUnderWay() {
	event(MQTT_EVENT_DISCONNECTED);
	pass(60 * int(capacity));
	event(MQTT_EVENT_CONNECTED);
	pass(1);
	const Message m = sent.back();
	event(MQTT_EVENT_DISCONNECTED);
	pass(60 * 3);
	CHECK_COUNT(kept, capacity);
	int64_t oldest = ring[first].at;
	event(MQTT_EVENT_PUBLISHED, m.id);
	pass(1);
	CHECK_COUNT(kept, capacity - (batchSize - 3));
	CHECK_COUNT(ring[first].at, oldest + 60 * int64_t(batchSize - 3));
}

// What a sensor does not say is left out; a reading without anything is not kept.
static void testSilentSensors() {
	event(MQTT_EVENT_CONNECTED);
	for (int i = 0; i < 1000 && kept > 0; i++) {
		pass(2);
		event(MQTT_EVENT_PUBLISHED, sent.back().id);
	}
	climateAnswers = false;
	pass(60);
	CHECK_COUNT(kept, 1);
	const std::string data = sent.back().data;
	CHECK(data.substr(data.find(',')), ",\"pm2_5\":12.3,\"pm10\":20.1}]");
	event(MQTT_EVENT_PUBLISHED, sent.back().id);
	for (int i = 0; i < 300; i++) { // no frame either; one interval may have begun with frames
		loop();
		event(MQTT_EVENT_PUBLISHED, sent.back().id);
	}
	CHECK_COUNT(kept, 0);
}

int main() {
	testStart();
	testConnection();
	testAcknowledgement();
	testLongOffline();
	testFullUnderWay();
	testSilentSensors();
	printf("station.ino: %zu messages, %d failures\n", sent.size(), failures);
	return failures > 0;
}
