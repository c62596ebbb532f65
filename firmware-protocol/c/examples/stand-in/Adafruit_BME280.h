// Stands in for the library "Adafruit BME280".
#pragma once
#include <stdint.h>

struct Adafruit_BME280 {
	bool begin(uint8_t address);
	float readTemperature(); // degrees Celsius
	float readHumidity();    // %
	float readPressure();    // Pa
};
