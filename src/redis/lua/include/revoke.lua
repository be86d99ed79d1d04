-- Ends the leases and markers at every second key from 2 on, and wakes those who waited. Each lease has its own message.
local function revoke(channel, first_message)
  for i = 2, #KEYS, 2 do
    local state = lease_of(KEYS[i])
    redis.call('DEL', KEYS[i])
    if state == 'W' then redis.call('PUBLISH', channel, ARGV[first_message + i / 2 - 1]) end
  end
end
