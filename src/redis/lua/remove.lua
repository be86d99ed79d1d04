#!lua flags=allow-oom
-- Removes a key: its entry, leases and markers, and those of neighbouring versions.
-- KEYS
--   value          the entry
--   lease          its lease
--   neighbours...  value and lease of each neighbouring version, then the counter of the changes, not in a cluster
-- ARGV
--   channel        of the wake-ups
--   changes        channel of the changes
--   messages...    the wake-up for each lease, in the order of the keys
-- RETURNS
--   1 when there was an entry, else 0
--@include lease
--@include announce
--@include revoke
local removed = redis.call('UNLINK', KEYS[1])
for i = 3, #KEYS - 1, 2 do redis.call('UNLINK', KEYS[i]) end
revoke(ARGV[1], 3)
announce_all(ARGV[2], 3)
return removed
