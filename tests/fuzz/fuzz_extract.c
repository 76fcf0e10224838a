/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event extraction by the connectors of extract/ here, which have every operator, format and
 * envelope, and by the shipped ones. Whatever a message is, each element ends as an event, a skip
 * or a refusal, an event passes the gate or is refused by name, and what is kept of the message can
 * be read as well.
 */
#include "fuzz.h"

#include <backbone/assert.h>
#include <backbone/gate.h>

#include "plans.h"

static struct bb_namespace namespaces[8];
static struct bb_rules rules;

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
	plans_load("tests/fuzz/extract/*.yaml");
	plans_load("connectors/*/*/connector.yaml");
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

static void run(const struct bb_connector *connector, const struct bb_message *msg,
		struct bb_arena *arena)
{
	struct bb_extraction extraction = {0};

	bb_connector_run(connector, msg, arena, &extraction);
	bb_assert(extraction.n > 0);
	for (size_t i = 0; i < extraction.n; i++)
		check(&extraction.items[i], arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct bb_connector *connector;
	struct bb_message msg, kept;
	struct bb_arena arena;

	if (n < PLANS_BYTES)
		return 0;
	connector = plans_choose(data, n, &msg);
	bb_arena_init(&arena);
	run(connector, &msg, &arena);
	kept = bb_connector_redact(connector, &msg, &arena);
	bb_assert(kept.header_n == msg.header_n);
	bb_assert(msg.value.p || !kept.value.p);
	run(connector, &kept, &arena);
	bb_arena_fini(&arena);
	return 0;
}
