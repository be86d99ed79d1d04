#!lua flags=allow-oom
-- Proves to those who keep copies that they hear what is told, unless somebody has just done so.
-- KEYS
--   gate      stands while the last pulse is young
--   counter   of the changes
-- ARGV
--   everyMs   how long a pulse is young
--   changes   channel of the changes
-- RETURNS
--   1 when a pulse was sent, else 0
--@include time
if not redis.call('SET', KEYS[1], '', 'NX', 'PX', ARGV[1]) then return 0 end
local count = tonumber(redis.call('GET', KEYS[2]) or 0) or 0
redis.call('PUBLISH', ARGV[2], '\1p' .. struct.pack('>dd', count, server_ms()))
return 1
