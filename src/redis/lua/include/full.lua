-- Whether a write failed because the server is out of memory.
local function is_full(reply)
  return type(reply) == 'table' and reply.err ~= nil and string.find(reply.err, '^%-?OOM') ~= nil
end

local function failed(reply)
  return type(reply) == 'table' and reply.err ~= nil
end
