// A station for an ESP32 with an SDS011 (particles) and a BME280 (temperature, humidity, pressure).
//
// It measures once a minute, keeps each reading with its time while it is offline, and publishes over MQTT
// with QoS 1. A reading leaves the buffer only when the server has acknowledged it; the buffer is in RAM,
// so a restart loses what was not sent yet.
//
// THIS SKETCH HAS NOT RUN ON AN ESP32. It has been compiled and its buffer tested on a computer only, against
// stand-ins for the headers of the board and the libraries (../stand-in), never against the real ones.
//
// Written for arduino-esp32 3.x (ESP-IDF 5), whose own MQTT client publishes with QoS 1, which
// PubSubClient does not. Also needs the library "Adafruit BME280" and stadtluft.h copied beside this file.
//
// Wiring: SDS011 TXD to GPIO 16, 5V, GND. BME280 SDA to GPIO 21, SCL to GPIO 22, 3.3V, GND.

#include <Adafruit_BME280.h>
#include <WiFi.h>
#include <Wire.h>
#include <atomic>
#include <esp_timer.h>
#include <math.h>
#include <mqtt_client.h>
#include <time.h>

#include "stadtluft.h"

// What you fill in. Station and token are those of your registration.
const char wifiName[] = "YOUR-WIFI";
const char wifiPassword[] = "YOUR-WIFI-PASSWORD";
const char server[] = "mqtt://luft.example.org:1883";
const char station[] = "YOUR-STATION";
const char token[] = "YOUR-TOKEN";

const uint32_t interval = 60000;      // ms between readings
const uint32_t patience = 60000;      // ms until a message without acknowledgement is sent again
const uint32_t breath = 1000;         // ms between attempts to send
const size_t capacity = 1440;         // readings the buffer holds: one day
const size_t batchSize = 8;           // readings in one message
const time_t clockIsSet = 1767225600; // 2026: an earlier time means that NTP has not answered yet

const uint8_t quantities[] = {STADTLUFT_PM2_5, STADTLUFT_PM10, STADTLUFT_TEMPERATURE, STADTLUFT_HUMIDITY, STADTLUFT_PRESSURE};
const size_t quantityCount = sizeof quantities;

struct Reading {
  int64_t at; // Unix seconds, or seconds since the start while not dated
  bool dated;
  float values[quantityCount]; // NAN: not measured
};

// The buffer is a ring: the oldest reading is at first. Only loop() touches it.
Reading ring[capacity];
size_t first = 0;
size_t kept = 0;

// The message under way: the oldest readings of the buffer.
int underWay = -1; // its id
size_t underWayCount = 0;
uint32_t lastAttempt = 0;

esp_mqtt_client_handle_t client;
char readingTopic[STADTLUFT_TOPIC_SIZE];
char statusTopic[STADTLUFT_TOPIC_SIZE];
std::atomic<bool> connected(false); // written by the MQTT client's task
QueueHandle_t acknowledged;         // message ids, from the MQTT client's task to loop()

Adafruit_BME280 climate;
bool climateFound = false;

// The SDS011 sends a frame a second.
uint8_t frame[10];
size_t frameLength = 0;
uint32_t pm25Sum = 0, pm10Sum = 0, frames = 0; // 0.1 ug/m3

uint32_t lastReading = 0;

void takeFrame() {
  uint8_t sum = 0;
  for (size_t i = 2; i < 8; i++) sum += frame[i];
  if (sum != frame[8] || frame[9] != 0xab) return;
  pm25Sum += frame[2] + 256u * frame[3];
  pm10Sum += frame[4] + 256u * frame[5];
  frames++;
}

void readDust() {
  while (Serial2.available() > 0) {
    frame[frameLength++] = (uint8_t)Serial2.read();
    if (frame[0] != 0xaa) frameLength = 0;
    if (frameLength == 2 && frame[1] != 0xc0) frameLength = frame[1] == 0xaa ? 1 : 0;
    if (frameLength == sizeof frame) {
      takeFrame();
      frameLength = 0;
    }
  }
}

int64_t uptime() { return esp_timer_get_time() / 1000000; }

// keep puts a reading at the end of the buffer; a full one lets its oldest go.
void keep(const Reading &reading) {
  if (kept == capacity) {
    first = (first + 1) % capacity;
    kept--;
    if (underWayCount > 0) underWayCount--;
    Serial.println("the buffer is full: the oldest reading is lost");
  }
  ring[(first + kept) % capacity] = reading;
  kept++;
}

void measure() {
  Reading r = {uptime(), false, {NAN, NAN, NAN, NAN, NAN}};
  if (frames > 0) { // the mean of the interval
    r.values[0] = pm25Sum / 10.0f / frames;
    r.values[1] = pm10Sum / 10.0f / frames;
  }
  pm25Sum = pm10Sum = frames = 0;
  if (climateFound) {
    r.values[2] = climate.readTemperature();
    r.values[3] = climate.readHumidity();
    r.values[4] = climate.readPressure() / 100; // Pa
  }
  for (size_t i = 0; i < quantityCount; i++) {
    if (isfinite(r.values[i])) {
      keep(r);
      return;
    }
  }
  Serial.println("no sensor answers: check the wires");
}

// setTimes gives the readings their time as soon as the clock is set. It stays theirs when they are sent again.
void setTimes() {
  int64_t now = time(nullptr);
  if (now < clockIsSet) return;
  for (size_t i = kept; i > 0; i--) { // from the newest: those before a dated one are dated
    Reading &r = ring[(first + i - 1) % capacity];
    if (r.dated) return;
    r.at = now - (uptime() - r.at);
    r.dated = true;
  }
}

void forget(size_t count) {
  first = (first + count) % capacity;
  kept -= count;
}

void takeAcknowledgements() {
  int id;
  while (xQueueReceive(acknowledged, &id, 0) == pdTRUE) {
    if (id != underWay) continue; // the status, or a message that was given up
    forget(underWayCount);
    underWay = -1;
    underWayCount = 0;
  }
}

// message writes the oldest readings that have their time, at most batchSize, and says how many.
int32_t message(char *buffer, size_t size, size_t *count) {
  stadtluft_value values[batchSize][quantityCount];
  stadtluft_reading readings[batchSize];
  size_t i = 0;
  for (; i < batchSize && i < kept && ring[(first + i) % capacity].dated; i++) {
    const Reading &from = ring[(first + i) % capacity];
    readings[i] = {STADTLUFT_TIME, from.at, values[i], 0};
    for (size_t j = 0; j < quantityCount; j++) {
      if (isfinite(from.values[j])) values[i][readings[i].count++] = {quantities[j], from.values[j]};
    }
  }
  *count = i;
  return stadtluft_json_array(buffer, size, readings, i);
}

void publish() {
  static char buffer[1024];
  uint32_t now = millis();
  if (now - lastAttempt < (underWay >= 0 ? patience : breath)) return;
  if (!connected || kept == 0 || !ring[first].dated) return;
  lastAttempt = now;
  size_t count;
  int32_t length = message(buffer, sizeof buffer, &count);
  if (length < 0) { // cannot happen with these sensors; it must not stop the readings after it
    Serial.printf("a reading cannot be sent: error %d\n", (int)length);
    forget(1);
    return;
  }
  underWay = esp_mqtt_client_enqueue(client, readingTopic, buffer, length, 1, 0, true);
  underWayCount = underWay >= 0 ? count : 0;
}

// onEvent runs in the MQTT client's task.
void onEvent(void *, esp_event_base_t, int32_t id, void *data) {
  esp_mqtt_event_handle_t event = (esp_mqtt_event_handle_t)data;
  switch (id) {
    case MQTT_EVENT_CONNECTED:
      connected = true;
      esp_mqtt_client_enqueue(event->client, statusTopic, "online", 0, 1, 1, true);
      break;
    case MQTT_EVENT_DISCONNECTED:
      connected = false;
      break;
    case MQTT_EVENT_PUBLISHED: { // the PUBACK: the server has the message on disk
      int published = event->msg_id;
      xQueueSend(acknowledged, &published, 0); // when it is full the message is sent again, which is harmless
      break;
    }
  }
}

void startMQTT() {
  esp_mqtt_client_config_t config = {};
  config.broker.address.uri = server;
  config.credentials.client_id = station;
  config.credentials.username = station;
  config.credentials.authentication.password = token;
  config.session.last_will.topic = statusTopic;
  config.session.last_will.msg = "offline";
  config.session.last_will.qos = 1;
  config.session.last_will.retain = 1;
  client = esp_mqtt_client_init(&config);
  esp_mqtt_client_register_event(client, MQTT_EVENT_ANY, onEvent, nullptr);
  esp_mqtt_client_start(client); // connects, and connects again, by itself
}

void setup() {
  Serial.begin(115200);
  Serial2.begin(9600, SERIAL_8N1, 16, 17);
  acknowledged = xQueueCreate(8, sizeof(int));
  climateFound = climate.begin(0x76) || climate.begin(0x77);
  if (stadtluft_reading_topic(readingTopic, sizeof readingTopic, station) < 0 ||
      stadtluft_status_topic(statusTopic, sizeof statusTopic, station) < 0) {
    Serial.println("fill in the station's id");
    return;
  }
  WiFi.mode(WIFI_STA);
  WiFi.begin(wifiName, wifiPassword);
  configTime(0, 0, "pool.ntp.org");
  startMQTT();
}

void loop() {
  readDust();
  if (millis() - lastReading >= interval) {
    lastReading += interval;
    measure();
  }
  setTimes();
  takeAcknowledgements();
  publish();
  delay(10);
}
