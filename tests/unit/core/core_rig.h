/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of identity and folding share: a store in memory, a pipeline and a viewer over
 * rules made by hand, and events written as text.
 */
#ifndef BACKBONE_TEST_CORE_RIG_H
#define BACKBONE_TEST_CORE_RIG_H

#include <backbone/clock.h>
#include <backbone/gate.h>
#include <backbone/message.h>
#include <backbone/pipeline.h>
#include <backbone/view.h>
#include <criterion/criterion.h>
#include <kvmem.h>

#define CORE_T0 INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

/* Strongest first: crm and card are owners; mail and phone are not; dev is no durable one. */
enum { CORE_CRM, CORE_CARD, CORE_MAIL, CORE_PHONE, CORE_DEV, CORE_NAMESPACES };

struct core_rig {
	struct bb_rules rules;
	struct bb_namespace ns[CORE_NAMESPACES];
	struct bb_kvmem *mem;
	struct bb_kv *kv; /* of the open batch */
	struct bb_pipeline *pl;
	struct bb_viewer *viewer;
	struct bb_arena arena;
	struct bb_refusal refusal;
	struct bb_buf buf;
	unsigned number; /* of the next event */
};

void core_rig_init(struct core_rig *rig);
void core_rig_fini(struct core_rig *rig);

/* A store without anything, and a pipeline that knows nothing. */
void core_rig_restart(struct core_rig *rig);

/*
 * An event of source `shop` with the next id; `ids` is `ns:value ns:value`, and `a=b` between two
 * of one namespace (`crm:1=crm:2`) is a `same` fact. Not yet applied.
 */
struct bb_event *core_event(struct core_rig *rig, int64_t time_ms, const char *ids);

/* What an event may hold besides. */
void core_attribute(struct core_rig *rig, struct bb_event *ev, const char *name, const char *text);
void core_amount(struct bb_event *ev, const char *value, const char *key);

/* Through the gate, into the open batch (one is begun if there is none). */
enum bb_verdict core_apply(struct core_rig *rig, struct bb_event *ev);

/* Ends the batch: BB_OK, or the error, then everything of it is gone. */
int core_end(struct core_rig *rig);

/* core_event, core_apply, core_end. */
void core_say(struct core_rig *rig, int64_t time_ms, const char *ids);

/* The view by a key; p NULL: BB_ENOTFOUND. Lives until the next call. */
struct bb_text core_view(struct core_rig *rig, const char *key);
int core_find(struct core_rig *rig, const char *key, struct bb_found *ret_found);
bool core_has(struct bb_text view, const char *part);
/* Whether two identifiers are in one profile. */
bool core_together(struct core_rig *rig, const char *a, const char *b);
struct bb_digest core_digest(struct core_rig *rig);
struct bb_pipeline_stats core_stats(const struct core_rig *rig);

#define CORE_VIEW_HAS(rig, key, part)                                                              \
	do {                                                                                       \
		struct bb_text view_ = core_view((rig), (key));                                    \
		cr_expect(core_has(view_, (part)), "%s: no %s in %.*s", (key), (part),             \
			  (int)view_.n, view_.p ? view_.p : "");                                   \
	} while (0)

#define CORE_TOGETHER(rig, a, b)                                                                   \
	cr_expect(core_together((rig), (a), (b)), "%s and %s are apart", (a), (b))
#define CORE_APART(rig, a, b)                                                                      \
	cr_expect(!core_together((rig), (a), (b)), "%s and %s are together", (a), (b))

#endif
