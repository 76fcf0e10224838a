/* SPDX-License-Identifier: Apache-2.0 */
/* Folding events into facts: each rule, any order; and facts there and back through their bytes. */
#include "core_rig.h"

#include <facts.h>
#include <stdlib.h>

static struct bb_value text(const char *s)
{
	return (struct bb_value){.kind = BB_VALUE_TEXT, .text = bb_text_of(s)};
}

static struct bb_value number(const char *s)
{
	return (struct bb_value){.kind = BB_VALUE_NUMBER, .text = bb_text_of(s)};
}

static void add(struct core_rig *rig, struct bb_event *ev, const char *name, struct bb_value value)
{
	BB_ARENA_PUSH(&rig->arena, ev->attributes, ev->attribute_n, ev->attribute_room) =
		(struct bb_attribute){bb_text_of(name), value, BB_AT_EVENT};
}

/* The rules by name of the attribute. */
static struct bb_attribute_rule by_name[] = {{"first", BB_FOLD_FIRST},
					     {"max", BB_FOLD_MAX},
					     {"min", BB_FOLD_MIN},
					     {"sum", BB_FOLD_SUM},
					     {"union", BB_FOLD_UNION}};

static void init(struct core_rig *rig)
{
	core_rig_init(rig);
	rig->rules.attributes = by_name;
	rig->rules.attribute_n = sizeof(by_name) / sizeof(by_name[0]);
}

Test(core, each_rule_makes_of_the_values_what_it_says)
{
	const struct bb_value list[] = {text("b"), number("1"), {.kind = BB_VALUE_TRUE}};
	const struct bb_value all = {.kind = BB_VALUE_LIST, .items = list, .item_n = 3};
	static const char *const names[] = {"first", "last", "max", "min", "sum", "union"};
	const struct bb_value values[] = {text("b"),	   number("1.0"), text("2.50"),
					  number("-0.50"), all,		  {.kind = BB_VALUE_TRUE}};
	struct core_rig rig;

	init(&rig);
	for (int turn = 0; turn < 6; turn++) {
		core_rig_restart(&rig);
		for (int i = 0; i < 6; i++) {
			int k = (i + turn) % 6;
			struct bb_event *ev = core_event(&rig, CORE_T0 + k, "crm:1");

			for (int n = 0; n < 6; n++)
				add(&rig, ev, names[n], values[k]);
			core_apply(&rig, ev);
			if (turn % 2)
				cr_assert_eq(core_end(&rig), BB_OK);
		}
		if (turn % 2 == 0)
			cr_assert_eq(core_end(&rig), BB_OK);
		CORE_VIEW_HAS(&rig, "crm:1",
			      "\"attributes\":{\"first\":\"b\",\"last\":true,\"max\":1.0,\"min\":"
			      "-0.50,\"sum\":\"3\",\"union\":[-0.50,1,\"2.50\",\"b\",true]}");
	}
	core_rig_fini(&rig);
}

Test(core, an_unset_competes_as_a_value_does_and_once_holds_where_nothing_was_set)
{
	static struct bb_text unset[] = {BB_TEXT("a"), BB_TEXT("sum")};
	struct core_rig rig;

	init(&rig);
	struct bb_event *ev = core_event(&rig, CORE_T0, "crm:1");

	add(&rig, ev, "a", text("old"));
	add(&rig, ev, "b", text("b"));
	ev->once = bb_arena_zalloc(&rig.arena, 3 * sizeof(*ev->once));
	ev->once[0] = (struct bb_attribute){BB_TEXT("a"), text("once"), BB_AT_EVENT};
	ev->once[1] = (struct bb_attribute){BB_TEXT("c"), text("once"), BB_AT_EVENT};
	ev->once[2] = (struct bb_attribute){BB_TEXT("sum"), text("once"), BB_AT_EVENT};
	ev->once_n = ev->once_room = 3;
	core_apply(&rig, ev);
	ev = core_event(&rig, CORE_T0 + 1, "crm:1 mail:a"); /* another record */
	ev->unset = unset, ev->unset_n = 2;
	core_apply(&rig, ev);
	cr_assert_eq(core_end(&rig), BB_OK);
	CORE_VIEW_HAS(&rig, "crm:1",
		      "\"attributes\":{\"b\":\"b\",\"c\":\"once\",\"sum\":\"once\"}");
	core_rig_fini(&rig);
}

/* The times are the values' own: neither event is the later one for them. */
Test(core, values_of_one_own_time_and_one_id_do_not_depend_on_the_order)
{
	struct core_rig rig;
	struct bb_digest first = {.profiles = 0};

	init(&rig);
	for (int turn = 0; turn < 8; turn++) {
		core_rig_restart(&rig);
		for (int i = 0; i < 2; i++) {
			int k = (i + turn) % 2;
			struct bb_event *ev = core_event(&rig, CORE_T0 + k,
							 turn < 4 || k ? "crm:1" : "crm:1 mail:a");

			ev->id = BB_TEXT("one");
			add(&rig, ev, "last", text(k ? "x" : "y"));
			add(&rig, ev, "first", text(k ? "x" : "y"));
			ev->once = bb_arena_zalloc(&rig.arena, sizeof(*ev->once));
			ev->once[0] = (struct bb_attribute){BB_TEXT("o"), text(k ? "x" : "y"),
							    CORE_T0 - 5};
			ev->once_n = ev->once_room = 1;
			ev->attributes[0].at_ms = ev->attributes[1].at_ms = CORE_T0 - 5;
			core_apply(&rig, ev);
			if (turn % 4 < 2)
				cr_assert_eq(core_end(&rig), BB_OK);
		}
		if (turn % 4 >= 2)
			cr_assert_eq(core_end(&rig), BB_OK);
		struct bb_digest digest = core_digest(&rig);

		if (turn % 4 == 0)
			first = digest;
		cr_expect(bb_hash_equal(&digest.sum, &first.sum), "turn %d", turn);
	}
	core_rig_fini(&rig);
}

Test(core, a_denial_of_everything_overrides_what_is_older)
{
	static const struct {
		const char *purpose, *channel, *status;
		int hour;
	} rows[] = {{"m", "email", "granted", 1}, {"m", NULL, "denied", 2},
		    {"m", "sms", "granted", 3},	  {"m", "post", "granted", 2},
		    {"n", "email", "granted", 1}, {"n", "any", "granted", 2},
		    {"n", "sms", "denied", 1},	  {"m!", "email", "granted", 1}};
	struct core_rig rig;

	init(&rig);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bb_event *ev =
			core_event(&rig, CORE_T0 + rows[i].hour * BB_HOUR_MS, "crm:1");

		ev->consent = bb_arena_zalloc(&rig.arena, sizeof(*ev->consent));
		ev->consent[0] = (struct bb_consent){bb_text_of(rows[i].purpose),
						     bb_text_of(rows[i].channel),
						     bb_text_of(rows[i].status)};
		ev->consent_n = ev->consent_room = 1;
		core_apply(&rig, ev);
	}
	cr_assert_eq(core_end(&rig), BB_OK);
	CORE_VIEW_HAS(
		&rig, "crm:1",
		"\"consent\":{\"m!:email\":{\"status\":\"granted\",\"time\":\"2026-01-01T01:"
		"00:00.000Z\"},\"m:any\":{\"status\":\"denied\",\"time\":\"2026-01-01T02:00:"
		"00.000Z\"},\"m:email\":{\"status\":\"denied\",\"time\":\"2026-01-01T02:00:00."
		"000Z\"},\"m:post\":{\"status\":\"denied\",\"time\":\"2026-01-01T02:00:00."
		"000Z\"},\"m:sms\":{\"status\":\"granted\",\"time\":\"2026-01-01T03:00:00."
		"000Z\"},\"n:any\":{\"status\":\"granted\",\"time\":\"2026-01-01T02:00:00."
		"000Z\"},\"n:email\":{\"status\":\"granted\",\"time\":\"2026-01-01T01:00:00."
		"000Z\"},\"n:sms\":{\"status\":\"denied\",\"time\":\"2026-01-01T01:00:00."
		"000Z\"}}");
	core_rig_fini(&rig);
}

Test(core, one_event_with_a_list_of_very_many_values_takes_little_memory)
{
	enum { VALUES = 60000 };
	struct core_rig rig;

	init(&rig);
	struct bb_value *items = bb_arena_alloc(&rig.arena, VALUES * sizeof(*items));
	struct bb_names *names = bb_names_new();
	struct bb_facts facts;
	struct bb_arena arena;

	bb_arena_init(&arena);
	bb_facts_init(&facts);
	for (int i = 0; i < VALUES; i++)
		items[i] = number(bb_arena_printf(&rig.arena, "%d%c", VALUES - i, 0).p);
	struct bb_event *ev = core_event(&rig, CORE_T0, "crm:1");

	add(&rig, ev, "union",
	    (struct bb_value){.kind = BB_VALUE_LIST, .items = items, .item_n = VALUES});
	bb_facts_add(&(struct bb_fold){&rig.rules, names, &arena}, &facts, ev);
	cr_expect_eq(facts.attributes[0].set.n, BB_UNION_MAX);
	cr_expect(arena.total_bytes < 16 << 20, "%zu bytes", arena.total_bytes);
	bb_names_free(names);
	bb_arena_fini(&arena);
	core_rig_fini(&rig);
}

/* --- there and back --------------------------------------------------------------------------- */

static struct bb_value random_value(struct core_rig *rig, bool in_list)
{
	struct bb_value *items;
	int n = rand() % 4;

	switch (rand() % (in_list ? 4 : 5)) {
	case 0:
		return text(bb_arena_printf(&rig->arena, "t%d%c", rand() % 9, 0).p);
	case 1:
		return number(bb_arena_printf(&rig->arena, "%d.5%c", rand() % 9, 0).p);
	case 2:
		return (struct bb_value){.kind = BB_VALUE_TRUE};
	case 3:
		return (struct bb_value){.kind = BB_VALUE_FALSE};
	default:
		items = bb_arena_zalloc(&rig->arena, 4 * sizeof(*items));
		for (int i = 0; i <= n; i++)
			items[i] = random_value(rig, true);
		return (struct bb_value){
			.kind = BB_VALUE_LIST, .items = items, .item_n = (size_t)n + 1};
	}
}

static struct bb_event *random_event(struct core_rig *rig)
{
	static const int64_t times[] = {0, 1, BB_DAY_MS - 1, BB_DAY_MS, CORE_T0, BB_TIME_MAX_MS};
	static const char *const names[] = {"first", "last", "max", "min", "sum", "union"};
	static struct bb_text unset[] = {BB_TEXT("last"), BB_TEXT("gone")};
	struct bb_event *ev = core_event(rig, times[rand() % 6], "");

	if (rand() % 2)
		ev->id = bb_arena_printf(&rig->arena, "%08x-0000-4000-8000-000000000000", rand());
	ev->kafka_time = rand() % 2;
	ev->type = rand() % 2 ? BB_TEXT("a") : BB_TEXT("b");
	ev->channel = rand() % 2 ? BB_TEXT("c\0d") : BB_TEXT("e");
	if (rand() % 2)
		ev->position = (struct bb_position){BB_TEXT("t"), rand() % 3, rand()};
	for (int i = rand() % 4; i > 0; i--) {
		add(rig, ev, names[rand() % 6], random_value(rig, false));
		ev->attributes[ev->attribute_n - 1].at_ms =
			rand() % 3 ? BB_AT_EVENT : times[rand() % 6];
	}
	ev->unset = unset, ev->unset_n = (size_t)rand() % 3;
	ev->consent = bb_arena_zalloc(&rig->arena, sizeof(*ev->consent));
	ev->consent[0] = (struct bb_consent){BB_TEXT("p"),
					     rand() % 2 ? BB_TEXT("x") : (struct bb_text){NULL, 0},
					     rand() % 2 ? BB_TEXT("granted") : BB_TEXT("denied")};
	ev->consent_n = (size_t)rand() % 2;
	ev->once = bb_arena_zalloc(&rig->arena, sizeof(*ev->once));
	ev->once[0] = (struct bb_attribute){BB_TEXT("o"), random_value(rig, false), BB_AT_EVENT};
	ev->once_n = (size_t)rand() % 2;
	return ev;
}

/* Encoded, decoded, encoded: the same bytes; cut anywhere: bad, or read without harm. */
static void there_and_back(const struct bb_facts *facts, struct bb_arena *arena, unsigned seed)
{
	struct bb_buf one = BB_BUF_EMPTY, two = BB_BUF_EMPTY;
	struct bb_facts back;

	bb_facts_encode(&one, facts);
	struct bb_cursor cur = bb_cursor_of(bb_buf_slice(&one));

	bb_facts_decode(&cur, arena, &back);
	cr_assert(!cur.bad && cur.p == cur.end, "seed %u", seed);
	bb_facts_encode(&two, &back);
	cr_assert(bb_text_equal(bb_buf_slice(&one), bb_buf_slice(&two)), "seed %u", seed);
	for (size_t n = 0; n < one.n; n += 1 + n / 16) {
		cur = bb_cursor_of((struct bb_text){one.p, n});
		bb_facts_decode(&cur, arena, &back);
		cr_assert(cur.bad, "seed %u, cut at %zu of %zu", seed, n, one.n);
	}
	bb_buf_fini(&one);
	bb_buf_fini(&two);
}

Test(core, facts_come_back_from_their_bytes_and_go_on_as_if_they_had_not_left)
{
	struct core_rig rig;

	init(&rig);
	for (unsigned seed = 1; seed <= 200; seed++) {
		struct bb_names *names = bb_names_new();
		struct bb_fold fold = {&rig.rules, names, &rig.arena};
		struct bb_facts whole, parted;
		struct bb_buf a = BB_BUF_EMPTY, b = BB_BUF_EMPTY;

		srand(seed);
		bb_facts_init(&whole);
		bb_facts_init(&parted);
		for (int i = 0; i < 30; i++) {
			const struct bb_event *ev = random_event(&rig);

			bb_facts_add(&fold, &whole, ev);
			bb_facts_add(&fold, &parted, ev);
			bb_facts_amount(&rig.arena, &whole, 0, ev->time_ms, "EUR", i - 15, 1);
			bb_facts_amount(&rig.arena, &parted, 0, ev->time_ms, "EUR", i - 15, 1);
			if (i % 7)
				continue;
			there_and_back(&parted, &rig.arena, seed);
			bb_facts_encode(&b, &parted);
			char *copy = bb_arena_alloc(&rig.arena, b.n);

			memcpy(copy, b.p, b.n);
			struct bb_cursor cur = bb_cursor_of((struct bb_text){copy, b.n});

			bb_facts_decode(&cur, &rig.arena, &parted);
			b.n = 0;
		}
		bb_facts_encode(&a, &whole);
		bb_facts_encode(&b, &parted);
		cr_assert(bb_text_equal(bb_buf_slice(&a), bb_buf_slice(&b)), "seed %u", seed);
		bb_buf_fini(&a);
		bb_buf_fini(&b);
		bb_names_free(names);
	}
	core_rig_fini(&rig);
}

Test(core, an_amount_that_is_taken_back_leaves_nothing)
{
	struct core_rig rig;
	struct bb_buf before = BB_BUF_EMPTY, after = BB_BUF_EMPTY;
	struct bb_facts facts;

	init(&rig);
	struct bb_names *names = bb_names_new();

	bb_facts_init(&facts);
	bb_facts_add(&(struct bb_fold){&rig.rules, names, &rig.arena}, &facts,
		     core_event(&rig, 0, ""));
	bb_facts_amount(&rig.arena, &facts, 0, 0, "USD", 5, 1);
	bb_facts_encode(&before, &facts);
	for (int n = 1; n >= -1; n -= 2) {
		bb_facts_amount(&rig.arena, &facts, 0, 0, "EUR", 7, n);
		bb_facts_amount(&rig.arena, &facts, 3, BB_TIME_MAX_MS, "USD", -7, n);
	}
	bb_facts_encode(&after, &facts);
	cr_expect(bb_text_equal(bb_buf_slice(&before), bb_buf_slice(&after)));
	bb_buf_fini(&before);
	bb_buf_fini(&after);
	bb_names_free(names);
	core_rig_fini(&rig);
}
