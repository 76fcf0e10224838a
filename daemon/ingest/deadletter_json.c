/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A dead letter for people and tools, one JSON object. Bytes that are text stay text; others are
 * base 64, so that nothing of the original is lost. Cannot fail.
 */
#include <backbone/clock.h>
#include <backbone/deadletter.h>

static void base64(struct bb_text bytes, struct bb_buf *buf)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)bytes.p;

	bb_buf_byte(buf, '"');
	for (size_t i = 0; i < bytes.n; i += 3) {
		size_t n = bytes.n - i < 3 ? bytes.n - i : 3;
		unsigned bits = (unsigned)p[i] << 16 | (n > 1 ? (unsigned)p[i + 1] << 8 : 0) |
				(n > 2 ? p[i + 2] : 0);

		bb_buf_byte(buf, digits[bits >> 18]);
		bb_buf_byte(buf, digits[bits >> 12 & 63]);
		bb_buf_byte(buf, n > 1 ? digits[bits >> 6 & 63] : '=');
		bb_buf_byte(buf, n > 2 ? digits[bits & 63] : '=');
	}
	bb_buf_byte(buf, '"');
}

/* `,"name":"..."`, or `,"name_base64":"..."`; nothing for p NULL. */
static void member(const char *name, struct bb_text bytes, struct bb_buf *buf)
{
	if (!bytes.p)
		return;
	if (bb_text_is_utf8(bytes)) {
		bb_buf_printf(buf, ",\"%s\":", name);
		bb_buf_json(buf, bytes);
	} else {
		bb_buf_printf(buf, ",\"%s_base64\":", name);
		base64(bytes, buf);
	}
}

static void time_member(const char *name, int64_t ms, struct bb_buf *buf)
{
	char iso[BB_ISO_BYTES];

	if (ms < BB_TIME_MIN_MS || ms > BB_TIME_MAX_MS)
		return;
	bb_clock_iso(ms, iso);
	bb_buf_printf(buf, ",\"%s\":\"%.*s\"", name, BB_ISO_BYTES, iso);
}

static void headers(const struct bb_message *msg, struct bb_buf *buf)
{
	bb_buf_printf(buf, ",\"headers\":[");
	for (size_t i = 0; i < msg->header_n; i++) {
		bb_buf_printf(buf, "%s{\"n\":%zu", i > 0 ? "," : "", i);
		member("name", msg->headers[i].name, buf);
		member("value", msg->headers[i].value, buf);
		bb_buf_byte(buf, '}');
	}
	bb_buf_byte(buf, ']');
}

void bb_deadletter_json(uint64_t number, const struct bb_deadletter *letter, struct bb_buf *buf)
{
	const struct bb_message *msg = &letter->message;

	bb_buf_printf(buf, "{\"number\":%llu", (unsigned long long)number);
	time_member("stored", letter->stored_ms, buf);
	bb_buf_printf(buf, ",\"reason\":\"%s\"", bb_dead_reason_text(letter->refusal.reason));
	member("at", letter->refusal.at, buf);
	member("detail", letter->refusal.detail, buf);
	if (letter->refusal.byte_offset >= 0)
		bb_buf_printf(buf, ",\"byte_offset\":%lld", (long long)letter->refusal.byte_offset);
	member("connector", letter->connector, buf);
	member("topic", msg->topic, buf);
	bb_buf_printf(buf, ",\"partition\":%d,\"offset\":%lld", (int)msg->partition,
		      (long long)msg->offset);
	time_member("timestamp", msg->timestamp_ms, buf);
	headers(msg, buf);
	member("key", msg->key, buf);
	if (letter->has_value)
		bb_buf_printf(buf, ",\"value_bytes\":%llu",
			      (unsigned long long)letter->value_bytes);
	member("value", msg->value, buf);
	bb_buf_byte(buf, '}');
}
