/* SPDX-License-Identifier: Apache-2.0 */
/* The fingerprint of the last record. */
#include <criterion/criterion.h>

#include "token.h"

static const struct bb_message message = {
	.offset = 41, .timestamp_ms = 1700000000000, .key = {"k", 1}, .value = {"v", 1}};

Test(kafka_token, what_is_written_is_read)
{
	struct bb_ktoken token = bb_ktoken_of(&message, BB_TEXT("cluster"));
	struct bb_ktoken again;
	struct bb_arena arena;

	bb_arena_init(&arena);
	cr_assert(bb_ktoken_decode(bb_ktoken_encode(&token, &arena), &again));
	cr_expect(bb_ktoken_same_record(&token, &again));
	cr_expect(bb_text_equal(again.cluster, BB_TEXT("cluster")));
	bb_arena_fini(&arena);
}

Test(kafka_token, any_other_record_differs)
{
	struct bb_ktoken token = bb_ktoken_of(&message, BB_TEXT("c"));
	struct {
		const char *what;
		struct bb_message other;
	} rows[] = {
		{"offset", message}, {"timestamp", message}, {"key", message},
		{"value", message},  {"no key", message},    {"tombstone", message},
	};

	rows[0].other.offset++;
	rows[1].other.timestamp_ms++;
	rows[2].other.key = BB_TEXT("l");
	rows[3].other.value = BB_TEXT("w");
	rows[4].other.key = (struct bb_text){NULL, 0};
	rows[5].other.value = (struct bb_text){NULL, 0};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bb_ktoken other = bb_ktoken_of(&rows[i].other, BB_TEXT("c"));

		cr_expect_not(bb_ktoken_same_record(&token, &other), "%s", rows[i].what);
	}
}

Test(kafka_token, a_null_value_is_not_an_empty_one)
{
	struct bb_message null = message, empty = message;
	struct bb_ktoken a, b;

	null.value = (struct bb_text){NULL, 0};
	empty.value = BB_TEXT("");
	a = bb_ktoken_of(&null, BB_TEXT("c"));
	b = bb_ktoken_of(&empty, BB_TEXT("c"));
	cr_expect_not(bb_ktoken_same_record(&a, &b));
}

Test(kafka_token, other_bytes_are_no_token)
{
	struct bb_ktoken token = bb_ktoken_of(&message, BB_TEXT("cluster"));
	struct bb_ktoken ignored;
	struct bb_arena arena;
	struct bb_text bytes;
	char changed[300];

	bb_arena_init(&arena);
	bytes = bb_ktoken_encode(&token, &arena);
	for (size_t n = 0; n < bytes.n - token.cluster.n; n++)
		cr_expect_not(bb_ktoken_decode(bb_text_bytes(bytes.p, n), &ignored), "%zu", n);
	memcpy(changed, bytes.p, bytes.n);
	changed[0] = 2;
	cr_expect_not(bb_ktoken_decode(bb_text_bytes(changed, bytes.n), &ignored), "version");
	memset(changed, 1, sizeof changed);
	cr_expect_not(bb_ktoken_decode(bb_text_bytes(changed, sizeof changed), &ignored), "long");
	bb_arena_fini(&arena);
}

Test(kafka_token, a_long_cluster_id_is_cut)
{
	char name[BB_KTOKEN_CLUSTER_MAX + 50];
	struct bb_ktoken token;

	memset(name, 'c', sizeof name);
	token = bb_ktoken_of(&message, bb_text_bytes(name, sizeof name));
	cr_expect_eq(token.cluster.n, BB_KTOKEN_CLUSTER_MAX);
}
