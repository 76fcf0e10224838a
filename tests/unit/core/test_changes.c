/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The change feed. The law of it: whoever applies it in order has exactly the ids of the store
 * after every batch, and never ends an id that is not there or begins one that is.
 */
#include "core_rig.h"

#include "changes.h"
#include "feed.h"

#include <backbone/change.h>
#include <stdio.h>
#include <stdlib.h>

#define IDS_MAX 4096

/* A consumer of the feed. */
struct consumer {
	struct bb_hash ids[IDS_MAX];
	size_t n;
	uint64_t at; /* the last number it has applied */
	unsigned kinds[BB_CHANGE_KIND_COUNT];
};

static struct core_rig rig;
static struct consumer consumer;

static void setup(void)
{
	core_rig_init(&rig);
	rig.ns[CORE_MAIL].per_profile = 1;
	consumer = (struct consumer){.n = 0};
}

static void teardown(void)
{
	core_rig_fini(&rig);
}

#define CHANGES_TEST(name) Test(core, name, .init = setup, .fini = teardown)

static size_t index_of(const struct bb_hash *id)
{
	for (size_t i = 0; i < consumer.n; i++)
		if (bb_hash_equal(&consumer.ids[i], id))
			return i;
	return SIZE_MAX;
}

static void begin(const struct bb_change *change, const struct bb_hash *id)
{
	cr_assert_eq(index_of(id), SIZE_MAX, "%llu begins what is there",
		     (unsigned long long)change->number);
	cr_assert_lt(consumer.n, IDS_MAX);
	consumer.ids[consumer.n++] = *id;
}

static void end(const struct bb_change *change, const struct bb_hash *id, bool may_be_gone)
{
	size_t at = index_of(id);

	cr_assert(may_be_gone || at != SIZE_MAX, "%llu ends what is not there",
		  (unsigned long long)change->number);
	if (at != SIZE_MAX)
		consumer.ids[at] = consumer.ids[--consumer.n];
}

static void lives(const struct bb_change *change, const struct bb_hash *id)
{
	cr_assert(!bb_change_is_somebody(id) || index_of(id) != SIZE_MAX, "%s %llu of nobody",
		  bb_change_kind_text(change->kind), (unsigned long long)change->number);
}

static void consume(const struct bb_change *change)
{
	cr_assert_eq(change->number, ++consumer.at, "no gap");
	consumer.kinds[change->kind]++;
	switch (change->kind) {
	case BB_CHANGE_SPLIT:
		lives(change, &change->other);
		begin(change, &change->profile);
		break;
	case BB_CHANGE_CREATED:
		begin(change, &change->profile);
		break;
	case BB_CHANGE_RENAMED:
		if (bb_change_is_somebody(&change->other))
			end(change, &change->other, false);
		begin(change, &change->profile);
		break;
	case BB_CHANGE_MERGED:
		lives(change, &change->other);
		end(change, &change->profile, false);
		break;
	case BB_CHANGE_ERASED:
		if (bb_change_is_somebody(&change->profile))
			end(change, &change->profile, true);
		break;
	default:
		lives(change, &change->profile);
		break;
	}
}

/* Applies all that is new, and compares with the store. */
static void catch_up(void)
{
	struct bb_kv *kv = bb_kvmem_begin(rig.mem);
	struct bb_change change;
	struct bb_arena arena;
	uint64_t cursor = 0, cluster, first, last, n = 0;
	const struct bb_view *view;
	int rc;

	bb_arena_init(&arena);
	while ((rc = bb_change_next(kv, consumer.at, &arena, &change)) == BB_OK)
		consume(&change);
	cr_assert_eq(rc, BB_ENOTFOUND);
	cr_assert_eq(bb_change_range(kv, &first, &last), BB_OK);
	cr_assert_eq(last, consumer.at);
	while ((rc = bb_viewer_next(rig.viewer, kv, &cursor, &cluster)) == BB_OK) {
		struct bb_hash id;

		cr_assert_eq(bb_viewer_fold(rig.viewer, kv, cluster, &view), BB_OK);
		cr_assert(bb_hash_parse_profile_id(bb_text_of(view->id), &id));
		cr_assert_neq(index_of(&id), SIZE_MAX, "%s is not in the feed", view->id);
		n++;
	}
	cr_assert_eq(rc, BB_ENOTFOUND);
	cr_assert_eq(n, consumer.n, "ids in the store, ids by the feed");
	bb_arena_fini(&arena);
	bb_kvmem_abort(kv);
}

static void say(int day, const char *ids)
{
	core_say(&rig, CORE_T0 + day * BB_DAY_MS, ids);
	catch_up();
}

static struct bb_hash hash_of(const char *key)
{
	const char *colon = strchr(key, ':');

	return bb_hash_identifier(&rig.rules.profile_key,
				  (struct bb_text){key, (size_t)(colon - key)},
				  bb_text_of(colon + 1));
}

/* `kind profile[ other]` of a change, ids by the identifiers that they are hashes of. */
static void expect(uint64_t number, enum bb_change_kind kind, const char *profile,
		   const char *other)
{
	struct bb_kv *kv = bb_kvmem_begin(rig.mem);
	struct bb_change change = {0};
	struct bb_hash nobody = {{0}}, ids[2] = {profile ? hash_of(profile) : nobody,
						 other ? hash_of(other) : nobody};

	cr_assert_eq(bb_change_next(kv, number - 1, &rig.arena, &change), BB_OK, "%llu",
		     (unsigned long long)number);
	cr_expect_eq(change.number, number);
	cr_expect_eq(change.kind, kind, "%llu is %s", (unsigned long long)number,
		     bb_change_kind_text(change.kind));
	cr_expect(bb_hash_equal(&change.profile, &ids[0]), "%llu: profile",
		  (unsigned long long)number);
	cr_expect(bb_hash_equal(&change.other, &ids[1]), "%llu: other", (unsigned long long)number);
	bb_kvmem_abort(kv);
}

/* The numbers of a history, as text. */
static const char *history(const char *key)
{
	struct bb_kv *kv = bb_kvmem_begin(rig.mem);
	struct bb_hash id = hash_of(key);
	struct bb_change change;
	uint64_t cursor = 0;
	int rc;

	rig.buf.n = 0;
	while ((rc = bb_change_history(kv, &id, &cursor, &rig.arena, &change)) == BB_OK)
		bb_buf_printf(&rig.buf, "%s%s %llu", rig.buf.n ? ", " : "",
			      bb_change_kind_text(change.kind), (unsigned long long)change.number);
	cr_assert_eq(rc, BB_ENOTFOUND);
	bb_buf_byte(&rig.buf, '\0');
	bb_kvmem_abort(kv);
	return rig.buf.p;
}

CHANGES_TEST(a_new_profile_is_created_then_updated)
{
	say(1, "crm:1 phone:7");
	say(2, "crm:1 phone:7");
	expect(1, BB_CHANGE_CREATED, "crm:1", NULL);
	expect(2, BB_CHANGE_UPDATED, "crm:1", NULL);
	cr_expect_eq(consumer.at, 2);
	cr_expect_str_eq(history("crm:1"), "");
}

CHANGES_TEST(several_records_of_a_profile_in_one_batch_are_one_change)
{
	for (int i = 0; i < 3; i++)
		cr_assert_eq(core_apply(&rig, core_event(&rig, CORE_T0 + i,
							 i ? "crm:1 phone:7" : "crm:1")),
			     BB_VERDICT_APPLIED);
	cr_assert_eq(core_end(&rig), BB_OK);
	catch_up();
	cr_expect_eq(consumer.at, 1);
}

CHANGES_TEST(a_record_alone_says_that_its_profile_is_updated)
{
	say(1, "phone:7");
	core_say(&rig, CORE_T0 + BB_DAY_MS + 1, "phone:7"); /* R1: the profile is not even read */
	catch_up();
	expect(2, BB_CHANGE_UPDATED, "phone:7", NULL);
}

CHANGES_TEST(a_merger_tells_where_an_id_leads_to)
{
	say(1, "crm:1 phone:7");
	say(2, "card:9 dev:d");
	say(3, "crm:1 card:9");
	expect(3, BB_CHANGE_MERGED, "card:9", "crm:1");
	expect(4, BB_CHANGE_UPDATED, "crm:1", NULL);
	cr_expect_str_eq(history("card:9"), "merged 3");
	cr_expect_str_eq(history("crm:1"), "merged 3");
}

CHANGES_TEST(an_earlier_identifier_renames)
{
	say(5, "crm:1 phone:7");
	say(1, "phone:7");
	expect(2, BB_CHANGE_RENAMED, "phone:7", "crm:1");
	cr_expect_eq(consumer.at, 2);
	cr_expect_str_eq(history("crm:1"), "renamed 2");
	cr_expect_str_eq(history("phone:7"), "renamed 2");
}

CHANGES_TEST(a_better_link_splits)
{
	say(1, "crm:1 phone:7");
	say(5, "crm:2 phone:7");
	say(6, "crm:2 phone:7"); /* two days beat one: the phone leaves, and named the profile */
	CORE_TOGETHER(&rig, "crm:2", "phone:7");
	cr_expect_eq(consumer.n, 2);
	cr_expect_gt(consumer.kinds[BB_CHANGE_UPDATED] + consumer.kinds[BB_CHANGE_SPLIT], 0);
}

CHANGES_TEST(a_value_that_becomes_shared_splits_what_it_had_merged)
{
	char ids[64];

	rig.ns[CORE_PHONE].owners = 2;
	say(1, "phone:7 mail:a");
	say(2, "phone:7 mail:a dev:x");
	for (int i = 0; i < 4; i++) {
		snprintf(ids, sizeof(ids), "crm:%d phone:7", i);
		say(3 + i, ids);
	}
	cr_expect_gt(consumer.kinds[BB_CHANGE_SPLIT], 0);
}

CHANGES_TEST(the_cause_is_the_event_that_came)
{
	struct bb_event *ev = core_event(&rig, CORE_T0, "crm:1");
	struct bb_buf json = BB_BUF_EMPTY;
	struct bb_change change;
	struct bb_kv *kv;
	static const char end_of[] = "\"cause\":\"event\",\"position\":{\"topic\":\"shop\","
				     "\"partition\":3,\"offset\":41}}";

	ev->position = (struct bb_position){BB_TEXT("shop"), 3, 41};
	core_apply(&rig, ev);
	cr_assert_eq(core_end(&rig), BB_OK);
	kv = bb_kvmem_begin(rig.mem);
	cr_assert_eq(bb_change_next(kv, 0, &rig.arena, &change), BB_OK);
	bb_kvmem_abort(kv);
	cr_expect_eq(change.cause, BB_CAUSE_EVENT);
	cr_expect(bb_text_equal(change.position.topic, BB_TEXT("shop")));
	cr_expect_eq(change.position.partition, 3);
	cr_expect_eq(change.position.offset, 41);
	bb_change_json(&change, &json);
	bb_buf_byte(&json, '\0');
	cr_expect_str_eq(json.p + json.n - sizeof(end_of), end_of);
	cr_expect(strstr(json.p, "{\"number\":1,\"kind\":\"created\",\"profile\":\"p") == json.p);
	bb_buf_fini(&json);
}

CHANGES_TEST(an_abort_changes_nothing)
{
	say(1, "crm:1 phone:7");
	core_apply(&rig, core_event(&rig, CORE_T0, "crm:1 phone:7"));
	core_apply(&rig, core_event(&rig, CORE_T0, "crm:2"));
	bb_kvmem_fail_commit(rig.mem, 1, BB_EIO);
	cr_assert_eq(core_end(&rig), BB_EIO);
	catch_up();
	cr_expect_eq(consumer.at, 1);
	say(2, "crm:2");
	cr_expect_eq(consumer.at, 2);
}

CHANGES_TEST(every_error_of_the_store_ends_the_batch)
{
	int rc = BB_EIO;

	rig.rules.changes_max = 1;
	say(1, "crm:1 phone:7");
	for (uint64_t nth = 1; rc != BB_OK; nth++) {
		core_apply(&rig, core_event(&rig, CORE_T0, "card:1 phone:7"));
		bb_kvmem_fail_put(rig.mem, nth, BB_ENOSPC);
		rc = core_end(&rig);
		cr_assert(rc == BB_OK || rc == BB_ENOSPC);
		cr_assert_lt(nth, 200);
	}
	bb_kvmem_fail_put(rig.mem, 0, BB_OK);
	catch_up();
}

static void many(int n, const char *prefix)
{
	char ids[64];

	for (int i = 0; i < n; i++) {
		snprintf(ids, sizeof(ids), "crm:%s%d phone:%s%d", prefix, i, prefix, i);
		core_apply(&rig, core_event(&rig, CORE_T0, ids));
	}
	cr_assert_eq(core_end(&rig), BB_OK);
}

static void range(uint64_t *ret_first, uint64_t *ret_last)
{
	struct bb_kv *kv = bb_kvmem_begin(rig.mem);

	cr_assert_eq(bb_change_range(kv, ret_first, ret_last), BB_OK);
	bb_kvmem_abort(kv);
}

CHANGES_TEST(a_batch_of_many_fills_blocks_and_every_number_is_found)
{
	many(2000, "a");
	catch_up();
	cr_expect_eq(consumer.at, 2000);
	cr_expect_lt(bb_kvmem_entries(rig.mem, BB_TABLE_CHANGE), 40);
}

CHANGES_TEST(beyond_the_most_the_oldest_go)
{
	uint64_t first, last;

	rig.rules.changes_max = 300;
	many(1000, "a");
	range(&first, &last);
	cr_expect(first == 1 && last == 1000, "what a batch wrote stays");
	for (int i = 0; i < 10; i++)
		core_say(&rig, CORE_T0, "crm:b");
	range(&first, &last);
	cr_expect_eq(last, 1010);
	cr_expect_geq(first, 711);
	cr_expect_leq(first, 900);
}

CHANGES_TEST(beyond_the_age_the_oldest_go)
{
	uint64_t first, last;

	many(1000, "a");
	rig.rules.changes_age_ms = -BB_DAY_MS;
	many(1, "b");
	many(1, "c");
	range(&first, &last);
	cr_expect(first == 1002 && last == 1002, "%llu to %llu", (unsigned long long)first,
		  (unsigned long long)last);
}

CHANGES_TEST(without_a_feed_numbers_go_on_and_history_stays)
{
	uint64_t first, last;

	rig.rules.changes_max = 0;
	core_say(&rig, CORE_T0, "crm:1 phone:7");
	core_say(&rig, CORE_T0, "card:9");
	core_say(&rig, CORE_T0, "crm:1 card:9");
	range(&first, &last);
	cr_expect(first == 5 && last == 4, "%llu to %llu", (unsigned long long)first,
		  (unsigned long long)last);
	cr_expect_str_eq(history("crm:1"), "merged 3");
}

CHANGES_TEST(nothing_ever_is_no_range)
{
	uint64_t first, last;
	struct bb_change change;
	struct bb_kv *kv = bb_kvmem_begin(rig.mem);

	cr_expect_eq(bb_change_next(kv, 0, &rig.arena, &change), BB_ENOTFOUND);
	cr_expect_eq(bb_change_next(kv, UINT64_MAX, &rig.arena, &change), BB_ENOTFOUND);
	bb_kvmem_abort(kv);
	range(&first, &last);
	cr_expect(first == 0 && last == 0);
}

CHANGES_TEST(a_history_keeps_the_newest)
{
	uint64_t cursor = 0, n = 0;
	struct bb_hash id = hash_of("crm:1");
	struct bb_change change;
	char ids[64];
	struct bb_kv *kv;

	rig.rules.max_identifiers = 1000;
	rig.ns[CORE_DEV].records = BB_NO_LIMIT;
	say(1, "crm:1");
	for (int i = 0; i < 160; i++) {
		snprintf(ids, sizeof(ids), "dev:%d", i);
		core_say(&rig, CORE_T0 + 2 * BB_DAY_MS, ids);
		snprintf(ids, sizeof(ids), "crm:1 dev:%d", i);
		core_say(&rig, CORE_T0 + 2 * BB_DAY_MS, ids);
	}
	kv = bb_kvmem_begin(rig.mem);
	while (bb_change_history(kv, &id, &cursor, &rig.arena, &change) == BB_OK)
		n++;
	bb_kvmem_abort(kv);
	cr_expect_geq(n, BB_CHANGE_HISTORY_MAX);
	cr_expect_leq(n, BB_CHANGE_HISTORY_MAX + 32);
}

/* --- damage -----------------------------------------------------------------------------------*/

static void write_row(enum bb_table table, struct bb_text key, struct bb_text value)
{
	struct bb_kv *kv = bb_kvmem_begin(rig.mem);

	cr_assert_eq(bb_kv_put(kv, table, key, value), BB_OK);
	cr_assert_eq(bb_kvmem_commit(kv), BB_OK);
}

CHANGES_TEST(damage_is_found)
{
	static const char *const blocks[] = {"", "\x01", "\x01\x02\x00\x0f", "\x09\x02\x00"};
	uint8_t key[BB_FEED_KEY_BYTES], history_key[BB_FEED_HISTORY_KEY_BYTES];
	struct bb_hash id = hash_of("crm:1");
	struct bb_change change;
	uint64_t first, last, cursor;

	say(1, "crm:1");
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		struct bb_text value = {blocks[i], i == 1 ? 1 : i == 2 ? 4 : i == 3 ? 3 : 0};
		struct bb_kv *kv;

		write_row(BB_TABLE_CHANGE, bb_feed_key(key, 1), value);
		write_row(BB_TABLE_CHANGE, bb_feed_history_key(history_key, &id, 1), value);
		kv = bb_kvmem_begin(rig.mem);
		cr_expect_eq(bb_change_next(kv, 0, &rig.arena, &change), BB_ECORRUPT, "block %zu",
			     i);
		cursor = 0;
		cr_expect_eq(bb_change_history(kv, &id, &cursor, &rig.arena, &change), BB_ECORRUPT,
			     "block %zu", i);
		if (i != 2)
			cr_expect_eq(bb_change_range(kv, &first, &last), BB_ECORRUPT, "block %zu",
				     i);
		bb_kvmem_abort(kv);
	}
	core_apply(&rig, core_event(&rig, CORE_T0, "crm:1"));
	cr_expect_eq(core_end(&rig), BB_ECORRUPT, "trimming reads the oldest");
	write_row(BB_TABLE_META, BB_FEED_LAST, BB_TEXT("no"));
	core_apply(&rig, core_event(&rig, CORE_T0, "crm:1"));
	cr_expect_eq(core_end(&rig), BB_ECORRUPT);
}

CHANGES_TEST(a_topic_that_is_no_name_is_damage)
{
	struct bb_feed_entry entry = {
		.kind = BB_CHANGE_CREATED, .profile = hash_of("crm:1"), .has_position = true};
	struct bb_buf buf = BB_BUF_EMPTY;
	uint8_t key[BB_FEED_KEY_BYTES];
	struct bb_change change;
	struct bb_kv *kv;

	bb_feed_put_block(&buf, &(struct bb_feed_block){1, 1, {NULL, 0}});
	entry.topic = 77;
	bb_feed_put_entry(&buf, &entry);
	write_row(BB_TABLE_CHANGE, bb_feed_key(key, 1), bb_buf_slice(&buf));
	kv = bb_kvmem_begin(rig.mem);
	cr_expect_eq(bb_change_next(kv, 0, &rig.arena, &change), BB_ECORRUPT);
	bb_kvmem_abort(kv);
	bb_buf_fini(&buf);
}

/* --- erasure ----------------------------------------------------------------------------------*/

/* A batch that says only that these identifiers are being erased. */
static void forget(const char *const *keys, size_t n)
{
	struct bb_batch batch = {.rules = &rig.rules,
				 .kv = bb_kvmem_begin(rig.mem),
				 .names = bb_names_new(),
				 .cause = BB_CAUSE_ERASURE,
				 .cause_id = BB_TEXT("request-1")};
	struct bb_hash ids[8];

	for (size_t i = 0; i < n; i++)
		ids[i] = hash_of(keys[i]);
	bb_arena_init(&batch.arena);
	cr_assert_eq(bb_names_load(batch.names, batch.kv), BB_OK);
	batch.ns_n = bb_names_count(batch.names, BB_NAME_NAMESPACE);
	batch.ns_of_id = calloc(batch.ns_n + 1, sizeof(*batch.ns_of_id));
	for (size_t i = 0; i < batch.ns_n; i++)
		batch.ns_of_id[i] = bb_rules_namespace(
			&rig.rules, bb_names_text(batch.names, BB_NAME_NAMESPACE, i));
	bb_changes_erased(&batch, ids, n);
	cr_assert_eq(batch.err, BB_OK);
	cr_assert_eq(bb_kvmem_commit(batch.kv), BB_OK);
	bb_table_fini(&batch.idents);
	bb_table_fini(&batch.profiles);
	bb_buf_fini(&batch.buf);
	bb_names_free(batch.names);
	free(batch.ns_of_id);
	bb_arena_fini(&batch.arena);
}

CHANGES_TEST(erased_ids_leave_older_changes_and_histories)
{
	static const char *const keys[] = {"crm:1", "phone:7", "card:9"};

	say(5, "crm:1 phone:7"); /* 1: created crm:1 */
	say(1, "phone:7");	 /* 2: phone:7 renamed from crm:1 */
	say(2, "card:9");	 /* 3: created card:9 */
	say(3, "crm:1 card:9");	 /* 4: card:9 merged into phone:7; 5: updated */
	say(3, "crm:2");	 /* 6: created crm:2 */
	cr_assert_eq(consumer.at, 6);
	forget(keys, 3);
	for (uint64_t n = 1; n <= 5; n++)
		expect(n, BB_CHANGE_ERASED, NULL, NULL);
	expect(6, BB_CHANGE_CREATED, "crm:2", NULL);
	cr_expect_str_eq(history("crm:1"), "");
	cr_expect_str_eq(history("card:9"), "");
	/* all ids that had ended, and the living one, once more; in the order of their hashes */
	struct bb_kv *kv = bb_kvmem_begin(rig.mem);
	struct bb_change change;
	uint64_t at = 6;

	while (bb_change_next(kv, at, &rig.arena, &change) == BB_OK) {
		cr_expect_eq(change.number, ++at);
		cr_expect_eq(change.kind, BB_CHANGE_ERASED);
		cr_expect_eq(change.cause, BB_CAUSE_ERASURE);
		cr_expect(bb_text_equal(change.cause_id, BB_TEXT("request-1")));
		end(&change, &change.profile, true);
	}
	bb_kvmem_abort(kv);
	cr_expect_eq(at, 9);
	cr_expect_eq(consumer.n, 1, "crm:2 lives");
}

CHANGES_TEST(a_consumer_in_the_midst_of_what_is_erased_ends_it_too)
{
	static const char *const keys[] = {"crm:1", "phone:7"};

	say(5, "crm:1 phone:7");
	core_say(&rig, CORE_T0, "phone:7"); /* renamed; not consumed before the erasure */
	core_say(&rig, CORE_T0, "crm:2");
	forget(keys, 2);
	struct bb_kv *kv = bb_kvmem_begin(rig.mem);
	struct bb_change change;

	while (bb_change_next(kv, consumer.at, &rig.arena, &change) == BB_OK)
		consume(&change);
	bb_kvmem_abort(kv);
	cr_expect_eq(consumer.n, 1);
	struct bb_hash other = hash_of("crm:2");

	cr_expect_eq(index_of(&other), 0);
}

CHANGES_TEST(what_a_change_says_of_others_stays)
{
	static const char *const keys[] = {"crm:1"};

	say(5, "crm:1 phone:7");
	say(1, "phone:7"); /* 2: phone:7 renamed from crm:1 */
	say(2, "card:9");
	say(3, "phone:7 card:9"); /* 4: card:9 merged into phone:7 */
	forget(keys, 1);
	expect(1, BB_CHANGE_ERASED, NULL, NULL);
	expect(2, BB_CHANGE_RENAMED, "phone:7", NULL);
	expect(4, BB_CHANGE_MERGED, "card:9", "phone:7");
	cr_expect_str_eq(history("phone:7"), "renamed 2, merged 4");
	static const char *const more[] = {"phone:7"};

	forget(more, 1);
	expect(2, BB_CHANGE_ERASED, NULL, NULL);
	expect(4, BB_CHANGE_MERGED, "card:9", NULL);
	cr_expect_str_eq(history("card:9"), "merged 4");
}

CHANGES_TEST(a_renaming_into_an_erased_id_still_ends_the_old_one)
{
	static const char *const keys[] = {"phone:7"};

	say(5, "crm:1 phone:7");
	say(1, "phone:7");
	forget(keys, 1);
	expect(2, BB_CHANGE_MERGED, "crm:1", NULL);
	cr_expect_str_eq(history("crm:1"), "merged 2");
}

/* --- the law ----------------------------------------------------------------------------------*/

static uint64_t state;

static unsigned roll(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state % n);
}

static void random_event(struct bb_arena *arena)
{
	static const char *const names[] = {"crm", "card", "mail", "phone", "dev"};
	struct bb_text ids = {"", 0};
	unsigned n = 1 + roll(3);

	for (unsigned i = 0; i < n; i++) {
		unsigned ns = roll(5);

		ids = bb_arena_printf(arena, "%.*s %s:%u", (int)ids.n, ids.p, names[ns],
				      roll(ns < 2 ? 8 : 5));
	}
	if (roll(12) == 0)
		ids = bb_arena_printf(arena, "%.*s crm:%u=crm:%u", (int)ids.n, ids.p, roll(4),
				      4 + roll(4));
	core_apply(&rig,
		   core_event(&rig, CORE_T0 + roll(20) * BB_DAY_MS + roll(5) * BB_HOUR_MS, ids.p));
}

CHANGES_TEST(applying_the_feed_gives_the_ids_of_the_store)
{
	unsigned kinds[BB_CHANGE_KIND_COUNT] = {0};

	for (uint64_t seed = 1; seed <= 60; seed++) {
		state = seed * UINT64_C(0x9e3779b97f4a7c15);
		core_rig_restart(&rig);
		consumer = (struct consumer){.n = 0};
		rig.ns[CORE_MAIL].links = 4;
		rig.ns[CORE_PHONE].owners = 2;
		rig.ns[CORE_PHONE].links = 5;
		rig.rules.max_identifiers = 9;
		for (int batch = 0; batch < 40; batch++) {
			for (unsigned i = 1 + roll(6); i > 0; i--)
				random_event(&rig.arena);
			if (rig.kv)
				cr_assert_eq(core_end(&rig), BB_OK, "seed %llu",
					     (unsigned long long)seed);
			catch_up();
		}
		for (int k = 0; k < BB_CHANGE_KIND_COUNT; k++)
			kinds[k] += consumer.kinds[k];
		bb_arena_reset(&rig.arena);
	}
	for (int k = 0; k < BB_CHANGE_ERASED; k++)
		cr_expect_gt(kinds[k], 50, "%s", bb_change_kind_text((enum bb_change_kind)k));
	cr_expect_eq(kinds[BB_CHANGE_ERASED], 0);
}
