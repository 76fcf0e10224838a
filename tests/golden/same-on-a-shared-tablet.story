A login alias says that a device and a user are the same. That is no join: it adds the identifiers to the event, and the
device stays shared once a second user came with it.

namespaces:
  - {name: card, owner: true}
  - {name: email, normalise: email}
  - {name: phone, normalise: none}
  - {name: device, durable: false}
events:
  {"ids": ["card:ANN"], "time": "2026-01-01T10:00:00Z", "type": "alias", "same": [[{"ns": "card", "value": "ANN"}, {"ns": "device", "value": "tablet"}]]}
  {"ids": ["card:BEN"], "time": "2026-01-02T10:00:00Z", "type": "alias", "same": [[{"ns": "card", "value": "BEN"}, {"ns": "device", "value": "tablet"}]]}
views:
  {"ids": ["card:ANN x1"], "events": 1}
  {"ids": ["card:BEN x1"], "events": 1}
  {"ids": ["device:tablet x0 shared"], "events": 0}
counters: applied 2
