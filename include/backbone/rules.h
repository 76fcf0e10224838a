/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of identity and folding: identity.md §2 and the `view:` part of the configuration.
 * Immutable once compiled, shared by all threads. Made by the configuration loader, or by hand in
 * tests.
 */
#ifndef BACKBONE_RULES_H
#define BACKBONE_RULES_H

#include <backbone/arena.h>
#include <backbone/error.h>
#include <backbone/hash.h>

#define BB_NO_LIMIT UINT32_MAX
#define BB_NAMESPACES_MAX 1000
#define BB_NAMESPACE_NAME_MAX 40

#define BB_PREFERENCES(X) X(NEWEST, "newest") X(OLDEST, "oldest") X(MOST, "most")
enum bb_prefer {
#define X(name, text) BB_PREFER_##name,
	BB_PREFERENCES(X)
#undef X
};

/* clang-format-14 never comes to rest over this list. */
/* clang-format off */
#define BB_NORMALISERS(X) \
	X(NONE, "none") X(TRIM, "trim") X(LOWER, "lower") X(EMAIL, "email") \
	X(PHONE, "phone") X(DIGITS, "digits") X(UUID, "uuid") X(HEX, "hex")
/* clang-format on */
enum bb_normaliser {
#define X(name, text) BB_NORMALISE_##name,
	BB_NORMALISERS(X)
#undef X
};

#define BB_FOLD_RULES(X)                                                                           \
	X(LATEST, "latest")                                                                        \
	X(FIRST, "first") X(MIN, "min") X(MAX, "max") X(SUM, "sum") X(UNION, "union")
enum bb_fold_rule {
#define X(name, text) BB_FOLD_##name,
	BB_FOLD_RULES(X)
#undef X
};

struct bb_pattern; /* a compiled `block` pattern; see normalise.h */

struct bb_namespace {
	const char *name;
	bool owner, durable, junk;
	uint32_t per_profile, owners, links, devices, records; /* BB_NO_LIMIT: none */
	enum bb_prefer prefer;
	enum bb_normaliser normaliser;
	const char *region; /* ISO 3166 two letters, or NULL */
	struct bb_pattern *const *block;
	size_t block_n;
	const char *const *derive; /* names of derivations: email_sha256 */
	size_t derive_n;
};

struct bb_attribute_rule {
	const char *name;
	enum bb_fold_rule rule;
};

struct bb_rules {
	struct bb_namespace *namespaces; /* strongest first; the index is the strength */
	size_t namespace_n;
	uint32_t max_identifiers;
	struct bb_profile_key profile_key;
	const char *const *sources; /* precedence, most trusted first */
	size_t source_n;
	struct bb_attribute_rule *attributes; /* sorted by name */
	size_t attribute_n;
	uint32_t recent;
	uint32_t activity_days;
	int64_t max_future_ms, min_time_ms;
	uint64_t changes_max;	/* changes that are kept at most; 0: no feed */
	int64_t changes_age_ms; /* and how long */
	int64_t window_ms;	/* how long names of events are remembered, in log time */
};

/* The defaults of identity.md §2 for `owner` and `durable` as given; every other member is filled.
 */
void bb_rules_namespace_defaults(struct bb_namespace *ns, const char *name, bool owner,
				 bool durable);
void bb_rules_defaults(struct bb_rules *rules);

/* BB_NS_UNKNOWN (event.h) where there is none. */
uint16_t bb_rules_namespace(const struct bb_rules *rules, struct bb_text name);
enum bb_fold_rule bb_rules_fold(const struct bb_rules *rules, struct bb_text attribute);

/* The position in `sources`, or source_n. Smaller is more trusted. */
size_t bb_rules_trust(const struct bb_rules *rules, struct bb_text source);

#endif
