/*
 * vectors runs stadtluft.h on the host: against the test vectors named on its command line, at every size of
 * the buffer, and against what it must refuse and how it must round.
 * README.md says how to run it.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "stadtluft.h"

#define UNTOUCHED 0xa5

static const char *current = "";
static int failures;

static void fail(const char *what, double got, double want) {
	fprintf(stderr, "%s: %s: got %.17g, want %.17g\n", current, what, got, want);
	failures++;
}

static void check(const char *what, double got, double want) {
	if (!(got == want)) {
		fail(what, got, want);
	}
}

static void stop(const char *why) {
	fprintf(stderr, "%s: %s\n", current, why);
	exit(1);
}

/* ---- A strict reader of JSON. Strings stay as they stand between their quotes. ---- */

typedef enum { OBJECT, ARRAY, STRING, NUMBER, WORD } kind;

typedef struct node {
	kind kind;
	const char *name, *text; /* of a member; of a string or word */
	size_t name_length, length;
	double number;
	struct node *child, *next;
} node;

static node nodes[20000];
static size_t used;
static const char *at;

static void space(void) {
	while (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t') {
		at++;
	}
}

static int take(char c) {
	space();
	if (*at != c) {
		return 0;
	}
	at++;
	return 1;
}

static void expect(char c) {
	if (!take(c)) {
		stop("this is not JSON");
	}
}

static const char *string(size_t *length) {
	const char *start;
	expect('"');
	start = at;
	while (*at != '"') {
		int escaped = *at == '\\';
		at += escaped;
		if ((unsigned char)*at < 0x20 || (escaped && strchr("\"\\/bfnrtu", *at) == NULL)) {
			stop("a string is broken");
		}
		at++;
	}
	*length = (size_t)(at - start);
	at++;
	return start;
}

static const char *digits(const char *p) {
	const char *start = p;
	while (*p >= '0' && *p <= '9') {
		p++;
	}
	if (p == start) {
		stop("a number is broken");
	}
	return p;
}

static double number(void) {
	const char *p = at;
	char *end;
	double value;
	if (*p == '-') {
		p++;
	}
	p = *p == '0' ? p + 1 : digits(p);
	if (*p == '.') {
		p = digits(p + 1);
	}
	if (*p == 'e' || *p == 'E') {
		p++;
		p = digits(*p == '+' || *p == '-' ? p + 1 : p);
	}
	value = strtod(at, &end);
	if (end != p) {
		stop("a number is broken");
	}
	at = p;
	return value;
}

static node *value(void);

static node *members(node *parent, char close) {
	node **last = &parent->child;
	if (take(close)) {
		return parent;
	}
	do {
		const char *name = NULL;
		size_t length = 0;
		if (close == '}') {
			name = string(&length);
			expect(':');
		}
		*last = value();
		(*last)->name = name;
		(*last)->name_length = length;
		last = &(*last)->next;
	} while (take(','));
	expect(close);
	return parent;
}

static node *value(void) {
	node *n;
	if (used == sizeof nodes / sizeof nodes[0]) {
		stop("this is too much JSON");
	}
	n = &nodes[used++];
	memset(n, 0, sizeof *n);
	if (take('{')) {
		n->kind = OBJECT;
		return members(n, '}');
	}
	if (take('[')) {
		n->kind = ARRAY;
		return members(n, ']');
	}
	if (*at == '"') {
		n->kind = STRING;
		n->text = string(&n->length);
		return n;
	}
	if (*at == '-' || (*at >= '0' && *at <= '9')) {
		n->kind = NUMBER;
		n->number = number();
		return n;
	}
	n->kind = WORD;
	for (n->text = at; *at >= 'a' && *at <= 'z'; at++) {
		n->length++;
	}
	if (!(n->length == 4 && (memcmp(n->text, "true", 4) == 0 || memcmp(n->text, "null", 4) == 0)) &&
		!(n->length == 5 && memcmp(n->text, "false", 5) == 0)) {
		stop("this is not JSON");
	}
	return n;
}

static node *parse(const char *text) {
	node *n;
	at = text;
	n = value();
	space();
	if (*at != '\0') {
		stop("there is more than JSON");
	}
	return n;
}

static int is(const node *n, const char *name) {
	return n->name_length == strlen(name) && memcmp(n->name, name, n->name_length) == 0;
}

static const node *member(const node *object, const char *name) {
	const node *n;
	for (n = object->child; n != NULL; n = n->next) {
		if (is(n, name)) {
			return n;
		}
	}
	return NULL;
}

/* ---- A vector's readings. ---- */

static stadtluft_value values[STADTLUFT_MAX_READINGS][STADTLUFT_QUANTITIES];
static stadtluft_reading readings[STADTLUFT_MAX_READINGS];
static size_t count;

static uint8_t quantity(const node *n) {
	uint8_t q;
	for (q = 1; q < STADTLUFT_QUANTITIES; q++) {
		if (is(n, stadtluft_form_of(q)->name)) {
			return q;
		}
	}
	stop("a quantity is unknown");
	return 0;
}

static void add_reading(const node *from) {
	stadtluft_reading r = {STADTLUFT_NOW, 0, NULL, 0};
	const node *m, *v;
	double times = 1;
	if (count == STADTLUFT_MAX_READINGS) {
		stop("there are too many readings");
	}
	for (m = from->child; m != NULL; m = m->next) {
		if (is(m, "t") || is(m, "age")) {
			r.when = is(m, "t") ? STADTLUFT_TIME : STADTLUFT_AGE;
			r.seconds = (int64_t)m->number;
		} else if (is(m, "times")) {
			times = m->number;
		} else if (is(m, "values")) {
			for (v = m->child; v != NULL; v = v->next) {
				values[count][r.count].quantity = quantity(v);
				values[count][r.count++].value = v->number;
			}
		} else {
			stop("a reading has an unknown member");
		}
	}
	r.values = values[count];
	for (; times > 0 && count < STADTLUFT_MAX_READINGS; times--) {
		readings[count++] = r;
	}
}

/* encodable reports whether a value has no more than the three decimals that stadtluft_json writes. */
static int encodable(double v) {
	char text[400];
	if (!(fabs(v) <= 999999.999)) {
		return 0;
	}
	snprintf(text, sizeof text, "%.3f", v);
	return strtod(text, NULL) == v;
}

static int all_encodable(void) {
	size_t i, j;
	for (i = 0; i < count; i++) {
		for (j = 0; j < readings[i].count; j++) {
			if (!encodable(readings[i].values[j].value)) {
				return 0;
			}
		}
	}
	return 1;
}

/* ---- The checks. ---- */

/* room ends where AddressSanitizer watches: a message is built at its very end. */
static uint8_t room[STADTLUFT_MAX_MESSAGE + 1];

typedef enum { JSON, JSON_ARRAY, BINARY } form;

static int32_t encode(form f, size_t size) {
	uint8_t *buffer = room + sizeof room - size;
	memset(room, UNTOUCHED, sizeof room);
	switch (f) {
	case JSON:
		return stadtluft_json((char *)buffer, size, readings);
	case JSON_ARRAY:
		return stadtluft_json_array((char *)buffer, size, readings, count);
	default:
		return stadtluft_binary(buffer, size, readings, count);
	}
}

static int untouched(void) {
	size_t i;
	for (i = 0; i < sizeof room; i++) {
		if (room[i] != UNTOUCHED) {
			return 0;
		}
	}
	return 1;
}

/* check_sizes encodes into the smallest buffer, and fails in every smaller one without touching it. It answers
 * with the message. */
static const uint8_t *check_sizes(form f, size_t *length) {
	int32_t most = encode(f, sizeof room);
	size_t size, smallest, step;
	if (most < 0) {
		fail("the length", most, 1);
		*length = 0;
		return room;
	}
	*length = (size_t)most;
	smallest = *length + (f == BINARY ? 0 : 1);
	step = smallest > 2000 ? 499 : 1;
	for (size = 0; size < smallest; size += step) {
		check("too small a buffer", encode(f, size), STADTLUFT_ERROR_SPACE);
		check("too small a buffer is untouched", untouched(), 1);
	}
	check("a buffer one byte too small", encode(f, smallest - 1), STADTLUFT_ERROR_SPACE);
	check("the smallest buffer", encode(f, smallest), most);
	for (size = 0; size < sizeof room - smallest; size++) {
		if (room[size] != UNTOUCHED) {
			fail("a byte before the buffer", room[size], UNTOUCHED);
			break;
		}
	}
	return room + sizeof room - smallest;
}

static void check_object(const node *object, const stadtluft_reading *want) {
	static const char *const when[] = {"", "t", "age"};
	const node *m;
	size_t members = 0, i;
	for (m = object->child; m != NULL; m = m->next) {
		members++;
	}
	check("members", (double)members, (double)(want->count + (want->when != STADTLUFT_NOW)));
	if (want->when != STADTLUFT_NOW) {
		m = member(object, when[want->when]);
		check("the time", m == NULL ? -1 : m->number, (double)want->seconds);
	}
	for (i = 0; i < want->count; i++) {
		const char *name = stadtluft_form_of(want->values[i].quantity)->name;
		m = member(object, name);
		check(name, m == NULL || m->kind != NUMBER ? NAN : m->number, want->values[i].value);
	}
}

/* check_text encodes JSON and reads it back. */
static const node *check_text(form f) {
	static char text[sizeof room];
	size_t length;
	const uint8_t *message = check_sizes(f, &length);
	memcpy(text, message, length);
	text[length] = '\0';
	check("the final NUL", length < sizeof room ? message[length] : 1, 0);
	return parse(text);
}

static void check_json(void) {
	size_t i = 0;
	const node *n;
	for (n = check_text(JSON_ARRAY)->child; n != NULL && i < count; n = n->next) {
		check_object(n, &readings[i++]);
	}
	check("readings", (double)i, (double)count);
	check("nothing more", n == NULL, 1);
	if (count == 1) {
		check_object(check_text(JSON), readings);
	}
}

static int hex(char c) {
	const char *all = "0123456789abcdef", *found = strchr(all, c);
	if (c == '\0' || found == NULL) {
		stop("payload_hex is not hexadecimal");
	}
	return (int)(found - all);
}

static void check_binary(const node *payload) {
	uint8_t want[STADTLUFT_MAX_BINARY];
	size_t i, size = 0, length;
	const uint8_t *got;
	for (i = 0; i < payload->length; i++) {
		if (payload->text[i] == ' ') {
			continue;
		}
		if (size == sizeof want || i + 1 == payload->length) {
			stop("payload_hex is too long or odd");
		}
		want[size++] = (uint8_t)(hex(payload->text[i]) * 16 + hex(payload->text[i + 1]));
		i++;
	}
	got = check_sizes(BINARY, &length);
	check("bytes", (double)length, (double)size);
	for (i = 0; i < size && i < length; i++) {
		check("a byte", got[i], want[i]);
	}
}

/* check_vector answers 'j' or 'b' for what it has checked, or 0 when the encoder cannot say it. */
static char check_vector(const char *path) {
	static char text[1 << 20];
	FILE *file = fopen(path, "rb");
	size_t length;
	const node *root, *m, *r, *payload = NULL;
	int canonical = 1;
	current = path;
	if (file == NULL) {
		stop("cannot be read");
	}
	length = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[length] = '\0';
	used = count = 0;
	root = parse(text);
	for (m = root->child; m != NULL; m = m->next) {
		if (is(m, "payload_hex")) {
			payload = m;
		} else if (is(m, "canonical")) {
			canonical = *m->text == 't';
		} else if (is(m, "readings")) {
			for (r = m->child; r != NULL; r = r->next) {
				add_reading(r);
			}
		} else if (is(m, "refused")) {
			check("refused in a good vector", m->child != NULL, 0);
		} else if (!is(m, "about") && !is(m, "payload") && !is(m, "payload_base64") && !is(m, "payload_repeat")) {
			stop("a vector has an unknown member");
		}
	}
	if (count == 0 || !all_encodable() || !canonical) {
		return 0;
	}
	if (payload != NULL) {
		check_binary(payload);
		return 'b';
	}
	check_json();
	return 'j';
}

/* one makes a single reading of a single value. */
static void one(uint8_t when, int64_t seconds, uint8_t q, double v) {
	stadtluft_reading r = {STADTLUFT_NOW, 0, NULL, 1};
	r.when = when;
	r.seconds = seconds;
	r.values = values[0];
	values[0][0].quantity = q;
	values[0][0].value = v;
	readings[0] = r;
	count = 1;
}

static void refused(form f, int32_t want) {
	check("refused", encode(f, sizeof room), want);
	check("refused and untouched", untouched(), 1);
}

static void both_refused(int32_t want) {
	refused(JSON, want);
	refused(JSON_ARRAY, want);
	refused(BINARY, want);
}

static void check_refusals(void) {
	static const double bad[] = {NAN, INFINITY, -INFINITY, 1e9, -1e9, DBL_MAX, -DBL_MAX, 1e300};
	size_t i;
	current = "refusals";
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		one(STADTLUFT_NOW, 0, STADTLUFT_PM10, bad[i]);
		both_refused(STADTLUFT_ERROR_VALUE);
	}
	one(STADTLUFT_NOW, 0, STADTLUFT_PM10, 999999.9996);
	both_refused(STADTLUFT_ERROR_VALUE);
	one(STADTLUFT_NOW, 0, STADTLUFT_PM10, 6553.56);
	refused(BINARY, STADTLUFT_ERROR_VALUE);
	one(STADTLUFT_NOW, 0, STADTLUFT_PM10, -0.06);
	refused(BINARY, STADTLUFT_ERROR_VALUE);
	one(STADTLUFT_NOW, 0, STADTLUFT_TEMPERATURE, -327.69);
	refused(BINARY, STADTLUFT_ERROR_VALUE);
	one(STADTLUFT_NOW, 0, STADTLUFT_PRESSURE, 167772.16);
	refused(BINARY, STADTLUFT_ERROR_VALUE);
	one(STADTLUFT_NOW, 0, 0, 1);
	both_refused(STADTLUFT_ERROR_QUANTITY);
	one(STADTLUFT_NOW, 0, STADTLUFT_QUANTITIES, 1);
	both_refused(STADTLUFT_ERROR_QUANTITY);
	one(STADTLUFT_NOW, 0, 255, 1);
	both_refused(STADTLUFT_ERROR_QUANTITY);
	one(STADTLUFT_NOW, 0, STADTLUFT_PM10, 1);
	values[0][1] = values[0][0];
	readings[0].count = 2;
	both_refused(STADTLUFT_ERROR_REPEATED);
	readings[0].count = 0;
	both_refused(STADTLUFT_ERROR_EMPTY);
	count = 0;
	refused(JSON_ARRAY, STADTLUFT_ERROR_EMPTY);
	refused(BINARY, STADTLUFT_ERROR_EMPTY);
	one(STADTLUFT_TIME, -1, STADTLUFT_PM10, 1);
	both_refused(STADTLUFT_ERROR_TIME);
	one(STADTLUFT_TIME, STADTLUFT_MAX_TIME + 1, STADTLUFT_PM10, 1);
	both_refused(STADTLUFT_ERROR_TIME);
	one(STADTLUFT_AGE, STADTLUFT_MAX_AGE + 1, STADTLUFT_PM10, 1);
	both_refused(STADTLUFT_ERROR_TIME);
	one(STADTLUFT_AGE + 1, 0, STADTLUFT_PM10, 1);
	both_refused(STADTLUFT_ERROR_TIME);
	one(STADTLUFT_TIME, 1795439925, STADTLUFT_PM10, 1);
	refused(BINARY, STADTLUFT_ERROR_TIME);
	one(STADTLUFT_AGE, 0x1000000, STADTLUFT_PM10, 1);
	refused(BINARY, STADTLUFT_ERROR_TIME);
	one(STADTLUFT_NOW, 0, STADTLUFT_PM10, 1);
	readings[1] = readings[0];
	count = 2;
	refused(BINARY, STADTLUFT_ERROR_TIME);
	one(STADTLUFT_AGE, 1, STADTLUFT_PM10, 1);
	for (count = 1; count < 9; count++) {
		readings[count] = readings[0];
	}
	refused(BINARY, STADTLUFT_ERROR_TOO_LARGE); /* 1 + 9 * 6 bytes */
}

/* check_too_large fills 1,000 readings with more than 65,536 bytes, and hands over 1,001. */
static void check_too_large(void) {
	uint8_t q;
	current = "too large";
	for (q = 1; q <= 10; q++) {
		values[0][q - 1].quantity = q;
		values[0][q - 1].value = 1;
	}
	for (count = 0; count < STADTLUFT_MAX_READINGS; count++) {
		stadtluft_reading r = {STADTLUFT_TIME, 1795439925, values[0], 10};
		readings[count] = r;
	}
	refused(JSON_ARRAY, STADTLUFT_ERROR_TOO_LARGE);
	count = STADTLUFT_MAX_READINGS + 1;
	refused(JSON_ARRAY, STADTLUFT_ERROR_TOO_LARGE);
	refused(BINARY, STADTLUFT_ERROR_TOO_LARGE);
}

static void rounds(double v, const char *want) {
	char text[64];
	char whole[64];
	one(STADTLUFT_NOW, 0, STADTLUFT_TEMPERATURE, v);
	snprintf(whole, sizeof whole, "{\"temperature\":%s}", want);
	current = whole;
	check("the length", stadtluft_json(text, sizeof text, readings), (double)strlen(whole));
	check("the same text", strcmp(text, whole), 0);
}

static void travels(uint8_t q, double v, unsigned want) {
	uint8_t got[8];
	current = stadtluft_form_of(q)->name;
	one(STADTLUFT_NOW, 0, q, v);
	check("the length", stadtluft_binary(got, sizeof got, readings, 1), 4);
	check("travels as", got[2] * 256 + got[3], want);
}

static void check_rounding(void) {
	rounds(12.3f, "12.3");
	rounds(12.0004, "12");
	rounds(12.0005, "12.001");
	rounds(0.001, "0.001");
	rounds(0.0004, "0");
	rounds(-0.0004, "0");
	rounds(-0.0005, "-0.001");
	rounds(-12.05, "-12.05");
	rounds(100, "100");
	rounds(999999.999, "999999.999");
	rounds(-999999.9994, "-999999.999");
	travels(STADTLUFT_PM2_5, 12.34, 123);
	travels(STADTLUFT_PM2_5, 12.36, 124);
	travels(STADTLUFT_PM2_5, 12.3f, 123);
	travels(STADTLUFT_PM2_5, 6553.54, 65535);
	travels(STADTLUFT_PM2_5, -0.04, 0);
	travels(STADTLUFT_CO2, 650.5, 651);
	travels(STADTLUFT_RSSI, -67.5, 65536 - 68);
	travels(STADTLUFT_RSSI, -67.4, 65536 - 67);
	travels(STADTLUFT_RSSI, 0.49999999999999994, 0);
	travels(STADTLUFT_NO2, -3276.84, 0x8000);
}

typedef int32_t topic(char *, size_t, const char *);

static void check_topic(topic *f, const char *station, const char *want) {
	size_t size;
	char *buffer = (char *)room;
	current = want;
	for (size = 0; size <= strlen(want); size++) {
		memset(room, UNTOUCHED, sizeof room);
		check("too small a buffer", f(buffer, size, station), STADTLUFT_ERROR_SPACE);
		check("too small a buffer is untouched", untouched(), 1);
	}
	check("the length", f(buffer, size, station), (double)strlen(want));
	check("the same text", strcmp(buffer, want), 0);
}

static void check_topics(void) {
	static const char *const bad[] = {"", "city", "grid", "a b", "a_b", "a/b", "+", "#", "\xc3\xa4", "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456"};
	size_t i;
	check_topic(stadtluft_reading_topic, "K7M2Q9X", "stadtluft/v1/K7M2Q9X/reading");
	check_topic(stadtluft_status_topic, "my-balcony", "stadtluft/v1/my-balcony/status");
	check_topic(stadtluft_feedback_topic, "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345",
		"stadtluft/v1/ABCDEFGHIJKLMNOPQRSTUVWXYZ012345/feedback");
	check("the longest topic", (double)strlen((char *)room) + 1, STADTLUFT_TOPIC_SIZE);
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		current = bad[i];
		check("no station", stadtluft_reading_topic((char *)room, sizeof room, bad[i]), STADTLUFT_ERROR_STATION);
	}
}

int main(int argc, char **argv) {
	int i, json = 0, binary = 0;
	for (i = 1; i < argc; i++) {
		char checked = check_vector(argv[i]);
		json += checked == 'j';
		binary += checked == 'b';
	}
	check_refusals();
	check_too_large();
	check_rounding();
	check_topics();
	current = "vectors";
	if (json < 25 || binary < 18) {
		fail("JSON vectors that were checked", json, 25);
		fail("binary vectors that were checked", binary, 18);
	}
	printf("%d JSON and %d binary vectors, %d failures\n", json, binary, failures);
	return failures > 0;
}
