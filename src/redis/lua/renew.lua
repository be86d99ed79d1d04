#!lua flags=allow-oom
-- Extends a lease, if the token still holds it.
-- KEYS
--   lease    the lease
-- ARGV
--   token    of the holder
--   leaseMs  how long it runs from now
-- RETURNS
--   1, or 0 when the token does not hold
--@include lease
local state, holder = lease_of(KEYS[1])
if not is_held(state, holder) or holder ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
