/* SPDX-License-Identifier: Apache-2.0 */
/* Erasures and exports by HTTP: what they do, what they leave, who may. */
#include "steward.h"

#include <backbone/deadletter.h>
#include <criterion/criterion.h>

static struct steward st;

static void setup(void)
{
	steward_open(&st);
}

static void teardown(void)
{
	steward_close(&st);
}

TestSuite(erasures, .init = setup, .fini = teardown, .timeout = 60);

#define ORDER(key, more)                                                                           \
	"{\"key\":\"" key "\",\"mode\":\"forget\",\"reason\":\"ticket 12\"" more "}"

static void put_letter(const char *text)
{
	struct bb_deadletter letter = {
		.stored_ms = 1000,
		.refusal = {.reason = BB_DEAD_INVALID_JSON,
			    .detail = BB_TEXT("expected }"),
			    .byte_offset = 7},
		.connector = BB_TEXT("till"),
		.message = {.topic = BB_TEXT("t"), .value = bb_text_of(text)},
		.has_value = true};
	struct bb_kv *kv;
	uint64_t number;

	cr_assert_eq(bb_store_write_begin(st.fix.store, &kv), BB_OK);
	cr_assert_eq(bb_deadletter_put(kv, &letter, &number), BB_OK);
	cr_assert_eq(bb_store_write_commit(kv), BB_OK);
}

Test(erasures, a_person_goes_and_the_receipt_stays)
{
	put_letter("{\"mail\":\"Ann@example.org\"");
	put_letter("{\"mail\":\"eve@example.org\"");
	steward_expect(&st, "POST", "/v1/erasures", ORDER("user:7", ",\"id\":\"e1\""), 201,
		       "{\"result\":\"erased\",\"receipt\":{\"id\":\"e1\",");
	cr_expect(strstr(st.res.body.p, "\"dead_letters\":1}"), "%s", st.res.body.p);
	cr_expect(strstr(st.res.body.p, "\"standing\":true"), "%s", st.res.body.p);
	cr_expect(!strstr(st.res.body.p, "example.org"), "%s", st.res.body.p);
	steward_expect(&st, "GET", "/v1/profiles/user/7", NULL, 404, "no profile");
	steward_expect(&st, "GET", "/v1/dead-letters", NULL, 200, "eve@example.org");
	cr_expect(!strstr(st.res.body.p, "Ann@"), "%s", st.res.body.p);
	steward_expect(&st, "GET", "/v1/erasures", NULL, 200, "\"id\":\"e1\"");
	steward_expect(&st, "GET", "/v1/audit", NULL, 200,
		       "\"action\":\"erasure\",\"subject\":\"e1\"");
	cr_expect(strstr(st.res.body.p, "reason: ticket 12\""), "%s", st.res.body.p);
	cr_expect(!strstr(st.res.body.p, "example.org"), "%s", st.res.body.p);
}

Test(erasures, the_same_id_again_erases_nothing)
{
	steward_expect(&st, "POST", "/v1/erasures", ORDER("user:7", ",\"id\":\"e1\""), 201,
		       "erased");
	steward_expect(&st, "POST", "/v1/erasures", ORDER("user:8", ",\"id\":\"e1\""), 200,
		       "{\"result\":\"duplicate\",\"receipt\":{\"id\":\"e1\",");
	steward_expect(&st, "GET", "/v1/profiles/user/8", NULL, 200, "profile");
	steward_expect(&st, "GET", "/v1/audit/verify", NULL, 200, "{\"entries\":1,");
}

Test(erasures, mistakes_say_what_is_wrong)
{
	static const struct {
		const char *body;
		unsigned status;
		const char *part;
	} rows[] = {
		{"", 400, "JSON object"},
		{"[]", 400, "JSON object"},
		{"{}", 400, "key: missing"},
		{"{\"key\":7}", 400, "key: must be a text"},
		{"{\"key\":\"user:7\"}", 400, "mode: missing"},
		{"{\"key\":\"user:7\",\"mode\":\"gone\",\"reason\":\"x\"}", 400,
		 "forget or suppress"},
		{"{\"key\":\"user:7\",\"mode\":\"forget\"}", 400, "reason: missing"},
		{"{\"key\":\"user:7\",\"mode\":\"forget\",\"reason\":\"\"}", 400,
		 "reason: has not"},
		{ORDER("user:7", ",\"ID\":\"e\""), 400, "no member ID"},
		{ORDER("usr:7", ""), 400, "user, email, device"},
		{ORDER("email:x", ""), 400, "canonical"},
		{ORDER("user:nobody", ""), 404, "no profile"},
		{ORDER("user:guest", ""), 404, "blocked"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		steward_expect(&st, "POST", "/v1/erasures", rows[i].body, rows[i].status,
			       rows[i].part);
	steward_expect(&st, "GET", "/v1/erasures", NULL, 200, "{\"erasures\":[],\"next\":null}");
}

Test(erasures, an_export_has_everything_and_is_in_the_log)
{
	static const char *const parts[] = {
		"{\"export\":1,\"time\":\"",
		"\"profile\":\"p",
		"\"view\":{\"profile\":\"p",
		"\"provenance\":{",
		"\"records\":[{\"source\":",
		"\"identifiers\":[{\"ns\":\"user\",\"value\":\"7\"}",
		"\"rulings\":[{\"ruling\":{\"ruling\":\"split\",\"id\":\"r1\"",
		"\"history\":[",
		"\"dead_letters\":[{\"number\":1,"};

	put_letter("{\"mail\":\"ann@example.org\"");
	put_letter("{\"mail\":\"eve@example.org\"");
	steward_expect(&st, "POST", "/v1/rulings",
		       "{\"ruling\":\"split\",\"id\":\"r1\",\"pair\":[{\"ns\":\"user\",\"value\":"
		       "\"7\"},{\"ns\":\"user\",\"value\":\"8\"}]}",
		       201, "applied");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		steward_expect(&st, "GET", "/v1/exports/user/7", NULL, 200, parts[i]);
	cr_expect(!strstr(st.res.body.p, "eve@"), "%s", st.res.body.p);
	steward_expect(&st, "GET", "/v1/audit", NULL, 200, "\"action\":\"export\",\"subject\":\"p");
	steward_expect(&st, "GET", "/v1/exports/user/nobody", NULL, 404, "no profile");
	steward_expect(&st, "GET", "/v1/exports/user/guest", NULL, 404, "blocked");
	steward_expect(&st, "GET", "/v1/exports/usr/7", NULL, 400, "user, email, device");
	steward_expect(&st, "GET", "/v1/exports/", NULL, 400, "/v1/exports/{ns}/{value}");
}

Test(erasures, whoever_has_not_the_role_is_refused)
{
	st.roles = BB_ROLE_READ | BB_ROLE_ADMIN | BB_ROLE_STEWARD;
	steward_expect(&st, "POST", "/v1/erasures", ORDER("user:7", ""), 403, "privacy");
	steward_expect(&st, "GET", "/v1/erasures", NULL, 403, "privacy");
	steward_expect(&st, "GET", "/v1/exports/user/7", NULL, 403, "privacy");
	steward_expect(&st, "GET", "/v1/audit", NULL, 200, "\"audit\":[]");
}

Test(erasures, without_space_nothing_is_erased)
{
	st.fails_with = BB_ENOSPC;
	steward_expect(&st, "POST", "/v1/erasures", ORDER("user:7", ""), 503, "no space");
	steward_expect(&st, "GET", "/v1/exports/user/7", NULL, 503, "no space");
	steward_expect(&st, "GET", "/v1/profiles/user/7", NULL, 200, "profile");
}
