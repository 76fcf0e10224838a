As newest-wins, but the old pair was seen on two days, the new one on a single day: one slip at the till takes nobody's
address away.

namespaces:
  - {name: card, owner: true}
  - {name: email, normalise: email}
  - {name: phone, normalise: none}
  - {name: device, durable: false}
events:
  {"ids": ["card:OLD", "email:a@example.org"], "time": "2026-01-01T10:00:00Z"}
  {"ids": ["card:OLD", "email:a@example.org"], "time": "2026-01-05T10:00:00Z"}
  {"ids": ["card:TYPO", "email:a@example.org"], "time": "2026-02-01T10:00:00Z"}
views:
  {"ids": ["card:OLD x2", "email:a@example.org x2"], "events": 2}
  {"ids": ["card:TYPO x1"], "events": 1}
counters: applied 3
