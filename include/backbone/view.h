/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The single customer view: found by any identifier or profile id in a snapshot, folded, written as
 * JSON.
 *
 * Thread: a viewer belongs to one thread (it caches interned names); a snapshot is the caller's.
 * Slices in a `struct bb_view` live until the next find or fold on the same viewer, or the end of
 * the snapshot.
 */
#ifndef BACKBONE_VIEW_H
#define BACKBONE_VIEW_H

#include <backbone/buf.h>
#include <backbone/event.h>
#include <backbone/kv.h>
#include <backbone/rules.h>

struct bb_viewer;

struct bb_viewer *bb_viewer_new(const struct bb_rules *rules);
void bb_viewer_free(struct bb_viewer *viewer); /* NULL-safe */

/* Where a look-up leads. */
struct bb_found {
	uint64_t cluster;		  /* internal number of the profile in this snapshot */
	char id[BB_PROFILE_ID_BYTES + 1]; /* its id now, terminated */
};

/*
 * `key` is `ns:value` (made canonical first) or a profile id, today's or an old one.
 * BB_OK; BB_ENOTFOUND: nobody; BB_EINVAL: not a key; BB_EACCESS: the identifier is blocked; or the
 * store's error.
 */
BB_MUST_CHECK int bb_viewer_find(struct bb_viewer *viewer, struct bb_kv *kv, struct bb_text key,
				 struct bb_found *ret_found);

struct bb_view_identifier {
	struct bb_text ns, value;
	uint64_t events;
	int64_t first_ms, last_ms; /* valid if events > 0 */
	bool shared;
};

struct bb_view_activity { /* of a channel or an event type */
	struct bb_text name;
	uint64_t events;
	int64_t first_ms, last_ms;
};

struct bb_view_origin { /* where a value comes from */
	struct bb_text source, id;
	int64_t time_ms;
	struct bb_position position;
};

struct bb_view_attribute {
	struct bb_text name;
	struct bb_value value;
	struct bb_view_origin origin; /* source.p NULL for sum and union */
};

struct bb_view_revenue {
	char currency[4];      /* terminated */
	struct bb_text amount; /* plain decimal */
	uint64_t count;
};

struct bb_view_consent {
	struct bb_text slot; /* purpose:channel */
	bool granted;
	int64_t time_ms;
};

struct bb_view_recent {
	int64_t time_ms;
	struct bb_text type, source, id;
};

struct bb_view {
	char id[BB_PROFILE_ID_BYTES + 1];
	struct bb_view_identifier *identifiers;
	size_t identifier_n;
	struct bb_view_attribute *attributes; /* sorted by name, as all maps here */
	size_t attribute_n;
	struct bb_view_activity *channels, *types;
	size_t channel_n, type_n;
	struct bb_view_revenue *revenue;
	size_t revenue_n;
	struct bb_view_consent *consent;
	size_t consent_n;
	struct bb_view_recent *recent;
	size_t recent_n;
	uint64_t events;
	int64_t first_ms, last_ms; /* valid if events > 0 */
};

/* Folds the profile; *ret_view points into the viewer. */
BB_MUST_CHECK int bb_viewer_fold(struct bb_viewer *viewer, struct bb_kv *kv, uint64_t cluster,
				 const struct bb_view **ret_view);

/* Members of the JSON, for projections. `profile` is always there. */
/* clang-format-14 never comes to rest over this list. */
/* clang-format off */
#define BB_VIEW_PARTS(X) \
	X(IDENTIFIERS, "identifiers") X(ATTRIBUTES, "attributes") X(CHANNELS, "channels") \
	X(ACTIVITY, "activity") X(REVENUE, "revenue") X(CONSENT, "consent") X(RECENT, "recent") \
	X(EVENTS, "events") X(FIRST_SEEN, "first_seen") X(LAST_SEEN, "last_seen")
/* clang-format on */
enum bb_view_part {
#define X(name, text) BB_VIEW_##name,
	BB_VIEW_PARTS(X)
#undef X
		BB_VIEW_PART_COUNT
};
#define BB_VIEW_ALL ((1u << BB_VIEW_PART_COUNT) - 1)

/*
 * Appends the JSON of view.md §6, to the byte, no line feed; `parts` is a mask of 1 << enum
 * bb_view_part. With `provenance`, a last member `provenance`: attribute -> {source, id, time,
 * position}.
 */
void bb_view_json(const struct bb_view *view, unsigned parts, bool provenance, struct bb_buf *buf);

/*
 * Where the key is a shared identifier: appends `"owners":[{"ns":...,"value":...},...]` with the
 * identifiers of owner namespaces other than its own that came with it, by strength, then bytes.
 * Looks at BB_OWNERS_RECORDS_MAX of its records and gives BB_OWNERS_MAX at most; where there may be
 * more, `,"owners_more":true` follows. Else appends nothing. A view of the viewer's is void
 * afterwards. BB_OK, an error of bb_viewer_find, BB_ECORRUPT or the store's.
 */
#define BB_OWNERS_MAX 100
#define BB_OWNERS_RECORDS_MAX 256
BB_MUST_CHECK int bb_viewer_owners(struct bb_viewer *viewer, struct bb_kv *kv, struct bb_text key,
				   struct bb_buf *buf);

/*
 * Every profile of the snapshot in the store's order: start with *cursor = 0; each call gives the
 * next cluster. BB_ENOTFOUND at the end.
 */
BB_MUST_CHECK int bb_viewer_next(struct bb_viewer *viewer, struct bb_kv *kv, uint64_t *cursor,
				 uint64_t *ret_cluster);

/*
 * A digest of the whole state that no order changes: the sum, modulo 2^128, of the BLAKE2b-128 of
 * each view's JSON and each ruling's; with the number of profiles. Walks everything: for a pool
 * thread or a tool, not for the loop.
 */
struct bb_digest {
	struct bb_hash sum;
	uint64_t profiles;
};
BB_MUST_CHECK int bb_viewer_digest(struct bb_viewer *viewer, struct bb_kv *kv,
				   struct bb_digest *ret_digest);

#endif
