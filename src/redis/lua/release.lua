#!lua flags=allow-oom
-- Ends a load that stores nothing, if its token still holds the lease.
-- KEYS
--   lease     the lease
-- ARGV
--   token     of the holder
--   marker    what is left in its place: '' nothing, 'Q' do not queue, 'C' and an error code: cooldown
--   markerMs  how long the marker stands
--   channel   of the wake-ups
--   message   the wake-up for this key
-- RETURNS
--   1, or 0 when the token does not hold: nothing changed
--@include lease
local state, holder = lease_of(KEYS[1])
if not is_held(state, holder) or holder ~= ARGV[1] then return 0 end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
if state == 'W' then redis.call('PUBLISH', ARGV[4], ARGV[5]) end
return 1
