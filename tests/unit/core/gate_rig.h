/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the gate share: five namespaces, an event that is right, and ways to fill it.
 */
#ifndef BACKBONE_TEST_GATE_RIG_H
#define BACKBONE_TEST_GATE_RIG_H

#include <backbone/buf.h>
#include <backbone/gate.h>
#include <criterion/criterion.h>

enum { RIG_CRM, RIG_EMAIL, RIG_EMAIL_SHA256, RIG_COOKIE, RIG_NAMESPACES };

struct rig {
	struct bb_rules rules;
	struct bb_namespace namespaces[RIG_NAMESPACES];
	struct bb_arena arena;
	struct bb_event ev;
	struct bb_refusal refusal;
};

static inline void rig_init(struct rig *rig)
{
	memset(rig, 0, sizeof(*rig));
	bb_arena_init(&rig->arena);
	bb_rules_defaults(&rig->rules);
	bb_rules_namespace_defaults(&rig->namespaces[RIG_CRM], "crm", true, true);
	bb_rules_namespace_defaults(&rig->namespaces[RIG_EMAIL], "email", false, true);
	bb_rules_namespace_defaults(&rig->namespaces[RIG_EMAIL_SHA256], "email_sha256", false,
				    true);
	bb_rules_namespace_defaults(&rig->namespaces[RIG_COOKIE], "cookie", false, false);
	rig->namespaces[RIG_EMAIL].normaliser = BB_NORMALISE_EMAIL;
	rig->namespaces[RIG_EMAIL_SHA256].normaliser = BB_NORMALISE_HEX;
	rig->rules.namespaces = rig->namespaces;
	rig->rules.namespace_n = RIG_NAMESPACES;
	rig->ev = (struct bb_event){
		.source = BB_TEXT("shop"),
		.type = BB_TEXT("sale"),
		.id = BB_TEXT("e-1"),
		.time_ms = INT64_C(1767225600000),
		.has_time = true,
		.log_ms = -1,
	};
}

static inline void rig_fini(struct rig *rig)
{
	bb_arena_fini(&rig->arena);
}

static inline enum bb_gate_result rig_run(struct rig *rig)
{
	return bb_gate(&rig->rules, &rig->ev, &rig->arena, &rig->refusal);
}

static inline void rig_identifier(struct rig *rig, const char *ns, const char *value)
{
	struct bb_event *ev = &rig->ev;

	BB_ARENA_PUSH(&rig->arena, ev->identifiers, ev->identifier_n,
		      ev->identifier_room) = (struct bb_identifier){
		.ns = bb_text_of(ns), .value = bb_text_of(value), .ns_index = BB_NS_UNKNOWN};
}

/* A value made by printf. */
#define rig_numbered(rig, ns, ...)                                                                 \
	do {                                                                                       \
		struct bb_text made = bb_arena_printf(&(rig)->arena, __VA_ARGS__);                 \
		rig_identifier((rig), (ns), "");                                                   \
		(rig)->ev.identifiers[(rig)->ev.identifier_n - 1].value = made;                    \
	} while (0)

static inline void rig_same(struct rig *rig, const char *ns_a, const char *a, const char *ns_b,
			    const char *b)
{
	struct bb_event *ev = &rig->ev;

	BB_ARENA_PUSH(&rig->arena, ev->same, ev->same_n, ev->same_room) = (struct bb_same){
		{{.ns = bb_text_of(ns_a), .value = bb_text_of(a), .ns_index = BB_NS_UNKNOWN},
		 {.ns = bb_text_of(ns_b), .value = bb_text_of(b), .ns_index = BB_NS_UNKNOWN}}};
}

static inline void rig_attribute(struct rig *rig, const char *name, struct bb_value value)
{
	struct bb_event *ev = &rig->ev;

	BB_ARENA_PUSH(&rig->arena, ev->attributes, ev->attribute_n, ev->attribute_room) =
		(struct bb_attribute){bb_text_of(name), value, BB_AT_EVENT};
}

#endif
