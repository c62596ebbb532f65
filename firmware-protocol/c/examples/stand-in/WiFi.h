// Stands in for arduino-esp32's WiFi.h.
#pragma once

enum wifi_mode_t { WIFI_STA = 1 };

struct WiFiClass {
	bool mode(wifi_mode_t mode);
	int begin(const char *name, const char *password);
};
extern WiFiClass WiFi;
