// Stands in for the MQTT client of ESP-IDF 5.
#pragma once
#include <stdint.h>

typedef int esp_err_t;
typedef const char *esp_event_base_t;
typedef void (*esp_event_handler_t)(void *argument, esp_event_base_t base, int32_t id, void *data);
typedef struct esp_mqtt_client *esp_mqtt_client_handle_t;

typedef enum {
	MQTT_EVENT_ANY = -1,
	MQTT_EVENT_ERROR,
	MQTT_EVENT_CONNECTED,
	MQTT_EVENT_DISCONNECTED,
	MQTT_EVENT_SUBSCRIBED,
	MQTT_EVENT_UNSUBSCRIBED,
	MQTT_EVENT_PUBLISHED,
} esp_mqtt_event_id_t;

typedef struct {
	esp_mqtt_client_handle_t client;
	int msg_id;
} *esp_mqtt_event_handle_t;

typedef struct {
	struct {
		struct {
			const char *uri;
		} address;
	} broker;
	struct {
		const char *username, *client_id;
		struct {
			const char *password;
		} authentication;
	} credentials;
	struct {
		struct {
			const char *topic, *msg;
			int msg_len, qos, retain;
		} last_will;
	} session;
} esp_mqtt_client_config_t;

esp_mqtt_client_handle_t esp_mqtt_client_init(const esp_mqtt_client_config_t *config);
esp_err_t esp_mqtt_client_register_event(
	esp_mqtt_client_handle_t client, esp_mqtt_event_id_t event, esp_event_handler_t handler, void *argument);
esp_err_t esp_mqtt_client_start(esp_mqtt_client_handle_t client);
int esp_mqtt_client_enqueue(
	esp_mqtt_client_handle_t client, const char *topic, const char *data, int len, int qos, int retain, bool store);
