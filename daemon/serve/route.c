/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of routes and what they answer. A request finds its row by path, then by method; the
 * role is checked before the handler sees anything.
 *
 * What a client does wrong is a problem with a 4xx status that says what is allowed; what the store
 * cannot do is a 500 or 503. Nothing here blocks: the longest route is a bounded walk.
 */
#include "route.h"

#include <backbone/deadletter.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEAD_LETTERS = 20, DEAD_LETTERS_MAX = 100, PAGE_BYTES = 4 * 1024 * 1024 };

static void get_healthz(const struct bb_request *req, struct bb_text rest, struct bb_response *res)
{
	(void)req, (void)rest;
	bb_buf_printf(&res->body, "{\"status\":\"alive\"}\n");
}

static void get_readyz(const struct bb_request *req, struct bb_text rest, struct bb_response *res)
{
	struct bb_status status;

	(void)rest;
	bb_service_status(req->service, &status);
	res->status = status.ready ? 200 : 503;
	bb_buf_printf(&res->body, "{\"ready\":%s,", status.ready ? "true" : "false");
	bb_status_reasons_json(&status, &res->body);
	bb_buf_printf(&res->body, "}\n");
}

static void get_metrics(const struct bb_request *req, struct bb_text rest, struct bb_response *res)
{
	struct bb_status status;

	(void)rest;
	bb_service_status(req->service, &status);
	bb_status_metrics(req->service, &status);
	res->type = "text/plain; version=0.0.4; charset=utf-8";
	bb_metrics_render(req->service->metrics, &res->body);
}

static void get_status(const struct bb_request *req, struct bb_text rest, struct bb_response *res)
{
	struct bb_status status;

	(void)rest;
	bb_service_status(req->service, &status);
	bb_status_json(&status, &req->service->stats, &res->body);
	bb_buf_byte(&res->body, '\n');
}

static void get_config(const struct bb_request *req, struct bb_text rest, struct bb_response *res)
{
	(void)rest;
	bb_config_json(req->service->config, &res->body);
	bb_buf_byte(&res->body, '\n');
}

void bb_route_nobody(const struct bb_request *req, int err, struct bb_text key,
		     struct bb_response *res)
{
	struct bb_buf why = BB_BUF_EMPTY;

	switch (err) {
	case BB_ENOTFOUND:
		bb_route_problem(res, 404, "no profile is known by this key");
		break;
	case BB_EACCESS:
		bb_route_problem(res, 404, "the identifier is blocked: it names nobody");
		break;
	case BB_EINVAL:
		bb_lookup_explain(&req->service->lookup, key, &why);
		bb_route_problem(res, 400, "%.*s", (int)why.n, why.p);
		break;
	default:
		bb_route_problem(res, 500, "store: %s", bb_error_text(err));
		break;
	}
	bb_buf_fini(&why);
}

typedef bool decoder(struct bb_text text, struct bb_arena *arena, struct bb_text *ret_text);

/* Undoes percent-encoding. A value of an identifier may hold NUL bytes, as texts of JSON may. */
static bool decode(struct bb_text text, struct bb_arena *arena, struct bb_text *ret_text)
{
	char *out = bb_arena_alloc(arena, text.n);
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		int high, low;

		if (text.p[i] != '%') {
			out[n++] = text.p[i];
			continue;
		}
		if (i + 2 >= text.n)
			return false;
		high = bb_text_hex_digit(text.p[i + 1]);
		low = bb_text_hex_digit(text.p[i + 2]);
		if (high < 0 || low < 0)
			return false;
		out[n++] = (char)(high * 16 + low);
		i += 2;
	}
	*ret_text = (struct bb_text){out, n};
	return bb_text_is_utf8(*ret_text);
}

bool bb_route_decode(struct bb_text text, struct bb_arena *arena, struct bb_text *ret_text)
{
	return decode(text, arena, ret_text) && !memchr(ret_text->p, 0, ret_text->n);
}

static struct bb_text join(struct bb_text ns, struct bb_text value, struct bb_arena *arena)
{
	char *key = bb_arena_alloc(arena, ns.n + 1 + value.n);

	memcpy(key, ns.p, ns.n);
	key[ns.n] = ':';
	memcpy(key + ns.n + 1, value.p, value.n);
	return (struct bb_text){key, ns.n + 1 + value.n};
}

bool bb_route_key(const struct bb_request *req, struct bb_text rest, const char *what,
		  struct bb_response *res, struct bb_text *ret_key)
{
	const char *slash = rest.n > 0 ? memchr(rest.p, '/', rest.n) : NULL;
	struct bb_arena *arena = &req->service->scratch;
	struct bb_text ns, value;

	if (rest.n == 0) {
		bb_route_problem(res, 400, "expected %s/{ns}/{value} or %s/{id}", what, what);
		return false;
	}
	ns = slash ? (struct bb_text){rest.p, (size_t)(slash - rest.p)} : rest;
	value = slash ? (struct bb_text){slash + 1, rest.n - ns.n - 1} : BB_TEXT("");
	if (!decode(ns, arena, &ns) || !decode(value, arena, &value)) {
		bb_route_problem(res, 400, "the path is not percent-encoded UTF-8");
		return false;
	}
	*ret_key = slash ? join(ns, value, arena) : ns;
	return true;
}

static bool query(const struct bb_request *req, const char *name, decoder *decode_raw,
		  struct bb_response *res, struct bb_text *ret_text)
{
	const char *raw = req->query(req->query_ctx, name);

	*ret_text = bb_text_of(raw);
	if (!raw || decode_raw(*ret_text, &req->service->scratch, ret_text))
		return true;
	bb_route_problem(res, 400, "%s: not percent-encoded UTF-8", name);
	return false;
}

bool bb_route_query(const struct bb_request *req, const char *name, struct bb_response *res,
		    struct bb_text *ret_text)
{
	return query(req, name, bb_route_decode, res, ret_text);
}

bool bb_route_query_key(const struct bb_request *req, const char *name, struct bb_response *res,
			struct bb_text *ret_key)
{
	return query(req, name, decode, res, ret_key);
}

/* `?fields=a,b&provenance=1`. False: a problem. */
static bool projection_of_query(const struct bb_request *req, struct bb_response *res,
				unsigned *ret_parts, bool *ret_provenance)
{
	struct bb_text fields, provenance, bad;
	struct bb_buf list = BB_BUF_EMPTY;

	if (!bb_route_query(req, "fields", res, &fields) ||
	    !bb_route_query(req, "provenance", res, &provenance))
		return false;
	*ret_provenance = bb_text_equal(provenance, BB_TEXT("1"));
	if (!fields.p || bb_lookup_parts(fields, ret_parts, &bad))
		return true;
	bb_lookup_parts_list(&list);
	bb_route_problem(res, 400, "no field %.*s in a view; there are: %.*s",
			 bad.n > 64 ? 64 : (int)bad.n, bad.p, (int)list.n, list.p);
	bb_buf_fini(&list);
	return false;
}

static void get_profile(const struct bb_request *req, struct bb_text rest, struct bb_response *res)
{
	unsigned parts = BB_VIEW_ALL;
	const struct bb_view *view;
	bool provenance = false;
	struct bb_text key;
	int err;

	if (!projection_of_query(req, res, &parts, &provenance) ||
	    !bb_route_key(req, rest, "/v1/profiles", res, &key))
		return;
	err = bb_lookup_view(&req->service->lookup, key, &view);
	if (err == BB_OK) {
		bb_view_json(view, parts, provenance, &res->body);
		bb_buf_byte(&res->body, '\n');
	} else {
		bb_route_nobody(req, err, key, res);
	}
	bb_lookup_end(&req->service->lookup);
}

bool bb_route_number(const struct bb_request *req, const char *name, uint64_t fallback,
		     struct bb_response *res, uint64_t *ret_value)
{
	const char *text = req->query(req->query_ctx, name);
	size_t n = text ? strspn(text, "0123456789") : 0;

	*ret_value = text ? strtoull(text, NULL, 10) : fallback;
	if (!text || (n > 0 && n <= 18 && text[n] == '\0'))
		return true;
	bb_route_problem(res, 400, "%s: expected a whole number", name);
	return false;
}

bool bb_route_limit(const struct bb_request *req, uint64_t fallback, uint64_t most,
		    struct bb_response *res, uint64_t *ret_limit)
{
	if (!bb_route_number(req, "limit", fallback, res, ret_limit))
		return false;
	if (*ret_limit > 0 && *ret_limit <= most)
		return true;
	bb_route_problem(res, 400, "limit: expected 1 to %llu", (unsigned long long)most);
	return false;
}

static int append_dead_letters(const struct bb_request *req, uint64_t from, uint64_t limit,
			       struct bb_buf *body)
{
	struct bb_arena *arena = &req->service->scratch;
	uint64_t number = 0;
	struct bb_kv *kv;
	int err = bb_lookup_begin(&req->service->lookup, &kv);

	bb_buf_printf(body, "{\"dead_letters\":[");
	for (uint64_t i = 0; err == BB_OK && i <= limit; i++) {
		struct bb_deadletter letter;

		bb_arena_reset(arena);
		err = bb_deadletter_seek(kv, from, arena, &number, &letter);
		if (err != BB_OK || i == limit || body->n > PAGE_BYTES)
			break;
		if (i > 0)
			bb_buf_byte(body, ',');
		bb_deadletter_json(number, &letter, body);
		from = number + 1;
	}
	if (err == BB_OK)
		bb_buf_printf(body, "],\"next\":%llu}\n", (unsigned long long)number);
	else if (err == BB_ENOTFOUND)
		bb_buf_printf(body, "],\"next\":null}\n");
	return err == BB_ENOTFOUND ? BB_OK : err;
}

static void get_dead_letters(const struct bb_request *req, struct bb_text rest,
			     struct bb_response *res)
{
	uint64_t from, limit;
	int err;

	(void)rest;
	if (!bb_route_number(req, "from", 0, res, &from) ||
	    !bb_route_limit(req, DEAD_LETTERS, DEAD_LETTERS_MAX, res, &limit))
		return;
	err = append_dead_letters(req, from, limit, &res->body);
	if (err != BB_OK)
		bb_route_problem(res, 500, "store: %s", bb_error_text(err));
	bb_lookup_end(&req->service->lookup);
}

const struct bb_route bb_routes[] = {
	{"GET", "/healthz", 0, get_healthz},
	{"GET", "/readyz", 0, get_readyz},
	{"GET", "/metrics", BB_ROLE_READ, get_metrics},
	{"GET", "/v1/status", BB_ROLE_READ, get_status},
	{"GET", "/v1/profiles/", BB_ROLE_READ, get_profile},
	{"GET", "/v1/explain", BB_ROLE_READ, bb_route_explain},
	{"GET", "/v1/changes", BB_ROLE_READ, bb_route_changes},
	{"GET", "/v1/history", BB_ROLE_READ, bb_route_history},
	{"GET", "/v1/dead-letters", BB_ROLE_ADMIN, get_dead_letters},
	{"POST", "/v1/purge", BB_ROLE_ADMIN, bb_route_purge},
	{"POST", "/v1/rebuild", BB_ROLE_ADMIN, bb_route_rebuild},
	{"GET", "/v1/rebuild", BB_ROLE_READ, bb_route_rebuild_get},
	{"DELETE", "/v1/rebuild", BB_ROLE_ADMIN, bb_route_rebuild_delete},
	{"GET", "/v1/connectors", BB_ROLE_READ, bb_route_connectors},
	{"POST", "/v1/connectors/reload", BB_ROLE_ADMIN, bb_route_reload},
	{"POST", "/v1/replays", BB_ROLE_ADMIN, bb_route_replays},
	{"GET", "/v1/config", BB_ROLE_ADMIN, get_config},
	{"GET", "/v1/identifiers", BB_ROLE_ADMIN, bb_route_identifiers},
	{"GET", "/v1/rulings", BB_ROLE_STEWARD, bb_route_rulings_get},
	{"POST", "/v1/rulings", BB_ROLE_STEWARD, bb_route_rulings_post},
	{"GET", "/v1/rulings/", BB_ROLE_STEWARD, bb_route_ruling_get},
	{"DELETE", "/v1/rulings/", BB_ROLE_STEWARD, bb_route_ruling_delete},
	{"GET", "/v1/erasures", BB_ROLE_PRIVACY, bb_route_erasures_get},
	{"POST", "/v1/erasures", BB_ROLE_PRIVACY, bb_route_erasures_post},
	{"GET", "/v1/exports/", BB_ROLE_PRIVACY, bb_route_export},
	{"GET", "/v1/audit", BB_ROLE_PRIVACY | BB_ROLE_ADMIN, bb_route_audit},
	{"GET", "/v1/audit/verify", BB_ROLE_PRIVACY | BB_ROLE_ADMIN, bb_route_audit_verify},
};
const size_t bb_route_n = sizeof(bb_routes) / sizeof(bb_routes[0]);

static const char *reason_of(unsigned status)
{
	switch (status) {
	case 400:
		return "Bad Request";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 409:
		return "Conflict";
	case 410:
		return "Gone";
	case 422:
		return "Unprocessable Content";
	case 413:
		return "Content Too Large";
	case 500:
		return "Internal Server Error";
	default:
		return "Service Unavailable";
	}
}

void bb_route_problem(struct bb_response *res, unsigned status, const char *fmt, ...)
{
	char detail[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(detail, sizeof(detail), fmt, args);
	va_end(args);
	res->status = status;
	res->type = "application/problem+json";
	res->body.n = 0;
	bb_buf_printf(&res->body,
		      "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u,\"detail\":",
		      reason_of(status), status);
	bb_buf_json(&res->body, bb_text_of(detail));
	bb_buf_printf(&res->body, "}\n");
}

static bool path_matches(const struct bb_route *route, struct bb_text path,
			 struct bb_text *ret_rest)
{
	size_t n = strlen(route->path);
	bool is_prefix = route->path[n - 1] == '/';

	if (path.n < n || memcmp(path.p, route->path, n) != 0 || (!is_prefix && path.n > n))
		return false;
	*ret_rest = (struct bb_text){path.p + n, path.n - n};
	return true;
}

static void refuse_role(unsigned role, struct bb_response *res)
{
	const char *names = role & BB_ROLE_STEWARD    ? "steward"
			    : role == BB_ROLE_PRIVACY ? "privacy"
			    : role & BB_ROLE_ADMIN    ? "admin"
						      : "read";

	bb_route_problem(res, 403,
			 "your user does not have the role %s; members of the admin socket's "
			 "group have it, or of the group that the configuration names for it",
			 names);
}

void bb_route_run(const struct bb_request *req, struct bb_response *res)
{
	bool is_head = strcmp(req->method, "HEAD") == 0;
	struct bb_arena *scratch = &req->service->scratch;
	const char *allow = NULL;

	res->status = 200;
	res->type = "application/json";
	bb_arena_reset(scratch);
	for (size_t i = 0; i < bb_route_n; i++) {
		const struct bb_route *route = &bb_routes[i];
		struct bb_text rest;

		if (!path_matches(route, req->path, &rest))
			continue;
		allow = allow ? bb_arena_printf(scratch, "%s, %s", allow, route->method).p
			      : route->method;
		if (strcmp(route->method, is_head ? "GET" : req->method) != 0)
			continue;
		if (route->role && !(req->roles & route->role))
			refuse_role(route->role, res);
		else
			route->run(req, rest, res);
		return;
	}
	if (!allow) {
		bb_route_problem(res, 404, "no such route; see the manual, or /v1/status");
		return;
	}
	bb_route_problem(res, 405, "this route takes %s", allow);
	res->allow = allow;
}
