/* SPDX-License-Identifier: Apache-2.0 */
/* Work on the whole store, asked for by HTTP: who may, what is passed on, what is answered. */
#include "fixture.h"
#include "route.h"

#include <criterion/criterion.h>

static struct fixture fix;
static struct bb_service service;
static struct bb_response res;
static const char *accept_loss;

static struct { /* what the application was asked, and what it says */
	int asked, cancelled, code;
	bool accepts;
	uint32_t uid;
} app;

static int on_rebuild(void *ctx, bool accepts, uint32_t uid, struct bb_error *err)
{
	cr_assert_eq(ctx, &app);
	app.asked++;
	app.accepts = accepts;
	app.uid = uid;
	return app.code ? bb_error_set(err, app.code, "not now") : BB_OK;
}

static int on_cancel(void *ctx, struct bb_error *err)
{
	cr_assert_eq(ctx, &app);
	app.cancelled++;
	return app.code ? bb_error_set(err, app.code, "none is under way") : BB_OK;
}

static void setup(void)
{
	fixture_open(&fix);
	fix.options.rebuild = on_rebuild;
	fix.options.rebuild_cancel = on_cancel;
	fix.options.maintenance_ctx = &app;
	fixture_service(&fix, &service);
	memset(&app, 0, sizeof(app));
	accept_loss = NULL;
}

static void teardown(void)
{
	bb_buf_fini(&res.body);
	bb_service_fini(&service);
	fixture_close(&fix);
}

static const char *query_value(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "accept_loss") == 0 ? accept_loss : NULL;
}

static unsigned ask(const char *method, unsigned roles)
{
	struct bb_request req = {.method = method,
				 .path = BB_TEXT("/v1/rebuild"),
				 .roles = roles,
				 .uid = 1234,
				 .service = &service,
				 .query = query_value};

	bb_buf_fini(&res.body);
	res = (struct bb_response){0};
	bb_route_run(&req, &res);
	bb_buf_byte(&res.body, '\0');
	return res.status;
}

#define ADMIN (BB_ROLE_READ | BB_ROLE_ADMIN)

Test(serve, rebuild_is_an_administrators, .init = setup, .fini = teardown)
{
	cr_expect_eq(ask("POST", BB_ROLE_READ), 403);
	cr_expect_eq(ask("DELETE", BB_ROLE_READ | BB_ROLE_PRIVACY), 403);
	cr_expect_eq(app.asked + app.cancelled, 0);
	cr_expect_eq(ask("GET", BB_ROLE_READ), 200);
	cr_expect_not_null(strstr(res.body.p, "\"running\":null"), "%s", res.body.p);
	cr_expect_eq(ask("PUT", ADMIN), 405);
}

Test(serve, rebuild_passes_on_who_asks_and_what_is_accepted, .init = setup, .fini = teardown)
{
	cr_expect_eq(ask("POST", ADMIN), 202);
	cr_expect(app.asked == 1 && !app.accepts && app.uid == 1234);
	cr_expect_not_null(strstr(res.body.p, "\"run\":"), "%s", res.body.p);
	accept_loss = "1";
	cr_expect_eq(ask("POST", ADMIN), 202);
	cr_expect(app.asked == 2 && app.accepts);
	cr_expect_eq(ask("DELETE", ADMIN), 202);
	cr_expect_eq(app.cancelled, 1);
}

Test(serve, rebuild_says_why_not, .init = setup, .fini = teardown)
{
	static const struct {
		const char *method;
		int code;
		unsigned status;
		const char *said;
	} rows[] = {
		{"POST", BB_EBUSY, 409, "not now"},
		{"POST", BB_EGAP, 409, "not now"},
		{"DELETE", BB_ENOTFOUND, 404, "none is under way"},
		{"DELETE", BB_EBUSY, 409, "none is under way"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		app.code = rows[i].code;
		cr_expect_eq(ask(rows[i].method, ADMIN), rows[i].status, "row %zu", i);
		cr_expect_not_null(strstr(res.body.p, rows[i].said), "row %zu: %s", i, res.body.p);
	}
	service.rebuild = NULL;
	service.rebuild_cancel = NULL;
	cr_expect_eq(ask("POST", ADMIN), 503);
	cr_expect_eq(ask("DELETE", ADMIN), 404);
}
