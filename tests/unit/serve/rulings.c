/* SPDX-License-Identifier: Apache-2.0 */
/* Rulings by HTTP: given, seen, released; every one of them in the audit log. */
#include "steward.h"

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

TestSuite(rulings, .init = setup, .fini = teardown, .timeout = 60);

#define ID(ns, value) "{\"ns\":\"" ns "\",\"value\":\"" value "\"}"
#define JOIN(more)                                                                                 \
	"{\"ruling\":\"join\"," more "\"pair\":[" ID("user", "7") "," ID("user", "8") "]}"
#define TIMED "\"time\":\"2026-01-02T03:04:05Z\","

Test(rulings, one_is_given_seen_and_released)
{
	steward_expect(&st, "POST", "/v1/rulings", JOIN("\"id\":\"r1\"," TIMED), 201,
		       "{\"result\":\"applied\",\"ruling\":{\"ruling\":\"join\",\"id\":\"r1\"");
	steward_expect(&st, "GET", "/v1/rulings/r1", NULL, 200,
		       "\"holds\":true,\"released\":false}");
	steward_expect(&st, "GET", "/v1/profiles/user/7", NULL, 200, "\"value\":\"8\"");
	st.query[0] = "reason";
	st.query[1] = "was%20wrong";
	st.query[2] = "id";
	st.query[3] = "r2";
	steward_expect(&st, "DELETE", "/v1/rulings/r1", NULL, 201, "\"reason\":\"was wrong\"");
	steward_expect(&st, "GET", "/v1/rulings/r2", NULL, 200, "\"releases\":\"r1\"");
	steward_expect(&st, "DELETE", "/v1/rulings/r1", NULL, 200,
		       "{\"result\":\"duplicate\",\"ruling\":null}");
	st.query[0] = st.query[2] = NULL;
	steward_expect(&st, "GET", "/v1/rulings/r1", NULL, 200,
		       "\"holds\":false,\"released\":true}");
	cr_expect_eq(steward_ask(&st, "GET", "/v1/profiles/user/7", NULL), 200);
	cr_expect(!strstr(st.res.body.p, "\"value\":\"8\""), "%s", st.res.body.p);
}

Test(rulings, what_is_left_out_is_given)
{
	steward_expect(&st, "POST", "/v1/rulings",
		       "{\"ruling\":\"block\",\"identifier\":" ID("email", "Ann@example.org") "}",
		       201, "\"id\":\"r-");
	cr_expect(strstr(st.res.body.p, "\"actor\":\"root\""), "%s", st.res.body.p);
	cr_expect(strstr(st.res.body.p, "\"value\":\"ann@example.org\""), "%s", st.res.body.p);
	steward_expect(&st, "POST", "/v1/rulings", JOIN("\"actor\":\"eve\","), 201,
		       "\"actor\":\"eve\"");
}

Test(rulings, the_same_id_again_is_a_duplicate_or_a_conflict)
{
	steward_expect(&st, "POST", "/v1/rulings", JOIN("\"id\":\"r1\","), 201, "applied");
	steward_expect(&st, "POST", "/v1/rulings", JOIN("\"id\":\"r1\","), 200, "duplicate");
	steward_expect(&st, "POST", "/v1/rulings", JOIN("\"id\":\"r1\",\"reason\":\"x\","), 409,
		       "another content");
	steward_expect(&st, "POST", "/v1/rulings", JOIN("\"id\":\"r1\"," TIMED), 409,
		       "another content");
	steward_expect(&st, "GET", "/v1/audit", NULL, 200, "\"next\":null");
	cr_expect(!strstr(st.res.body.p, "\"number\":2"), "only what changed something: %s",
		  st.res.body.p);
}

Test(rulings, mistakes_say_what_is_wrong)
{
	static const struct {
		const char *method, *path, *body;
		unsigned status;
		const char *part;
	} rows[] = {
		{"POST", "/v1/rulings", "", 400, "invalid_json"},
		{"POST", "/v1/rulings", "[]", 400, "JSON object"},
		{"POST", "/v1/rulings", "{}", 400, "ruling: must be join"},
		{"POST", "/v1/rulings", "{\"ruling\":\"block\",\"identifier\":" ID("usr", "7") "}",
		 400, "identifier: is of a namespace that is not configured"},
		{"POST", "/v1/rulings",
		 "{\"ruling\":\"block\",\"identifier\":" ID("email", "7") "}", 400, "canonical"},
		{"POST", "/v1/rulings", JOIN("\"time\":\"now\","), 400, "time: must be"},
		{"GET", "/v1/rulings/none", NULL, 404, "no ruling"},
		{"GET", "/v1/rulings/", NULL, 400, "{id}"},
		{"GET", "/v1/rulings/%zz", NULL, 400, "percent"},
		{"DELETE", "/v1/rulings/none", NULL, 404, "no ruling"},
		{"DELETE", "/v1/rulings/", NULL, 400, "{id}"},
		{"PUT", "/v1/rulings", NULL, 405, "GET, POST"},
		{"POST", "/v1/rulings/r1", NULL, 405, "GET, DELETE"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		steward_expect(&st, rows[i].method, rows[i].path, rows[i].body, rows[i].status,
			       rows[i].part);
}

Test(rulings, a_release_is_for_good)
{
	char path[64];

	steward_expect(&st, "POST", "/v1/rulings", JOIN("\"id\":\"r1\","), 201, "applied");
	steward_expect(&st, "POST", "/v1/rulings",
		       "{\"ruling\":\"release\",\"id\":\"x\",\"releases\":\"r1\"}", 201, "applied");
	snprintf(path, sizeof(path), "/v1/rulings/x");
	steward_expect(&st, "DELETE", path, NULL, 409, "for good");
}

Test(rulings, they_come_in_pages)
{
	const char *next;
	char from[128];

	steward_expect(&st, "GET", "/v1/rulings", NULL, 200, "{\"rulings\":[],\"next\":null}");
	for (int i = 0; i < 3; i++)
		steward_expect(&st, "POST", "/v1/rulings", JOIN(""), 201, "applied");
	st.query[0] = "limit";
	st.query[1] = "2";
	steward_expect(&st, "GET", "/v1/rulings", NULL, 200, "\"next\":\"");
	next = strstr(st.res.body.p, "\"next\":\"") + 8;
	snprintf(from, sizeof(from), "%.*s", (int)strcspn(next, "\""), next);
	st.query[2] = "from";
	st.query[3] = from;
	steward_expect(&st, "GET", "/v1/rulings", NULL, 200, "\"next\":null");
	st.query[3] = "xy";
	steward_expect(&st, "GET", "/v1/rulings", NULL, 400, "from: expected");
	st.query[3] = "abc";
	steward_expect(&st, "GET", "/v1/rulings", NULL, 400, "from: expected");
	st.query[1] = "1001";
	steward_expect(&st, "GET", "/v1/rulings", NULL, 400, "limit");
}

Test(rulings, the_audit_log_tells_who_and_hides_whom)
{
	steward_expect(&st, "POST", "/v1/rulings", JOIN("\"id\":\"r1\","), 201, "applied");
	steward_expect(&st, "DELETE", "/v1/rulings/r1", NULL, 201, "applied");
	steward_expect(&st, "GET", "/v1/audit", NULL, 200,
		       "\"uid\":0,\"actor\":\"root\",\"action\":\"ruling\",\"subject\":\"r1\","
		       "\"detail\":\"join p");
	cr_expect(strstr(st.res.body.p, "\"action\":\"release\",\"subject\":\"r1\""), "%s",
		  st.res.body.p);
	cr_expect(!strstr(st.res.body.p, "user"), "%s", st.res.body.p);
	st.query[0] = "after";
	st.query[1] = "1";
	steward_expect(&st, "GET", "/v1/audit", NULL, 200, "{\"audit\":[{\"number\":2,");
	steward_expect(&st, "GET", "/v1/audit/verify", NULL, 200, "{\"entries\":2,\"wrong\":null,");
}

Test(rulings, one_walk_at_a_time)
{
	st.service.is_reading = true;
	steward_expect(&st, "GET", "/v1/audit/verify", NULL, 503, "under way");
	st.service.is_reading = false;
	steward_expect(&st, "GET", "/v1/audit/verify", NULL, 200, "\"entries\":0");
}

Test(rulings, whoever_is_not_a_steward_is_refused)
{
	st.roles = BB_ROLE_READ | BB_ROLE_ADMIN | BB_ROLE_PRIVACY;
	steward_expect(&st, "POST", "/v1/rulings", JOIN(""), 403, "steward");
	steward_expect(&st, "DELETE", "/v1/rulings/r", NULL, 403, "steward");
	steward_expect(&st, "GET", "/v1/rulings", NULL, 403, "steward");
}

Test(rulings, what_the_store_cannot_do_is_said)
{
	st.fails_with = BB_ENOSPC;
	steward_expect(&st, "POST", "/v1/rulings", JOIN("\"id\":\"r1\","), 503, "no space");
	st.fails_with = BB_EIO;
	steward_expect(&st, "POST", "/v1/rulings", JOIN("\"id\":\"r1\","), 500, "input/output");
	st.fails_with = BB_EBUSY;
	steward_expect(&st, "POST", "/v1/rulings", JOIN("\"id\":\"r1\","), 503, "stopping");
	st.fails_with = BB_OK;
	st.is_stopping = true;
	steward_expect(&st, "POST", "/v1/rulings", JOIN("\"id\":\"r1\","), 503, "stopping");
	st.is_stopping = false;
	steward_expect(&st, "GET", "/v1/rulings/r1", NULL, 404, "no ruling");
}

Test(rulings, identifiers_that_link_nobody_are_listed)
{
	steward_expect(&st, "POST", "/v1/rulings",
		       "{\"ruling\":\"block\",\"id\":\"r1\",\"identifier\":" ID("user", "8") "}",
		       201, "applied");
	st.query[0] = "which";
	st.query[1] = "blocked";
	steward_expect(&st, "GET", "/v1/identifiers", NULL, 200, "\"key\":\"user:8\"");
	cr_expect(strstr(st.res.body.p, "\"by\":\"ruling\""), "%s", st.res.body.p);
	st.query[1] = "all";
	steward_expect(&st, "GET", "/v1/identifiers", NULL, 400, "shared or blocked");
	st.query[1] = "shared";
	steward_expect(&st, "GET", "/v1/identifiers", NULL, 200, "\"shared\":");
	st.query[2] = "top";
	st.query[3] = "1001";
	steward_expect(&st, "GET", "/v1/identifiers", NULL, 400, "top");
}
