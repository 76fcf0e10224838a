/* SPDX-License-Identifier: Apache-2.0 */
/* The rig of feed_rig.h. Whatever goes wrong in it fails the test at once. */
#include "feed_rig.h"

struct core_rig feed_rig;
struct feed_consumer feed_consumer;

void feed_setup(void)
{
	core_rig_init(&feed_rig);
	feed_rig.ns[CORE_MAIL].per_profile = 1;
	feed_consumer = (struct feed_consumer){.n = 0};
}

void feed_teardown(void)
{
	core_rig_fini(&feed_rig);
}

size_t feed_index(const struct bb_hash *id)
{
	for (size_t i = 0; i < feed_consumer.n; i++)
		if (bb_hash_equal(&feed_consumer.ids[i], id))
			return i;
	return SIZE_MAX;
}

static void begin(const struct bb_change *change, const struct bb_hash *id)
{
	cr_assert_eq(feed_index(id), SIZE_MAX, "%llu begins what is there",
		     (unsigned long long)change->number);
	cr_assert_lt(feed_consumer.n, FEED_IDS_MAX);
	feed_consumer.ids[feed_consumer.n++] = *id;
}

void feed_end(const struct bb_change *change, const struct bb_hash *id, bool may_be_gone)
{
	size_t at = feed_index(id);

	cr_assert(may_be_gone || at != SIZE_MAX, "%llu ends what is not there",
		  (unsigned long long)change->number);
	if (at != SIZE_MAX)
		feed_consumer.ids[at] = feed_consumer.ids[--feed_consumer.n];
}

static void lives(const struct bb_change *change, const struct bb_hash *id)
{
	cr_assert(!bb_change_is_somebody(id) || feed_index(id) != SIZE_MAX, "%s %llu of nobody",
		  bb_change_kind_text(change->kind), (unsigned long long)change->number);
}

void feed_consume(const struct bb_change *change)
{
	cr_assert_eq(change->number, ++feed_consumer.at, "no gap");
	feed_consumer.kinds[change->kind]++;
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
			feed_end(change, &change->other, false);
		begin(change, &change->profile);
		break;
	case BB_CHANGE_MERGED:
		lives(change, &change->other);
		feed_end(change, &change->profile, false);
		break;
	case BB_CHANGE_ERASED:
		if (bb_change_is_somebody(&change->profile))
			feed_end(change, &change->profile, true);
		break;
	default:
		lives(change, &change->profile);
		break;
	}
}

/* Applies all that is new, and compares with the store. */
void feed_catch_up(void)
{
	struct bb_kv *kv = bb_kvmem_begin(feed_rig.mem);
	struct bb_change change;
	struct bb_arena arena;
	uint64_t cursor = 0, cluster, first, last, n = 0;
	const struct bb_view *view;
	int rc;

	bb_arena_init(&arena);
	while ((rc = bb_change_next(kv, feed_consumer.at, &arena, &change)) == BB_OK)
		feed_consume(&change);
	cr_assert_eq(rc, BB_ENOTFOUND);
	cr_assert_eq(bb_change_range(kv, &first, &last), BB_OK);
	cr_assert_eq(last, feed_consumer.at);
	while ((rc = bb_viewer_next(feed_rig.viewer, kv, &cursor, &cluster)) == BB_OK) {
		struct bb_hash id;

		cr_assert_eq(bb_viewer_fold(feed_rig.viewer, kv, cluster, &view), BB_OK);
		cr_assert(bb_hash_parse_profile_id(bb_text_of(view->id), &id));
		cr_assert_neq(feed_index(&id), SIZE_MAX, "%s is not in the feed", view->id);
		n++;
	}
	cr_assert_eq(rc, BB_ENOTFOUND);
	cr_assert_eq(n, feed_consumer.n, "ids in the store, ids by the feed");
	bb_arena_fini(&arena);
	bb_kvmem_abort(kv);
}

void feed_say(int day, const char *ids)
{
	core_say(&feed_rig, CORE_T0 + day * BB_DAY_MS, ids);
	feed_catch_up();
}

struct bb_hash feed_hash(const char *key)
{
	const char *colon = strchr(key, ':');

	return bb_hash_identifier(&feed_rig.rules.profile_key,
				  (struct bb_text){key, (size_t)(colon - key)},
				  bb_text_of(colon + 1));
}

/* `kind profile[ other]` of a change, ids by the identifiers that they are hashes of. */
void feed_expect(uint64_t number, enum bb_change_kind kind, const char *profile, const char *other)
{
	struct bb_kv *kv = bb_kvmem_begin(feed_rig.mem);
	struct bb_change change = {0};
	struct bb_hash nobody = {{0}}, ids[2] = {profile ? feed_hash(profile) : nobody,
						 other ? feed_hash(other) : nobody};

	cr_assert_eq(bb_change_next(kv, number - 1, &feed_rig.arena, &change), BB_OK, "%llu",
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
const char *feed_history(const char *key)
{
	struct bb_kv *kv = bb_kvmem_begin(feed_rig.mem);
	struct bb_hash id = feed_hash(key);
	struct bb_change change;
	uint64_t cursor = 0;
	int rc;

	feed_rig.buf.n = 0;
	while ((rc = bb_change_history(kv, &id, &cursor, &feed_rig.arena, &change)) == BB_OK)
		bb_buf_printf(&feed_rig.buf, "%s%s %llu", feed_rig.buf.n ? ", " : "",
			      bb_change_kind_text(change.kind), (unsigned long long)change.number);
	cr_assert_eq(rc, BB_ENOTFOUND);
	bb_buf_byte(&feed_rig.buf, '\0');
	bb_kvmem_abort(kv);
	return feed_rig.buf.p;
}
