/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log. An entry's value is its body and a hash over the hash before, the number and the
 * body; a row of META holds the last number and its hash, so that appending reads one row and
 * writes two.
 *
 *	hash 0 = zeros
 *	hash n = BLAKE2b-256(hash n-1, number n, body n)
 *
 * Reading shows what is there. Whether that is what was written is asked by bb_audit_verify, for
 * which bytes that cannot be read are an answer like any other.
 */
#include <backbone/audit.h>

#include <backbone/clock.h>
#include <sodium.h>

#include "codec.h"

#define VERSION 1
#define HEAD_KEY BB_AUDIT_HEAD
#define NUMBER_BYTES 8

struct head {
	uint64_t number;
	uint8_t hash[BB_AUDIT_HASH_BYTES];
};

const char *bb_audit_action_text(enum bb_audit_action action)
{
	static const char *const texts[] = {
#define X(name, text) text,
		BB_AUDIT_ACTIONS(X)
#undef X
	};

	return texts[action];
}

static void encode(struct bb_buf *buf, const struct bb_audit *entry)
{
	bb_put_u64(buf, VERSION);
	bb_put_i64(buf, entry->at_ms);
	bb_put_u64(buf, entry->uid);
	bb_put_text(buf, entry->actor);
	bb_put_text(buf, entry->action);
	bb_put_text(buf, entry->subject);
	bb_put_text(buf, entry->detail);
}

/* Slices are of `value`. */
static bool decode(struct bb_text value, struct bb_audit *ret_entry)
{
	struct bb_cursor cur = bb_cursor_of(value);
	struct bb_text hash;
	uint64_t uid;

	if (bb_get_u64(&cur) != VERSION)
		return false;
	ret_entry->at_ms = bb_get_time(&cur);
	uid = bb_get_u64(&cur);
	ret_entry->actor = bb_get_text(&cur);
	ret_entry->action = bb_get_text(&cur);
	ret_entry->subject = bb_get_text(&cur);
	ret_entry->detail = bb_get_text(&cur);
	hash = bb_get_bytes(&cur, BB_AUDIT_HASH_BYTES);
	if (cur.bad || cur.p != cur.end || uid > UINT32_MAX)
		return false;
	ret_entry->uid = (uint32_t)uid;
	memcpy(ret_entry->hash, hash.p, BB_AUDIT_HASH_BYTES);
	return true;
}

/* `*hash` is the one before, and becomes the one of this entry. */
static void chain(uint8_t hash[BB_AUDIT_HASH_BYTES], uint64_t number, struct bb_text body)
{
	crypto_generichash_state state;
	uint8_t key[NUMBER_BYTES];

	bb_key_u64(key, number);
	crypto_generichash_init(&state, NULL, 0, BB_AUDIT_HASH_BYTES);
	crypto_generichash_update(&state, hash, BB_AUDIT_HASH_BYTES);
	crypto_generichash_update(&state, key, sizeof(key));
	crypto_generichash_update(&state, (const unsigned char *)body.p, body.n);
	crypto_generichash_final(&state, hash, BB_AUDIT_HASH_BYTES);
}

static int head_get(struct bb_kv *kv, struct head *ret_head)
{
	struct bb_text value;
	int err = bb_kv_get(kv, BB_TABLE_META, HEAD_KEY, &value);

	*ret_head = (struct head){0};
	if (err)
		return err == BB_ENOTFOUND ? BB_OK : err;
	if (value.n != NUMBER_BYTES + BB_AUDIT_HASH_BYTES)
		return BB_ECORRUPT;
	ret_head->number = bb_key_read(value.p, NUMBER_BYTES);
	memcpy(ret_head->hash, value.p + NUMBER_BYTES, BB_AUDIT_HASH_BYTES);
	return BB_OK;
}

static int head_put(struct bb_kv *kv, const struct head *head)
{
	uint8_t value[NUMBER_BYTES + BB_AUDIT_HASH_BYTES];

	bb_key_u64(value, head->number);
	memcpy(value + NUMBER_BYTES, head->hash, BB_AUDIT_HASH_BYTES);
	return bb_kv_put(kv, BB_TABLE_META, HEAD_KEY, bb_text_bytes(value, sizeof(value)));
}

int bb_audit_append(struct bb_kv *kv, const struct bb_audit *entry)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	uint8_t key[NUMBER_BYTES];
	struct head head;
	int err = head_get(kv, &head);

	if (err)
		return err;
	encode(&buf, entry);
	chain(head.hash, ++head.number, bb_buf_slice(&buf));
	bb_buf_add(&buf, head.hash, sizeof(head.hash));
	bb_key_u64(key, head.number);
	err = bb_kv_put(kv, BB_TABLE_AUDIT, bb_text_bytes(key, sizeof(key)), bb_buf_slice(&buf));
	bb_buf_fini(&buf);
	return err ? err : head_put(kv, &head);
}

/* As bb_audit_next; the value is the store's. */
static int next(struct bb_kv *kv, uint64_t after, uint64_t *ret_number, struct bb_text *ret_value)
{
	uint8_t from[NUMBER_BYTES];
	struct bb_text key;
	int err;

	bb_key_u64(from, after);
	err = bb_kv_seek(kv, BB_TABLE_AUDIT, bb_text_bytes(from, sizeof(from)), true, &key,
			 ret_value);
	if (err)
		return err;
	if (key.n != NUMBER_BYTES)
		return BB_ECORRUPT;
	*ret_number = bb_key_read(key.p, NUMBER_BYTES);
	return BB_OK;
}

int bb_audit_next(struct bb_kv *kv, uint64_t after, struct bb_arena *arena,
		  struct bb_audit *ret_entry)
{
	struct bb_audit entry = {0};
	struct bb_text value;
	int err = next(kv, after, &entry.number, &value);

	if (err)
		return err;
	if (!decode(bb_arena_copy(arena, value), &entry))
		return BB_ECORRUPT;
	*ret_entry = entry;
	return BB_OK;
}

static void put_hash(const uint8_t hash[BB_AUDIT_HASH_BYTES], struct bb_buf *buf)
{
	bb_buf_printf(buf, ",\"hash\":\"");
	bb_buf_hex(buf, hash, BB_AUDIT_HASH_BYTES);
	bb_buf_byte(buf, '"');
}

void bb_audit_json(const struct bb_audit *entry, struct bb_buf *buf)
{
	const struct {
		const char *name;
		struct bb_text text;
	} texts[] = {{"actor", entry->actor},
		     {"action", entry->action},
		     {"subject", entry->subject},
		     {"detail", entry->detail}};
	char time[BB_ISO_BYTES];

	bb_clock_iso(entry->at_ms, time);
	bb_buf_printf(buf, "{\"number\":%llu,\"time\":\"%.*s\",\"uid\":",
		      (unsigned long long)entry->number, BB_ISO_BYTES, time);
	if (entry->uid == BB_AUDIT_NO_UID)
		bb_buf_printf(buf, "null");
	else
		bb_buf_printf(buf, "%u", entry->uid);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		bb_buf_printf(buf, ",\"%s\":", texts[i].name);
		bb_buf_json(buf, texts[i].text);
	}
	put_hash(entry->hash, buf);
	bb_buf_byte(buf, '}');
}

/* Whether `value` is entry `number` as it was written, behind `*head`, which moves on. */
static bool is_as_written(uint64_t number, struct bb_text value, struct head *head)
{
	struct bb_audit entry = {0};
	struct head here = *head;

	if (number != head->number + 1 || !decode(value, &entry))
		return false;
	chain(here.hash, number, (struct bb_text){value.p, value.n - BB_AUDIT_HASH_BYTES});
	if (sodium_memcmp(here.hash, entry.hash, BB_AUDIT_HASH_BYTES) != 0)
		return false;
	here.number = number;
	*head = here;
	return true;
}

int bb_audit_verify(struct bb_kv *kv, struct bb_audit_check *ret_check)
{
	struct head said, head = {0};
	struct bb_text value;
	uint64_t number;
	int err = head_get(kv, &said);
	bool good = true;

	if (err == BB_ECORRUPT)
		said = (struct head){.number = UINT64_MAX}; /* no chain ends there */
	else if (err)
		return err;
	while (good && head.number < said.number) {
		err = next(kv, head.number, &number, &value);
		if (err && err != BB_ENOTFOUND && err != BB_ECORRUPT)
			return err;
		good = !err && is_as_written(number, value, &head);
	}
	if (good) { /* nothing may stand behind the last, and it has to be the one that was */
		err = next(kv, head.number, &number, &value);
		if (err && err != BB_ENOTFOUND && err != BB_ECORRUPT)
			return err;
		good = err == BB_ENOTFOUND;
	}
	*ret_check = (struct bb_audit_check){.entries = head.number};
	memcpy(ret_check->hash, head.hash, sizeof(head.hash));
	if (!good)
		ret_check->wrong = head.number + 1;
	else if (memcmp(head.hash, said.hash, sizeof(head.hash)) != 0)
		ret_check->wrong = head.number;
	return BB_OK;
}

void bb_audit_check_json(const struct bb_audit_check *check, struct bb_buf *buf)
{
	bb_buf_printf(buf, "{\"entries\":%llu,\"wrong\":", (unsigned long long)check->entries);
	if (check->wrong)
		bb_buf_printf(buf, "%llu", (unsigned long long)check->wrong);
	else
		bb_buf_printf(buf, "null");
	put_hash(check->hash, buf);
	bb_buf_byte(buf, '}');
}
