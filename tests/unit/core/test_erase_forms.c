/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Erasures under other rules than they were made under: what comes is looked at as it would have
 * been then, so that nobody returns in another form; and nobody else goes for it.
 */
#include "order_rig.h"

#include <backbone/carry.h>

static struct core_rig rig;
static const char *const derived[] = {"email_sha256"};

static void setup(void)
{
	core_rig_init(&rig);
	rig.ns[CORE_DEV].name = "email_sha256"; /* a derivation has the name of its namespace */
	rig.ns[CORE_DEV].durable = true;
	core_rig_restart(&rig);
}

static void teardown(void)
{
	core_rig_fini(&rig);
}

TestSuite(erase_forms, .init = setup, .fini = teardown);

#define DAY(n) (CORE_T0 + (n)*BB_DAY_MS)
#define ERASED_DAY 50

/* At a position: `early` is below the watermark of every erasure here. */
static enum bb_verdict say(const char *ids, bool early)
{
	static int64_t offset;
	struct bb_event *ev = core_event(&rig, DAY(early ? 5 : 60), ids);
	enum bb_verdict verdict;

	ev->id = bb_arena_printf(&rig.arena, "o%lld", (long long)++offset);
	ev->position = (struct bb_position){.topic = BB_TEXT("t"), .offset = early ? 5 : 15};
	verdict = core_apply(&rig, ev);
	cr_assert_eq(core_end(&rig), BB_OK);
	return verdict;
}

static void erase(const char *key, enum bb_erasure_mode mode, const char *id)
{
	struct bb_erasure_mark mark = {.topic = BB_TEXT("t"), .next_offset = 10};
	struct bb_erasure order = {.key = bb_text_of(key),
				   .mode = mode,
				   .id = bb_text_of(id),
				   .time_ms = DAY(ERASED_DAY),
				   .watermark = &mark,
				   .watermark_n = 1};
	struct bb_erasure_receipt receipt;

	cr_assert_eq(order_erase(&rig, &order, &receipt), BB_OK, "%s", key);
}

static bool is_there(const char *key)
{
	struct bb_found found;

	return core_find(&rig, key, &found) == BB_OK;
}

/* A new store of the rules of now, with the tombstones of the old one. */
static void carry(void)
{
	struct bb_kvmem *old = rig.mem;
	struct bb_kv *from, *to;

	rig.mem = NULL;
	core_rig_restart(&rig);
	from = bb_kvmem_begin(old);
	to = bb_kvmem_begin(rig.mem);
	cr_assert_eq(bb_erasure_carry(from, to), BB_OK);
	cr_assert_eq(bb_kvmem_commit(to), BB_OK);
	bb_kvmem_abort(from);
	bb_kvmem_free(old);
}

/* The same store goes on under rules that change no identity. */
static void reload(void)
{
	bb_pipeline_free(rig.pl);
	rig.pl = bb_pipeline_new(&rig.rules);
}

static void normalise(enum bb_normaliser normaliser, const char *region)
{
	rig.ns[CORE_MAIL].normaliser = normaliser;
	rig.ns[CORE_MAIL].region = region;
}

Test(erase_forms, a_late_event_goes_in_whatever_form_it_comes_now)
{
	static const struct {
		const char *what, *raw;
		enum bb_normaliser then, now;
		const char *region_then, *region_now;
	} rows[] = {
		{"trim, email", "mail:A@x.org", BB_NORMALISE_TRIM, BB_NORMALISE_EMAIL, 0, 0},
		{"email, trim", "mail:A@x.org", BB_NORMALISE_EMAIL, BB_NORMALISE_TRIM, 0, 0},
		{"none, lower", "mail:\tB", BB_NORMALISE_NONE, BB_NORMALISE_LOWER, 0, 0},
		{"digits, none", "mail:7-7", BB_NORMALISE_DIGITS, BB_NORMALISE_NONE, 0, 0},
		{"trim, digits", "mail:7-7", BB_NORMALISE_TRIM, BB_NORMALISE_DIGITS, 0, 0},
		{"region", "mail:0302420000", BB_NORMALISE_PHONE, BB_NORMALISE_PHONE, "DE", "IT"},
		{"phone, none", "mail:0199000456", BB_NORMALISE_PHONE, BB_NORMALISE_NONE, "FR", 0},
	};

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		size_t row = i / 2;

		normalise(rows[row].then, rows[row].region_then);
		core_rig_restart(&rig);
		cr_assert_eq(say(rows[row].raw, true), BB_VERDICT_APPLIED, "%s", rows[row].what);
		erase(rows[row].raw, BB_ERASURE_SUPPRESS, "e");
		normalise(rows[row].now, rows[row].region_now);
		if (i % 2)
			carry();
		else
			reload();
		cr_expect_eq(say(rows[row].raw, true), BB_VERDICT_SKIPPED, "%s", rows[row].what);
		cr_expect_eq(say(rows[row].raw, false), BB_VERDICT_SKIPPED, "%s", rows[row].what);
		cr_expect_eq(core_digest(&rig).profiles, 0, "%s", rows[row].what);
	}
}

Test(erase_forms, above_the_watermark_forget_begins_a_new_person)
{
	normalise(BB_NORMALISE_TRIM, NULL);
	say("mail:A@x.org", true);
	erase("mail:A@x.org", BB_ERASURE_FORGET, "e");
	normalise(BB_NORMALISE_EMAIL, NULL);
	reload();
	cr_expect_eq(say("mail:A@x.org", false), BB_VERDICT_APPLIED);
	cr_expect(is_there("mail:a@x.org"));
}

Test(erase_forms, others_keep_what_is_theirs)
{
	normalise(BB_NORMALISE_TRIM, NULL);
	say("crm:1 mail:A@x.org phone:1", true);
	say("crm:2 mail:A@x.org", true);
	say("crm:3 mail:a@x.org", true);
	erase("crm:1", BB_ERASURE_FORGET, "e");
	normalise(BB_NORMALISE_EMAIL, NULL);
	carry();
	cr_expect_eq(say("crm:1 mail:A@x.org phone:1", true), BB_VERDICT_SKIPPED);
	cr_expect_eq(say("crm:2 mail:A@x.org", true), BB_VERDICT_APPLIED);
	cr_expect_eq(say("crm:3 mail:a@x.org phone:3", true), BB_VERDICT_APPLIED);
	cr_expect(!is_there("crm:1") && !is_there("phone:1"));
	cr_expect(is_there("crm:2") && is_there("crm:3"));
	CORE_VIEW_HAS(&rig, "crm:2", "\"events\":1");
	CORE_APART(&rig, "crm:2", "crm:3");
}

/* Records are named by what was on them then: a namespace more, or fewer, is no way around it. */
Test(erase_forms, a_record_is_known_under_other_namespaces)
{
	static const struct {
		size_t then, now;
	} rows[] = {{CORE_PHONE, CORE_DEV}, {CORE_DEV, CORE_PHONE}, {CORE_DEV, CORE_DEV}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bb_namespace strongest = rig.ns[CORE_CRM];

		rig.rules.namespace_n = rows[i].then;
		core_rig_restart(&rig);
		say("card:9 mail:a phone:1", true);
		say("card:9 mail:b", true);
		erase("card:9", BB_ERASURE_FORGET, "e");
		rig.rules.namespace_n = rows[i].now;
		rig.ns[CORE_CRM] = rig.ns[CORE_MAIL]; /* the other way round by strength */
		rig.ns[CORE_MAIL] = strongest;
		carry();
		cr_expect_eq(say("card:9 mail:a phone:1", true), BB_VERDICT_SKIPPED, "row %zu", i);
		cr_expect_eq(say("phone:2 mail:c card:9", true), BB_VERDICT_SKIPPED, "row %zu", i);
		cr_expect_eq(say("phone:2 mail:c card:8", true), BB_VERDICT_APPLIED, "row %zu", i);
		rig.ns[CORE_MAIL] = rig.ns[CORE_CRM];
		rig.ns[CORE_CRM] = strongest;
	}
}

Test(erase_forms, what_is_derived_now_goes_with_what_it_is_derived_of)
{
	normalise(BB_NORMALISE_TRIM, NULL);
	say("mail:A@x.org", true);
	erase("mail:A@x.org", BB_ERASURE_SUPPRESS, "e");
	normalise(BB_NORMALISE_EMAIL, NULL);
	rig.ns[CORE_MAIL].derive = derived;
	rig.ns[CORE_MAIL].derive_n = 1;
	reload();
	cr_expect_eq(say("mail:A@x.org", true), BB_VERDICT_SKIPPED);
	cr_expect_eq(say("mail:b@x.org", true), BB_VERDICT_APPLIED);
	cr_expect_eq(core_digest(&rig).profiles, 1);
}

Test(erase_forms, where_it_cannot_be_told_any_more_it_goes)
{
	normalise(BB_NORMALISE_DIGITS, NULL);
	core_say(&rig, DAY(1), "crm:9 mail:7");
	core_say(&rig, DAY(8), "crm:1 mail:7"); /* theirs, but not theirs alone */
	erase("crm:1", BB_ERASURE_FORGET, "e1");
	normalise(BB_NORMALISE_NONE, NULL);
	reload();
	core_say(&rig, DAY(1), "crm:9 mail:v8");
	core_say(&rig, DAY(8), "crm:3 mail:v8");
	erase("crm:3", BB_ERASURE_FORGET, "e2");
	cr_expect_eq(say("mail:v7 phone:5", true), BB_VERDICT_APPLIED, "7 is taken off");
	cr_expect(!is_there("mail:v7") && is_there("phone:5"));
	cr_expect_eq(say("mail:v8 phone:6", true), BB_VERDICT_APPLIED, "v8 is taken off");
	cr_expect(!is_there("mail:v8") && is_there("phone:6"));
	cr_expect_eq(say("mail:v7 mail:v8 phone:4", true), BB_VERDICT_SKIPPED);
	cr_expect(!is_there("phone:4"));
}

Test(erase_forms, a_ruling_on_the_person_is_void_in_another_form)
{
	struct bb_ruling late, early;

	normalise(BB_NORMALISE_TRIM, NULL);
	say("crm:1 mail:A@x.org", true);
	erase("crm:1", BB_ERASURE_FORGET, "e");
	normalise(BB_NORMALISE_EMAIL, NULL);
	reload();
	early = order_ruling(&rig, BB_RULING_JOIN, "r1", DAY(1), "mail:A@x.org phone:7");
	late = order_ruling(&rig, BB_RULING_JOIN, "r2", DAY(ERASED_DAY + 1),
			    "mail:A@x.org phone:7");
	cr_expect_eq(order_apply(&rig, early), BB_VERDICT_SKIPPED);
	cr_expect_eq(order_apply(&rig, late), BB_VERDICT_APPLIED);
	cr_assert_eq(core_end(&rig), BB_OK);
}

Test(erase_forms, the_list_is_checked_and_kept)
{
	struct bb_text forms;
	struct bb_kv *kv;

	say("mail:A", true);
	normalise(BB_NORMALISE_LOWER, NULL);
	reload();
	say("mail:B", true);
	reload();
	say("mail:C", true);
	kv = bb_kvmem_begin(rig.mem);
	cr_assert_eq(bb_tombstone_forms(kv, &rig.arena, &forms), BB_OK);
	bb_kvmem_abort(kv);
	core_rig_restart(&rig);
	for (size_t n = 0; n <= forms.n; n++) { /* each entry says how long it is */
		bool whole = n == 0 || n == forms.n / 2 || n == forms.n;

		kv = bb_kvmem_begin(rig.mem);
		cr_expect_eq(bb_tombstone_take_forms(kv, bb_text_bytes(forms.p, n)),
			     whole ? BB_OK : BB_EINVAL, "%zu of %zu bytes", n, forms.n);
		bb_kvmem_abort(kv);
	}
	kv = bb_kvmem_begin(rig.mem);
	cr_assert_eq(bb_tombstone_take_forms(kv, forms), BB_OK);
	cr_assert_eq(bb_tombstone_take_forms(kv, forms), BB_OK);
	cr_assert_eq(bb_kvmem_commit(kv), BB_OK);
	say("mail:x", true);
	kv = bb_kvmem_begin(rig.mem);
	struct bb_text now;

	cr_assert_eq(bb_tombstone_forms(kv, &rig.arena, &now), BB_OK);
	cr_expect(bb_text_equal(now, forms), "it ends with the rules of now already");
	bb_kvmem_abort(kv);
}

Test(erase_forms, a_damaged_list_is_corruption)
{
	struct bb_kv *kv;

	say("mail:A", true);
	erase("mail:A", BB_ERASURE_FORGET, "e");
	kv = bb_kvmem_begin(rig.mem);
	cr_assert_eq(bb_kv_put(kv, BB_TABLE_META, BB_TEXT("forms"), BB_TEXT("\x7fno")), BB_OK);
	cr_assert_eq(bb_kvmem_commit(kv), BB_OK);
	core_apply(&rig, core_event(&rig, DAY(1), "mail:b"));
	cr_expect_eq(core_end(&rig), BB_ECORRUPT);
}
