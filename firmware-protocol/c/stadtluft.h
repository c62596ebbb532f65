/*
 * stadtluft.h builds what a measuring station says: topics, JSON and the binary payload of the Stadtluft
 * protocol, version 1, as ../README.md specifies them. Copy this one file beside your firmware.
 *
 * C99 and C++11; no allocation, no library beyond strcmp and strlen, no floating-point formatting.
 * Everything is static inline, so that including it is all there is to do.
 *
 * Each function writes into the caller's buffer and returns the length, or one of the negative errors. With
 * an error the buffer is as it was: nothing is ever half written. Pointers must not be NULL.
 */
#ifndef STADTLUFT_H
#define STADTLUFT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define STADTLUFT_TOPIC_SIZE 55 /* bytes that hold every topic with its final NUL */
#define STADTLUFT_MAX_STATION 32 /* bytes of a station's id */
#define STADTLUFT_MAX_MESSAGE 65536 /* bytes of JSON */
#define STADTLUFT_MAX_READINGS 1000 /* in one message */
#define STADTLUFT_MAX_BINARY 51 /* bytes of a binary payload */
#define STADTLUFT_MAX_TIME INT64_C(253402300799) /* Unix seconds */
#define STADTLUFT_MAX_AGE 31622400 /* seconds; 16777215 in a binary payload */

/* The errors. */
enum {
	STADTLUFT_ERROR_SPACE = -1, /* the buffer is too small */
	STADTLUFT_ERROR_STATION = -2, /* no station's id: 1 to 32 letters, digits and hyphens; not "city" or "grid" */
	STADTLUFT_ERROR_QUANTITY = -3, /* no quantity of this version */
	STADTLUFT_ERROR_VALUE = -4, /* not a number, infinite, or outside the range */
	STADTLUFT_ERROR_REPEATED = -5, /* a quantity twice in one reading */
	STADTLUFT_ERROR_TIME = -6, /* a time or age outside its range, or that the binary payload cannot say */
	STADTLUFT_ERROR_EMPTY = -7, /* no reading, or a reading without a value */
	STADTLUFT_ERROR_TOO_LARGE = -8 /* more readings or bytes than the protocol takes: send them in parts */
};

/* The quantities, each with the unit its values are in. */
enum {
	STADTLUFT_PM1 = 1, /* ug/m3, particles up to 1 um */
	STADTLUFT_PM2_5, /* ug/m3 */
	STADTLUFT_PM4, /* ug/m3 */
	STADTLUFT_PM10, /* ug/m3 */
	STADTLUFT_NO2, /* ug/m3 */
	STADTLUFT_NO, /* ug/m3 */
	STADTLUFT_O3, /* ug/m3 */
	STADTLUFT_SO2, /* ug/m3 */
	STADTLUFT_CO, /* mg/m3 */
	STADTLUFT_CO2, /* ppm */
	STADTLUFT_VOC_INDEX, /* 1 to 500 */
	STADTLUFT_NOX_INDEX, /* 1 to 500 */
	STADTLUFT_TEMPERATURE, /* degrees Celsius */
	STADTLUFT_HUMIDITY, /* %, relative */
	STADTLUFT_PRESSURE, /* hPa at the station's height; many libraries say Pa */
	STADTLUFT_NOISE_LAEQ, /* dB(A) */
	STADTLUFT_BATTERY, /* V */
	STADTLUFT_RSSI, /* dBm */
	STADTLUFT_QUANTITIES /* one more than the last */
};

/* What the seconds of a reading are. */
enum {
	STADTLUFT_NOW, /* nothing: the time of receipt counts */
	STADTLUFT_TIME, /* the time of observation in Unix seconds, UTC */
	STADTLUFT_AGE /* the seconds since the observation, for a station without a clock */
};

/* One measured value. Leave out what was not measured. */
typedef struct {
	uint8_t quantity; /* STADTLUFT_PM1 ... */
	double value; /* in the unit of its quantity */
} stadtluft_value;

/* What was measured at one moment. */
typedef struct {
	uint8_t when; /* STADTLUFT_NOW, STADTLUFT_TIME or STADTLUFT_AGE */
	int64_t seconds; /* unless now */
	const stadtluft_value *values; /* in any order, no quantity twice */
	size_t count; /* of values, at least 1 */
} stadtluft_reading;

/* stadtluft_reading_topic is where a station publishes readings, with QoS 1, not retained. As all topics and
 * JSON it ends with a NUL, which the length does not count. */
static inline int32_t stadtluft_reading_topic(char *buffer, size_t size, const char *station);

/* stadtluft_status_topic is where a station says "online", and as its last will "offline": QoS 1, retained. */
static inline int32_t stadtluft_status_topic(char *buffer, size_t size, const char *station);

/* stadtluft_feedback_topic is where a station hears what was refused. */
static inline int32_t stadtluft_feedback_topic(char *buffer, size_t size, const char *station);

/* stadtluft_json writes one reading as an object, values in the order of their numbers, rounded to three
 * decimals, halves away from zero. Values reach from -999999.999 to 999999.999. */
static inline int32_t stadtluft_json(char *buffer, size_t size, const stadtluft_reading *reading);

/* stadtluft_json_array writes readings, such as those buffered while offline, as an array. */
static inline int32_t stadtluft_json_array(char *buffer, size_t size, const stadtluft_reading *readings, size_t count);

/* stadtluft_binary writes the binary payload for LoRaWAN, FPort 1. It has ages only, up to 16777215 s, and
 * only the first reading may be of now. The specification has each quantity's range and resolution. */
static inline int32_t stadtluft_binary(uint8_t *buffer, size_t size, const stadtluft_reading *readings, size_t count);

/* ------------------------------------------------------------------------------------------------------ */

/* How a quantity is called and how it travels in the binary payload: the code, whose top bit says that three
 * bytes follow instead of two, and the whole number's scale and sign. */
typedef struct {
	const char *name;
	uint8_t code;
	uint8_t is_signed;
	int16_t scale;
} stadtluft_form;

static inline const stadtluft_form *stadtluft_form_of(uint8_t quantity) {
	static const stadtluft_form forms[STADTLUFT_QUANTITIES] = {
		{"", 0, 0, 1},
		{"pm1", 0x01, 0, 10},
		{"pm2_5", 0x02, 0, 10},
		{"pm4", 0x03, 0, 10},
		{"pm10", 0x04, 0, 10},
		{"no2", 0x05, 1, 10},
		{"no", 0x06, 1, 10},
		{"o3", 0x07, 1, 10},
		{"so2", 0x08, 1, 10},
		{"co", 0x09, 1, 100},
		{"co2", 0x0a, 0, 1},
		{"voc_index", 0x0b, 0, 10},
		{"nox_index", 0x0c, 0, 10},
		{"temperature", 0x0d, 1, 100},
		{"humidity", 0x0e, 0, 100},
		{"pressure", 0x8f, 0, 100},
		{"noise_laeq", 0x10, 0, 10},
		{"battery", 0x11, 0, 1000},
		{"rssi", 0x12, 1, 1},
	};
	return &forms[quantity];
}

/* A sink without a place to write to only counts. Every message is built twice: counted, then written. */
typedef struct {
	uint8_t *to;
	uint32_t length;
} stadtluft_sink;

static inline void stadtluft_put(stadtluft_sink *sink, uint8_t byte) {
	if (sink->to != NULL) {
		sink->to[sink->length] = byte;
	}
	sink->length++;
}

static inline void stadtluft_put_text(stadtluft_sink *sink, const char *text) {
	for (; *text != '\0'; text++) {
		stadtluft_put(sink, (uint8_t)*text);
	}
}

static inline void stadtluft_put_number(stadtluft_sink *sink, uint64_t number) {
	char digits[21];
	char *first = digits + sizeof digits - 1;
	*first = '\0';
	do {
		*--first = (char)('0' + (char)(number % 10));
		number /= 10;
	} while (number > 0);
	stadtluft_put_text(sink, first);
}

/* stadtluft_put_thousandths writes a whole number of thousandths as a decimal in its shortest form. */
static inline void stadtluft_put_thousandths(stadtluft_sink *sink, int32_t thousandths) {
	uint32_t rest = (uint32_t)thousandths;
	uint32_t unit;
	if (thousandths < 0) {
		stadtluft_put(sink, '-');
		rest = 0 - rest;
	}
	stadtluft_put_number(sink, rest / 1000);
	rest %= 1000;
	if (rest > 0) {
		stadtluft_put(sink, '.');
	}
	for (unit = 100; rest > 0; unit /= 10) {
		stadtluft_put(sink, (uint8_t)('0' + rest / unit));
		rest %= unit;
	}
}

/* stadtluft_scaled rounds value times scale, halves away from zero; 0 when that is no number or out of range. */
static inline int stadtluft_scaled(double value, int16_t scale, int32_t low, int32_t high, int32_t *number) {
	double exact = value * (double)scale;
	if (!(exact > (double)low - 1 && exact < (double)high + 1)) { /* also when it is no number */
		return 0;
	}
	*number = (int32_t)exact;
	if (exact - (double)*number >= 0.5) {
		++*number;
	} else if (exact - (double)*number <= -0.5) {
		--*number;
	}
	return *number >= low && *number <= high;
}

/* stadtluft_check looks at everything of a reading but the ranges. */
static inline int32_t stadtluft_check(const stadtluft_reading *reading, int64_t max_age) {
	uint32_t seen = 0;
	size_t i;
	int64_t most = reading->when == STADTLUFT_AGE ? max_age : STADTLUFT_MAX_TIME;
	if (reading->when > STADTLUFT_AGE) {
		return STADTLUFT_ERROR_TIME;
	}
	if (reading->when != STADTLUFT_NOW && (reading->seconds < 0 || reading->seconds > most)) {
		return STADTLUFT_ERROR_TIME;
	}
	for (i = 0; i < reading->count; i++) {
		uint8_t quantity = reading->values[i].quantity;
		if (quantity == 0 || quantity >= STADTLUFT_QUANTITIES) {
			return STADTLUFT_ERROR_QUANTITY;
		}
		if ((seen >> quantity & 1) != 0) {
			return STADTLUFT_ERROR_REPEATED;
		}
		seen |= (uint32_t)1 << quantity;
	}
	return reading->count == 0 ? STADTLUFT_ERROR_EMPTY : 0;
}

/* stadtluft_find is the value of a quantity, or NULL. */
static inline const stadtluft_value *stadtluft_find(const stadtluft_reading *reading, uint8_t quantity) {
	size_t i;
	for (i = 0; i < reading->count; i++) {
		if (reading->values[i].quantity == quantity) {
			return &reading->values[i];
		}
	}
	return NULL;
}

static inline void stadtluft_put_member(stadtluft_sink *sink, const char *name, int first) {
	stadtluft_put_text(sink, first ? "\"" : ",\"");
	stadtluft_put_text(sink, name);
	stadtluft_put_text(sink, "\":");
}

static inline int32_t stadtluft_put_object(stadtluft_sink *sink, const stadtluft_reading *reading) {
	int first = 1;
	uint8_t quantity;
	int32_t failure = stadtluft_check(reading, STADTLUFT_MAX_AGE);
	if (failure != 0) {
		return failure;
	}
	stadtluft_put(sink, '{');
	if (reading->when != STADTLUFT_NOW) {
		stadtluft_put_member(sink, reading->when == STADTLUFT_AGE ? "age" : "t", first);
		stadtluft_put_number(sink, (uint64_t)reading->seconds);
		first = 0;
	}
	for (quantity = 1; quantity < STADTLUFT_QUANTITIES; quantity++) {
		const stadtluft_value *value = stadtluft_find(reading, quantity);
		int32_t thousandths;
		if (value == NULL) {
			continue;
		}
		if (!stadtluft_scaled(value->value, 1000, -999999999, 999999999, &thousandths)) {
			return STADTLUFT_ERROR_VALUE;
		}
		stadtluft_put_member(sink, stadtluft_form_of(quantity)->name, first);
		stadtluft_put_thousandths(sink, thousandths);
		first = 0;
	}
	stadtluft_put(sink, '}');
	return 0;
}

/* stadtluft_put_json writes an array, or without brackets the one reading there is. */
static inline int32_t stadtluft_put_json(stadtluft_sink *sink, const stadtluft_reading *readings, size_t count, int array) {
	size_t i;
	for (i = 0; i < count; i++) {
		int32_t failure;
		if (array) {
			stadtluft_put(sink, i == 0 ? '[' : ',');
		}
		failure = stadtluft_put_object(sink, &readings[i]);
		if (failure != 0) {
			return failure;
		}
	}
	if (array) {
		stadtluft_put(sink, ']');
	}
	return 0;
}

static inline int32_t stadtluft_json_of(char *buffer, size_t size, const stadtluft_reading *readings, size_t count, int array) {
	stadtluft_sink sink = {NULL, 0};
	int32_t failure = stadtluft_put_json(&sink, readings, count, array);
	if (failure != 0) {
		return failure;
	}
	if (sink.length > STADTLUFT_MAX_MESSAGE) {
		return STADTLUFT_ERROR_TOO_LARGE;
	}
	if (sink.length >= size) {
		return STADTLUFT_ERROR_SPACE;
	}
	sink.to = (uint8_t *)buffer;
	sink.length = 0;
	(void)stadtluft_put_json(&sink, readings, count, array);
	buffer[sink.length] = '\0';
	return (int32_t)sink.length;
}

static inline int32_t stadtluft_json(char *buffer, size_t size, const stadtluft_reading *reading) {
	return stadtluft_json_of(buffer, size, reading, 1, 0);
}

static inline int32_t stadtluft_json_array(char *buffer, size_t size, const stadtluft_reading *readings, size_t count) {
	if (count == 0) {
		return STADTLUFT_ERROR_EMPTY;
	}
	if (count > STADTLUFT_MAX_READINGS) {
		return STADTLUFT_ERROR_TOO_LARGE;
	}
	return stadtluft_json_of(buffer, size, readings, count, 1);
}

/* stadtluft_put_code writes a code and the number's lowest two bytes, or three when the code says so. */
static inline void stadtluft_put_code(stadtluft_sink *sink, uint8_t code, uint32_t number) {
	stadtluft_put(sink, code);
	if ((code & 0x80) != 0) {
		stadtluft_put(sink, (uint8_t)(number >> 16 & 0xff));
	}
	stadtluft_put(sink, (uint8_t)(number >> 8 & 0xff));
	stadtluft_put(sink, (uint8_t)(number & 0xff));
}

static inline int32_t stadtluft_put_aged(stadtluft_sink *sink, const stadtluft_reading *reading, int first) {
	uint8_t quantity;
	int32_t failure = stadtluft_check(reading, 0xffffff);
	if (failure != 0) {
		return failure;
	}
	if (reading->when == STADTLUFT_AGE) {
		stadtluft_put_code(sink, reading->seconds > 0xffff ? 0x80 : 0x00, (uint32_t)reading->seconds);
	} else if (reading->when == STADTLUFT_TIME || !first) {
		return STADTLUFT_ERROR_TIME;
	}
	for (quantity = 1; quantity < STADTLUFT_QUANTITIES; quantity++) {
		const stadtluft_value *value = stadtluft_find(reading, quantity);
		const stadtluft_form *form = stadtluft_form_of(quantity);
		int32_t high = (form->code & 0x80) != 0 ? 0xffffff : 0xffff;
		int32_t low = 0, number;
		if (value == NULL) {
			continue;
		}
		if (form->is_signed) {
			high /= 2;
			low = -high - 1;
		}
		if (!stadtluft_scaled(value->value, form->scale, low, high, &number)) {
			return STADTLUFT_ERROR_VALUE;
		}
		stadtluft_put_code(sink, form->code, (uint32_t)number);
	}
	return 0;
}

static inline int32_t stadtluft_put_binary(stadtluft_sink *sink, const stadtluft_reading *readings, size_t count) {
	size_t i;
	stadtluft_put(sink, 1); /* the version */
	for (i = 0; i < count; i++) {
		int32_t failure = stadtluft_put_aged(sink, &readings[i], i == 0);
		if (failure != 0) {
			return failure;
		}
	}
	return 0;
}

static inline int32_t stadtluft_binary(uint8_t *buffer, size_t size, const stadtluft_reading *readings, size_t count) {
	stadtluft_sink sink = {NULL, 0};
	int32_t failure;
	if (count == 0) {
		return STADTLUFT_ERROR_EMPTY;
	}
	if (count > STADTLUFT_MAX_BINARY) {
		return STADTLUFT_ERROR_TOO_LARGE;
	}
	failure = stadtluft_put_binary(&sink, readings, count);
	if (failure != 0) {
		return failure;
	}
	if (sink.length > STADTLUFT_MAX_BINARY) {
		return STADTLUFT_ERROR_TOO_LARGE;
	}
	if (sink.length > size) {
		return STADTLUFT_ERROR_SPACE;
	}
	sink.to = buffer;
	sink.length = 0;
	(void)stadtluft_put_binary(&sink, readings, count);
	return (int32_t)sink.length;
}

/* stadtluft_is_station reports whether id can be a station's in a topic. */
static inline int stadtluft_is_station(const char *id) {
	size_t i;
	for (i = 0; id[i] != '\0'; i++) {
		char c = id[i];
		if (i == STADTLUFT_MAX_STATION) {
			return 0;
		}
		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-')) {
			return 0;
		}
	}
	return i > 0 && strcmp(id, "city") != 0 && strcmp(id, "grid") != 0;
}

static inline int32_t stadtluft_topic(char *buffer, size_t size, const char *station, const char *leaf) {
	stadtluft_sink sink = {NULL, 0};
	if (!stadtluft_is_station(station)) {
		return STADTLUFT_ERROR_STATION;
	}
	if (sizeof "stadtluft/v1/" + strlen(station) + strlen(leaf) > size) {
		return STADTLUFT_ERROR_SPACE;
	}
	sink.to = (uint8_t *)buffer;
	stadtluft_put_text(&sink, "stadtluft/v1/");
	stadtluft_put_text(&sink, station);
	stadtluft_put_text(&sink, leaf);
	buffer[sink.length] = '\0';
	return (int32_t)sink.length;
}

static inline int32_t stadtluft_reading_topic(char *buffer, size_t size, const char *station) {
	return stadtluft_topic(buffer, size, station, "/reading");
}

static inline int32_t stadtluft_status_topic(char *buffer, size_t size, const char *station) {
	return stadtluft_topic(buffer, size, station, "/status");
}

static inline int32_t stadtluft_feedback_topic(char *buffer, size_t size, const char *station) {
	return stadtluft_topic(buffer, size, station, "/feedback");
}

#endif
