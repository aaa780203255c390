-- KEYS 1 the history that Redis remembers
-- ARGV 1 id  2 batches  3 time of the batch
-- Several recorders report their batches in any order: the highest number stands.
local id = redis.call('HGET', KEYS[1], 'id')
local batches = tonumber(redis.call('HGET', KEYS[1], 'batches') or '-1')
if not id or (id == ARGV[1] and tonumber(ARGV[2]) > batches) then
  redis.call('HSET', KEYS[1], 'id', ARGV[1], 'batches', ARGV[2], 'at', ARGV[3])
end
return 1
