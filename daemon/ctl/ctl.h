/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backbonectl: one file a verb, one table of verbs, from which the command line, the help and the
 * check of the manual come. A verb prints its answer to `out`, what people need beside it to `err`,
 * and returns an exit code. One thread.
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <backbone/config.h>
#include <backbone/store.h>
#include <stdio.h>

enum bb_ctl_exit {
	BB_CTL_OK = 0,
	BB_CTL_NO = 1,		/* the answer is no: nobody found, not ready, errors in a file */
	BB_CTL_USAGE = 2,	/* the command line, or a configuration that it needs, is wrong */
	BB_CTL_UNREACHABLE = 3, /* the daemon, the store or the broker */
	BB_CTL_REFUSED = 4	/* by the daemon, the store or the broker */
};

#define BB_CTL_OPTIONS_MAX 8 /* of a verb */

struct bb_ctl_option {
	const char *name; /* without the dashes */
	const char *arg;  /* what it takes, for the help; NULL: a flag */
	const char *help;
};

struct bb_ctl;

struct bb_ctl_verb {
	const char *name, *syntax, *summary, *text;
	struct bb_ctl_option options[BB_CTL_OPTIONS_MAX]; /* up to the first without a name */
	int arg_min, arg_max;				  /* arg_max -1: any number */
	int (*run)(struct bb_ctl *ctl);
};

struct bb_ctl {
	FILE *out, *err;
	bool json;
	const char *config_file;	     /* of --config; NULL: not given */
	const char *query_path, *admin_path; /* of --query-socket, --admin-socket; NULL */
	const struct bb_ctl_verb *verb;
	const char *values[BB_CTL_OPTIONS_MAX]; /* by option of the verb; a flag is ""; or NULL */
	char **args;
	int arg_n;
	struct bb_config *config; /* once loaded */
	struct bb_arena arena;
};

extern const struct bb_ctl_verb bb_ctl_verbs[];
extern const size_t bb_ctl_verb_n;

/* The options that every verb takes. */
extern const struct bb_ctl_option bb_ctl_globals[];
extern const size_t bb_ctl_global_n;

#define BB_CTL_CONFIG_DEFAULT "/etc/backbone/backbone.yaml"
#define BB_CTL_QUERY_DEFAULT "/run/backbone/query.sock"
#define BB_CTL_ADMIN_DEFAULT "/run/backbone/admin.sock"

/* The whole program, but for the process: returns the exit code. */
int bb_ctl_run(int argc, char **argv, FILE *out, FILE *err);

/* ctl.c: prints `backbonectl VERB: text` and returns `code`. */
int bb_ctl_fail(struct bb_ctl *ctl, enum bb_ctl_exit code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The value of an option of the verb, or NULL. The name must be one of its options. */
const char *bb_ctl_value(const struct bb_ctl *ctl, const char *option);

/* A whole number of an option; false: the exit code has been printed for. */
bool bb_ctl_number(struct bb_ctl *ctl, const char *option, uint64_t fallback, uint64_t max,
		   uint64_t *ret_value);

/* help.c */
void bb_ctl_help(FILE *out);
void bb_ctl_help_verb(const struct bb_ctl_verb *verb, FILE *out);

/* setup.c: what verbs need. Each returns BB_CTL_OK, or an exit code after printing why. */
BB_MUST_CHECK int bb_ctl_load_config(struct bb_ctl *ctl);

/* As bb_ctl_load_config, but where no file was named and the default one cannot be used, `config`
 * stays NULL. */
BB_MUST_CHECK int bb_ctl_try_config(struct bb_ctl *ctl);
BB_MUST_CHECK int bb_ctl_query_path(struct bb_ctl *ctl, const char **ret_path);
BB_MUST_CHECK int bb_ctl_admin_path(struct bb_ctl *ctl, const char **ret_path);

/* Those of --brokers, or of the configuration. */
BB_MUST_CHECK int bb_ctl_brokers(struct bb_ctl *ctl, const char **ret_brokers);

/* The store of the configuration, to be read only; a daemon may be at work on it. */
BB_MUST_CHECK int bb_ctl_open_store(struct bb_ctl *ctl, struct bb_store **ret_store);

/* The same to be written, made if there is none; no daemon may be at work on it. */
BB_MUST_CHECK int bb_ctl_open_store_to_write(struct bb_ctl *ctl, struct bb_store **ret_store);

/*
 * Calls `read` with a snapshot of the store. `socket`: where no daemon answered, for the case that
 * the configuration is wrong; NULL: none was asked. What `read` or the store came to is told in
 * *ret_err where that is given, and else printed if it is an error.
 */
typedef int bb_ctl_read_fn(struct bb_ctl *ctl, struct bb_kv *kv, void *ctx);
BB_MUST_CHECK int bb_ctl_read_store(struct bb_ctl *ctl, const char *socket, bb_ctl_read_fn *read,
				    void *ctx, int *ret_err);

/* Asks the daemon by the query socket; where it does not answer, `store` is told which. */
struct bb_net_resp;
BB_MUST_CHECK int bb_ctl_ask(struct bb_ctl *ctl,
			     int (*daemon)(struct bb_ctl *ctl, struct bb_net_resp *client),
			     int (*store)(struct bb_ctl *ctl, const char *socket));

/* A command to the daemon, and its reply, which is no error. */
struct bb_net_reply;
BB_MUST_CHECK int bb_ctl_call(struct bb_ctl *ctl, struct bb_net_resp *client,
			      const char *const *args, size_t n, struct bb_net_reply *ret_reply);

/* The exit code of an error of the list. */
enum bb_ctl_exit bb_ctl_exit_of(int err);

/* The verbs. */
typedef int bb_ctl_verb_fn(struct bb_ctl *ctl);
bb_ctl_verb_fn bb_ctl_audit, bb_ctl_erase, bb_ctl_export, bb_ctl_identifiers, bb_ctl_rulings;
bb_ctl_verb_fn bb_ctl_changes, bb_ctl_history;
bb_ctl_verb_fn bb_ctl_connectors, bb_ctl_suggest, bb_ctl_check_config, bb_ctl_dead_letters,
	bb_ctl_digest, bb_ctl_dump, bb_ctl_erasures, bb_ctl_get, bb_ctl_produce, bb_ctl_purge,
	bb_ctl_rebuild, bb_ctl_rules, bb_ctl_scrub, bb_ctl_status, bb_ctl_try, bb_ctl_verb_help,
	bb_ctl_why, bb_ctl_replay_topic;

#endif
