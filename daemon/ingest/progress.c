/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The row of a partition: encoded whole at the end of each batch that touched it, read once at
 * start. The topic stands in the value, since a long one does not fit into the key and is hashed
 * there.
 *
 * What cannot be decoded, or whose counters do not add up, is damage: BB_ECORRUPT, never a guess.
 */
#include <backbone/progress.h>

#include <backbone/erasure.h>

#include <backbone/assert.h>
#include <backbone/hash.h>

#include "bytes.h"

#define VERSION 1
#define VERSION_REREAD 2		  /* one that was read again; as 1, and that behind it */
#define VERSION_BORN 3			  /* as 1, or 2 if a byte says so, and its birth */
#define KEY_TOPIC_MAX (BB_KV_KEY_MAX - 5) /* NUL and the partition follow */
#define KEY_CUT (KEY_TOPIC_MAX - BB_HASH_BYTES - 1)

static void encode_reread(const struct bb_reread *again, struct bb_buf *buf)
{
	bb_bytes_put(buf, (uint64_t)again->from, 8);
	bb_bytes_put(buf, (uint64_t)again->next, 8);
	bb_bytes_put(buf, (uint64_t)again->end, 8);
	bb_bytes_put(buf, (uint64_t)again->since_ms, 8);
	bb_bytes_put(buf, again->too_old, 8);
	for (int i = 0; i < BB_VERDICT_COUNT; i++)
		bb_bytes_put(buf, again->results[i], 8);
}

static void decode_reread(struct bb_bytes *in, struct bb_reread *again)
{
	again->from = (int64_t)bb_bytes_get(in, 8);
	again->next = (int64_t)bb_bytes_get(in, 8);
	again->end = (int64_t)bb_bytes_get(in, 8);
	again->since_ms = (int64_t)bb_bytes_get(in, 8);
	again->too_old = bb_bytes_get(in, 8);
	for (int i = 0; i < BB_VERDICT_COUNT; i++)
		again->results[i] = bb_bytes_get(in, 8);
}

static void encode_birth(const struct bb_progress *progress, struct bb_buf *buf)
{
	bb_bytes_put(buf, progress->reread.end != 0, 1);
	bb_bytes_put(buf, (uint64_t)progress->birth.offset, 8);
	bb_buf_add(buf, progress->birth.print.b, BB_HASH_BYTES);
}

/* Whether it was read again. */
static bool decode_birth(struct bb_bytes *in, struct bb_birth *birth)
{
	bool again = bb_bytes_get(in, 1) == 1;

	birth->known = true;
	birth->offset = (int64_t)bb_bytes_get(in, 8);
	for (size_t i = 0; i < BB_HASH_BYTES; i++)
		birth->print.b[i] = (uint8_t)bb_bytes_get(in, 1);
	return again;
}

static bool is_reread(const struct bb_reread *again)
{
	uint64_t sum = again->too_old;

	for (int i = 0; i < BB_VERDICT_COUNT; i++)
		sum += again->results[i];
	return again->from >= 0 && again->from <= again->next && again->next <= again->end &&
	       again->end > 0 && sum <= (uint64_t)(again->next - again->from);
}

void bb_progress_encode(const struct bb_progress *progress, struct bb_buf *buf)
{
	bb_assert(progress->topic.n <= BB_PROGRESS_TOPIC_MAX);
	bb_assert(progress->token.n <= BB_PROGRESS_TOKEN_MAX);
	bb_bytes_put(buf,
		     progress->birth.known ? VERSION_BORN
					   : (progress->reread.end ? VERSION_REREAD : VERSION),
		     1);
	bb_bytes_put(buf, (uint32_t)progress->partition, 4);
	bb_bytes_put(buf, (uint64_t)progress->next_offset, 8);
	bb_bytes_put(buf, progress->passed, 8);
	for (int i = 0; i < BB_VERDICT_COUNT; i++)
		bb_bytes_put(buf, progress->results[i], 8);
	bb_bytes_put(buf, progress->holes, 8);
	bb_bytes_put(buf, progress->dropped, 8);
	bb_bytes_put(buf, progress->gaps, 8);
	bb_bytes_put_text(buf, progress->topic);
	bb_bytes_put_text(buf, progress->token);
	if (progress->birth.known)
		encode_birth(progress, buf);
	if (progress->reread.end)
		encode_reread(&progress->reread, buf);
}

static bool adds_up(const struct bb_progress *progress)
{
	uint64_t sum = progress->holes;

	for (int i = 0; i < BB_VERDICT_COUNT; i++)
		sum += progress->results[i];
	return sum == progress->passed;
}

int bb_progress_decode(struct bb_text value, struct bb_progress *ret_progress)
{
	struct bb_bytes in = bb_bytes_of(value);
	struct bb_progress progress = {0};
	uint64_t version = bb_bytes_get(&in, 1);
	bool again = version == VERSION_REREAD;

	if (version < VERSION || version > VERSION_BORN)
		return BB_ECORRUPT;
	progress.partition = (int32_t)(uint32_t)bb_bytes_get(&in, 4);
	progress.next_offset = (int64_t)bb_bytes_get(&in, 8);
	progress.passed = bb_bytes_get(&in, 8);
	for (int i = 0; i < BB_VERDICT_COUNT; i++)
		progress.results[i] = bb_bytes_get(&in, 8);
	progress.holes = bb_bytes_get(&in, 8);
	progress.dropped = bb_bytes_get(&in, 8);
	progress.gaps = bb_bytes_get(&in, 8);
	progress.topic = bb_bytes_get_text(&in);
	progress.token = bb_bytes_get_text(&in);
	if (version == VERSION_BORN)
		again = decode_birth(&in, &progress.birth);
	if (again) {
		decode_reread(&in, &progress.reread);
		if (!is_reread(&progress.reread))
			return BB_ECORRUPT;
	}
	if (in.bad || in.p != in.end || progress.topic.n == 0 ||
	    progress.topic.n > BB_PROGRESS_TOPIC_MAX || progress.token.n > BB_PROGRESS_TOKEN_MAX ||
	    progress.next_offset < BB_RESUME_START || !adds_up(&progress))
		return BB_ECORRUPT;
	*ret_progress = progress;
	return BB_OK;
}

size_t bb_progress_key(struct bb_text topic, int32_t partition, char out[BB_KV_KEY_MAX])
{
	static const struct bb_profile_key no_key;
	size_t n = topic.n;

	if (n <= KEY_TOPIC_MAX) {
		memcpy(out, topic.p, n);
	} else {
		struct bb_hash hash = bb_hash_parts(&no_key, &topic, 1);

		memcpy(out, topic.p, KEY_CUT);
		out[KEY_CUT] = '~';
		memcpy(out + KEY_CUT + 1, hash.b, BB_HASH_BYTES);
		n = KEY_TOPIC_MAX;
	}
	out[n++] = '\0';
	for (int shift = 24; shift >= 0; shift -= 8)
		out[n++] = (char)((uint32_t)partition >> shift);
	return n;
}

int bb_progress_put(struct bb_kv *kv, const struct bb_progress *progress)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	char key[BB_KV_KEY_MAX];
	size_t key_n = bb_progress_key(progress->topic, progress->partition, key);
	int err;

	bb_progress_encode(progress, &buf);
	err = bb_kv_put(kv, BB_TABLE_OFFSET, bb_text_bytes(key, key_n), bb_buf_slice(&buf));
	bb_buf_fini(&buf);
	return err;
}

int bb_progress_get(struct bb_kv *kv, struct bb_text topic, int32_t partition,
		    struct bb_progress *ret_progress)
{
	char key[BB_KV_KEY_MAX];
	size_t key_n = bb_progress_key(topic, partition, key);
	struct bb_progress progress;
	struct bb_text value;
	int err;

	err = bb_kv_get(kv, BB_TABLE_OFFSET, bb_text_bytes(key, key_n), &value);
	if (err)
		return err;
	err = bb_progress_decode(value, &progress);
	if (err)
		return err;
	if (!bb_text_equal(progress.topic, topic) || progress.partition != partition)
		return BB_ECORRUPT;
	*ret_progress = progress;
	return BB_OK;
}

void bb_progress_begin(struct bb_progress *progress, const struct bb_profile_key *key,
		       const struct bb_message *first)
{
	char time[8] = {0};
	struct bb_text parts[] = {BB_TEXT("log"), bb_text_bytes(time, sizeof time),
				  first->key.p ? BB_TEXT("key") : BB_TEXT("none"), first->key,
				  first->value};
	struct bb_birth birth = {.known = true, .offset = first->offset};

	for (int i = 0; i < 8; i++)
		time[i] = (char)((uint64_t)first->timestamp_ms >> (8 * i));
	birth.print = bb_hash_parts(key, parts, sizeof parts / sizeof *parts);
	if (!progress->birth.known || bb_birth_differs(&progress->birth, &birth))
		progress->birth = birth;
}

int bb_progress_accept(struct bb_kv *kv, struct bb_text topic, int32_t partition, int64_t where)
{
	struct bb_progress progress;
	int err;

	bb_assert(where >= BB_RESUME_START);
	err = bb_progress_get(kv, topic, partition, &progress);
	if (err)
		return err;
	progress.next_offset = where;
	progress.gaps++;
	progress.token = (struct bb_text){NULL, 0};
	progress.reread = (struct bb_reread){0}; /* what stands there now may be another log */
	return bb_progress_put(kv, &progress);
}

int bb_progress_reread(struct bb_kv *kv, struct bb_text topic, int32_t partition, int64_t from,
		       int64_t since_ms, int64_t *ret_end)
{
	struct bb_progress progress;
	int err = bb_progress_get(kv, topic, partition, &progress);

	if (err)
		return err;
	if (bb_reread_goes_on(&progress.reread))
		return BB_ELIMIT;
	if (from < 0 || from >= progress.next_offset)
		return BB_EINVAL;
	progress.reread = (struct bb_reread){
		.from = from, .next = from, .end = progress.next_offset, .since_ms = since_ms};
	*ret_end = progress.next_offset;
	return bb_progress_put(kv, &progress);
}

int bb_progress_marks(struct bb_kv *kv, struct bb_arena *arena, struct bb_erasure_mark **ret_marks,
		      size_t *ret_n)
{
	char last[BB_KV_KEY_MAX] = "";
	struct bb_text from = {last, 1}, key, value;
	struct bb_erasure_mark *marks = NULL;
	size_t n = 0, room = 0;
	bool after = false;
	int err;

	while ((err = bb_kv_seek(kv, BB_TABLE_OFFSET, from, after, &key, &value)) == BB_OK) {
		struct bb_progress progress;

		if (bb_progress_decode(value, &progress) != BB_OK || key.n > sizeof last)
			return BB_ECORRUPT;
		if (progress.next_offset > 0)
			BB_ARENA_PUSH(arena, marks, n, room) = (struct bb_erasure_mark){
				bb_arena_copy(arena, progress.topic), progress.partition,
				progress.next_offset, progress.birth};
		memcpy(last, key.p, key.n);
		from.n = key.n;
		after = true;
	}
	*ret_marks = marks;
	*ret_n = n;
	return err == BB_ENOTFOUND ? BB_OK : err;
}
