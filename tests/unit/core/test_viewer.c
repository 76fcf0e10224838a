/* SPDX-License-Identifier: Apache-2.0 */
/* Looking up: what leads to a profile, what the JSON of a view has, digests. */
#include "core_rig.h"

#include <stdio.h>

Test(core, a_profile_is_found_by_what_it_has_and_by_every_id_it_had)
{
	struct core_rig rig;
	struct bb_found first, now;

	core_rig_init(&rig);
	core_say(&rig, CORE_T0 + 5 * BB_DAY_MS, "mail:a");
	cr_assert_eq(core_find(&rig, "mail:a", &first), BB_OK);
	core_say(&rig, CORE_T0, "crm:1 mail:a"); /* seen earlier: the profile is named anew */
	cr_assert_eq(core_find(&rig, "mail:a", &now), BB_OK);
	cr_expect_str_neq(first.id, now.id, "the older identifier names it");
	static const char *const keys[] = {"crm:1", "mail:a"};

	for (int i = 0; i < 4; i++) {
		const char *key = i < 2 ? keys[i] : i == 2 ? first.id : now.id;
		struct bb_found found;

		cr_assert_eq(core_find(&rig, key, &found), BB_OK, "%s", key);
		cr_expect_str_eq(found.id, now.id, "%s", key);
	}
	core_rig_fini(&rig);
}

Test(core, a_key_that_leads_to_nobody_says_why)
{
	static const struct {
		const char *key;
		int rc;
	} rows[] = {
		{"crm:1", BB_OK},
		{"crm:2", BB_ENOTFOUND},
		{"p00000000000000000000000000", BB_ENOTFOUND},
		{"p8zzzzzzzzzzzzzzzzzzzzzzzzz", BB_EINVAL},
		{"nobody:1", BB_EINVAL},
		{"crm:", BB_EINVAL},
		{"crm", BB_EINVAL},
		{"", BB_EINVAL},
		{":", BB_EINVAL},
		{"crm:guest", BB_EACCESS},
		{"mail:null", BB_EACCESS},
	};
	struct core_rig rig;

	core_rig_init(&rig);
	core_say(&rig, CORE_T0, "crm:1 mail:null");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bb_found found;

		cr_expect_eq(core_find(&rig, rows[i].key, &found), rows[i].rc, "%s", rows[i].key);
	}
	/* the id that a blocked identifier would have, had it a profile */
	struct bb_hash hash =
		bb_hash_identifier(&rig.rules.profile_key, BB_TEXT("mail"), BB_TEXT("null"));
	char id[BB_PROFILE_ID_BYTES + 1] = {0};
	struct bb_found found;

	bb_hash_profile_id(&hash, id);
	cr_expect_eq(core_find(&rig, id, &found), BB_EACCESS);
	core_rig_fini(&rig);
}

Test(core, a_view_has_its_members_in_their_order)
{
	static const char whole[] =
		"\"identifiers\":[{\"ns\":\"crm\",\"value\":\"1\",\"events\":1,\"shared\":false,"
		"\"first_seen\":\"2026-01-01T00:00:00.000Z\",\"last_seen\":\"2026-01-01T00:00:00."
		"000Z\"}],\"attributes\":{\"a\\\"b\":\"x\\ny\"},"
		"\"channels\":{\"pos\":{\"events\":1,\"first\":\"2026-01-01T00:00:00.000Z\","
		"\"last\":"
		"\"2026-01-01T00:00:00.000Z\"}},\"activity\":{\"sale\":{\"events\":1,\"first\":"
		"\"2026-01-01T00:00:00.000Z\",\"last\":\"2026-01-01T00:00:00.000Z\"}},"
		"\"revenue\":{\"EUR\":{\"amount\":\"-0.5\",\"count\":1}},\"consent\":{},"
		"\"recent\":[{\"time\":\"2026-01-01T00:00:00.000Z\",\"type\":\"sale\",\"source\":"
		"\"shop\",\"id\":\"e0\"}],\"events\":1,"
		"\"first_seen\":\"2026-01-01T00:00:00.000Z\",\"last_seen\":\"2026-01-01T00:00:00."
		"000Z\"}";
	struct core_rig rig;

	core_rig_init(&rig);
	struct bb_event *ev = core_event(&rig, CORE_T0, "crm:1");

	core_attribute(&rig, ev, "a\"b", "x\ny");
	core_amount(ev, "-0.50", NULL);
	core_apply(&rig, ev);
	cr_assert_eq(core_end(&rig), BB_OK);
	CORE_VIEW_HAS(&rig, "crm:1", whole);
	CORE_VIEW_HAS(&rig, "crm:1", "{\"profile\":\"p");
	core_rig_fini(&rig);
}

Test(core, a_view_shows_the_members_asked_for_and_where_values_come_from)
{
	static struct bb_attribute_rule rules[] = {{"all", BB_FOLD_UNION}};
	struct core_rig rig;
	const struct bb_view *view;
	struct bb_found found;

	core_rig_init(&rig);
	rig.rules.attributes = rules;
	rig.rules.attribute_n = 1;
	struct bb_event *ev = core_event(&rig, CORE_T0, "crm:1");

	core_attribute(&rig, ev, "name", "Ann");
	core_attribute(&rig, ev, "all", "x");
	ev->position = (struct bb_position){BB_TEXT("till"), 3, 41};
	core_apply(&rig, ev);
	cr_assert_eq(core_end(&rig), BB_OK);
	struct bb_kv *kv = bb_kvmem_begin(rig.mem);

	cr_assert_eq(bb_viewer_find(rig.viewer, kv, BB_TEXT("crm:1"), &found), BB_OK);
	cr_assert_eq(bb_viewer_fold(rig.viewer, kv, found.cluster, &view), BB_OK);
	bb_view_json(view, 1u << BB_VIEW_EVENTS, false, &rig.buf);
	cr_expect(core_has(bb_buf_slice(&rig.buf), "\",\"events\":1}"));
	rig.buf.n = 0;
	bb_view_json(view, 1u << BB_VIEW_ATTRIBUTES, true, &rig.buf);
	cr_expect(
		core_has(bb_buf_slice(&rig.buf),
			 "\"attributes\":{\"all\":[\"x\"],\"name\":\"Ann\"},\"provenance\":{"
			 "\"name\":{\"source\":\"shop\",\"id\":\"e0\",\"time\":\"2026-01-01T00:00:"
			 "00.000Z\",\"position\":{\"topic\":\"till\",\"partition\":3,\"offset\":"
			 "41}}}}"));
	bb_kvmem_abort(kv);
	core_rig_fini(&rig);
}

Test(core, a_shared_identifier_has_a_view_of_its_own)
{
	struct core_rig rig;

	core_rig_init(&rig);
	core_say(&rig, CORE_T0, "crm:1 dev:d");
	core_say(&rig, CORE_T0, "crm:2 dev:d");
	CORE_VIEW_HAS(&rig, "dev:d",
		      "\"identifiers\":[{\"ns\":\"dev\",\"value\":\"d\",\"events\":0,\"shared\":"
		      "true}],\"attributes\":{},\"channels\":{},\"activity\":{},\"revenue\":{},"
		      "\"consent\":{},\"recent\":[],\"events\":0}");
	core_rig_fini(&rig);
}

/* What bb_viewer_owners appends, terminated; `code` is what it has to return. */
static const char *owners_of(struct core_rig *rig, const char *key, int code)
{
	struct bb_kv *kv = bb_kvmem_begin(rig->mem);

	rig->buf.n = 0;
	cr_expect_eq(bb_viewer_owners(rig->viewer, kv, bb_text_of(key), &rig->buf), code, "%s",
		     key);
	bb_kvmem_abort(kv);
	bb_buf_byte(&rig->buf, '\0');
	return rig->buf.p;
}

Test(core, a_shared_identifier_has_its_owners)
{
	struct core_rig rig;
	char ids[64];
	const char *text;
	size_t n = 0;

	core_rig_init(&rig);
	core_say(&rig, CORE_T0, "crm:2 dev:d");
	cr_expect_str_eq(owners_of(&rig, "dev:d", BB_OK), "", "one owner is not shared");
	core_say(&rig, CORE_T0, "crm:1 mail:a@b.org dev:d");
	core_say(&rig, CORE_T0, "card:c1 dev:d");
	core_say(&rig, CORE_T0, "crm:1 card:c1 dev:d");
	cr_expect_str_eq(owners_of(&rig, "dev:d", BB_OK),
			 "\"owners\":[{\"ns\":\"crm\",\"value\":\"1\"},{\"ns\":\"crm\","
			 "\"value\":\"2\"},{\"ns\":\"card\",\"value\":\"c1\"}]");
	cr_expect_str_eq(owners_of(&rig, "crm:1", BB_OK), "");
	owners_of(&rig, "dev:x", BB_ENOTFOUND);
	owners_of(&rig, "nonsense", BB_EINVAL);
	for (int i = 0; i < 150; i++) {
		snprintf(ids, sizeof(ids), "crm:%d dev:d", 1000 + i);
		core_say(&rig, CORE_T0, ids);
	}
	text = owners_of(&rig, "dev:d", BB_OK);
	for (const char *p = text; (p = strstr(p, "\"ns\"")); p++)
		n++;
	cr_expect_eq(n, BB_OWNERS_MAX);
	cr_expect(strstr(text, "],\"owners_more\":true"), "%s", text);
	for (uint64_t nth = 1; nth < 60; nth += 7) {
		struct bb_kv *kv = bb_kvmem_begin(rig.mem);

		bb_kvmem_fail_read(rig.mem, nth, BB_EIO);
		rig.buf.n = 0;
		cr_expect_eq(bb_viewer_owners(rig.viewer, kv, BB_TEXT("dev:d"), &rig.buf), BB_EIO,
			     "read %d", (int)nth);
		bb_kvmem_abort(kv);
	}
	core_rig_fini(&rig);
}

Test(core, a_viewer_learns_names_that_came_after_it)
{
	struct core_rig rig;

	core_rig_init(&rig);
	core_say(&rig, CORE_T0, "crm:1");
	CORE_VIEW_HAS(&rig, "crm:1", "\"sale\"");
	struct bb_event *ev = core_event(&rig, CORE_T0, "crm:1");

	ev->type = BB_TEXT("a new type");
	core_apply(&rig, ev);
	cr_assert_eq(core_end(&rig), BB_OK);
	CORE_VIEW_HAS(&rig, "crm:1", "\"a new type\"");
	core_rig_fini(&rig);
}

Test(core, a_profile_that_is_led_to_and_is_not_there_is_damage)
{
	struct core_rig rig;
	const struct bb_view *view;
	struct bb_found found;
	uint8_t key[12] = {0};

	core_rig_init(&rig);
	core_say(&rig, CORE_T0, "crm:1");
	cr_assert_eq(core_find(&rig, "crm:1", &found), BB_OK);
	struct bb_kv *kv = bb_kvmem_begin(rig.mem);

	key[7] = (uint8_t)found.cluster;
	cr_assert_eq(bb_kv_put(kv, BB_TABLE_PROFILE, bb_text_bytes(key, 12), BB_TEXT("short")),
		     BB_OK);
	cr_expect_eq(bb_viewer_find(rig.viewer, kv, BB_TEXT("crm:1"), &found), BB_ECORRUPT);
	cr_expect_eq(bb_viewer_fold(rig.viewer, kv, found.cluster, &view), BB_ECORRUPT);
	cr_assert_eq(bb_kv_del(kv, BB_TABLE_PROFILE, bb_text_bytes(key, 12)), BB_OK);
	cr_expect_eq(bb_viewer_find(rig.viewer, kv, BB_TEXT("crm:1"), &found), BB_ECORRUPT);
	bb_kvmem_abort(kv);
	core_rig_fini(&rig);
}

Test(core, the_digest_is_of_the_state_and_not_of_the_way_there)
{
	static const char *const ids[] = {"crm:1 mail:a", "crm:2 mail:a", "mail:b dev:d",
					  "crm:1 dev:d",  "crm:2 dev:d",  "crm:1=crm:3"};
	struct bb_digest first = {.profiles = 0};
	struct core_rig rig;

	core_rig_init(&rig);
	for (int turn = 0; turn < 12; turn++) {
		core_rig_restart(&rig);
		for (int i = 0; i < 6; i++) {
			int k = turn % 2 ? (i + turn) % 6 : (11 - i + turn) % 6;

			rig.number = (unsigned)k;
			core_apply(&rig, core_event(&rig, CORE_T0 + k, ids[k]));
			if (i == 5 || (i + turn) % 3)
				cr_assert_eq(core_end(&rig), BB_OK);
		}
		struct bb_digest digest = core_digest(&rig);

		if (!turn)
			first = digest;
		cr_expect(bb_hash_equal(&digest.sum, &first.sum), "turn %d", turn);
		cr_expect_eq(digest.profiles, first.profiles);
	}
	core_say(&rig, CORE_T0, "crm:1");
	struct bb_digest other = core_digest(&rig);

	cr_expect(!bb_hash_equal(&other.sum, &first.sum), "one event more");
	core_rig_restart(&rig);
	other = core_digest(&rig);
	cr_expect_eq(other.profiles, 0);
	core_rig_fini(&rig);
}
