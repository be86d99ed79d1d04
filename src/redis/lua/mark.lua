#!lua flags=allow-oom
-- Writes something and takes it back, so that there is a write of this connection that replicas can be waited for.
-- KEYS
--   mark     nothing else
-- ARGV
-- RETURNS
--   1
redis.call('SET', KEYS[1], '', 'PX', 1000)
redis.call('UNLINK', KEYS[1])
return 1
