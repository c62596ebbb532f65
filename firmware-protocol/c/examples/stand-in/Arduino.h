// Stands in for arduino-esp32: only what station.ino uses, so that a computer can compile it. The functions
// are in station_test.cc.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SERIAL_8N1 0x800001c

struct HardwareSerial {
	void begin(unsigned long baud, uint32_t config = SERIAL_8N1, int8_t rx = -1, int8_t tx = -1);
	int available();
	int read();
	size_t println(const char *text);
	size_t printf(const char *format, ...) __attribute__((format(printf, 2, 3)));
};
extern HardwareSerial Serial, Serial2;

unsigned long millis();
void delay(uint32_t milliseconds);
void configTime(long offset, int daylightOffset, const char *server);

// FreeRTOS
typedef struct QueueDefinition *QueueHandle_t;
typedef int BaseType_t;
typedef uint32_t TickType_t;
#define pdTRUE 1
QueueHandle_t xQueueCreate(unsigned length, unsigned itemSize);
BaseType_t xQueueSend(QueueHandle_t queue, const void *item, TickType_t wait);
BaseType_t xQueueReceive(QueueHandle_t queue, void *item, TickType_t wait);
