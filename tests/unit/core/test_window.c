/* SPDX-License-Identifier: Apache-2.0 */
/* How long names of events are remembered: since their latest copy, and as long as they are needed.
 */
#include "core_rig.h"

#include "batch.h"

#define MINUTE_MS INT64_C(60000)

static struct core_rig rig;

static void setup(void)
{
	core_rig_init(&rig);
	rig.rules.window_ms = 100 * MINUTE_MS;
}

static void teardown(void)
{
	core_rig_fini(&rig);
}

TestSuite(window, .init = setup, .fini = teardown);

/* The event of that number, at this minute of the log. */
static enum bb_verdict say(unsigned number, int minute, const char *attribute)
{
	struct bb_event *ev;
	enum bb_verdict verdict;

	rig.number = number;
	ev = core_event(&rig, CORE_T0, "crm:1");
	ev->log_ms = CORE_T0 + minute * MINUTE_MS;
	if (attribute)
		core_attribute(&rig, ev, "a", attribute);
	verdict = core_apply(&rig, ev);
	cr_assert_eq(core_end(&rig), BB_OK);
	return verdict;
}

/* Time goes on, and what the log has left behind is swept. */
static void pass(int minute)
{
	for (unsigned i = 0; i < 8; i++)
		say(1000000 + 10 * (unsigned)minute + i, minute, NULL);
}

Test(window, a_name_is_remembered_from_its_latest_copy_on)
{
	cr_expect_eq(say(1, 0, NULL), BB_VERDICT_APPLIED);
	cr_expect_eq(say(2, 0, NULL), BB_VERDICT_APPLIED);
	cr_expect_eq(say(1, 60, NULL), BB_VERDICT_DUPLICATE);
	pass(150);
	cr_expect_eq(say(1, 60, NULL), BB_VERDICT_DUPLICATE, "its copy is inside");
	cr_expect_eq(say(2, 0, NULL), BB_VERDICT_APPLIED, "nothing of it is");
}

Test(window, a_conflicting_copy_is_remembered_too)
{
	cr_expect_eq(say(1, 0, "x"), BB_VERDICT_APPLIED);
	cr_expect_eq(say(1, 60, "y"), BB_VERDICT_DEAD);
	pass(150);
	cr_expect_eq(say(1, 60, "y"), BB_VERDICT_DEAD, "it does not become an event");
	cr_expect_eq(say(1, 60, "x"), BB_VERDICT_DUPLICATE, "what stands is what it was");
}

Test(window, a_copy_of_the_same_batch_is_remembered)
{
	struct bb_event *ev;

	rig.number = 1;
	ev = core_event(&rig, CORE_T0, "crm:1");
	ev->log_ms = CORE_T0;
	core_apply(&rig, ev);
	cr_expect_eq(say(1, 60, NULL), BB_VERDICT_DUPLICATE);
	pass(150);
	cr_expect_eq(say(1, 60, NULL), BB_VERDICT_DUPLICATE);
}

Test(window, an_older_copy_shortens_nothing)
{
	cr_expect_eq(say(1, 60, NULL), BB_VERDICT_APPLIED);
	cr_expect_eq(say(1, 0, NULL), BB_VERDICT_DUPLICATE);
	pass(150);
	cr_expect_eq(say(1, 60, NULL), BB_VERDICT_DUPLICATE);
}

Test(window, names_that_are_needed_are_kept_until_they_are_not)
{
	cr_expect_eq(say(1, 0, NULL), BB_VERDICT_APPLIED);
	cr_expect_eq(say(2, 0, NULL), BB_VERDICT_APPLIED);
	bb_pipeline_keep_names(rig.pl, CORE_T0);
	pass(500);
	cr_expect_eq(say(1, 0, NULL), BB_VERDICT_DUPLICATE);
	bb_pipeline_keep_names(rig.pl, INT64_MAX);
	pass(501);
	cr_expect_eq(say(2, 0, NULL), BB_VERDICT_APPLIED);
}

Test(window, it_is_said_since_when_names_are_remembered)
{
	int64_t since_ms = -1;
	struct bb_kv *kv = bb_kvmem_begin(rig.mem);

	cr_expect_eq(bb_pipeline_names_since(kv, &rig.rules, &since_ms), BB_OK);
	cr_expect_eq(since_ms, 0, "nothing was forgotten yet");
	bb_kvmem_abort(kv);
	say(1, 130, NULL);
	kv = bb_kvmem_begin(rig.mem);
	cr_expect_eq(bb_pipeline_names_since(kv, &rig.rules, &since_ms), BB_OK);
	cr_expect_eq(since_ms, CORE_T0 + 30 * MINUTE_MS);
	cr_assert_eq(bb_kv_put(kv, BB_TABLE_META, BB_TEXT("log_ms"), BB_TEXT("short")), BB_OK);
	cr_expect_eq(bb_pipeline_names_since(kv, &rig.rules, &since_ms), BB_ECORRUPT);
	bb_kvmem_abort(kv);
}

/* --- other rules ------------------------------------------------------------------------------ */

/* Event 1 once more with these identifiers, through the gate as the rules are now. */
static enum bb_verdict copy(const char *ids)
{
	enum bb_verdict verdict;

	rig.number = 1;
	verdict = core_apply(&rig, core_event(&rig, CORE_T0, ids));
	cr_assert_eq(core_end(&rig), BB_OK);
	return verdict;
}

Test(window, a_copy_is_one_under_other_rules_too)
{
	static const struct {
		const char *what, *ids, *other;
		size_t before, after; /* namespaces that there are */
		enum bb_normaliser mail_before, mail_after;
	} rows[] = {
		{"a namespace went", "crm:1 dev:d", "crm:1 dev:x", 5, 4, 0, 0},
		{"a namespace came", "crm:1 dev:d", "crm:1 dev:x", 4, 5, 0, 0},
		{"another form", "crm:1 mail:A@x.org", "crm:1 mail:b@x.org", 5, 5,
		 BB_NORMALISE_TRIM, BB_NORMALISE_EMAIL},
		{"and back", "crm:1 mail:A@x.org", "crm:1 mail:b@x.org", 5, 5, BB_NORMALISE_EMAIL,
		 BB_NORMALISE_TRIM},
		{"no longer canonical", "crm:1 mail:nobody", "crm:1 mail:some", 5, 5,
		 BB_NORMALISE_TRIM, BB_NORMALISE_EMAIL},
		{"an end of a pair", "crm:1 mail:A=mail:B", "crm:1 mail:A=mail:C", 5, 5,
		 BB_NORMALISE_LOWER, BB_NORMALISE_EMAIL},
		{"the same twice", "crm:1 crm:1 dev:d", "crm:1 crm:1 dev:x", 5, 4, 0, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rig.ns[CORE_MAIL].normaliser = rows[i].mail_before;
		rig.rules.namespace_n = rows[i].before;
		core_rig_restart(&rig);
		cr_expect_eq(copy(rows[i].ids), BB_VERDICT_APPLIED, "%s", rows[i].what);
		rig.ns[CORE_MAIL].normaliser = rows[i].mail_after;
		rig.rules.namespace_n = rows[i].after;
		bb_pipeline_free(rig.pl);
		rig.pl = bb_pipeline_new(&rig.rules);
		bb_pipeline_batch(rig.pl)->rules_checked = true; /* the window is all it is about */
		cr_expect_eq(copy(rows[i].ids), BB_VERDICT_DUPLICATE, "%s", rows[i].what);
		cr_expect_eq(copy(rows[i].other), BB_VERDICT_DEAD, "%s", rows[i].what);
		cr_expect_eq(copy(rows[i].ids), BB_VERDICT_DUPLICATE, "%s", rows[i].what);
	}
}

Test(window, a_copy_that_is_spelled_otherwise_is_one)
{
	rig.ns[CORE_MAIL].normaliser = BB_NORMALISE_EMAIL;
	core_rig_restart(&rig);
	cr_expect_eq(copy("crm:1 mail:A@x.org"), BB_VERDICT_APPLIED);
	cr_expect_eq(copy("mail:a@x.org crm:1"), BB_VERDICT_DUPLICATE);
	cr_expect_eq(copy("mail:a@X.org mail:A@x.org crm:1 none:1"), BB_VERDICT_DUPLICATE);
	cr_expect_eq(copy("mail:a@y.org crm:1"), BB_VERDICT_DEAD);
}
