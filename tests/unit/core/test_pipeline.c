/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts, the window of names, the store's limits, rules that changed, amounts that have twins.
 */
#include "core_rig.h"

#define MINUTE_MS INT64_C(60000)

static enum bb_verdict again(struct core_rig *rig, struct bb_event *ev, unsigned number)
{
	ev->id = bb_arena_printf(&rig->arena, "e%u", number);
	return core_apply(rig, ev);
}

Test(core, a_second_event_of_one_name_is_a_duplicate_or_a_conflict)
{
	struct core_rig rig;

	core_rig_init(&rig);
	for (int later = 0; later < 2; later++) { /* in the batch, and from the store */
		cr_expect_eq(again(&rig, core_event(&rig, CORE_T0, "crm:1"), 1),
			     later ? BB_VERDICT_DUPLICATE : BB_VERDICT_APPLIED);
		cr_expect_eq(again(&rig, core_event(&rig, CORE_T0, "crm:1"), 1),
			     BB_VERDICT_DUPLICATE);
		cr_expect_eq(again(&rig, core_event(&rig, CORE_T0, "crm:2"), 1), BB_VERDICT_DEAD);
		cr_expect_eq(rig.refusal.reason, BB_DEAD_CONFLICTING_DUPLICATE);
		cr_assert_eq(core_end(&rig), BB_OK);
	}
	cr_expect_eq(again(&rig, core_event(&rig, CORE_T0 + 1, "crm:1"), 1), BB_VERDICT_APPLIED);
	cr_assert_eq(core_end(&rig), BB_OK);
	CORE_VIEW_HAS(&rig, "crm:1", "\"events\":2");
	cr_expect_eq(core_stats(&rig).duplicates, 3);
	core_rig_fini(&rig);
}

Test(core, every_member_of_an_event_is_its_content)
{
	static const char *const names[] = {"type",   "channel",  "attribute", "once",	  "unset",
					    "amount", "currency", "part",      "consent", "status",
					    "same",   "property", "kind",      "own time"};
	struct core_rig rig;

	core_rig_init(&rig);
	for (int k = -1; k < (int)(sizeof(names) / sizeof(names[0])); k++) {
		struct bb_attribute once = {BB_TEXT("o"), {.text = BB_TEXT("1")}, BB_AT_EVENT};
		struct bb_event *ev = core_event(&rig, CORE_T0, "crm:1 crm:1=crm:2");
		static struct bb_text unset[] = {BB_TEXT("u")};
		struct bb_consent consent = {BB_TEXT("p"), BB_TEXT("c"), BB_TEXT("granted")};

		core_attribute(&rig, ev, "a", "1");
		core_amount(ev, "1", "k");
		ev->type = k == 0 ? BB_TEXT("other") : ev->type;
		ev->channel = k == 1 ? BB_TEXT("other") : ev->channel;
		if (k == 2)
			ev->attributes[0].value.text = BB_TEXT("2");
		once.name = k == 3 ? BB_TEXT("o2") : once.name;
		ev->once = &once, ev->once_n = 1;
		ev->unset = unset, ev->unset_n = k == 4 ? 0 : 1;
		ev->amount.value = k == 5 ? BB_TEXT("2") : ev->amount.value;
		ev->amount.currency = k == 6 ? BB_TEXT("USD") : ev->amount.currency;
		ev->amount.part = k == 7 ? BB_TEXT("p") : ev->amount.part;
		consent.channel = k == 8 ? (struct bb_text){NULL, 0} : consent.channel;
		consent.status = k == 9 ? BB_TEXT("denied") : consent.status;
		ev->consent = &consent, ev->consent_n = 1;
		if (k == 10) {
			ev->identifiers = bb_arena_zalloc(&rig.arena, 2 * sizeof(*ev->identifiers));
			ev->identifiers[0] = ev->same[0].pair[0];
			ev->identifiers[1] = ev->same[0].pair[1];
			ev->identifier_n = ev->identifier_room = 2;
			ev->same_n = 0;
		}
		ev->properties = k == 11 ? BB_TEXT("{}") : ev->properties;
		if (k == 12)
			ev->attributes[0].value.kind = BB_VALUE_NUMBER;
		if (k == 13)
			ev->attributes[0].at_ms = CORE_T0;
		cr_expect_eq(again(&rig, ev, 7), k < 0 ? BB_VERDICT_APPLIED : BB_VERDICT_DEAD, "%s",
			     k < 0 ? "first" : names[k]);
	}
	cr_assert_eq(core_end(&rig), BB_OK);
	core_rig_fini(&rig);
}

Test(core, an_event_of_nobody_is_applied_only_for_its_amount_key)
{
	struct core_rig rig;
	struct bb_event *ev;

	core_rig_init(&rig);
	cr_expect_eq(core_apply(&rig, core_event(&rig, CORE_T0, "")), BB_VERDICT_NO_IDENTIFIER);
	ev = core_event(&rig, CORE_T0, "");
	cr_expect_eq(bb_pipeline_apply(rig.pl, ev, &rig.refusal), BB_VERDICT_NO_IDENTIFIER);
	ev = core_event(&rig, CORE_T0, "");
	core_amount(ev, "5", "k");
	cr_expect_eq(core_apply(&rig, ev), BB_VERDICT_APPLIED);
	cr_assert_eq(core_end(&rig), BB_OK);
	ev = core_event(&rig, CORE_T0, "crm:1");
	core_amount(ev, "2", "k");
	ev->amount.part = BB_TEXT("refund");
	core_apply(&rig, ev);
	cr_assert_eq(core_end(&rig), BB_OK);
	CORE_VIEW_HAS(&rig, "crm:1", "\"revenue\":{\"EUR\":{\"amount\":\"7\",\"count\":2}}");
	CORE_VIEW_HAS(&rig, "crm:1", "\"recent\":[{");
	CORE_VIEW_HAS(&rig, "crm:1", ",\"events\":1,\"first_seen\"");
	core_rig_fini(&rig);
}

static void many_attributes(struct core_rig *rig, struct bb_event *ev, unsigned from, unsigned n)
{
	for (unsigned i = from; i < from + n; i++)
		core_attribute(rig, ev, bb_arena_printf(&rig->arena, "a%u%c", i, 0).p, "x");
}

Test(core, a_store_holds_ten_thousand_names_of_a_kind_and_not_one_more)
{
	struct core_rig rig;
	struct bb_event *ev;
	unsigned step = 2500;

	core_rig_init(&rig);
	ev = core_event(&rig, CORE_T0, "crm:1");
	many_attributes(&rig, ev, 0, 10001);
	cr_expect_eq(core_apply(&rig, ev), BB_VERDICT_DEAD, "in one event");
	cr_expect_eq(rig.refusal.reason, BB_DEAD_STORE_LIMIT);
	cr_expect(bb_text_equal(rig.refusal.at, BB_TEXT("attributes")));
	for (unsigned from = 0; from < 10000; from += step) {
		ev = core_event(&rig, CORE_T0, "crm:1");
		many_attributes(&rig, ev, from, from + step == 10000 ? step - 1 : step);
		cr_expect_eq(core_apply(&rig, ev), BB_VERDICT_APPLIED);
	}
	static struct bb_text unset[] = {BB_TEXT("last"), BB_TEXT("last"), BB_TEXT("a5")};

	ev = core_event(&rig, CORE_T0, "crm:1");
	ev->unset = unset, ev->unset_n = 3;
	core_attribute(&rig, ev, "last", "x"); /* one name, however often it is there */
	cr_expect_eq(core_apply(&rig, ev), BB_VERDICT_APPLIED);
	cr_assert_eq(core_end(&rig), BB_OK);
	ev = core_event(&rig, CORE_T0, "crm:1");
	core_attribute(&rig, ev, "one more", "x");
	cr_expect_eq(core_apply(&rig, ev), BB_VERDICT_DEAD);
	ev = core_event(&rig, CORE_T0, "crm:1");
	core_attribute(&rig, ev, "a9", "y");
	ev->type = BB_TEXT("a type is another kind");
	cr_expect_eq(core_apply(&rig, ev), BB_VERDICT_APPLIED);
	cr_assert_eq(core_end(&rig), BB_OK);
	core_rig_fini(&rig);
}

Test(core, types_sources_and_purposes_are_limited_too)
{
	static const char *const at[] = {"type", "source", "consent"};
	struct core_rig rig;

	core_rig_init(&rig);
	for (int kind = 0; kind < 3; kind++) {
		enum bb_verdict verdict = BB_VERDICT_APPLIED;
		unsigned n = 0;

		for (; verdict == BB_VERDICT_APPLIED && n < 10010; n++) {
			struct bb_text name = bb_arena_printf(&rig.arena, "n%u", n);
			struct bb_consent *consent = bb_arena_zalloc(&rig.arena, sizeof(*consent));
			struct bb_event *ev = core_event(
				&rig, CORE_T0, bb_arena_printf(&rig.arena, "crm:%u%c", n, 0).p);

			*consent = (struct bb_consent){name, {NULL, 0}, BB_TEXT("denied")};
			ev->type = kind == 0 ? name : BB_TEXT("n0");
			ev->source = kind == 1 ? name : BB_TEXT("n0");
			ev->consent = consent;
			ev->consent_n = kind == 2;
			verdict = core_apply(&rig, ev);
		}
		cr_expect_eq(n, 10001, "%s: %u", at[kind], n);
		cr_expect_eq(rig.refusal.reason, BB_DEAD_STORE_LIMIT);
		cr_expect(bb_text_equal(rig.refusal.at, bb_text_of(at[kind])));
	}
	cr_assert_eq(core_end(&rig), BB_OK);
	core_rig_fini(&rig);
}

static struct bb_event *logged(struct core_rig *rig, int64_t time_ms, int64_t log_ms)
{
	struct bb_event *ev = core_event(rig, time_ms, "crm:1");

	ev->log_ms = log_ms;
	return ev;
}

Test(core, the_window_forgets_what_the_log_has_left_behind_and_nothing_else)
{
	struct core_rig rig;
	int64_t now = CORE_T0;

	core_rig_init(&rig);
	rig.rules.window_ms = 100 * MINUTE_MS;
	for (int i = 0; i <= 200; i++, now += MINUTE_MS) {
		cr_assert_eq(core_apply(&rig, logged(&rig, now, now)), BB_VERDICT_APPLIED);
		cr_assert_eq(core_end(&rig), BB_OK);
	}
	now -= MINUTE_MS;	       /* the log's latest time */
	for (int i = 0; i < 10; i++) { /* batches without news sweep on */
		cr_expect_eq(again(&rig, logged(&rig, now, now), 200), BB_VERDICT_DUPLICATE);
		cr_assert_eq(core_end(&rig), BB_OK);
	}
	cr_expect_eq(bb_kvmem_entries(rig.mem, BB_TABLE_WINDOW), 101);
	cr_expect_eq(again(&rig, logged(&rig, now - 100 * MINUTE_MS, now - 100 * MINUTE_MS), 100),
		     BB_VERDICT_DUPLICATE, "the oldest inside");
	cr_expect_eq(again(&rig, logged(&rig, now - 101 * MINUTE_MS, now - 101 * MINUTE_MS), 99),
		     BB_VERDICT_APPLIED, "the first outside");
	cr_assert_eq(core_end(&rig), BB_OK);
	core_rig_fini(&rig);
}

/* A late event has an old time and a new place in the log: it is remembered by the log's time. */
Test(core, the_window_is_of_the_logs_time_not_the_events)
{
	struct core_rig rig;

	core_rig_init(&rig);
	rig.rules.window_ms = MINUTE_MS;
	core_apply(&rig, logged(&rig, CORE_T0 - 1000 * BB_DAY_MS, CORE_T0));
	cr_assert_eq(core_end(&rig), BB_OK);
	core_apply(&rig, logged(&rig, CORE_T0, CORE_T0 + MINUTE_MS));
	cr_assert_eq(core_end(&rig), BB_OK);
	cr_expect_eq(again(&rig, logged(&rig, CORE_T0 - 1000 * BB_DAY_MS, CORE_T0 + MINUTE_MS), 0),
		     BB_VERDICT_DUPLICATE);
	cr_assert_eq(core_end(&rig), BB_OK);
	core_rig_fini(&rig);
}

Test(core, a_log_time_outside_of_the_calendar_does_not_move_the_window)
{
	static const int64_t times[] = {INT64_MAX, BB_TIME_MAX_MS + 1, INT64_MIN, -2};
	struct core_rig rig;

	core_rig_init(&rig);
	rig.rules.window_ms = MINUTE_MS;
	core_apply(&rig, logged(&rig, CORE_T0, CORE_T0));
	cr_assert_eq(core_end(&rig), BB_OK);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		core_apply(&rig, logged(&rig, CORE_T0 + 1, times[i]));
		cr_assert_eq(core_end(&rig), BB_OK);
		cr_expect_eq(again(&rig, logged(&rig, CORE_T0, CORE_T0), 0), BB_VERDICT_DUPLICATE);
		cr_expect_eq(again(&rig, logged(&rig, CORE_T0 + 1, CORE_T0), (unsigned)(1 + 2 * i)),
			     BB_VERDICT_DUPLICATE, "row %zu", i);
		cr_assert_eq(core_end(&rig), BB_OK);
		rig.number = (unsigned)(1 + 2 * (i + 1));
	}
	core_rig_fini(&rig);
}

Test(core, an_endless_max_future_does_not_overflow)
{
	struct core_rig rig;

	core_rig_init(&rig);
	rig.rules.max_future_ms = INT64_MAX;
	rig.rules.window_ms = 1;
	core_apply(&rig, logged(&rig, BB_TIME_MAX_MS, BB_TIME_MAX_MS));
	core_apply(&rig, logged(&rig, 0, 0));
	cr_assert_eq(core_end(&rig), BB_OK);
	core_apply(&rig, logged(&rig, 0, 0));
	cr_assert_eq(core_end(&rig), BB_OK);
	CORE_VIEW_HAS(
		&rig, "crm:1",
		"\"first_seen\":\"1970-01-01T00:00:00.000Z\",\"last_seen\":\"9999-12-31T23:59:"
		"59.999Z\"");
	core_rig_fini(&rig);
}

static void expect_match(struct core_rig *rig, const struct bb_rules *rules, int code,
			 const char *what)
{
	struct bb_kv *kv = bb_kvmem_begin(rig->mem);

	cr_expect_eq(bb_pipeline_rules_match(kv, rules), code, "%s", what);
	bb_kvmem_abort(kv);
}

Test(core, a_store_of_other_rules_is_refused_and_of_the_same_is_not)
{
	static const char *const names[] = {"max",   "order", "prefer", "links", "junk",
					    "owner", "key",   "none",	"recent"};
	struct core_rig rig;

	core_rig_init(&rig);
	expect_match(&rig, &rig.rules, BB_OK, "a store of none");
	core_say(&rig, CORE_T0, "crm:1");
	bb_kvmem_fail_read(rig.mem, 1, BB_EIO);
	expect_match(&rig, &rig.rules, BB_EIO, "a store that cannot be read");
	for (int k = 0; k < 9; k++) {
		struct bb_rules rules = rig.rules;
		struct bb_namespace ns[CORE_NAMESPACES];
		struct bb_pipeline *pl = rig.pl;

		memcpy(ns, rig.ns, sizeof(ns));
		rules.namespaces = ns;
		rules.max_identifiers -= k == 0;
		if (k == 1)
			ns[0] = rig.ns[1], ns[1] = rig.ns[0];
		ns[2].prefer = k == 2 ? BB_PREFER_OLDEST : ns[2].prefer;
		ns[2].links += k == 3;
		ns[2].junk = k != 4;
		ns[2].owner = k == 5;
		rules.profile_key.b[0] = k == 6;
		rules.recent += k == 8; /* folds are no identity */
		rig.pl = bb_pipeline_new(&rules);
		expect_match(&rig, &rules, k < 7 ? BB_ECONFIG : BB_OK, names[k]);
		core_apply(&rig, core_event(&rig, CORE_T0, "crm:2"));
		cr_expect_eq(core_end(&rig), k < 7 ? BB_ECONFIG : BB_OK, "%s", names[k]);
		bb_pipeline_free(rig.pl);
		rig.pl = pl;
	}
	core_rig_fini(&rig);
}

/* --- amounts ---------------------------------------------------------------------------------- */

/* One source and id, once with its own time and once with Kafka's, which is the same instant. */
Test(core, an_amount_without_a_key_counts_once_for_twins_in_any_order)
{
	struct core_rig rig;

	core_rig_init(&rig);
	for (int turn = 0; turn < 4; turn++) {
		core_rig_restart(&rig);
		for (int i = 0; i < 2; i++) {
			bool kafka = (i + turn) % 2;
			struct bb_event *ev =
				core_event(&rig, CORE_T0, kafka ? "crm:1 dev:k" : "crm:2 dev:o");

			ev->id = BB_TEXT("twin");
			ev->kafka_time = kafka;
			core_amount(ev, kafka ? "5" : "7", NULL);
			cr_assert_eq(core_apply(&rig, ev), BB_VERDICT_APPLIED);
			if (turn < 2 || i)
				cr_assert_eq(core_end(&rig), BB_OK);
		}
		CORE_VIEW_HAS(&rig, "crm:1",
			      "\"revenue\":{\"EUR\":{\"amount\":\"5\",\"count\":1}}");
		CORE_VIEW_HAS(&rig, "crm:2", "\"revenue\":{}");
		CORE_VIEW_HAS(&rig, "crm:2", "\"events\":1");
	}
	core_rig_fini(&rig);
}

Test(core, a_key_of_amounts_counts_its_latest_state_for_whoever_has_it)
{
	static const struct {
		const char *ids, *value;
		int minute;
	} rows[] = {{"crm:1", "1", 1}, {"", "9", 5}, {"crm:2", "3", 3}, {"mail:guest", "8", 4}};
	struct core_rig rig;

	core_rig_init(&rig);
	for (int turn = 0; turn < 24; turn++) {
		core_rig_restart(&rig);
		int left[] = {0, 1, 2, 3}, n = 4;

		for (int rest = turn; n; n--) {
			int pick = rest % n, k = left[pick];

			rest /= n;
			left[pick] = left[n - 1];
			struct bb_event *ev =
				core_event(&rig, CORE_T0 + rows[k].minute * MINUTE_MS, rows[k].ids);

			core_amount(ev, rows[k].value, "order");
			cr_assert_eq(core_apply(&rig, ev), BB_VERDICT_APPLIED);
			if (turn % 2)
				cr_assert_eq(core_end(&rig), BB_OK);
		}
		if (turn % 2 == 0)
			cr_assert_eq(core_end(&rig), BB_OK);
		CORE_VIEW_HAS(&rig, "crm:2",
			      "\"revenue\":{\"EUR\":{\"amount\":\"9\",\"count\":1}}");
		CORE_VIEW_HAS(&rig, "crm:1", "\"revenue\":{}");
	}
	core_rig_fini(&rig);
}

/* A key that is none: the till writes the same for everybody. */
Test(core, a_key_with_thousands_of_records_is_slow_at_worst)
{
	struct core_rig rig;

	core_rig_init(&rig);
	for (int i = 0; i < 3000; i++) {
		struct bb_event *ev = core_event(&rig, CORE_T0 + i,
						 bb_arena_printf(&rig.arena, "crm:c%d%c", i, 0).p);

		core_amount(ev, "1", "cash");
		cr_assert_eq(core_apply(&rig, ev), BB_VERDICT_APPLIED);
	}
	cr_assert_eq(core_end(&rig), BB_OK);
	CORE_VIEW_HAS(&rig, "crm:c2999", "\"count\":1");
	CORE_VIEW_HAS(&rig, "crm:c0", "\"revenue\":{}");
	core_rig_fini(&rig);
}
