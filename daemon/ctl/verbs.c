/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of verbs: what each takes, what it says of itself, and who does it. The command line,
 * the help and the check of the manual come from it.
 */
#include "ctl.h"

const struct bb_ctl_verb bb_ctl_verbs[] = {
	{"status",
	 "",
	 "how the daemon is, how far it has read",
	 "Partitions with what became of their records, connectors, the store. Exit 1: not ready.",
	 {{0}},
	 0,
	 0,
	 bb_ctl_status},
	{"get",
	 "KEY...",
	 "the view of a customer, by ns:value or profile id",
	 "Asks the daemon by the query socket. Exit 1: nobody is known by one of the keys.",
	 {{"fields", "A,B", "only these members: identifiers, attributes, revenue, ..."},
	  {"provenance", NULL, "where each attribute comes from"}},
	 1,
	 -1,
	 bb_ctl_get},
	{"why",
	 "KEY",
	 "why the identifiers of a customer are one profile",
	 "The profile as a tree of links, each with what says it; the links that were refused,\n"
	 "and what each would have broken; or why an identifier is blocked or shared. From the\n"
	 "daemon, or from the store when it is down. Exit 1: the key was never seen.",
	 {{0}},
	 1,
	 1,
	 bb_ctl_why},
	{"explain",
	 "KEY KEY",
	 "why two identifiers are one customer, or are not",
	 "Together: the links between them, the weakest, and what would part them. Apart: the\n"
	 "refused links and what they would have broken, or that there is no evidence; and what\n"
	 "would unite them. From the daemon, or from the store when it is down. Exit 1: a key was\n"
	 "never seen.",
	 {{0}},
	 2,
	 2,
	 bb_ctl_why},
	{"try",
	 "CONNECTOR FILE... | CONNECTOR --topic T --last N",
	 "the events that a connector makes of messages",
	 "CONNECTOR is a name of the configuration or a .yaml file. A FILE holds one JSON "
	 "document,\n"
	 "or one message a line; `-` is the standard input. A message is a bare body, or\n"
	 "{\"headers\":{},\"key\":\"\",\"topic\":\"\",\"value\":...}. Prints one canonical event a "
	 "line, with\n"
	 "its warnings. Needs no daemon and no broker. With --last: the newest messages of a "
	 "topic,\n"
	 "read without a group and without committing anything, and a summary: what would be "
	 "extracted,\n"
	 "which fields are usable how often, what is warned of and refused. Exit 1: something was\n"
	 "refused.",
	 {{"at", "TIME", "the log's time of messages that bring none; default: now"},
	  {"topic", "T", "of Kafka; default: that of the connector, if it names one"},
	  {"last", "N", "how many of it; default: 100"},
	  {"partition", "P", "of this partition only"},
	  {"events", NULL, "prints the events too, and what was refused, less what is redacted"},
	  {"brokers", "HOST:PORT,...", "default: those of the configuration"},
	  {"explain", NULL,
	   "of FILEs: says for each key which source won, and why others did not"}},
	 1,
	 -1,
	 bb_ctl_try},
	{"suggest",
	 "FILE...",
	 "a connector drafted from sample messages",
	 "FILEs as for `try`. Prints a connector to start from: identifiers, time, money and what\n"
	 "is known of the person are guessed by names and forms, each with a comment that says "
	 "why.\n"
	 "With a configuration only its namespaces are used. Exit 1: nobody is named in the "
	 "samples.",
	 {{"name", "NAME", "of the connector; default: that of the first file"},
	  {"channel", "CHANNEL", "pos, web, social, ...; default: web"}},
	 1,
	 -1,
	 bb_ctl_suggest},
	{"check-config",
	 "[FILE|FOLDER...]",
	 "everything that is wrong in configuration files",
	 "FILE is a daemon's configuration or a connector; of a FOLDER all *.yaml. Without one: "
	 "the\n"
	 "daemon's configuration and its connectors. Exit 1: there are errors.",
	 {{"reference", "WHAT",
	   "prints everything that may be written instead: daemon or connector"}},
	 0,
	 -1,
	 bb_ctl_check_config},
	{"connectors",
	 "list | reload",
	 "what is read for which connector, and what became of it",
	 "list: from the daemon; what is counted is counted since its start. From the "
	 "configuration\n"
	 "where no daemon answers. reload: the daemon reads configuration and connectors again, "
	 "as\n"
	 "after SIGHUP, and only connectors whose files changed are exchanged. Exit 2: there are\n"
	 "mistakes, and nothing was changed.",
	 {{0}},
	 1,
	 1,
	 bb_ctl_connectors},
	{"replay-topic",
	 "CONNECTOR --from TIME|OFFSET",
	 "topics of a connector are read again, as far as names are remembered",
	 "By the daemon, from the first record of that TIME, or from an OFFSET of one partition. "
	 "What\n"
	 "counts already is recognised by its name and not counted again: what comes in is what "
	 "was\n"
	 "skipped, refused or without an identifier, and what the connector takes now. Waits, and "
	 "says\n"
	 "what became of the records. Exit 1: nothing was read from there on yet; exit 4: names "
	 "do not\n"
	 "reach back so far.",
	 {{"from", "TIME|OFFSET", "from where, as 2026-01-02T03:04:05Z or a number"},
	  {"topic", "T", "this one only; default: all of the connector"},
	  {"partition", "P", "this one only"},
	  {"brokers", "HOST:PORT,...", "default: those of the configuration"}},
	 1,
	 1,
	 bb_ctl_replay_topic},
	{"produce",
	 "TOPIC FILE...",
	 "sends messages into a Kafka topic",
	 "FILEs as for `try`. A message in the long form brings its headers and its key.",
	 {{"brokers", "HOST:PORT,...", "default: those of the configuration"},
	  {"key-field", "PATH", "the member that becomes the key, as user.id"},
	  {"raw", NULL, "one message a line, as it is: no long form, no documents"},
	  {"quiet", NULL, "no progress"}},
	 2,
	 -1,
	 bb_ctl_produce},
	{"dump",
	 "--views | --offsets | --rulings",
	 "every view, every ruling, or how far every partition is read",
	 "One JSON line a profile, sorted by profile id; or one a partition; or one a ruling, in "
	 "the\n"
	 "form that `replay` and topics bring. Reads a snapshot of the store, whether the daemon "
	 "is\n"
	 "up or down.",
	 {{"views", NULL, "the views"},
	  {"offsets", NULL, "positions and counters of partitions"},
	  {"rulings", NULL, "rulings, those that were released too"}},
	 0,
	 0,
	 bb_ctl_dump},
	{"changes",
	 "",
	 "the change feed: profiles created, updated, merged, split, renamed, erased",
	 "One line a change, numbered without a gap; --after the last number you have goes on from "
	 "it.\n"
	 "From the daemon, or from the store when it is down (not with --follow). Exit 4: what "
	 "follows\n"
	 "that number was dropped; take all profiles again (`dump --views`).",
	 {{"after", "N", "behind this number; default: the oldest; of --follow: the newest"},
	  {"limit", "N", "at most so many; default: all"},
	  {"follow", NULL, "waits for more"}},
	 0,
	 0,
	 bb_ctl_changes},
	{"history",
	 "KEY",
	 "the names that a customer's profile had, mergers, splits, rulings",
	 "From the daemon, or from the store when it is down. Exit 1: nobody is known by KEY.",
	 {{0}},
	 1,
	 1,
	 bb_ctl_history},
	{"dead-letters",
	 "",
	 "what could not be applied, and why",
	 "Reason, position and original bytes. From the daemon, or from the store when it is down.",
	 {{"limit", "N", "at most so many; default: all"},
	  {"from", "N", "from this number on"},
	  {"values", NULL, "the bytes too (they are in --json)"}},
	 0,
	 0,
	 bb_ctl_dead_letters},
	{"rulings",
	 "add join|split A B | add block|allow A | list | release ID",
	 "a steward's word on who is who, or on an identifier",
	 "A and B are identifiers, as email:ann@example.org; they need not be known yet. join: "
	 "they "
	 "are\n"
	 "of one person; split: they are not; block: it links nobody; allow: it is neither junk "
	 "nor\n"
	 "shared. The latest on a pair or an identifier holds. release takes a ruling back, for "
	 "good.\n"
	 "By the daemon's admin socket. Exit 1: no ruling has this ID.",
	 {{"reason", "TEXT", "kept with the ruling"},
	  {"actor", "NAME", "who decided; default: the user of this command"},
	  {"id", "ID", "makes it count once; default: a new one"}},
	 1,
	 4,
	 bb_ctl_rulings},
	{"erase",
	 "KEY --mode forget|suppress --reason TEXT",
	 "everything that is held on a person, for good",
	 "KEY is an identifier of the person's own, or a profile id. forget: what comes later "
	 "begins a\n"
	 "new person; suppress: nothing of this person is taken in again. Prints a receipt. What "
	 "was\n"
	 "deleted is readable in the store's files until `backbonectl purge`. Exit 1: nobody is "
	 "known\n"
	 "by KEY.",
	 {{"mode", "MODE", "forget or suppress"},
	  {"reason", "TEXT", "kept in the audit log: a ticket, no name"},
	  {"id", "ID", "of the request; the same again erases nothing; default: a new one"},
	  {"yes", NULL, "does not ask"}},
	 1,
	 1,
	 bb_ctl_erase},
	{"export",
	 "KEY",
	 "everything that is held on a person, as JSON",
	 "View with provenance, records, rulings, history, dead letters. From the daemon, which "
	 "notes it\n"
	 "in the audit log. Exit 1: nobody is known by KEY.",
	 {{0}},
	 1,
	 1,
	 bb_ctl_export},
	{"erasures",
	 "export FILE | import FILE",
	 "takes erasures to another store, so that nobody returns there",
	 "export: every erasure as a line of JSON, keyed hashes only; `-` is the standard output. "
	 "A\n"
	 "daemon may be at work. import: into the store of the configuration, which must have the\n"
	 "same profile_key; while no daemon runs on it. Before the topics are read for the first "
	 "time,\n"
	 "or after a copy was put back. What is known is passed over. Exit 2: FILE is wrong.",
	 {{0}},
	 2,
	 2,
	 bb_ctl_erasures},
	{"audit",
	 "list | verify",
	 "who gave rulings, erased, exported, rebuilt, and whether that log is whole",
	 "From the daemon, or from the store when it is down. verify: exit 1 and the first wrong "
	 "number\n"
	 "where an entry was changed or is missing.",
	 {{0}},
	 1,
	 1,
	 bb_ctl_audit},
	{"identifiers",
	 "--shared | --blocked",
	 "identifiers that link nobody, and why",
	 "Those in the most records, with the count that is beyond its cap, or the rule that "
	 "blocks them.\n"
	 "From the daemon, or from the store when it is down; either way all identifiers are read.",
	 {{"shared", NULL, "that too many come with"},
	  {"blocked", NULL, "junk, patterns, rulings"},
	  {"top", "N", "so many, at most 1000; default: 20"}},
	 0,
	 0,
	 bb_ctl_identifiers},
	{"purge",
	 "",
	 "writes the store anew, so that nothing of what was deleted is left in its files",
	 "Copies what is there into a second file, which then takes the place of the first. Done "
	 "by\n"
	 "the daemon, with look-ups going on and ingestion waiting for the copy; or here when it "
	 "is\n"
	 "down. Needs room on the disk for the second file. Exit 1: it failed, and the store is "
	 "as it\n"
	 "was.",
	 {{0}},
	 0,
	 0,
	 bb_ctl_purge},
	{"rebuild",
	 "",
	 "builds the store anew from the beginning of topics and files",
	 "For connectors that were changed: the events of the past are read again. A second store "
	 "is\n"
	 "filled beside the first, while look-ups and ingestion go on, and takes its place when it "
	 "has\n"
	 "caught up. Rulings, erasures, the audit log and the change feed are kept. Needs room for "
	 "it\n"
	 "on the disk. Exit 1: it failed or was cancelled, and the store is as it was. Exit 4: the "
	 "log\n"
	 "no longer has what the store has.",
	 {{"accept-loss", NULL, "goes on without what the log no longer has"},
	  {"detach", NULL, "begins it, and does not wait for its end"},
	  {"cancel", NULL, "ends the one that is under way; nothing is changed"}},
	 0,
	 0,
	 bb_ctl_rebuild},
	{"rules",
	 "plan FILE",
	 "what other rules of identity would change",
	 "FILE is a whole configuration with the rules to be tried. Applies them to a snapshot of "
	 "the\n"
	 "store in a folder of its own, and compares: profiles merged, split, renamed; "
	 "identifiers\n"
	 "shared, blocked, or no longer; counts, and up to ten examples of each. Touches nothing; "
	 "a\n"
	 "daemon may be at work. Needs about as much room as the store has in use.",
	 {{"folder", "DIR", "where to work; default: $TMPDIR or /tmp. Nothing is left there"}},
	 2,
	 2,
	 bb_ctl_rules},
	{"digest",
	 "",
	 "a digest of all views, equal on every daemon that holds the same",
	 "From the daemon, or from the store when it is down.",
	 {{0}},
	 0,
	 0,
	 bb_ctl_digest},
	{"scrub",
	 "",
	 "reads every value of the store and checks its checksum",
	 "Exit 1: something is damaged.",
	 {{0}},
	 0,
	 0,
	 bb_ctl_scrub},
	{"help", "[VERB]", "this, or more about a verb", "", {{0}}, 0, 1, bb_ctl_verb_help},
};
const size_t bb_ctl_verb_n = sizeof(bb_ctl_verbs) / sizeof(bb_ctl_verbs[0]);

const struct bb_ctl_option bb_ctl_globals[] = {
	{"config", "FILE", "the daemon's configuration; default: " BB_CTL_CONFIG_DEFAULT},
	{"query-socket", "PATH", "default: that of the configuration, or " BB_CTL_QUERY_DEFAULT},
	{"admin-socket", "PATH", "default: that of the configuration, or " BB_CTL_ADMIN_DEFAULT},
	{"json", NULL, "answers as JSON, one line each"},
	{"help", NULL, "help, also of a verb"},
	{"version", NULL, "the version"},
};
const size_t bb_ctl_global_n = sizeof(bb_ctl_globals) / sizeof(bb_ctl_globals[0]);
