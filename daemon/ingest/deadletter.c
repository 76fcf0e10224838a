/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A dead letter is one value: why and where, then the message. The next number is a row of
 * BB_TABLE_META, written in the same transaction, so that numbers are never used twice even when
 * the newest letters were swept.
 *
 * What cannot be decoded is damage: BB_ECORRUPT. Values are cut at BB_DEADLETTER_BYTES_MAX; the
 * length before is kept.
 */
#include <backbone/deadletter.h>

#include "bytes.h"

#define VERSION 1
#define NEXT_KEY BB_TEXT("dead_letter.next")
#define NUMBER_BYTES 8

#define FLAG_FROM_LOG 1u
#define FLAG_HAS_VALUE 2u

static struct bb_text cut(struct bb_text text, size_t most)
{
	if (text.n > most)
		text.n = most;
	return text;
}

static void encode_message(const struct bb_message *msg, struct bb_buf *buf)
{
	size_t header_n = msg->header_n < BB_DEADLETTER_HEADERS_MAX ? msg->header_n
								    : BB_DEADLETTER_HEADERS_MAX;

	bb_bytes_put(buf, (uint64_t)msg->timestamp_ms, 8);
	bb_bytes_put(buf, (uint64_t)msg->offset, 8);
	bb_bytes_put(buf, (uint32_t)msg->partition, 4);
	bb_bytes_put_text(buf, msg->topic);
	bb_bytes_put_text(buf, cut(msg->key, BB_DEADLETTER_BYTES_MAX));
	bb_bytes_put_text(buf, cut(msg->value, BB_DEADLETTER_BYTES_MAX));
	bb_bytes_put(buf, header_n, 4);
	for (size_t i = 0; i < header_n; i++) {
		bb_bytes_put_text(buf, cut(msg->headers[i].name, BB_DEADLETTER_BYTES_MAX));
		bb_bytes_put_text(buf, cut(msg->headers[i].value, BB_DEADLETTER_BYTES_MAX));
	}
}

void bb_deadletter_encode(const struct bb_deadletter *letter, struct bb_buf *buf)
{
	unsigned flags = (letter->message.from_log ? FLAG_FROM_LOG : 0) |
			 (letter->has_value ? FLAG_HAS_VALUE : 0);

	bb_bytes_put(buf, VERSION, 1);
	bb_bytes_put(buf, flags, 1);
	bb_bytes_put(buf, letter->refusal.reason, 2);
	bb_bytes_put(buf, (uint64_t)letter->stored_ms, 8);
	bb_bytes_put(buf, (uint64_t)letter->refusal.byte_offset, 8);
	bb_bytes_put(buf, letter->value_bytes, 8);
	bb_bytes_put_text(buf, letter->refusal.at);
	bb_bytes_put_text(buf, letter->refusal.detail);
	bb_bytes_put_text(buf, letter->connector);
	encode_message(&letter->message, buf);
}

static void decode_message(struct bb_bytes *in, struct bb_arena *arena, struct bb_message *msg)
{
	struct bb_header *headers;
	uint64_t header_n;

	msg->timestamp_ms = (int64_t)bb_bytes_get(in, 8);
	msg->offset = (int64_t)bb_bytes_get(in, 8);
	msg->partition = (int32_t)(uint32_t)bb_bytes_get(in, 4);
	msg->topic = bb_bytes_get_text(in);
	msg->key = bb_bytes_get_text(in);
	msg->value = bb_bytes_get_text(in);
	header_n = bb_bytes_get(in, 4);
	if (header_n > BB_DEADLETTER_HEADERS_MAX) {
		in->bad = true;
		return;
	}
	headers = bb_arena_zalloc(arena, header_n * sizeof *headers);
	for (size_t i = 0; i < header_n; i++) {
		headers[i].name = bb_bytes_get_text(in);
		headers[i].value = bb_bytes_get_text(in);
	}
	msg->headers = headers;
	msg->header_n = header_n;
}

int bb_deadletter_decode(struct bb_text value, struct bb_arena *arena,
			 struct bb_deadletter *ret_letter)
{
	struct bb_bytes in = bb_bytes_of(value);
	struct bb_deadletter letter = {0};
	uint64_t flags, reason;

	if (bb_bytes_get(&in, 1) != VERSION)
		return BB_ECORRUPT;
	flags = bb_bytes_get(&in, 1);
	reason = bb_bytes_get(&in, 2);
	letter.stored_ms = (int64_t)bb_bytes_get(&in, 8);
	letter.refusal.byte_offset = (int64_t)bb_bytes_get(&in, 8);
	letter.value_bytes = bb_bytes_get(&in, 8);
	letter.refusal.at = bb_bytes_get_text(&in);
	letter.refusal.detail = bb_bytes_get_text(&in);
	letter.connector = bb_bytes_get_text(&in);
	decode_message(&in, arena, &letter.message);
	if (in.bad || in.p != in.end || reason >= BB_DEAD_REASON_COUNT)
		return BB_ECORRUPT;
	letter.refusal.reason = (enum bb_dead_reason)reason;
	letter.message.from_log = flags & FLAG_FROM_LOG;
	letter.has_value = flags & FLAG_HAS_VALUE;
	*ret_letter = letter;
	return BB_OK;
}

static void number_write(uint64_t number, char out[NUMBER_BYTES])
{
	for (int i = 0; i < NUMBER_BYTES; i++)
		out[i] = (char)(number >> (8 * (NUMBER_BYTES - 1 - i)));
}

static uint64_t number_read(struct bb_text text)
{
	uint64_t number = 0;

	for (int i = 0; i < NUMBER_BYTES; i++)
		number = number << 8 | (uint8_t)text.p[i];
	return number;
}

static int next_number(struct bb_kv *kv, uint64_t *ret_number)
{
	struct bb_text value;
	int err = bb_kv_get(kv, BB_TABLE_META, NEXT_KEY, &value);

	if (err == BB_ENOTFOUND) {
		*ret_number = 1;
		return BB_OK;
	}
	if (err)
		return err;
	if (value.n != NUMBER_BYTES)
		return BB_ECORRUPT;
	*ret_number = number_read(value);
	return BB_OK;
}

int bb_deadletter_put(struct bb_kv *kv, const struct bb_deadletter *letter, uint64_t *ret_number)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	char key[NUMBER_BYTES];
	uint64_t number;
	int err;

	err = next_number(kv, &number);
	if (err)
		return err;
	number_write(number, key);
	bb_deadletter_encode(letter, &buf);
	err = bb_kv_put(kv, BB_TABLE_DEAD_LETTER, bb_text_bytes(key, sizeof key),
			bb_buf_slice(&buf));
	bb_buf_fini(&buf);
	if (err)
		return err;
	number_write(number + 1, key);
	err = bb_kv_put(kv, BB_TABLE_META, NEXT_KEY, bb_text_bytes(key, sizeof key));
	if (!err)
		*ret_number = number;
	return err;
}

int bb_deadletter_seek(struct bb_kv *kv, uint64_t from, struct bb_arena *arena,
		       uint64_t *ret_number, struct bb_deadletter *ret_letter)
{
	struct bb_text key, value;
	char start[NUMBER_BYTES];
	int err;

	number_write(from, start);
	err = bb_kv_seek(kv, BB_TABLE_DEAD_LETTER, bb_text_bytes(start, sizeof start), false, &key,
			 &value);
	if (err)
		return err;
	if (key.n != NUMBER_BYTES)
		return BB_ECORRUPT;
	err = bb_deadletter_decode(value, arena, ret_letter);
	if (!err)
		*ret_number = number_read(key);
	return err;
}

int bb_deadletter_remove(struct bb_kv *kv, uint64_t number)
{
	char key[NUMBER_BYTES];

	number_write(number, key);
	return bb_kv_del(kv, BB_TABLE_DEAD_LETTER, bb_text_bytes(key, sizeof key));
}

int bb_deadletter_sweep(struct bb_kv *kv, int64_t before_ms, size_t most, size_t *ret_removed)
{
	struct bb_arena arena;
	size_t removed = 0;
	int err = BB_OK;

	bb_arena_init(&arena);
	while (removed < most) {
		struct bb_deadletter letter;
		uint64_t number;

		bb_arena_reset(&arena);
		err = bb_deadletter_seek(kv, 0, &arena, &number, &letter);
		if (err || letter.stored_ms >= before_ms)
			break;
		err = bb_deadletter_remove(kv, number);
		if (err)
			break;
		removed++;
	}
	bb_arena_fini(&arena);
	if (err && err != BB_ENOTFOUND)
		return err;
	*ret_removed = removed;
	return BB_OK;
}
