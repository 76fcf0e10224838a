/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the change feed says of changed rules: every line is true when it comes, and every profile
 * whose view is another is named.
 */
#include "order_rig.h"

#include <stdio.h>

#include <backbone/adopt.h>
#include <backbone/change.h>

#define DAY(n) (CORE_T0 + (n)*BB_DAY_MS)

static struct core_rig old, new;
static struct bb_namespace ns[CORE_NAMESPACES]; /* the new rules */

static void setup(void)
{
	core_rig_init(&old);
	core_rig_init(&new);
	memcpy(ns, old.ns, sizeof(ns));
}

static void teardown(void)
{
	core_rig_fini(&old);
	core_rig_fini(&new);
}

#define ADOPT_FEED_TEST(name) Test(core, name, .init = setup, .fini = teardown)

static int on_begin(void *ctx, struct bb_kv **ret_kv)
{
	*ret_kv = bb_kvmem_begin(ctx);
	return BB_OK;
}

static uint64_t last_change(struct core_rig *rig)
{
	struct bb_kv *kv = bb_kvmem_begin(rig->mem);
	uint64_t first, last;

	cr_assert_eq(bb_change_range(kv, &first, &last), BB_OK);
	bb_kvmem_abort(kv);
	return last;
}

/* `mail:a` and the like, of which a profile's id is the hash; `nobody`. */
static const char *word_of(const struct bb_hash *id)
{
	static const char *const words[][2] = {{"crm", "1"},   {"crm", "2"},  {"mail", "a"},
					       {"mail", "b"},  {"mail", "q"}, {"mail", "guest"},
					       {"phone", "7"}, {"dev", "d"}};
	static char text[4][16];
	static unsigned turn;

	if (!bb_change_is_somebody(id))
		return "nobody";
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct bb_text name = bb_text_of(words[i][0]), value = bb_text_of(words[i][1]);
		struct bb_hash hash = bb_hash_identifier(&old.rules.profile_key, name, value);

		if (!bb_hash_equal(&hash, id))
			continue;
		turn = (turn + 1) % 4;
		snprintf(text[turn], sizeof(text[0]), "%s:%s", words[i][0], words[i][1]);
		return text[turn];
	}
	return "?";
}

/* Adopts what `old` holds under `ns`; what the feed then says: `split mail:a crm:1; ...`. */
static const char *told(void)
{
	static char text[512];
	struct bb_adopt_target target = {.write_begin = on_begin,
					 .write_commit = bb_kvmem_commit,
					 .write_abort = bb_kvmem_abort};
	uint64_t after = last_change(&old);
	struct bb_kv *from = bb_kvmem_begin(old.mem), *kv;
	struct bb_change change;
	size_t n = 0;

	memcpy(new.ns, ns, sizeof(ns));
	core_rig_restart(&new);
	target.ctx = new.mem;
	cr_assert_eq(bb_adopt(from, &new.rules, &target), BB_OK);
	bb_kvmem_abort(from);
	text[0] = 0;
	kv = bb_kvmem_begin(new.mem);
	for (; bb_change_next(kv, after, &new.arena, &change) == BB_OK; after = change.number) {
		bool other = bb_change_is_somebody(&change.other);

		cr_expect_eq(change.cause, BB_CAUSE_RULES);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s %s%s%s", n ? "; " : "",
				      bb_change_kind_text(change.kind), word_of(&change.profile),
				      other ? " " : "", other ? word_of(&change.other) : "");
		cr_assert_lt(n, sizeof(text));
	}
	bb_kvmem_abort(kv);
	return text;
}

ADOPT_FEED_TEST(adopt_feed_names_who_lost_facts_to_nobody_that_is_new)
{
	ns[CORE_MAIL].links = 1;
	core_say(&old, DAY(1), "mail:a");
	core_say(&old, DAY(2), "crm:1 mail:a"); /* they go together, until two are too many */
	core_say(&old, DAY(3), "phone:7 mail:a");
	cr_expect_str_eq(told(), "split crm:1 mail:a; split phone:7 mail:a; updated mail:a");
}

ADOPT_FEED_TEST(adopt_feed_names_who_has_other_records_and_the_same_id)
{
	ns[CORE_MAIL].links = 1; /* then the event with three is crm:2's alone, with its phone */
	core_say(&old, DAY(1), "crm:1 mail:a");
	core_say(&old, DAY(2), "crm:1 mail:a");
	core_say(&old, DAY(3), "crm:2 mail:a");
	cr_expect_str_eq(told(), "split mail:a crm:1; updated crm:1");
}

ADOPT_FEED_TEST(adopt_feed_is_silent_where_nothing_changes)
{
	ns[CORE_MAIL].links = 7;
	core_say(&old, DAY(1), "crm:1 mail:a");
	core_say(&old, DAY(2), "crm:2 phone:7");
	cr_expect_str_eq(told(), "");
}

ADOPT_FEED_TEST(adopt_feed_tells_a_new_id_before_what_merges_into_it)
{
	old.ns[CORE_MAIL].per_profile = 1;
	core_rig_restart(&old);
	ns[CORE_CRM].durable = false;
	ns[CORE_MAIL].per_profile = 2;
	core_say(&old, DAY(5), "mail:q phone:7"); /* its profile comes first in the store */
	core_say(&old, DAY(1), "crm:1");
	core_say(&old, DAY(2), "crm:1 mail:a");
	core_say(&old, DAY(3), "crm:1 mail:a");
	core_say(&old, DAY(6), "crm:1 mail:q");
	cr_expect_str_eq(told(), "renamed mail:a crm:1; merged mail:q mail:a");
}

ADOPT_FEED_TEST(adopt_feed_tells_that_who_was_nobody_is_created)
{
	ns[CORE_MAIL].junk = false;
	core_say(&old, DAY(1), "crm:1");
	core_say(&old, DAY(2), "mail:guest");
	cr_expect_str_eq(told(), "created mail:guest");
}
