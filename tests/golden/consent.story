The latest word counts, per purpose and channel; a denial of everything overrides older grants of each channel, and a newer
grant of one channel stands beside it. At the same instant the denial wins.

namespaces:
  - {name: card, owner: true}
  - {name: email, normalise: email}
  - {name: phone, normalise: none}
  - {name: device, durable: false}
events:
  {"ids": ["card:C1"], "time": "2026-01-01T10:00:00Z", "consent": [{"purpose": "marketing", "channel": "email", "status": "granted"}, {"purpose": "marketing", "channel": "sms", "status": "granted"}]}
  {"ids": ["card:C1"], "time": "2026-01-02T10:00:00Z", "consent": [{"purpose": "marketing", "status": "denied"}]}
  {"ids": ["card:C1"], "time": "2026-01-03T10:00:00Z", "consent": [{"purpose": "marketing", "channel": "sms", "status": "granted"}]}
  {"ids": ["card:C1"], "time": "2026-01-04T10:00:00Z", "consent": [{"purpose": "profiling", "channel": "web", "status": "granted"}]}
  {"ids": ["card:C1"], "time": "2026-01-04T10:00:00Z", "consent": [{"purpose": "profiling", "channel": "web", "status": "denied"}]}
views:
  {"ids": ["card:C1 x5"], "consent": {"marketing:any": {"status": "denied", "time": "2026-01-02T10:00:00.000Z"}, "marketing:email": {"status": "denied", "time": "2026-01-02T10:00:00.000Z"}, "marketing:sms": {"status": "granted", "time": "2026-01-03T10:00:00.000Z"}, "profiling:web": {"status": "denied", "time": "2026-01-04T10:00:00.000Z"}}}
counters: applied 5
