-- Stores a value the application computed: revokes leases and markers, and what neighbouring versions of the key hold.
-- KEYS
--   value          the entry
--   lease          its lease
--   neighbours...  value and lease of each neighbouring version, then the counter of the changes, not in a cluster
-- ARGV
--   bytes          the entry
--   keepMs         how long the entry is kept
--   notAfter       server ms after which nothing may change
--   channel        of the wake-ups
--   changes        channel of the changes
--   messages...    the wake-up for each lease, in the order of the keys
-- RETURNS
--   {'late'} | {'stored'} | {'full'}, the last with everything removed, since what stood there is outdated
--@include time
--@include entry
--@include lease
--@include full
--@include announce
--@include revoke
if server_ms() > tonumber(ARGV[3]) then return {'late'} end

local set = redis.pcall('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local full = is_full(set)
if failed(set) and not full then return set end
if full then redis.call('UNLINK', KEYS[1]) end
for i = 3, #KEYS - 1, 2 do redis.call('UNLINK', KEYS[i]) end
revoke(ARGV[4], 6)
announce_all(ARGV[5], 6, not full and token_of(ARGV[1]) or nil)
if full then return {'full'} end
return {'stored'}
