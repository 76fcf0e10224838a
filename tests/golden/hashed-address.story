An advertising partner knows addresses as hashes only. The hash of each clear address is derived, so the partner's events find
the person.

namespaces:
  - {name: email, normalise: email, derive: [email_sha256]}
  - {name: email_sha256, normalise: hex}
events:
  {"ids": ["email:ann@example.org"], "time": "2026-01-01T10:00:00Z"}
  {"ids": ["email_sha256:438C4C7AFE600CDF1E455C369BEC76DC970FC8CA463447C7B387A347F3C79331"], "source": "ads", "channel": "partner", "time": "2026-01-02T10:00:00Z"}
views:
  {"ids": ["email:ann@example.org x1", "email_sha256:438c4c7afe600cdf1e455c369bec76dc970fc8ca463447c7b387a347f3c79331 x2"], "events": 2}
counters: applied 2
