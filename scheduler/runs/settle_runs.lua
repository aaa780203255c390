-- Messages are acknowledged, by a broker other than this Redis: their ends need not be remembered.
--
-- KEYS  1 lease records   2 ends without acknowledgement   3 deliveries   4 until when they are remembered
-- ARGV  1 the worker's name as one word   then for each message: run, its message's retries
-- uses: lease, deliveries

for at = 2, #ARGV, 2 do
  local run, retries = ARGV[at], ARGV[at + 1]
  local record = redis.call('HGET', KEYS[1], run)
  local lease = record and decode_lease(record) or nil
  local attempt = retries + read_deliveries(KEYS[3], run) + 1
  if lease and is_held(lease) and worker_name(lease.worker) == ARGV[1] and tonumber(lease.attempt) == attempt then
    lease.worker = '=' .. ARGV[1]  -- acknowledged before its end, which needs no note
    redis.call('HSET', KEYS[1], run, encode_lease(lease))
  else
    forget_end({ended = KEYS[2], deliveries = KEYS[3], deliveries_until = KEYS[4]}, run, retries)
  end
end
