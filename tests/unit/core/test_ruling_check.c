/* SPDX-License-Identifier: Apache-2.0 */
/* What a ruling must be to be taken, and the form in which it is written. */
#include "order_rig.h"

static struct core_rig rig;

static void setup(void)
{
	core_rig_init(&rig);
}

static void teardown(void)
{
	core_rig_fini(&rig);
}

#define RULINGS_TEST(name) Test(core, name, .init = setup, .fini = teardown)
#define DAY(n) (CORE_T0 + (n)*BB_DAY_MS)

static struct bb_text long_text(size_t n)
{
	char *p = bb_arena_alloc(&rig.arena, n);

	memset(p, 'x', n);
	return (struct bb_text){p, n};
}

enum wrong {
	NO_ID,
	LONG_ID,
	EARLY,
	LATE,
	LONG_ACTOR,
	LONG_REASON,
	NO_RELEASES,
	LONG_RELEASES,
	NO_VALUE,
	NO_NS,
	UNKNOWN_NS,
	NOT_CANONICAL,
	SECOND,
	TWICE,
	WRONGS
};

static struct bb_ruling wrong_ruling(enum wrong wrong)
{
	struct bb_ruling ruling = order_ruling(&rig, BB_RULING_SPLIT, "id", DAY(1), "crm:1 mail:a");

	switch (wrong) {
	case NO_ID:
		ruling.id = BB_TEXT("");
		break;
	case LONG_ID:
		ruling.id = long_text(BB_RULING_ID_MAX + 1);
		break;
	case EARLY:
		ruling.time_ms = -1;
		break;
	case LATE:
		ruling.time_ms = BB_TIME_MAX_MS + 1;
		break;
	case LONG_ACTOR:
		ruling.actor = long_text(BB_RULING_ACTOR_MAX + 1);
		break;
	case LONG_REASON:
		ruling.reason = long_text(BB_RULING_REASON_MAX + 1);
		break;
	case NO_RELEASES:
		return order_ruling(&rig, BB_RULING_RELEASE, "id", DAY(1), "");
	case LONG_RELEASES:
		ruling = order_ruling(&rig, BB_RULING_RELEASE, "id", DAY(1), "x");
		ruling.releases = long_text(BB_RULING_ID_MAX + 1);
		break;
	case NO_VALUE:
		ruling = order_ruling(&rig, BB_RULING_BLOCK, "id", DAY(1), "crm:1");
		ruling.on[0].value = (struct bb_text){NULL, 0};
		break;
	case NO_NS:
		ruling.on[0].ns = (struct bb_text){NULL, 0};
		break;
	case UNKNOWN_NS:
		return order_ruling(&rig, BB_RULING_ALLOW, "id", DAY(1), "crn:1");
	case NOT_CANONICAL:
		return order_ruling(&rig, BB_RULING_BLOCK, "id", DAY(1), "mail:");
	case SECOND:
		return order_ruling(&rig, BB_RULING_JOIN, "id", DAY(1), "crm:1 nobody:2");
	default:
		return order_ruling(&rig, BB_RULING_JOIN, "id", DAY(1), "mail:a mail:a");
	}
	return ruling;
}

RULINGS_TEST(rulings_are_refused_with_the_member_that_is_wrong)
{
	static const char *const at[WRONGS] = {[NO_ID] = "id",
					       [LONG_ID] = "id",
					       [EARLY] = "time",
					       [LATE] = "time",
					       [LONG_ACTOR] = "actor",
					       [LONG_REASON] = "reason",
					       [NO_RELEASES] = "releases",
					       [LONG_RELEASES] = "releases",
					       [NO_VALUE] = "identifier",
					       [NO_NS] = "pair[0]",
					       [UNKNOWN_NS] = "identifier",
					       [NOT_CANONICAL] = "identifier",
					       [SECOND] = "pair[1]",
					       [TWICE] = "pair"};

	for (int i = 0; i < WRONGS; i++) {
		struct bb_ruling ruling = wrong_ruling((enum wrong)i);
		struct bb_refusal refusal = {.byte_offset = 0};

		cr_expect(!bb_ruling_check(&rig.rules, &ruling, &rig.arena, &refusal), "row %d", i);
		cr_expect_eq(refusal.reason, BB_DEAD_INVALID_EVENT, "row %d", i);
		cr_expect(bb_text_equal(refusal.at, bb_text_of(at[i])), "row %d: %.*s", i,
			  (int)refusal.at.n, refusal.at.p);
		cr_expect(refusal.detail.n > 0, "row %d", i);
	}
}

RULINGS_TEST(rulings_at_their_limits_pass)
{
	struct bb_ruling ruling = order_ruling(&rig, BB_RULING_RELEASE, "id", 0, "x");
	struct bb_refusal refusal;

	ruling.id = ruling.releases = long_text(BB_RULING_ID_MAX);
	ruling.actor = long_text(BB_RULING_ACTOR_MAX);
	ruling.reason = long_text(BB_RULING_REASON_MAX);
	cr_expect(bb_ruling_check(&rig.rules, &ruling, &rig.arena, &refusal));
	ruling.time_ms = BB_TIME_MAX_MS;
	cr_expect(bb_ruling_check(&rig.rules, &ruling, &rig.arena, &refusal));
}

RULINGS_TEST(rulings_become_canonical_and_put_a_pair_in_order)
{
	struct bb_ruling ruling =
		order_ruling(&rig, BB_RULING_JOIN, "id", DAY(0), "mail:A@B.Org crm:guest");
	struct bb_refusal refusal;

	rig.ns[CORE_MAIL].normaliser = BB_NORMALISE_EMAIL;
	cr_assert(bb_ruling_check(&rig.rules, &ruling, &rig.arena, &refusal));
	cr_expect(bb_text_equal(ruling.on[0].value, BB_TEXT("guest")), "the owner first");
	cr_expect(ruling.on[0].blocked, "junk may be what it is on");
	cr_expect(bb_text_equal(ruling.on[1].value, BB_TEXT("a@b.org")));
	cr_expect_eq(ruling.on[1].ns_index, CORE_MAIL);
}

RULINGS_TEST(rulings_have_a_name_for_each_kind)
{
	enum bb_ruling_kind kind;

	for (int i = 0; i < BB_RULING_KIND_COUNT; i++) {
		const char *text = bb_ruling_kind_text((enum bb_ruling_kind)i);

		cr_expect(bb_ruling_kind_of(bb_text_of(text), &kind) &&
				  kind == (enum bb_ruling_kind)i,
			  "%s", text);
	}
	cr_expect(!bb_ruling_kind_of(BB_TEXT("joins"), &kind));
	cr_expect(!bb_ruling_kind_of(BB_TEXT(""), &kind));
}

RULINGS_TEST(rulings_are_written_as_they_are_read)
{
	struct bb_ruling ruling =
		order_ruling(&rig, BB_RULING_JOIN, "r\"1", CORE_T0, "crm:1 mail:a");

	cr_expect_str_eq(
		order_json(&rig, &ruling),
		"{\"ruling\":\"join\",\"id\":\"r\\\"1\",\"time\":\"2026-01-01T00:00:00.000Z\","
		"\"actor\":\"steward\",\"reason\":\"a test\",\"pair\":[{\"ns\":\"crm\","
		"\"value\":\"1\"},{\"ns\":\"mail\",\"value\":\"a\"}]}");
	ruling = order_ruling(&rig, BB_RULING_BLOCK, "2", CORE_T0, "mail:a");
	ruling.actor = ruling.reason = BB_TEXT("");
	cr_expect_str_eq(order_json(&rig, &ruling),
			 "{\"ruling\":\"block\",\"id\":\"2\",\"time\":\"2026-01-01T00:00:00.000Z\","
			 "\"identifier\":{\"ns\":\"mail\",\"value\":\"a\"}}");
	ruling = order_ruling(&rig, BB_RULING_RELEASE, "3", CORE_T0, "2");
	ruling.actor = BB_TEXT("");
	cr_expect_str_eq(
		order_json(&rig, &ruling),
		"{\"ruling\":\"release\",\"id\":\"3\",\"time\":\"2026-01-01T00:00:00.000Z\","
		"\"reason\":\"a test\",\"releases\":\"2\"}");
}
