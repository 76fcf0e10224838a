/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event extraction: the first byte of an input chooses a connector (`direct`, operators.yaml, then
 * the shipped ones), the second the headers that come along, the rest is the message. Whatever it
 * is, each element ends as an event, a skip or a refusal, and an event passes the gate or is
 * refused by name.
 */
#include "fuzz.h"

#include <backbone/assert.h>
#include <backbone/connector.h>
#include <backbone/gate.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#define CONNECTORS_MAX 256 /* as a byte can choose */

static struct bb_connector *connectors[CONNECTORS_MAX];
static size_t connector_n;
static struct bb_namespace namespaces[8];
static struct bb_rules rules;

static const struct bb_header shop[] = {
	{{"X-Shopify-Topic", 15}, {"orders/create", 13}},
	{{"X-Shopify-Shop-Domain", 21}, {"shop.example", 12}},
};
static const struct bb_header refund[] = {
	{{"X-Shopify-Topic", 15}, {"refunds/create", 14}},
	{{"X-Shopify-Webhook-Id", 20}, {NULL, 0}},
};
static const struct bb_header merge[] = {
	{{"X-Shopify-Topic", 15}, {"customers/merge", 15}},
	{{"X-Shopify-Shop-Domain", 21}, {"shop.example", 12}},
};
static const struct bb_header *const header_sets[] = {NULL, shop, refund, merge};

static void compile(const char *path, struct bb_arena *arena)
{
	struct bb_diagnostics diagnostics = {.arena = arena};
	char *text = malloc(1 << 20);
	FILE *file = fopen(path, "rb");
	size_t n;

	bb_assert(text && file && connector_n < CONNECTORS_MAX);
	n = fread(text, 1, 1 << 20, file);
	fclose(file);
	connectors[connector_n] =
		bb_connector_compile(path, (struct bb_text){text, n}, NULL, &diagnostics);
	bb_assert(connectors[connector_n]);
	connector_n++;
	free(text);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const struct {
		const char *name;
		bool owner, durable;
		enum bb_normaliser normaliser;
	} known[] = {
		{"user_id", true, true, BB_NORMALISE_TRIM},
		{"shopify_customer", true, true, BB_NORMALISE_TRIM},
		{"email", false, true, BB_NORMALISE_EMAIL},
		{"phone", false, true, BB_NORMALISE_PHONE},
		{"anonymous_id", false, false, BB_NORMALISE_LOWER},
	};
	struct bb_arena arena;
	glob_t found;

	(void)argc, (void)argv;
	bb_rules_defaults(&rules);
	rules.namespaces = namespaces;
	for (; rules.namespace_n < sizeof(known) / sizeof(*known); rules.namespace_n++) {
		struct bb_namespace *ns = &namespaces[rules.namespace_n];

		bb_rules_namespace_defaults(ns, known[rules.namespace_n].name,
					    known[rules.namespace_n].owner,
					    known[rules.namespace_n].durable);
		ns->normaliser = known[rules.namespace_n].normaliser;
	}
	connectors[connector_n++] = bb_connector_direct(NULL, 0);
	bb_arena_init(&arena);
	compile(BB_SOURCE_DIR "/tests/fuzz/operators.yaml", &arena);
	if (glob(BB_SOURCE_DIR "/connectors/*/*/connector.yaml", 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			compile(found.gl_pathv[i], &arena);
		globfree(&found);
	}
	bb_arena_fini(&arena);
	return 0;
}

static void check(struct bb_extracted *item, struct bb_arena *arena)
{
	struct bb_refusal refusal = {0};
	struct bb_buf buf = BB_BUF_EMPTY;

	if (item->kind == BB_EXTRACTED_RULING &&
	    bb_ruling_check(&rules, item->ruling, arena, &refusal))
		bb_ruling_json(item->ruling, &buf);
	if (item->kind != BB_EXTRACTED_EVENT) {
		bb_buf_fini(&buf);
		return;
	}
	if (bb_gate(&rules, item->event, arena, &refusal) == BB_GATE_PASS) {
		bb_assert(item->event->identifier_n <= BB_EVENT_IDENTIFIERS_MAX);
		bb_event_json(item->event, &buf);
	}
	bb_buf_fini(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct bb_message msg = {.topic = BB_TEXT("topic"),
				 .timestamp_ms = 1767225600000,
				 .key = BB_TEXT("key"),
				 .from_log = true};
	const struct bb_connector *connector;
	struct bb_extraction extraction = {0};
	struct bb_arena arena;

	if (n < 2)
		return 0;
	connector = connectors[data[0] % connector_n];
	msg.headers = header_sets[data[1] % 4];
	msg.header_n = msg.headers ? 2 : 0;
	msg.value = (struct bb_text){(const char *)data + 2, n - 2};
	bb_arena_init(&arena);
	bb_connector_run(connector, &msg, &arena, &extraction);
	bb_assert(extraction.n > 0);
	for (size_t i = 0; i < extraction.n; i++)
		check(&extraction.items[i], &arena);
	(void)bb_connector_redact(connector, &msg, &arena);
	bb_arena_fini(&arena);
	return 0;
}
