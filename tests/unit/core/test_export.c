/* SPDX-License-Identifier: Apache-2.0 */
/* Exports and lists of identifiers that link nobody: what is in them, and what a store may do. */
#include "core_rig.h"

#include <backbone/export.h>
#include <backbone/identifiers.h>

static struct core_rig rig;

static void setup(void)
{
	static struct bb_attribute_rule attributes[] = {
		{"all", BB_FOLD_UNION}, {"paid", BB_FOLD_SUM}, {"top", BB_FOLD_MAX}};
	struct bb_event *ev;

	core_rig_init(&rig);
	rig.rules.attributes = attributes;
	rig.rules.attribute_n = 3;
	core_rig_restart(&rig);
	ev = core_event(&rig, CORE_T0, "crm:1 mail:a");
	core_attribute(&rig, ev, "name", "Ann \"A\"");
	core_attribute(&rig, ev, "all", "x");
	core_amount(ev, "12.50", "k1");
	core_apply(&rig, ev);
	core_say(&rig, CORE_T0 + BB_DAY_MS, "crm:1 dev:d");
	core_say(&rig, CORE_T0 + BB_DAY_MS, "crm:2 dev:d");
	core_say(&rig, CORE_T0 + BB_DAY_MS, "crm:null mail:b");
}

static void teardown(void)
{
	core_rig_fini(&rig);
}

TestSuite(export, .init = setup, .fini = teardown);

static int export_of(const char *key, struct bb_buf *buf, struct bb_exported *ret_exported)
{
	struct bb_kv *kv = bb_kvmem_begin(rig.mem);
	int rc = bb_export_person(kv, &rig.rules, bb_text_of(key), &rig.arena, buf, ret_exported);

	bb_kvmem_abort(kv);
	return rc;
}

static int top_of(bool blocked, size_t top, struct bb_buf *buf)
{
	struct bb_kv *kv = bb_kvmem_begin(rig.mem);
	int rc = bb_identifiers_top(kv, &rig.rules, blocked, top, buf);

	bb_kvmem_abort(kv);
	return rc;
}

Test(export, has_every_record_with_its_facts)
{
	static const char *const parts[] = {
		"\"profile\":\"p",
		",\"view\":{\"profile\":\"p",
		",\"records\":[{\"source\":\"shop\",\"identifiers\":[{\"ns\":\"crm\",\"value\":"
		"\"1\"},",
		"\"days\":[{\"day\":\"2026-01-01\",",
		"\"revenue\":{\"EUR\":{\"amount\":\"12.5\",\"count\":1}}",
		"{\"name\":\"name\",\"rule\":\"latest\",\"value\":\"Ann \\\"A\\\"\",\"time\":",
		"{\"name\":\"all\",\"rule\":\"union\",\"value\":[\"x\"]}",
		"{\"ns\":\"dev\",\"value\":\"d\",\"shared\":true}",
		",\"rulings\":[]",
		",\"history\":["};
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_exported exported;

	cr_assert_eq(export_of("crm:1", &buf, &exported), BB_OK);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		cr_expect(memmem(buf.p, buf.n, parts[i], strlen(parts[i])), "no %s in %.*s",
			  parts[i], (int)buf.n, buf.p);
	cr_expect_null(memmem(buf.p, buf.n, "\"value\":\"2\"", 11), "%.*s", (int)buf.n, buf.p);
	cr_expect_eq(exported.value_n, 2);
	cr_expect_eq(exported.profile[0], 'p');
	bb_buf_fini(&buf);
}

Test(export, whoever_is_nobody_has_none)
{
	static const struct {
		const char *key;
		int rc;
	} rows[] = {{"crm:9", BB_ENOTFOUND},
		    {"crm:null", BB_EACCESS},
		    {"dev:d", BB_EINVAL},
		    {"nobody", BB_EINVAL}};
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_exported exported;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(export_of(rows[i].key, &buf, &exported), rows[i].rc, "%s",
			     rows[i].key);
		cr_expect_eq(buf.n, 0, "%s", rows[i].key);
	}
	bb_buf_fini(&buf);
}

Test(export, any_read_may_fail)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_exported exported;
	unsigned failed[3] = {0};

	for (uint64_t nth = 1; nth < 40; nth++) {
		bb_kvmem_fail_read(rig.mem, nth, BB_EIO);
		failed[0] += export_of("crm:1", &buf, &exported) == BB_EIO;
		bb_kvmem_fail_read(rig.mem, nth, BB_EIO);
		failed[1] += top_of(false, 10, &buf) == BB_EIO;
		bb_kvmem_fail_read(rig.mem, nth, BB_EIO);
		failed[2] += top_of(true, 10, &buf) == BB_EIO;
		buf.n = 0;
	}
	bb_kvmem_fail_read(rig.mem, 0, 0);
	for (size_t i = 0; i < 3; i++)
		cr_expect_gt(failed[i], 5, "%zu", i);
	bb_buf_fini(&buf);
}

Test(export, damaged_rows_are_damage)
{
	struct bb_kv *kv = bb_kvmem_begin(rig.mem);
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_exported exported;
	struct bb_text key, value;

	cr_assert_eq(bb_kv_seek(kv, BB_TABLE_PROFILE, BB_TEXT(""), false, &key, &value), BB_OK);
	key = bb_arena_copy(&rig.arena, key);
	cr_assert_eq(bb_kv_put(kv, BB_TABLE_PROFILE, key, BB_TEXT("rubbish")), BB_OK);
	cr_assert_eq(
		bb_kv_put(kv, BB_TABLE_IDENTIFIER, BB_TEXT("0123456789abcdef"), BB_TEXT("\xff")),
		BB_OK);
	cr_assert_eq(bb_kvmem_commit(kv), BB_OK);
	cr_expect_eq(export_of("crm:1", &buf, &exported), BB_ECORRUPT);
	cr_expect_eq(top_of(false, 10, &buf), BB_ECORRUPT);
	bb_buf_fini(&buf);
}

Test(export, identifiers_in_the_most_records_come_first)
{
	struct bb_buf buf = BB_BUF_EMPTY;

	core_say(&rig, CORE_T0 + BB_DAY_MS, "crm:3 dev:e");
	core_say(&rig, CORE_T0 + BB_DAY_MS, "crm:4 dev:e");
	core_say(&rig, CORE_T0 + BB_DAY_MS, "crm:5 dev:e");
	cr_assert_eq(top_of(false, 1, &buf), BB_OK);
	cr_expect(memmem(buf.p, buf.n, "{\"identifiers\":[{\"key\":\"dev:e\"", 30), "%.*s",
		  (int)buf.n, buf.p);
	cr_expect_null(memmem(buf.p, buf.n, "dev:d", 5), "%.*s", (int)buf.n, buf.p);
	cr_expect(memmem(buf.p, buf.n, "],\"shared\":2,\"blocked\":1}", 25), "%.*s", (int)buf.n,
		  buf.p);
	buf.n = 0;
	cr_assert_eq(top_of(true, 10, &buf), BB_OK);
	cr_expect(memmem(buf.p, buf.n, "\"key\":\"crm:null\",\"by\":\"rule\"", 27), "%.*s",
		  (int)buf.n, buf.p);
	bb_buf_fini(&buf);
}
