-- Stores a loaded value and ends the lease, if the token still holds it.
-- KEYS
--   value     the entry
--   lease     its lease
--   counter...  of the changes, not in a cluster
-- ARGV
--   token     of the holder
--   bytes     the entry
--   keepMs    how long the entry is kept
--   notAfter  server ms after which nothing may change
--   channel   of the wake-ups
--   message   the wake-up for this key
--   changes   channel of the changes
-- RETURNS
--   {'late'} | {'stored'} | {'lost'} | {'full'}, the last with the lease ended
--@include time
--@include entry
--@include lease
--@include full
--@include announce
local token = ARGV[1]
if server_ms() > tonumber(ARGV[4]) then return {'late'} end

local state, holder = lease_of(KEYS[2])
if not is_held(state, holder) or holder ~= token then
  local header = header_of(KEYS[1])
  if header and token_of(header) == token then return {'stored'} end
  return {'lost'}
end

local set = redis.pcall('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
local full = is_full(set)
if failed(set) and not full then return set end
redis.call('DEL', KEYS[2])
if state == 'W' then redis.call('PUBLISH', ARGV[5], ARGV[6]) end
if full then return {'full'} end
announce_value(ARGV[7], token, ARGV[6])
return {'stored'}
