What trackers and tills write where they know nothing is nobody's identifier: it is kept with the event, links nobody, and
is no profile. An event that carries nothing else belongs to nobody.

namespaces:
  - {name: card, owner: true, block: ['^STAFF-']}
  - {name: email, normalise: email}
  - {name: device, durable: false}
events:
  {"ids": ["card:null", "device:d1"], "time": "2026-01-01T10:00:00Z"}
  {"ids": ["card:guest", "device:d2"], "time": "2026-01-02T10:00:00Z"}
  {"ids": ["card:null", "device:d3"], "time": "2026-01-02T11:00:00Z"}
  {"ids": ["card:STAFF-7", "email:ann@example.org"], "time": "2026-01-03T10:00:00Z"}
  {"ids": ["card:STAFF-7"], "time": "2026-01-04T10:00:00Z"}
  {"ids": ["email:noreply@example.org", "device:00000000-0000-0000-0000-000000000000"], "time": "2026-01-04T10:00:00Z"}
views:
  {"ids": ["device:d1 x1"], "events": 1}
  {"ids": ["device:d2 x1"], "events": 1}
  {"ids": ["device:d3 x1"], "events": 1}
  {"ids": ["email:ann@example.org x1"], "events": 1}
counters: applied 6
